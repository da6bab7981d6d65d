"""What does a resistive-switching verdict tell of mechanisms, vacancies and hops, as far as it can be trusted?

A verdict's `details` is a free JSON object; `foreign_details` says how it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..core.candidate import Candidate
from .foreign_details import each, mapping, number, positive, text, truth

SCREEN = "resistive-switching"
STATUSES = ("passed", "failed", "not judged")
MOST_ROWS = 24
LONGEST_REASON = 1200


@dataclass(frozen=True)
class MechanismRow:
    """What was found of one mechanism; `flagged` if it rests on a rule or on a value near an edge."""

    name: str
    status: str
    score: float | None
    reason: str
    flagged: bool


@dataclass(frozen=True)
class VacancyRow:
    """A vacancy on one site: eV at the element's reference phase."""

    label: str
    energy: float
    converged: bool | None


@dataclass(frozen=True)
class VacancySet:
    """Vacancies of one element: energies in eV, where the element is in its reference phase, and at the host's own limits."""

    element: str
    at_reference: float | None
    rich: float | None
    poor: float | None
    sites: tuple[VacancyRow, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class HopRow:
    """A class of hops: length in A, height above the most stable vacancy in eV, how it was found, and what is to be known."""

    name: str
    length: float | None
    height: float | None
    kind: str
    note: str


@dataclass(frozen=True)
class HopSet:
    """Hops of one ion, and the heights (eV) at which they connect through the crystal in 1, 2 and 3 dimensions."""

    ion: str
    barrier: float | None
    connects: tuple[float | None, float | None, float | None]
    hops: tuple[HopRow, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Mechanisms:
    """Everything that can be shown; `retention` is a sentence, `window` the eV in which a barrier passes."""

    mechanism: str
    rows: tuple[MechanismRow, ...]
    vacancies: tuple[VacancySet, ...]
    hops: tuple[HopSet, ...]
    retention: str
    window: tuple[float, float] | None
    ten_years: float | None


def mechanisms(candidate: Candidate) -> Mechanisms | None:
    """What the screen found; `None` if it was not asked or tells nothing that can be read."""
    verdict = candidate.verdict(SCREEN)
    details = mapping(verdict.details) if verdict else {}
    rows = each(details.get("mechanisms"), _mechanism, MOST_ROWS)
    if not rows:
        return None
    retention = mapping(details.get("retention"))
    windows = mapping(details.get("windows"))
    return Mechanisms(
        mechanism=text(details.get("mechanism"), 12),
        rows=rows,
        vacancies=tuple(_vacancies(mapping(one)) for one in mapping(details.get("vacancies")).values()),
        hops=tuple(_hops(mapping(one)) for one in mapping(details.get("migration")).values()),
        retention=text(retention.get("sentence"), LONGEST_REASON),
        window=_window(windows.get("migration_barrier")),
        ten_years=_second(retention.get("barrier_for_ten_years")),
    )


def _mechanism(record: dict[str, Any]) -> MechanismRow | None:
    name, status = text(record.get("mechanism"), 12), record.get("status")
    if not name or status not in STATUSES:
        return None
    return MechanismRow(
        name,
        status,
        number(record.get("score")),
        text(record.get("reason"), LONGEST_REASON),
        record.get("flagged") is True,
    )


def _vacancies(record: dict[str, Any]) -> VacancySet:
    return VacancySet(
        element=text(record.get("element"), 3),
        at_reference=number(record.get("energy_at_reference")),
        rich=number(record.get("energy_rich")),
        poor=number(record.get("energy_poor")),
        sites=each(record.get("sites"), _site, MOST_ROWS),
        notes=_notes(record),
    )


def _site(record: dict[str, Any]) -> VacancyRow | None:
    label, energy = text(record.get("label"), 24), number(record.get("energy"))
    return VacancyRow(label, energy, truth(record.get("converged"))) if label and energy is not None else None


def _hops(record: dict[str, Any]) -> HopSet:
    found = mapping(record.get("percolation"))
    return HopSet(
        ion=text(record.get("ion"), 12),
        barrier=positive(record, "barrier"),
        connects=(positive(found, "1D"), positive(found, "2D"), positive(found, "3D")),
        hops=each(record.get("hops"), _hop, MOST_ROWS),
        notes=_notes(record),
    )


def _hop(record: dict[str, Any]) -> HopRow | None:
    name = text(record.get("name"), 60)
    if not name:
        return None
    return HopRow(
        name,
        positive(record, "length_angstrom"),
        number(record.get("height")),
        text(record.get("kind"), 40),
        text(record.get("note")),
    )


def _notes(record: dict[str, Any]) -> tuple[str, ...]:
    notes = record.get("notes")
    return tuple(filter(None, map(text, notes[:MOST_ROWS]))) if isinstance(notes, list | tuple) else ()


def _window(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    low, high = map(number, value)
    return (low, high) if low is not None and high is not None and low < high else None


def _second(value: Any) -> float | None:
    return number(value[1]) if isinstance(value, list | tuple) and len(value) == 3 else None
