"""`hysteron ingest`: DFT results come back into the store."""

from __future__ import annotations

from collections.abc import Sequence
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
    from ..core.candidate import Verdict
    from ..export.asked import Refusal
    from ..export.results import Results
    from ..flows.ingestion import Kept
    from ..flows.judging import Change

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
    The screens judge the candidates again, with the windows of the run that judged them last.
    """
    from ..core.errors import InputError
    from ..export.asked import asked_of
    from ..export.results import read_results
    from ..flows.ingestion import keep
    from ..store.store import CandidateStore

    asked, refused = asked_of(folder)
    results = [read_results(one, asked) for one in asked]
    refused += [refusal for one in results for refusal in one.refused]
    finished = [one for one in results if one.taken or one.path]
    if not finished:
        _tell_refused(refused)
        raise InputError(_nothing(results))
    done = []
    with CandidateStore.open(store, create=False) as opened:
        for kept in keep(finished, opened, refused):
            done.append(kept)
            for remark in kept.remarks:
                say(f"  {remark}")
            _tell_changes(kept)
    if not done:
        _tell_refused(refused)
        raise InputError("No finished calculation is of a candidate that the store holds.")
    _print(done, format)
    _tell(results, done, refused)
    if refused:
        raise typer.Exit(1)


def _tell_changes(kept: Kept) -> None:
    """Which verdicts turned, and which rest on other numbers now."""
    for change in kept.changes:
        head = f"  {kept.candidate.candidate_id}, {change.before.screen}: "
        if change.turned:
            say(
                f"{head}{_word(change.before)} -> {_word(change.after)} ({change.windows}): {change.after.reason}"
            )
        else:
            news = f": {'; '.join(change.news)}" if change.news else ""
            say(f"{head}{_word(change.after)} as before, on other numbers ({change.windows}){news}.")


def _word(verdict: Verdict) -> str:
    return "passed" if verdict.passed else "rejected"


def _nothing(results: Sequence[Results]) -> str:
    waiting = sum(len(one.waiting) for one in results)
    if waiting:
        return f"No calculation is finished: {waiting} have no output yet and have not been run."
    return "No finished calculation can be used; the reasons stand above."


def _tell(results: Sequence[Results], done: Sequence[Kept], refused: Sequence[Refusal]) -> None:
    own = [one for kept in done for one in kept.results]
    runs = sum(len(one.taken) + (len(one.path.images) if one.path else 0) for one in own)
    say(f"{runs} finished runs of {len(done)} candidates added to the store.")
    waiting = sum(len(one.waiting) for one in results)
    if waiting:
        say(f"{waiting} runs have no output yet.")
    _tell_refused(refused)


def _tell_refused(refused: Sequence[Refusal]) -> None:
    if refused:
        say(f"{len(refused)} cannot be used:")
        print_failures((refusal.what, refusal.reason) for refusal in refused)


def _print(done: Sequence[Kept], format: Format | None) -> None:
    if chosen(format) is Format.jsonl:
        for kept in done:
            changes = [_changed(change) for change in kept.changes]
            for results in kept.results:
                told = _summary(results) | {"verdicts": changes}
                write_record(kept.candidate.to_record() | {"ingest": told})
        return
    print_candidates([kept.candidate for kept in done], format, title="With DFT results", columns=SHOWN)


def _changed(change: Change) -> dict[str, Any]:
    return {
        "screen": change.before.screen,
        "passed_before": change.before.passed,
        "passed": change.after.passed,
        "reason": change.after.reason,
        "windows": change.windows,
    }


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
