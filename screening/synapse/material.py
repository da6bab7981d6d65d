"""What does a crystal answer of what an application asks of its material?

Each bound is held against a property of the candidate, or against what another screen has kept in its verdict. What is not
known is missing and never a pass; an uncertainty that reaches over a bound flags.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...core.candidate import Candidate
from ..gap import judge_insulator
from ..measurement import findings_of
from ..resistive_switching.retention import RetentionAt, RetentionConfig, retention_of
from .classes import SWITCHING_SCREEN, DeviceClass
from .profiles import MaterialBound
from .requirement import Requirement, log_margin, margin
from .words import FROM_CRYSTAL, plain

SUPPLY_SCREEN = "supply"
PASSED_BY_RULE = 0.5
"""Margin of a gap that is not known and that a rule on the ions takes for that of an insulator. Ours, 2026."""
TWO_DEVIATIONS = 2.0
LONGEST_LOG10_SECONDS = 300.0  # a number can hold no longer time, and no crystal lasts it
CRITERION_NAMES = {
    "migration_barrier": ("migration_barrier", "ion_mobility"),
    "transition_probability": ("transition_probability", "metal_insulator_transition", "transition"),
}
"""Under which names a mechanism's criteria may hold a value; the mechanism's own value goes before the candidate's property."""
OTHER_IONS = ("ECM", "ECRAM")
"""Classes whose moving ion is not the vacancy that the candidate's `migration_barrier` is of."""
PROPERTIES = (
    "energy_above_hull",
    "migration_barrier",
    "vacancy_formation_energy",
    "polarization",
    "switching_barrier_per_atom",
    "transition_temperature",
)


@dataclass(frozen=True)
class Known:
    """A value and how it was found; `interval` reaches as far as the truth may lie."""

    value: float
    method: str
    interval: tuple[float, float]
    uncertainty: float | None = None


def judge_material(bound: MaterialBound, candidate: Candidate, device: DeviceClass) -> Requirement:
    """One bound on the material, held against what is known of a candidate whose device would be of a class."""
    if bound.name == "band_gap":
        return _gap(bound, candidate)
    if bound.name == "retention":
        return _retention(bound, candidate, device)
    if bound.name == "supply":
        return _supply(bound, candidate)
    known = known_value(bound.name, candidate, device)
    return _held(bound, known) if known else _missing(bound)


def known_value(name: str, candidate: Candidate, device: DeviceClass) -> Known | None:
    """A number of the material: the mechanism's own, else the candidate's property."""
    for key in CRITERION_NAMES.get(name, ()):
        if found := _from_criterion(device.criteria.get(key, {})):
            return found
    of_another_ion = name == "migration_barrier" and device.mechanism in OTHER_IONS
    found = candidate.get(name) if name in PROPERTIES and not of_another_ion else None
    if found is None:
        return None
    value = float(found.value)  # type: ignore[arg-type]
    reach = TWO_DEVIATIONS * (found.uncertainty or 0.0)
    interval = found.interval or (value - reach, value + reach)
    return Known(value, found.method, interval, found.uncertainty)


def _from_criterion(record: Mapping[str, Any]) -> Known | None:
    value, uncertainty = _number(record.get("value")), _number(record.get("uncertainty"))
    if value is None:
        return None
    reach = TWO_DEVIATIONS * (uncertainty or 0.0)
    method = record.get("method")
    return Known(
        value, method if isinstance(method, str) else "", (value - reach, value + reach), uncertainty
    )


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _held(bound: MaterialBound, known: Known) -> Requirement:
    inside = bound.holds(known.value)
    doubtful = any(bound.holds(end) != inside for end in known.interval)
    by = f" ({known.method})" if known.method else ""
    spread = f" +- {known.uncertainty:.2g}" if known.uncertainty else ""
    sentence = (
        f"{plain(bound.name)} {known.value:.3g}{spread}{_unit(bound)}{by}, {bound.words} "
        f"{'is met' if inside else 'is asked'}{_doubt(doubtful)}"
    )
    return _requirement(
        bound,
        "passed" if inside else "failed",
        sentence,
        margin(known.value, bound.low, bound.high),
        known.value,
        doubtful,
    )


def _gap(bound: MaterialBound, candidate: Candidate) -> Requirement:
    findings = findings_of(candidate, SWITCHING_SCREEN) or {}
    found = judge_insulator(candidate, bound.windows, findings.get("charges"))
    if found.status == "missing":
        return _missing(bound, found.sentence)
    how_far = PASSED_BY_RULE
    if found.value is not None:
        window = next((w for w in bound.windows.values() if w.low == found.threshold), None)
        low, high = (window.low, window.high) if window else (None, found.threshold)
        how_far = margin(found.value, low, high)
    one = _requirement(bound, found.status, found.sentence, how_far, found.value, found.flagged)  # type: ignore[arg-type]
    return dataclasses.replace(one, low=found.threshold)


def _retention(bound: MaterialBound, candidate: Candidate, device: DeviceClass) -> Requirement:
    known = known_value("migration_barrier", candidate, device)
    kelvin = bound.temperature_kelvin
    if known is None or kelvin is None or known.value < 0:
        return _missing(bound, "retention is not known: migration barrier not computed")
    at = _waiting_time(known.value, known.uncertainty, kelvin)
    inside = bound.holds(_seconds(at.log10_seconds))
    doubtful = any(bound.holds(_seconds(end)) != inside for end in at.interval)
    sentence = (
        f"one hop of {known.value:.2f} eV waits 10^{at.log10_seconds:.1f} s (10^{at.interval[0]:.1f} to 10^{at.interval[1]:.1f}) "
        f"at {at.celsius:.0f} C, a lower bound for a filament; {bound.words} {'is met' if inside else 'is asked'}"
        f"{_doubt(doubtful)}"
    )
    how_far = log_margin(at.log10_seconds, bound.low, bound.high)
    seconds = _seconds(at.log10_seconds)
    return _requirement(bound, "passed" if inside else "failed", sentence, how_far, seconds, doubtful)


@lru_cache(maxsize=1024)
def _waiting_time(barrier: float, uncertainty: float | None, kelvin: float) -> RetentionAt:
    """Several profiles ask the same of one barrier."""
    return retention_of(barrier, uncertainty, RetentionConfig(temperatures_kelvin=(kelvin,))).at[0]


def _seconds(log10_seconds: float) -> float:
    return 10 ** min(log10_seconds, LONGEST_LOG10_SECONDS)


def _supply(bound: MaterialBound, candidate: Candidate) -> Requirement:
    verdict = candidate.verdict(SUPPLY_SCREEN)
    if verdict is None or verdict.score is None:
        return _missing(bound, "supply is not known: its screen was not asked")
    inside = verdict.passed and bound.holds(verdict.score)
    sentence = f"supply: {verdict.reason[:1].lower()}{verdict.reason[1:].rstrip('.')}"
    how_far = margin(verdict.score, bound.low, bound.high) if verdict.passed else -1.0
    return _requirement(bound, "passed" if inside else "failed", sentence, how_far, verdict.score, False)


def _missing(bound: MaterialBound, sentence: str = "") -> Requirement:
    return _requirement(
        bound, "missing", sentence or f"{plain(bound.name)} not computed, {_asked(bound)}", None, None, False
    )


def _asked(bound: MaterialBound) -> str:
    return f"{bound.words} is asked"


def _requirement(
    bound: MaterialBound,
    status: Any,
    sentence: str,
    how_far: float | None,
    value: float | None,
    flagged: bool,
) -> Requirement:
    return Requirement(
        bound.name,
        "material",
        FROM_CRYSTAL,
        status,
        sentence,
        how_far,
        value,
        bound.low,
        bound.high,
        bound.units,
        bound.required,
        flagged,
    )


def _unit(bound: MaterialBound) -> str:
    return "" if bound.units == "1" else f" {bound.units}"


def _doubt(doubtful: bool) -> str:
    return ", though its uncertainty reaches over that" if doubtful else ""
