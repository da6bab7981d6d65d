"""`hysteron ingest`: DFT results come back into the store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import StoreOption, print_failures, say

if TYPE_CHECKING:
    from ..export.berry_phase import BerryPhaseResult
    from ..export.ingest import ExportedPath


def ingest(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder written by 'hysteron export'.")],
    store: StoreOption = None,
) -> None:
    """Read finished DFT runs: the Berry-phase polarization along exported paths, on one branch.

    Prints, per candidate, the polarization (uC/cm^2) against the nonpolar end, the quantum, and whether the branch
    is certain. What is certain goes to the candidate in the store, beside the estimate it was screened with.
    """
    from ..core.errors import HysteronError, InputError
    from ..export.berry_phase import polarization_along_path
    from ..export.ingest import exported_paths

    results, failures = [], []
    for path in exported_paths(folder):
        try:
            results.append((path, polarization_along_path(path.folder, path.format, path.images)))
        except HysteronError as error:
            failures.append((path.candidate_id, str(error)))
    if failures:
        say(f"{len(failures)} of {len(results) + len(failures)} paths cannot be used:")
        print_failures(failures)
    if not results:
        raise InputError("No polarization path is finished.")
    kept, refused = _keep(results, store)
    _print([_row(path, result, path.candidate_id in kept) for path, result in results])
    say(f"{len(kept)} of {len(results)} polarizations written to the store.")
    print_failures(refused)
    if failures or refused:
        raise typer.Exit(1)


def _keep(
    results: list[tuple[ExportedPath, BerryPhaseResult]], store: str | None
) -> tuple[set[str], list[tuple[str, str]]]:
    """Add what is certain to the store; the ids of what was, and why the rest was not."""
    from ..core.errors import InputError, NoStoreError
    from ..export.ingest import with_berry_phase
    from ..store.store import CandidateStore

    kept, refused = [], []
    try:
        with CandidateStore.open(store, create=False) as opened:
            for path, result in results:
                try:
                    kept.append(with_berry_phase(opened.get(path.candidate_id), result))
                except InputError as error:
                    refused.append((path.candidate_id, str(error)))
            opened.upsert(kept)
    except NoStoreError as error:
        refused = [(path.candidate_id, str(error)) for path, _ in results]
    return {candidate.candidate_id for candidate in kept}, refused


def _row(path: ExportedPath, result: BerryPhaseResult, stored: bool) -> dict[str, Any]:
    return {
        "candidate_id": path.candidate_id,
        "formula": path.formula,
        "polarization": round(result.polarization, 4),
        "polarization_vector": [round(float(x), 4) for x in result.vector],
        "units": "uC/cm^2",
        "method": f"Berry phase ({result.functional}, {result.code})",
        "images": len(result.path),
        "polarization_quantum": [round(float(x), 4) for x in result.quantum],
        "branch": result.verdict,
        "largest_step": round(result.largest_step, 4),
        "doubts": list(result.doubts),
        "stored": stored,
    }


def _print(rows: list[dict[str, Any]]) -> None:
    """A table on a terminal, JSON lines when piped."""
    from rich.console import Console
    from rich.table import Table

    from .output import write_record

    if not sys.stdout.isatty():
        for row in rows:
            write_record(row)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("candidate", "P\nuC/cm^2", "vector", "quantum", "images", "branch", "method", "stored"):
        table.add_column(heading)
    for row in rows:
        vector, quantum = (
            ", ".join(f"{x:.1f}" for x in row[f"polarization_{n}"]) for n in ("vector", "quantum")
        )
        stored = "yes" if row["stored"] else "no"
        table.add_row(
            row["candidate_id"], f"{row['polarization']:.2f}", vector, quantum, str(row["images"]), row["branch"],
            row["method"], stored,
        )  # fmt: skip
    Console(highlight=False).print(table)
