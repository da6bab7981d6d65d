"""`hysteron ingest`: DFT results come back into the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import (
    Format,
    FormatOption,
    StoreOption,
    chosen,
    print_candidates,
    print_failures,
    say,
    write_record,
)

if TYPE_CHECKING:
    from ..core.candidate import Candidate
    from ..export.asked import Refusal
    from ..export.results import Results
    from ..store.store import CandidateStore

CHUNK = 50
"""Candidates that are written at once."""
SHOWN = (
    "energy_per_atom",
    "band_gap",
    "polarization",
    "polar_nonpolar_energy_difference",
    "switching_barrier",
)


def ingest(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder written by 'hysteron export'.")],
    format: FormatOption = None,
    store: StoreOption = None,
) -> None:
    """Read finished DFT runs of exported candidates, and add what they say to the store.

    The manifest names the code whose outputs are read. What is of another crystal, functional, charge or kind, unfinished, not
    converged or damaged is refused with the reason; the rest goes on. Adds energies, gaps, the relaxed geometry, the Berry-phase
    polarization on one branch, and the energies along the switching path, each with method, source and a step in the provenance.
    """
    from ..core.errors import InputError
    from ..export.asked import asked_of
    from ..export.results import read_results
    from ..store.store import CandidateStore

    asked, refused = asked_of(folder)
    results = [read_results(one, asked) for one in asked]
    refused += [refusal for one in results for refusal in one.refused]
    finished = [one for one in results if one.taken or one.path]
    if not finished:
        _tell_refused(refused)
        raise InputError(_nothing(results))
    with CandidateStore.open(store, create=False) as opened:
        done = list(_keep(finished, opened, refused))
    if not done:
        _tell_refused(refused)
        raise InputError("No finished calculation is of a candidate that the store holds.")
    _print(done, format)
    _tell(results, done, refused)
    if refused:
        raise typer.Exit(1)


def _keep(
    finished: Sequence[Results], store: CandidateStore, refused: list[Refusal]
) -> Iterator[tuple[Candidate, Results]]:
    """Add what was read to the store, chunk by chunk; what does not fit its candidate joins the refused."""
    from ..core.errors import InputError
    from ..export.asked import Refusal
    from ..export.ingest import with_results

    for start in range(0, len(finished), CHUNK):
        richer = []
        for results in finished[start : start + CHUNK]:
            identifier = results.asked.candidate_id
            try:
                known = {candidate.candidate_id: candidate for candidate, _ in richer}
                candidate, remarks = with_results(known.get(identifier) or store.get(identifier), results)
            except InputError as error:
                refused.append(Refusal(identifier, str(error)))
                continue
            for remark in (*results.remarks, *remarks):
                say(f"  {remark}")
            richer.append((candidate, results))
        store.upsert(candidate for candidate, _ in richer)
        yield from richer


def _nothing(results: Sequence[Results]) -> str:
    waiting = sum(len(one.waiting) for one in results)
    if waiting:
        return f"No calculation is finished: {waiting} have no output yet and have not been run."
    return "No finished calculation can be used; the reasons stand above."


def _tell(
    results: Sequence[Results], done: Sequence[tuple[Candidate, Results]], refused: Sequence[Refusal]
) -> None:
    runs = sum(len(one.taken) + (len(one.path.images) if one.path else 0) for _, one in done)
    candidates = len({candidate.candidate_id for candidate, _ in done})
    say(f"{runs} finished runs of {candidates} candidates added to the store.")
    waiting = sum(len(one.waiting) for one in results)
    if waiting:
        say(f"{waiting} runs have no output yet.")
    _tell_refused(refused)


def _tell_refused(refused: Sequence[Refusal]) -> None:
    if refused:
        say(f"{len(refused)} cannot be used:")
        print_failures((refusal.what, refusal.reason) for refusal in refused)


def _print(done: Sequence[tuple[Candidate, Results]], format: Format | None) -> None:
    if chosen(format) is Format.jsonl:
        for candidate, results in done:
            write_record(candidate.to_record() | {"ingest": _summary(results)})
        return
    candidates = list({candidate.candidate_id: candidate for candidate, _ in done}.values())
    print_candidates(candidates, format, title="With DFT results", columns=SHOWN)


def _summary(results: Results) -> dict[str, Any]:
    """What was read and what was not, beside the candidate itself."""
    path = results.path
    summary: dict[str, Any] = {
        "format": results.asked.format,
        "taken": [taken.asked.folder for taken in results.taken],
        "refused": [{"folder": refusal.what, "reason": refusal.reason} for refusal in results.refused],
        "waiting": list(results.waiting),
        "remarks": list(results.remarks),
    }
    if path is not None:
        result = path.result
        summary["path"] = {
            "folder": path.folder,
            "images": len(path.images),
            "polarization": round(result.polarization, 4),
            "polarization_vector": [round(float(x), 4) for x in result.vector],
            "polarization_quantum": [round(float(x), 4) for x in result.quantum],
            "branch": result.verdict,
            "largest_step": round(result.largest_step, 4),
            "doubts": list(result.doubts),
        }
    return summary
