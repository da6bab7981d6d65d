"""Candidates as CSV: one row each, every property with its unit, method and uncertainty.

A spreadsheet runs a text cell that starts like a formula; such a cell gets an apostrophe in front.
Numbers stay numbers, negative ones too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..core.candidate import Candidate
from ..core.properties import PROPERTIES
from .crystal import origin, parents, spacegroup_number, spacegroup_symbol
from .folders import write_atomically

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_FIXED = ("candidate_id", "formula", "spacegroup_number", "spacegroup_symbol", "nsites", "origin", "parents")
PLACE_BEFORE = "place_before"
_SECOND_OPINION = "energy_above_hull"
"""What several potentials may have been asked for; all their answers stand in the table."""

Cell = str | float | int | None


def shortlist_csv(candidates: Sequence[Candidate], before: Mapping[str, int] | None = None) -> str:
    """The table as text.

    Columns: what each candidate is; then for every property that any of them has (best method) its
    value, units, method and uncertainty; the energy above hull by other methods; then for every screen
    asked whether it passed, its score and its reason. What was not computed is an empty cell.

    Args:
        candidates: In the order of the rows.
        before: Places on the shortlist of the run before, by id, where there was one: a column more, empty for who is new.
    """
    properties = [name for name in PROPERTIES if any(c.get(name) for c in candidates)]
    screens = sorted({v.screen for c in candidates for v in c.verdicts})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_heading(properties, screens) + ([PLACE_BEFORE] if before is not None else []))
    for candidate in candidates:
        row = _row(candidate, properties, screens)
        row += [before.get(candidate.candidate_id)] if before is not None else []
        writer.writerow([_written(cell) for cell in row])
    return out.getvalue()


def write_csv(
    path: Path | str, candidates: Sequence[Candidate], before: Mapping[str, int] | None = None
) -> Path:
    """Write the table to a file, UTF-8, whole or not at all; arguments as of `shortlist_csv`.

    Raises:
        OutputError: the place cannot be written.
    """
    path = Path(path)
    write_atomically(path, shortlist_csv(candidates, before).encode())
    return path


def _heading(properties: Sequence[str], screens: Sequence[str]) -> list[str]:
    heading = list(_FIXED)
    for name in properties:
        heading += [name, f"{name}_units", f"{name}_method", f"{name}_uncertainty"]
    if _SECOND_OPINION in properties:
        heading += [f"{_SECOND_OPINION}_other_methods"]
    for screen in screens:
        heading += [f"{screen}_passed", f"{screen}_score", f"{screen}_reason"]
    return [neutral(cell) for cell in heading]


def _row(candidate: Candidate, properties: Sequence[str], screens: Sequence[str]) -> list[Cell]:
    number = spacegroup_number(candidate)
    row: list[Cell] = [
        candidate.candidate_id,
        candidate.formula,
        number,
        spacegroup_symbol(number),
        len(candidate.structure),
        origin(candidate),
        " ".join(parents(candidate)),
    ]
    for name in properties:
        row += _property_cells(candidate, name)
    if _SECOND_OPINION in properties:
        others = candidate.all_of(_SECOND_OPINION)[1:]
        row.append("; ".join(f"{p.method}: {_number(p.value)}" for p in others) or None)  # type: ignore[arg-type]
    for screen in screens:
        verdict = candidate.verdict(screen)
        row += ["yes" if verdict.passed else "no", verdict.score, verdict.reason] if verdict else [None] * 3
    return row


def _property_cells(candidate: Candidate, name: str) -> list[Cell]:
    found = candidate.get(name)
    if found is None:
        return [None] * 4
    value = found.value
    if isinstance(value, tuple):
        value = "[" + ", ".join(_number(x) for x in value) + "]"
    return [value, found.units, found.method, found.uncertainty]


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    return neutral(cell) if isinstance(cell, str) else _number(cell)


def _number(value: float | int) -> str:
    return str(value) if isinstance(value, int) else f"{value:.10g}"


def neutral(text: str) -> str:
    """Text that no spreadsheet takes for a formula, also behind leading blanks."""
    return f"'{text}" if text.lstrip(" ").startswith(STARTS_A_FORMULA) else text
