"""What should DFT answer about this candidate?

Its verdicts say what is hoped of it, and its numbers how far they can be trusted. Only what was computed is asked back: each
estimate stands with its unit, method and interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .calculation import BERRY_PHASE, VACANCY, Calculation
from .crystal import spacegroup_symbol
from .vacancy_cells import SCREEN, named_sites

if TYPE_CHECKING:
    from ..core.candidate import Candidate, PropertyValue

ASKED = (
    "energy_above_hull",
    "band_gap",
    "polar_nonpolar_energy_difference",
    "polarization",
    "switching_barrier",
    "vacancy_formation_energy",
    "migration_barrier",
)
"""Properties that the exported runs, or runs that follow from them, decide."""
FERROELECTRIC = "ferroelectric"


def question_of(candidate: Candidate, calculations: Sequence[Calculation]) -> str:
    """The question in a few sentences.

    Args:
        candidate: With its verdicts and properties.
        calculations: What is exported of it.
    """
    kinds = {calculation.kind for calculation in calculations}
    sentences = [_stability(candidate)]
    if _concerns(candidate, FERROELECTRIC) or BERRY_PHASE in kinds:
        sentences.append(_ferroelectric(candidate, BERRY_PHASE in kinds))
    if _concerns(candidate, SCREEN) or VACANCY in kinds:
        sentences.append(_resistive_switching(candidate, calculations))
    sentences.append(least_certain(candidate))
    return " ".join(sentence for sentence in sentences if sentence)


def least_certain(candidate: Candidate) -> str:
    """The number that decides least surely, in a sentence: nearest to its threshold in standard deviations; else, of
    numbers that no verdict rests on, the one with the largest uncertainty for its size. Empty if no number has one.
    """
    held = [
        (abs(c["value"] - c["threshold"]) / c["uncertainty"], str(c["name"]), verdict.screen, c["threshold"])
        for verdict in candidate.verdicts
        for c in _criteria(verdict.details)
    ]
    if held:
        distance, name, screen, threshold = min(held)
        value = _told(candidate, name) or name.replace("_", " ")
        return (
            f"The number that decides least surely is {value}: {distance:.1f} standard deviations from the threshold of "
            f"{threshold:g} that the {screen} screen holds it against."
        )
    uncertain = [p for name in ASKED if (p := candidate.get(name)) is not None and p.uncertainty]
    if not uncertain:
        return ""
    worst = max(uncertain, key=_relative)
    return f"The least certain number is {told(worst)}."


def told(found: PropertyValue) -> str:
    """A property in words: `polarization 26 +- 6.5 uC/cm^2 (90% interval 15 to 37, effective charges)`."""
    spread = f" +- {found.uncertainty:.2g}" if found.uncertainty else ""
    unit = "" if found.units == "1" else f" {found.units}"
    range_ = ""
    if found.interval is not None:
        share = f"{found.coverage:.0%} " if found.coverage else ""
        range_ = f"{share}interval {found.interval[0]:.3g} to {found.interval[1]:.3g}, "
    name = found.name.replace("_", " ")
    return f"{name} {found.value:.3g}{spread}{unit} ({range_}{found.method})"


def _stability(candidate: Candidate) -> str:
    number = candidate.spacegroup_number
    symmetry = f" in {spacegroup_symbol(number)} ({number})" if spacegroup_symbol(number) else ""
    hull = _told(candidate, "energy_above_hull")
    against = f" Predicted: {hull}." if hull else " Its distance from the hull has not been predicted."
    return (
        f"Does {candidate.formula} keep its structure{symmetry} when it is relaxed, and how far above the convex hull does it "
        f"lie, against competing phases by the same settings?{against}{_gap(candidate)}"
    )


def _gap(candidate: Candidate) -> str:
    gap = _told(candidate, "band_gap")
    return f" Is it an insulator? Predicted: {gap}." if gap else ""


def _ferroelectric(candidate: Candidate, has_path: bool) -> str:
    names = ("polar_nonpolar_energy_difference", "polarization", "switching_barrier")
    predicted = _predicted(candidate, names)
    if not has_path:
        return (
            "Is the polar structure the ground state, and can it be switched? No nonpolar reference is exported, so the runs "
            f"tell only whether it stays polar.{predicted}"
        )
    reference = _reference_group(candidate)
    return (
        f"Is the polar structure lower in energy than its nonpolar reference{reference}, what is its spontaneous polarization "
        f"along polarization/, on one branch, and how high does the energy rise on that way, which bounds the switching barrier "
        f"from above?{predicted}"
    )


def _resistive_switching(candidate: Candidate, calculations: Sequence[Calculation]) -> str:
    verdict = candidate.verdict(SCREEN)
    mechanism = verdict.details.get("mechanism") if verdict else None
    by = f" by {mechanism}" if isinstance(mechanism, str) else ""
    predicted = _predicted(candidate, ("vacancy_formation_energy", "migration_barrier"))
    exported = [c.missing["label"] for c in calculations if c.kind == VACANCY and c.missing]
    if not exported:
        return f"It may switch its resistance{by}: is it an insulator that stays what it is?{predicted}"
    energies = {site.label: site.energy for site in named_sites(candidate)}
    sites = ", ".join(f"{label} (screen: {energies[label]:.2f} eV)" for label in exported)
    cheapest = ", and which site is the cheapest" if len(exported) > 1 else ""
    return (
        f"It may switch its resistance{by}: what does a neutral vacancy cost at {sites}{cheapest}? The barrier of its hops "
        f"between such sites is not exported.{predicted}"
    )


def _predicted(candidate: Candidate, names: Iterable[str]) -> str:
    found = [words for name in names if (words := _told(candidate, name))]
    return f" Predicted: {'; '.join(found)}." if found else ""


def _told(candidate: Candidate, name: str) -> str:
    found = candidate.get(name) if name in ASKED else None
    return told(found) if found is not None else ""


def _reference_group(candidate: Candidate) -> str:
    verdict = candidate.verdict(FERROELECTRIC)
    reference = (verdict.details if verdict else {}).get("reference")
    number = reference.get("spacegroup_number") if isinstance(reference, dict) else None
    symbol = spacegroup_symbol(number) if isinstance(number, int) else ""
    return f" in {symbol} ({number})" if symbol else ""


def _concerns(candidate: Candidate, screen: str) -> bool:
    verdict = candidate.verdict(screen)
    return verdict is not None and verdict.passed


def _criteria(details: Any) -> list[dict[str, Any]]:
    """Criteria of a verdict whose number, threshold and uncertainty are known; a verdict may come from outside."""
    listed = details.get("criteria") if isinstance(details, dict) else None
    return [
        c
        for c in (listed if isinstance(listed, list | tuple) else ())
        if isinstance(c, dict)
        and all(isinstance(c.get(key), int | float) for key in ("value", "threshold", "uncertainty"))
        and c["uncertainty"] > 0
        and c.get("name") in ASKED
    ]


def _relative(found: PropertyValue) -> float:
    size = abs(float(found.value))  # type: ignore[arg-type]
    return float(found.uncertainty or 0.0) / max(size, 1e-9)
