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
    """The runs the store holds, newest first: what each found, and what it cost.

    A table on a terminal, one JSON object a line when piped. Passes are counted by screen, known materials included; found
    is what a run relaxed that was ranked; new is what its shortlist has that the run before did not have.
    """
    import sys
    from dataclasses import asdict

    from ..flows.costs import accounts
    from .output import write_record

    with _open(store) as opened:
        rows = opened.runs(limit)
        found = accounts(opened, rows)
    if not rows:
        say("The store has no runs yet; 'hysteron discover' makes one.")
    elif sys.stdout.isatty():
        from .runs_table import print_runs

        print_runs(rows, found)
        return
    for row, account in zip(rows, found, strict=True):
        write_record(asdict(row) | account.to_record())
