"""What makes a crystal a candidate ferroelectric, and which numbers decide?

It must be polar, insulating, close to a nonpolar parent into which it could be switched, lower in energy
than that parent but not by so much that no field would switch it, and carry a polarization worth reading.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import Field, model_validator

from ...core.candidate import Candidate, PropertyValue, Verdict
from ...core.errors import StructureError
from ...core.properties import method_matches, method_slug
from ...core.settings import Settings
from ..criteria import Criterion, decide
from ..gap import GapWindow, judge_insulator
from ..measurement import findings_of, why_missing
from .mechanism import DISPLACIVE
from .symmetry import Symmetry, find_symmetry

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "ferroelectric"
CriterionName = Literal[
    "polar",
    "nonpolar_parent",
    "assessable",
    "insulator",
    "polarization",
    "distortion_max",
    "polar_end",
    "polar_nonpolar_energy_difference",
    "switching_barrier_per_atom",
]
GOOD_ENERGY_DIFFERENCE = (-35.0, -4.0)
"""meV/atom. The middle half of the DFT pairs with at least 1 uC/cm^2 whose polar end is lower (n=77 of the 182
preferred pairs of Smidt et al., Sci. Data 7, 72 (2020)) lies here: full score; less outside."""
GOOD_BARRIER = (4.0, 60.0)
"""meV/atom. By this screen's own paths BaTiO3 (P4mm) has 11, LiNbO3 26, HfO2 40, PbTiO3 41: full score."""
TOLD = (
    "parents",
    "reference",
    "reversed",
    "displacements",
    "quantum",
    "effective_charges",
    "extrapolated",
    "nominal_polarization",
    "mechanism",
    "ends",
    "path",
    "estimates",
)
"""Findings that the verdict's details repeat."""
EDGE_SCORE = 0.2
REVERSED_DIFFERENCE = Criterion(
    "polar_nonpolar_energy_difference",
    "not computed",
    "the path leads to the reversed state, of the same energy",
    units="meV/atom",
)
HALF_SCORE_POLARIZATION = 10.0
"""uC/cm^2 at which the score of the polarization is one half."""


class FerroelectricConfig(Settings):
    """Windows, tolerances and effort of the ferroelectric screen.

    Attributes:
        symprec_tight: A; the crystal's own symmetry.
        symprec_loose: A; a crystal that is polar only below it is polar within the noise of a relaxation.
            None of the 63 DFT pairs with 5 uC/cm^2 or more and a lower polar end is lost at 0.05 A.
        require_polar_at_loose: Whether the crystal must be polar at the loose tolerance too.
        max_parents: Of the nonpolar parents found, so many are kept.
        gap_windows: By method; a gap of another method is not judged. PBE gaps are small: the least among the
            170 DFT pairs with a gap is 0.36 eV.
        polarization_min: uC/cm^2; the limit of Smidt et al. (2020). A crystal whose interval reaches it passes with a flag;
            where it does not, no path is computed.
        distortion_max: A; 99% of the 170 DFT pairs that tell it move no atom by more than 2 A.
        energy_difference_low: meV/atom, polar minus the lowest parent; nine tenths of the 77 DFT pairs of
            `GOOD_ENERGY_DIFFERENCE` lie above -150, and what lies lower scores low.
        energy_difference_high: meV/atom; at 0 the polar end must be the lower one.
        barrier_low: meV/atom; a lower barrier holds no polarization against heat.
        barrier_high: meV/atom; a straight path bounds the barrier from above only, so the window is wide and the score falls
            in it. Wurtzite AlN, which does not switch unless it is alloyed, has some 100.
        relaxed_parents: So many of the parents are relaxed, the first and those of the lowest energies; the crystal
            must lie below all of them, and the path goes through the lowest.
        path: `linear`; `neb` adds a climbing-image elastic band; `none`.
        path_images: Images of the path, both ends counted.
        relax_ends: Whether copies of both ends are relaxed, if a relaxer is at hand.
        neb_seconds: Wall time that one elastic band may take.
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
    polarization_min: float = Field(default=5.0, ge=0)
    distortion_max: float = Field(default=2.0, gt=0)
    energy_difference_low: float = -500.0
    energy_difference_high: float = 0.0
    barrier_low: float = Field(default=0.1, ge=0)
    barrier_high: float = Field(default=500.0, gt=0)
    relaxed_parents: int = Field(default=3, ge=1)
    path: Literal["linear", "neb", "none"] = "linear"
    path_images: int = Field(default=9, ge=9, le=41)
    relax_ends: bool = True
    neb_seconds: float = Field(default=60.0, gt=0)
    required: tuple[CriterionName, ...] = get_args(CriterionName)

    @model_validator(mode="after")
    def _ordered(self) -> FerroelectricConfig:
        if self.energy_difference_high <= self.energy_difference_low:
            raise ValueError("energy_difference_high must lie above energy_difference_low")
        if self.barrier_high <= self.barrier_low:
            raise ValueError("barrier_high must lie above barrier_low")
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
    told = {key: findings[key] for key in TOLD if key in findings}
    criteria = [polar, parent, *_judge_measured(candidate, findings, config, why)]
    # A reversed state has the crystal's own energy: there is no nonpolar one to lie below.
    spared = {"polar_nonpolar_energy_difference"} if "reversed" in findings else set()
    required = [name for name in config.required if name not in spared]
    return decide(NAME, criteria, required, "polarization", symmetry | told)


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
    why_no_path = f"not computed, {findings['untried']}" if "untried" in findings else why
    assessable = findings.get("mechanism", {}).get("assessable", True)
    why_no_polarization = (
        why if assessable else "not computed, the mechanism is not assessable by this method"
    )
    difference = (config.energy_difference_low, config.energy_difference_high)
    return (
        _judge_mechanism(findings, why),
        judge_insulator(candidate, config.gap_windows, findings.get("charges")),
        _judge_polarization(candidate, config.polarization_min, why_no_polarization),
        _judge_distortion(candidate, config.distortion_max, why),
        _judge_polar_end(findings, config, why_no_path),
        REVERSED_DIFFERENCE
        if "reversed" in findings
        else _judge_window(
            candidate,
            "polar_nonpolar_energy_difference",
            "polar minus nonpolar",
            difference,
            GOOD_ENERGY_DIFFERENCE,
            why_no_path,
        ),
        _judge_window(
            candidate,
            "switching_barrier_per_atom",
            "switching barrier",
            (config.barrier_low, config.barrier_high),
            GOOD_BARRIER,
            why_no_path,
        ),
    )


def _judge_parent(findings: dict[str, Any], why: str) -> Criterion:
    parents, name = findings.get("parents"), "nonpolar_parent"
    if parents:
        first = parents[0]
        sentence = f"nonpolar parent {first['symbol']} ({first['spacegroup_number']}, {first['distortion_max']:.2f} A away)"
        return Criterion(name, "passed", sentence, float(first["spacegroup_number"]), method="parent search")
    if "reversed" in findings:
        return Criterion(
            name, "passed", "no nonpolar parent, but a reversed polar state", method="parent search"
        )
    return Criterion(name, "missing", f"no nonpolar parent is known: {why}")


def _judge_mechanism(findings: dict[str, Any], why: str) -> Criterion:
    found = findings.get("mechanism")
    if not found:
        return Criterion("assessable", "missing", f"the mechanism is not known: {why}")
    sentence = f"{found['kind']}, {_clause(found['reason'])}"
    if not found["assessable"]:
        return Criterion("assessable", "failed", sentence)
    caution = found["kind"] != DISPLACIVE
    return Criterion("assessable", "passed", sentence if caution else "displacive", flagged=caution)


def _judge_polar_end(findings: dict[str, Any], config: FerroelectricConfig, why: str) -> Criterion:
    """Whether the crystal stays polar when it relaxes freely."""
    name, ends = "polar_end", findings.get("ends")
    if not ends:
        return Criterion(name, "missing", f"the polar end was not relaxed: {why}")
    if not ends["relaxed"]:
        why_not = "; ".join(map(_clause, ends["notes"])) or "not relaxed"
        return Criterion(name, "passed", f"polar as given, {why_not}", method=ends["method"], flagged=True)
    if ends["polar"]["collapsed"]:
        reason = next(
            (note for note in ends["notes"] if "not polar" in note), "It relaxes to a nonpolar crystal."
        )
        return Criterion(name, "failed", _clause(reason), method=ends["method"])
    return Criterion(name, "passed", "stays polar when relaxed", method=ends["method"])


def _clause(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _judge_polarization(candidate: Candidate, lowest: float, why: str) -> Criterion:
    found = candidate.get("polarization")
    if found is None:
        return Criterion(
            "polarization", "missing", f"polarization is missing: {why}", None, lowest, "uC/cm^2"
        )
    value = float(found.value)  # type: ignore[arg-type]
    enough = value >= lowest
    perhaps = not enough and found.interval is not None and found.interval[1] >= lowest
    verb = "is at least" if enough else "may reach" if perhaps else "is below"
    doubt = f", {found.coverage:.0%} interval to {found.interval[1]:.1f}" if perhaps else ""  # type: ignore[index]
    return Criterion(
        name="polarization",
        status="passed" if enough or perhaps else "failed",
        sentence=f"polarization {value:.1f} uC/cm^2 ({found.method}{doubt}) {verb} {lowest:g} uC/cm^2",
        value=value,
        threshold=lowest,
        units="uC/cm^2",
        method=found.method,
        score=value / (value + HALF_SCORE_POLARIZATION),
        flagged=perhaps,
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


def _judge_window(
    candidate: Candidate,
    name: str,
    words: str,
    window: tuple[float, float],
    good: tuple[float, float],
    why: str,
) -> Criterion:
    """Whether a property of the path, meV/atom, lies in its window."""
    units, found = "meV/atom", _deciding(candidate, name)
    low, high = window
    if found is None:
        return Criterion(name, "missing", f"{name} is missing: {why}", None, high, units)
    value = float(found.value)  # type: ignore[arg-type]
    inside = low <= value <= high
    verb = "lies in" if inside else "lies outside"
    return Criterion(
        name=name,
        status="passed" if inside else "failed",
        sentence=f"{words} {value:.1f} meV/atom ({found.method}) {verb} the window of {low:g} to {high:g} meV/atom",
        value=value,
        threshold=low if value < low else high,
        units=units,
        method=found.method,
        score=window_score(value, window, good),
    )


def _deciding(candidate: Candidate, name: str) -> PropertyValue | None:
    """The best value of a property of the path; of the energy difference one whose ends were relaxed, unless DFT says enough.

    DFT's path ends in a nonpolar crystal as it was exported, not relaxed, which lies too high. So it can tell that the
    polar end is not the lower one, and not that it is: for that the screen's own ends decide.
    """
    found = candidate.all_of(name)
    if name != "polar_nonpolar_energy_difference" or len(found) < 2:
        return found[0] if found else None
    by_dft = [value for value in found if method_matches(method_slug(value.method), "dft")]
    others = [value for value in found if value not in by_dft]
    if found[0] in by_dft and others and float(found[0].value) < 0:  # type: ignore[arg-type]
        return others[0]
    return found[0]


def window_score(value: float, window: tuple[float, float], good: tuple[float, float]) -> float:
    """1 in the good part of a window, falling to `EDGE_SCORE` at its ends; 0 outside.

    In proportion to the logarithm, so that an energy ten times as high loses as much each time; in proportion to the value
    toward an end of zero.
    """
    if not window[0] <= value <= window[1]:
        return 0.0
    if value < good[0]:
        return _falling(value, good[0], window[0])
    if value > good[1]:
        return _falling(value, good[1], window[1])
    return 1.0


def _falling(value: float, good: float, end: float) -> float:
    """From 1 at `good` to `EDGE_SCORE` at `end`, between which the value lies."""
    if min(good * end, value * end) > 0:
        part = math.log(value / good) / math.log(end / good)
    else:
        part = (value - good) / (end - good)
    return 1 - (1 - EDGE_SCORE) * part
