"""`hysteron generate`: new crystals from one generator."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .output import FormatOption, StoreOption, print_candidates, say


def generate(
    name: Annotated[str, typer.Argument(help="Generator: substitution.")],
    count: Annotated[int, typer.Option(min=1, help="How many to propose.")] = 10,
    formula: Annotated[str | None, typer.Option(help="Exactly this formula.", show_default=False)] = None,
    chemsys: Annotated[
        str | None, typer.Option(help="Only these elements, such as Ba-Ti-O.", show_default=False)
    ] = None,
    natoms: Annotated[
        str | None, typer.Option(metavar="LO..HI", help="Number of atoms in the cell.", show_default=False)
    ] = None,
    spacegroup: Annotated[
        int | None, typer.Option(min=1, max=230, help="Exactly this space group.", show_default=False)
    ] = None,
    polar: Annotated[bool, typer.Option("--polar", help="Only polar space groups.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Root of the random stream.")] = 0,
    source: Annotated[str, typer.Option(help="Where parents come from: catalog, or cif:DIR.")] = "catalog",
    store: StoreOption = None,
    format: FormatOption = None,
) -> None:
    """Propose new crystals; the same seed gives the same ones. With --store they are kept there."""
    import numpy as np

    from ..core.contracts import Tools
    from ..flows import toolbox
    from ..flows.run_settings import GeneratorTable, SourceTable

    given: dict[str, Any] = {
        "formula": formula,
        "chemsys": chemsys,
        "natoms": interval(natoms) if natoms else None,
        "spacegroup_number": spacegroup,
        "polar_only": polar or None,
    }
    settings = {key: value for key, value in given.items() if value is not None}
    component = toolbox.generator(GeneratorTable(name=name, settings=settings))
    kind, _, path = source.partition(":")
    seeds = list(toolbox.source(SourceTable(name=kind, path=path or None)).search())
    tools = Tools(known=toolbox.known((c.candidate_id, c.structure) for c in seeds))
    rng = np.random.default_rng(np.random.SeedSequence([seed]))
    found = list(component.generate(seeds, count, rng, tools))
    if store:
        from ..store.store import CandidateStore

        with CandidateStore.open(store) as opened:
            parents = {p for c in found for step in c.provenance for p in step.parents}
            opened.upsert([s for s in seeds if s.candidate_id in parents])
            opened.upsert(found)
    print_candidates(found, format)
    say(f"{len(found)} of {count} proposed by {name} from {len(seeds)} parents.")


def interval(text: str) -> tuple[int, int]:
    """`4..12` as (4, 12); a bare number is both ends.

    Raises:
        InputError: it is neither.
    """
    from ..core.errors import InputError

    low, separator, high = text.partition("..")
    try:
        ends = int(low), int(high if separator else low)
    except ValueError:
        raise InputError(f"--natoms {text!r}: write LO..HI, such as 4..12.") from None
    if not 1 <= ends[0] <= ends[1]:
        raise InputError(f"--natoms {text!r} is empty: the first number is the smaller one, from 1.")
    return ends
