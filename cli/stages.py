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
    refine: Annotated[
        bool | None,
        typer.Option(
            "--refine/--no-refine",
            help="Also compute vacancies, hops and inserted ions, minutes a crystal. Done where --screen names "
            "resistive-switching or synapse.",
            show_default=False,
        ),
    ] = None,
    refine_for: Annotated[
        str, typer.Option(help="Wall time of --refine for each crystal, such as 90s or 10m.")
    ] = "10m",
    format: FormatOption = None,
) -> None:
    """Ask the screens: stability, ferroelectric, resistive-switching, supply, synapse.

    The geometry is left as it is; what the screens relax are copies: the ends of a switching path, supercells with
    vacancies. A device screen named with --screen prints what it found in full. The synapse screen reads what the two
    device screens say, so they are asked before it.
    """
    from ..core.errors import InputError
    from ..flows import toolbox
    from ..flows.run_settings import ScreenTable
    from ..flows.steps import judged
    from .ferroelectric import SCREEN
    from .refinement import refined, wall_time

    asked = _asked(name or ())
    if path and SCREEN not in asked:
        raise InputError(
            "--path is a setting of the ferroelectric screen; ask for it with --screen ferroelectric."
        )
    limit = wall_time(refine_for)
    settings = {SCREEN: {"path": path.value}} if path else {}
    screens = [toolbox.screen(ScreenTable(name=one, settings=settings.get(one, {}))) for one in asked]
    closer = bool(set(name or ()) & REFINED_IF_NAMED) if refine is None else refine

    def work(candidates: Sequence[Candidate]) -> list[Candidate]:
        tools = toolbox.tools_for_prediction()
        predicted = toolbox.predictor("properties").predict(candidates)
        energies = toolbox.predictor("chgnet").predict(predicted)
        found = judged(energies, screens, tools)
        return refined(found, screens, tools, limit) if closer else found

    each_input(paths, work, format, "screen", _shown_by(name or ()))


REFINED_IF_NAMED = {"resistive-switching", "synapse"}


def _asked(named: Sequence[str]) -> list[str]:
    """The screens to ask, in the order of the registry; those that the synapse screen reads are asked with it."""
    from ..screening import SCREENS
    from ..screening.synapse.screen import READS

    if not named:
        return list(SCREENS)
    wanted = dict.fromkeys((*named, *(READS if "synapse" in named else ())))
    return [one for one in SCREENS if one in wanted] + [one for one in wanted if one not in SCREENS]


def _shown_by(named: Sequence[str]) -> Callable[[Sequence[Candidate], Sequence[str]], None] | None:
    """The blocks of the device screens that were named, below the usual table if others were named too."""
    from .ferroelectric import print_ferroelectric
    from .resistive_switching import print_resistive_switching
    from .synapse import print_synapse

    blocks = {
        "ferroelectric": print_ferroelectric,
        "resistive-switching": print_resistive_switching,
        "synapse": print_synapse,
    }
    shown = [blocks[one] for one in blocks if one in named]
    if not shown:
        return None

    def show(candidates: Sequence[Candidate], inputs: Sequence[str]) -> None:
        if set(named) - blocks.keys():
            print_candidates(candidates, Format.table, inputs=inputs)
        for block in shown:
            block(candidates, inputs)

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
