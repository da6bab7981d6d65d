"""`hysteron predict` and `screen`, and how any single stage treats files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from .output import Format, FormatOption, chosen, print_candidates, print_failures, say, write

if TYPE_CHECKING:
    from ..core.candidate import Candidate

PathsArgument = Annotated[
    list[str],
    typer.Argument(metavar="PATH...", help="CIF, POSCAR, extxyz or JSONL files, or folders of them."),
]


class SwitchingPath(StrEnum):
    """How the ferroelectric screen follows the switching path."""

    linear = "linear"
    neb = "neb"
    none = "none"


def predict(
    paths: PathsArgument,
    model: Annotated[
        str,
        typer.Option(
            help="properties: the graph network; chgnet: energies of the potential; or a plug-in's name."
        ),
    ] = "properties",
    format: FormatOption = None,
) -> None:
    """Predict properties at the geometry given, with 90% intervals; nothing is relaxed."""
    from ..flows import toolbox
    from .predictions import print_predictions

    def work(candidates: Sequence[Candidate]) -> list[Candidate]:
        return toolbox.predictor(model).predict(candidates)

    each_input(paths, work, format, "predict", print_predictions)


def screen(
    paths: PathsArgument,
    name: Annotated[
        list[str] | None,
        typer.Option("--screen", help="Ask only this screen; may be given again.", show_default=False),
    ] = None,
    path: Annotated[
        SwitchingPath | None,
        typer.Option(
            help="How the ferroelectric screen follows the switching path: straight, by a climbing-image elastic band "
            "(up to a minute a crystal), or not at all.",
            show_default=False,
        ),
    ] = None,
    format: FormatOption = None,
) -> None:
    """Ask the screens: stability, ferroelectric, resistive-switching, supply.

    The geometry is left as it is. Only the ferroelectric screen relaxes, and only copies: both ends of its
    switching path. Named with --screen, it prints parent, path and polarization in full.
    """
    from ..core.errors import InputError
    from ..flows import toolbox
    from ..flows.run_settings import ScreenTable
    from ..flows.steps import judged
    from ..screening import SCREENS
    from .ferroelectric import SCREEN

    asked = name or list(SCREENS)
    if path and SCREEN not in asked:
        raise InputError(
            "--path is a setting of the ferroelectric screen; ask for it with --screen ferroelectric."
        )
    settings = {SCREEN: {"path": path.value}} if path else {}
    screens = [toolbox.screen(ScreenTable(name=one, settings=settings.get(one, {}))) for one in asked]

    def work(candidates: Sequence[Candidate]) -> list[Candidate]:
        predicted = toolbox.predictor("properties").predict(candidates)
        energies = toolbox.predictor("chgnet").predict(predicted)
        return judged(energies, screens, toolbox.tools_for_prediction())

    each_input(paths, work, format, "screen", _shown_by(name or ()))


def _shown_by(named: Sequence[str]) -> Callable[[Sequence[Candidate], Sequence[str]], None] | None:
    """The ferroelectric screen's blocks if it was named, below the usual table if others were named too."""
    from .ferroelectric import SCREEN, print_ferroelectric

    if SCREEN not in named:
        return None

    def show(candidates: Sequence[Candidate], inputs: Sequence[str]) -> None:
        if set(named) != {SCREEN}:
            print_candidates(candidates, Format.table, inputs=inputs)
        print_ferroelectric(candidates, inputs)

    return show


def each_input(
    paths: list[str],
    work: Callable[[Sequence[Candidate]], list[Candidate]],
    format: Format | None,
    stage: str,
    show: Callable[[Sequence[Candidate], Sequence[str]], None] | None = None,
) -> None:
    """Read the inputs, do the work on those that can be used, print both kinds.

    Args:
        paths: Files or folders.
        work: From candidates to candidates, in order.
        format: `None` chooses by where standard output goes.
        stage: Whose failures are told.
        show: Prints the table, in place of the usual one.
    """
    from ..core.errors import InputError
    from ..export.jsonl import unreadable_line
    from ..retrieval.files import read_paths

    entries = list(read_paths(paths))
    usable = [(e.input, e.candidate) for e in entries if e.candidate is not None]
    broken = [(e.input, e.failure) for e in entries if e.failure is not None]
    if broken:
        say(f"{len(broken)} of {len(entries)} inputs cannot be used:")
        print_failures((where, failure.reason) for where, failure in broken)
    if chosen(format) is Format.jsonl:
        for where, failure in broken:
            write(unreadable_line(where, failure).decode())
    if not usable:
        raise InputError("There is no usable input.")
    results = work([candidate for _, candidate in usable])
    inputs = [where for where, _ in usable]
    if show and chosen(format) is Format.table:
        show(results, inputs)
    else:
        print_candidates(results, format, inputs=inputs)
    failed = [(c.candidate_id, f.reason) for c in results for f in c.failures if f.stage == stage]
    if failed:
        say(f"{len(failed)} could not be treated in full:")
        print_failures(failed)
    if broken:
        raise typer.Exit(1)
