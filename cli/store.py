"""`hysteron query`, `show` and `runs`: what the store holds."""

from __future__ import annotations

from typing import Annotated

import typer

from .output import Format, FormatOption, StoreOption, chosen, print_candidates, say


def _open(store: str | None):
    from ..store.store import CandidateStore

    return CandidateStore.open(store, create=False)


def query(
    filter: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILTER]",
            help="OPTIMADE filter, such as 'passes HAS \"ferroelectric\" AND energy_above_hull < 0.05'.",
            show_default=False,
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            help="Property or field; a leading - turns the order: -polarization.", show_default=False
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Print at most so many.")] = 20,
    store: StoreOption = None,
    format: FormatOption = None,
) -> None:
    """Ask the store for candidates, in the OPTIMADE filter language.

    A bare property name takes the best method a candidate has; band_gap.hse06 asks for one. Also:
    formula, chemsys, elements, nelements, nsites, spacegroup_number, origin, run_id, passes, fails.
    """
    descending = bool(sort) and sort.startswith("-")
    with _open(store) as opened:
        found = opened.query(
            filter, sort=sort.lstrip("-") if sort else None, descending=descending, limit=limit
        )
        total = opened.count(filter)
    print_candidates(found, format)
    say(f"{len(found)} of {total} candidates.")


def show(
    candidate_id: Annotated[str, typer.Argument(help="As a table prints it.")],
    store: StoreOption = None,
    format: FormatOption = None,
) -> None:
    """Everything known of one candidate: properties with methods, verdicts with reasons, lineage."""
    with _open(store) as opened:
        candidate = opened.get(candidate_id)
        twins = opened.same_as(candidate.candidate_id)
    if chosen(format) is not Format.table:
        print_candidates([candidate], format)
        return
    from .details import print_details

    print_details(candidate, twins)


def runs(
    limit: Annotated[int, typer.Option(min=1, help="List at most so many.")] = 20,
    store: StoreOption = None,
) -> None:
    """The runs the store holds, newest first."""
    import sys
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

    from .output import write_record

    with _open(store) as opened:
        rows = opened.runs(limit)
    if not sys.stdout.isatty():
        for row in rows:
            write_record(asdict(row))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("run", "status", "started", "preset", "seed", "work", "candidates", "shortlist"):
        table.add_column(heading)
    for row in rows:
        run = row.config["run"]
        work = f"{run['relaxations']} relaxations" if run["relaxations"] else run["budget"]
        listed = row.summary.get("counts", {}).get("shortlist", "-") if row.summary else "-"
        cells = (
            row.status,
            row.started or row.created,
            run["preset"],
            row.seed,
            work,
            row.candidates,
            listed,
        )
        table.add_row(row.run_id, *map(str, cells))
    Console(highlight=False).print(table)
