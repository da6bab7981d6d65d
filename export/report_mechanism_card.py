"""What does the report show of the mechanisms of resistive switching? Plain values for the template."""

from __future__ import annotations

from typing import Any

from ..core.candidate import Candidate
from .foreign_details import text
from .report_ladder import ladder
from .report_mechanisms import HopRow, HopSet, MechanismRow, Mechanisms, VacancySet, mechanisms
from .report_words import NOT_COMPUTED, number

LONGEST_REFUSAL = 300
FULL_NAMES = {
    "VCM": "valence change",
    "ECM": "electrochemical metallization",
    "PCM": "phase change",
    "MIT": "metal-insulator transition",
    "ECRAM": "ion-gated",
    "halide": "halide and layered",
}


def mechanism_card(candidate: Candidate, rank: int) -> dict[str, Any]:
    """The `mechanisms` of a candidate's card: `None` if the resistive-switching screen told nothing that can be shown."""
    told = mechanisms(candidate)
    if told is None:
        return {"mechanisms": None}
    return {
        "mechanisms": {
            "rows": [_row(row) for row in told.rows],
            "vacancies": [_vacancies(one) for one in told.vacancies],
            "hops": [_hops(one, told, f"hops-{rank}-{i}") for i, one in enumerate(told.hops)],
            "retention": told.retention[:1].upper() + told.retention[1:],
        }
    }


def _row(row: MechanismRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "full_name": FULL_NAMES.get(row.name, ""),
        "status": row.status,
        "mark": "yes" if row.status == "passed" else "no",
        "score": "" if row.score is None else number(row.score, 2),
        "reason": row.reason if row.status == "passed" else text(row.reason, LONGEST_REFUSAL),
        "flagged": row.flagged and row.status == "passed",
    }


def _vacancies(found: VacancySet) -> dict[str, Any]:
    def shown(value: float | None) -> str:
        return NOT_COMPUTED if value is None else number(value, 2)

    return {
        "element": found.element,
        "at_reference": shown(found.at_reference),
        "rich": shown(found.rich),
        "poor": shown(found.poor),
        "sites": ", ".join(f"{site.label} {number(site.energy, 2)}" for site in found.sites),
        "notes": found.notes,
    }


def _hops(found: HopSet, told: Mechanisms, identifier: str) -> dict[str, Any]:
    return {
        "ion": found.ion,
        "drawing": ladder(found, told.window, told.ten_years, identifier),
        "rows": [_hop(hop) for hop in found.hops],
        "notes": found.notes,
    }


def _hop(hop: HopRow) -> dict[str, str]:
    return {
        "name": hop.name,
        "length": NOT_COMPUTED if hop.length is None else number(hop.length, 2),
        "height": NOT_COMPUTED if hop.height is None else number(hop.height, 2),
        "kind": hop.kind,
        "note": hop.note,
    }
