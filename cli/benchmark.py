"""`hysteron benchmark`: one claim measured."""

from __future__ import annotations

from typing import Annotated

import typer

from .output import say, write_record


def benchmark(
    name: Annotated[
        str | None, typer.Argument(help="Which one; without a name they are listed.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Root of the random stream.")] = 0,
) -> None:
    """Measure one claim; prints one JSON object with figure, baseline, sample size and seed."""
    from ..benchmarks import BENCHMARKS
    from ..core.registry import load, names

    group = "hysteron.benchmarks"
    if name is None:
        for known in names(BENCHMARKS, group):
            print(known)
        return
    run = load(name, BENCHMARKS, group)
    say(f"Measuring {name}; this can take minutes.")
    write_record(run(seed=seed))
