"""What makes a crystal a candidate ferroelectric, and which numbers decide?

It must be polar, insulating, close to a nonpolar parent into which it could be switched, lower in energy
than that parent but not by so much that no field would switch it, and carry a polarization worth reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from ...core.candidate import Candidate, Verdict
from ...core.errors import StructureError
from ...core.settings import Settings
from ..criteria import Criterion, decide
from ..gap import GapWindow, judge_insulator
from ..measurement import findings_of, why_missing
from .symmetry import Symmetry, find_symmetry

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "ferroelectric"
CriterionName = Literal[
    "polar",
    "insulator",
    "nonpolar_parent",
    "polarization",
    "distortion_max",
    "polar_nonpolar_energy_difference",
]
GOOD_ENERGY_DIFFERENCE = (-35.0, -4.0)
"""meV/atom. The middle half of the DFT pairs with at least 1 uC/cm^2 whose polar end is lower (n=77 of the 182
preferred pairs of Smidt et al., Sci. Data 7, 72 (2020)) lies here: full score; less outside."""
EDGE_SCORE = 0.2
HALF_SCORE_POLARIZATION = 10.0
"""uC/cm^2 at which the score of the polarization is one half."""


class FerroelectricConfig(Settings):
    """Windows and tolerances of the ferroelectric screen.

    Attributes:
        symprec_tight: A; the crystal's own symmetry.
        symprec_loose: A; a crystal that is polar only below it is polar within the noise of a relaxation.
            None of the 63 DFT pairs with 5 uC/cm^2 or more and a lower polar end is lost at 0.05 A.
        require_polar_at_loose: Whether the crystal must be polar at the loose tolerance too.
        max_parents: The search for nonpolar parents ends after so many.
        gap_windows: By method; a gap of another method is not judged. PBE gaps are small: the least among the
            170 DFT pairs with a gap is 0.36 eV.
        polarization_min: uC/cm^2.
        distortion_max: A; 99% of the 170 DFT pairs that tell it move no atom by more than 2 A.
        energy_difference_low: meV/atom, polar minus parent; nine tenths of the 77 DFT pairs of
            `GOOD_ENERGY_DIFFERENCE` lie above -150. What lies lower is polar for good.
        energy_difference_high: meV/atom; at 0 the polar end must be the lower one.
        required: Criteria without which nothing passes.
    """

    symprec_tight: float = Field(default=0.01, gt=0)
    symprec_loose: float = Field(default=0.05, gt=0)
    require_polar_at_loose: bool = True
    max_parents: int = Field(default=5, ge=1)
    gap_windows: dict[str, GapWindow] = {
        "pbe": GapWindow(low=0.3),
        "gnn": GapWindow(low=0.3),
        "hse06": GapWindow(low=0.5),
        "experiment": GapWindow(low=0.5),
        "measured": GapWindow(low=0.5),
    }
    polarization_min: float = Field(default=1.0, ge=0)
    distortion_max: float = Field(default=2.0, gt=0)
    energy_difference_low: float = -150.0
    energy_difference_high: float = 0.0
    required: tuple[CriterionName, ...] = (
        "polar",
        "nonpolar_parent",
        "insulator",
        "polarization",
        "distortion_max",
        "polar_nonpolar_energy_difference",
    )

    @model_validator(mode="after")
    def _ordered(self) -> FerroelectricConfig:
        if self.energy_difference_high <= self.energy_difference_low:
            raise ValueError("energy_difference_high must lie above energy_difference_low")
        if self.symprec_loose < self.symprec_tight:
            raise ValueError("symprec_loose must not be smaller than symprec_tight")
        return self


def judge(candidate: Candidate, config: FerroelectricConfig) -> Verdict:
    """The verdict on a measured candidate; a centrosymmetric one is set aside for that alone."""
    try:
        tight = find_symmetry(candidate.structure, config.symprec_tight)
        # What is not polar at the tight tolerance has only more symmetry at the loose one.
        loose = find_symmetry(candidate.structure, config.symprec_loose) if tight.polar else tight
    except StructureError as error:
        unread = Criterion("polar", "missing", f"its symmetry cannot be read: {str(error).rstrip('.')}")
        return decide(NAME, [unread], ["polar"], "polar")
    symmetry = {"symmetry": [found.record() for found in dict.fromkeys((tight, loose))]}
    polar = judge_polar(tight, loose, config.require_polar_at_loose)
    if not polar.passed:
        return decide(NAME, [polar], ["polar"], "polar", symmetry)
    findings = findings_of(candidate, NAME) or {}
    why = why_missing(candidate, NAME)
    parent = _judge_parent(findings, why)
    if not parent.passed and "nonpolar_parent" in config.required:
        return decide(NAME, [polar, parent], ["polar", "nonpolar_parent"], "polar", symmetry)
    told = {key: findings[key] for key in ("parents", "reference") if key in findings}
    criteria = [polar, parent, *_judge_measured(candidate, findings, config, why)]
    return decide(NAME, criteria, config.required, "polarization", symmetry | told)


def judge_polar(tight: Symmetry, loose: Symmetry, both: bool) -> Criterion:
    """Whether the point group is polar at the tight tolerance, and at the loose one if `both` is asked."""
    if not tight.polar:
        status, sentence = "failed", f"{tight} is not polar (spglib, symprec {tight.symprec:g} A)"
    elif loose.polar:
        status, sentence = (
            "passed",
            f"polar, {tight} (spglib, symprec {tight.symprec:g} and {loose.symprec:g} A)",
        )
    else:
        status = "failed" if both else "passed"
        sentence = (
            f"{tight} at symprec {tight.symprec:g} A but {loose}, not polar, at {loose.symprec:g} A: the polar "
            "distortion is within the noise of a relaxation"
        )
    return Criterion("polar", status, sentence, units="A", method="spglib")  # type: ignore[arg-type]


def _judge_measured(
    candidate: Candidate, findings: dict[str, Any], config: FerroelectricConfig, why: str
) -> Sequence[Criterion]:
    return (
        judge_insulator(candidate, config.gap_windows, findings.get("charges")),
        _judge_polarization(candidate, config.polarization_min, why),
        _judge_distortion(candidate, config.distortion_max, why),
        _judge_energy(candidate, config.energy_difference_low, config.energy_difference_high, why),
    )


def _judge_parent(findings: dict[str, Any], why: str) -> Criterion:
    parents = findings.get("parents")
    if not parents:
        return Criterion("nonpolar_parent", "missing", f"no nonpolar parent is known: {why}")
    first = parents[0]
    sentence = f"nonpolar parent {first['symbol']} ({first['spacegroup_number']}, ladder at {first['symprec']:.2f} A)"
    return Criterion(
        "nonpolar_parent", "passed", sentence, float(first["spacegroup_number"]), method="symprec ladder"
    )


def _judge_polarization(candidate: Candidate, lowest: float, why: str) -> Criterion:
    found = candidate.get("polarization")
    if found is None:
        return Criterion(
            "polarization", "missing", f"polarization is missing: {why}", None, lowest, "uC/cm^2"
        )
    value = float(found.value)  # type: ignore[arg-type]
    enough = value >= lowest
    return Criterion(
        name="polarization",
        status="passed" if enough else "failed",
        sentence=f"polarization {value:.1f} uC/cm^2 ({found.method}) is {'at least' if enough else 'below'} {lowest:g} uC/cm^2",
        value=value,
        threshold=lowest,
        units="uC/cm^2",
        method=found.method,
        score=value / (value + HALF_SCORE_POLARIZATION),
    )


def _judge_distortion(candidate: Candidate, highest: float, why: str) -> Criterion:
    found = candidate.get("distortion_max")
    if found is None:
        return Criterion("distortion_max", "missing", f"distortion_max is missing: {why}", None, highest, "A")
    value = float(found.value)  # type: ignore[arg-type]
    small = value <= highest
    return Criterion(
        name="distortion_max",
        status="passed" if small else "failed",
        sentence=f"largest displacement {value:.2f} A ({found.method}) is {'within' if small else 'above'} {highest:g} A",
        value=value,
        threshold=highest,
        units="A",
        method=found.method,
    )


def _judge_energy(candidate: Candidate, low: float, high: float, why: str) -> Criterion:
    name, units = "polar_nonpolar_energy_difference", "meV/atom"
    found = candidate.get(name)
    if found is None:
        return Criterion(name, "missing", f"{name} is missing: {why}", None, high, units)
    value = float(found.value)  # type: ignore[arg-type]
    inside = low <= value <= high
    return Criterion(
        name=name,
        status="passed" if inside else "failed",
        sentence=f"polar minus nonpolar {value:.1f} meV/atom ({found.method}) lies "
        f"{'in' if inside else 'outside'} the window of {low:g} to {high:g} meV/atom",
        value=value,
        threshold=low if value < low else high,
        units=units,
        method=found.method,
        score=energy_score(value, low, high),
    )


def energy_score(value: float, low: float, high: float) -> float:
    """1 in `GOOD_ENERGY_DIFFERENCE`, falling to `EDGE_SCORE` at the ends of the window, meV/atom; 0 outside."""
    if not low <= value <= high:
        return 0.0
    good_low, good_high = max(low, GOOD_ENERGY_DIFFERENCE[0]), min(high, GOOD_ENERGY_DIFFERENCE[1])
    below, above = good_low - value, value - good_high
    if below > 0:
        return 1 - (1 - EDGE_SCORE) * below / (good_low - low)
    if above > 0:
        return 1 - (1 - EDGE_SCORE) * above / (high - good_high)
    return 1.0
