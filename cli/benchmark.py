"""`hysteron benchmark`: one claim measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from .output import say, write_record


def benchmark(
    name: Annotated[
        str | None, typer.Argument(help="Which one; without a name they are listed.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Root of the random stream.")] = 0,
    only: Annotated[
        str | None, typer.Option(metavar="ROW", help="One row of a long benchmark.", show_default=False)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep what a long benchmark has measured before.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Small samples, to see that it runs.")] = False,
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
    options = understood(run, name, {"only": only, "resume": resume, "quick": quick})
    say(f"Measuring {name}; this can take minutes.")
    write_record(run(seed=seed, **options))


def understood(run: Callable[..., Any], name: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given.

    Raises:
        InputError: the benchmark does not know one of them.
    """
    import inspect

    from ..core.errors import InputError

    given = {option: value for option, value in options.items() if value}
    unknown = [f"--{option}" for option in given if option not in inspect.signature(run).parameters]
    if unknown:
        raise InputError(f"The benchmark {name!r} has no {' or '.join(unknown)}; leave it out.")
    return given
