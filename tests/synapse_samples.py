"""Candidates with verdicts of the screens that the synapse screen reads; the tests of screen, command line and report share them.

Real crystals; barriers, energies and scores are made up, near those of the literature.
"""

from __future__ import annotations

from typing import Any

import materials
from hysteron.core.candidate import Candidate, PropertyValue, Verdict
from hysteron.screening.synapse.assumed_accuracy import Accuracies, parse_accuracies
from hysteron.screening.synapse.screen import Synapse

SWITCHING, FERROELECTRIC = "resistive-switching", "ferroelectric"
CLASSES = ("VCM", "ECM", "PCM", "MIT", "ECRAM", "halide", "ferroelectric")
WORKLOADS = ("inference", "backpropagation", "equilibrium-propagation", "liquid", "recall")


def hull(value: float) -> PropertyValue:
    return PropertyValue("energy_above_hull", value, "eV/atom", "CHGNet 0.3.0", 0.03)


def barrier(value: float, uncertainty: float | None = 0.1) -> PropertyValue:
    return PropertyValue("migration_barrier", value, "eV", "NEB, CHGNet 0.3.0", uncertainty)


def gap(value: float, method: str = "experiment") -> PropertyValue:
    return PropertyValue("band_gap", value, "eV", method)


def mechanism(
    name: str, status: str, *criteria: dict[str, Any], score: float | None = None
) -> dict[str, Any]:
    """As the resistive-switching screen records one."""
    found = 0.7 if status == "passed" and score is None else score
    return {"mechanism": name, "status": status, "score": found, "flagged": False, "criteria": list(criteria)}


def switching(*mechanisms: dict[str, Any]) -> Verdict:
    """A verdict of the resistive-switching screen."""
    passed = [one for one in mechanisms if one["status"] == "passed"]
    failed = all(one["status"] == "failed" for one in mechanisms)
    details = {"mechanism": passed[0]["mechanism"] if passed else None, "mechanisms": list(mechanisms)}
    score = 0.7 if passed else 0.0 if failed else None
    return Verdict(SWITCHING, bool(passed), score, None, None, "Made up.", details)


def hafnia(*properties: PropertyValue, verdict: Verdict | None = None) -> Candidate:
    """Monoclinic HfO2 that passed as a valence change host; by default with hull, gap and barrier."""
    known = properties or (hull(0.0), gap(5.7), barrier(0.68))
    return Candidate(
        "HfO2-14-0123456789",
        materials.hafnia_monoclinic(),
        known,
        verdicts=(verdict or switching(mechanism("VCM", "passed"), mechanism("MIT", "failed")),),
        spacegroup_number=14,
    )


def barium_titanate(well: float = 11.0) -> Candidate:
    """P4mm BaTiO3 that passed the ferroelectric screen."""
    return Candidate(
        "BaTiO3-99-0123456789",
        materials.barium_titanate_tetragonal(),
        (
            hull(0.004),
            gap(1.83, "PBE"),
            PropertyValue("polarization", 27.1, "uC/cm^2", "effective charges", 2.6),
            PropertyValue("switching_barrier_per_atom", well, "meV/atom", "linear path"),
            PropertyValue("transition_temperature", 402.0, "K", "proxy"),
        ),
        verdicts=(Verdict(FERROELECTRIC, True, 0.74, 27.1, 5.0, "Polar.", {"criteria": []}),),
        spacegroup_number=99,
    )


def vanadia() -> Candidate:
    """Rutile VO2, a metal-insulator transition by the classifier."""
    told = {"name": "transition_probability", "value": 0.8, "uncertainty": 0.05, "method": "classifier"}
    return Candidate(
        "VO2-136-0123456789",
        materials.vanadia_rutile(),
        (hull(0.02),),
        verdicts=(switching(mechanism("VCM", "not judged"), mechanism("MIT", "passed", told)),),
        spacegroup_number=136,
    )


def sodium_chloride() -> Candidate:
    """Of no class: every mechanism failed."""
    verdict = switching(*(mechanism(name, "failed") for name in CLASSES[:-1]))
    return Candidate("NaCl-225-0123456789", materials.sodium_chloride(), (hull(0.0),), verdicts=(verdict,))


def silicon() -> Candidate:
    """Of which no other screen was asked."""
    return Candidate("Si-227-0123456789", materials.silicon(), (hull(0.0),))


def accuracies() -> Accuracies:
    """Of every class in every workload, the same everywhere."""
    entry = {"mean": 0.8, "low": 0.6, "high": 0.9, "ideal": 0.95, "chance": 0.1, "n": 50}
    return parse_accuracies(
        {name: dict.fromkeys(CLASSES, entry) for name in WORKLOADS} | {"about": {"seed": 0}}
    )


def judged(candidate: Candidate) -> Candidate:
    """With the verdict of the synapse screen, accuracies known."""
    return candidate.with_verdict(Synapse(accuracies=accuracies()).judge(candidate))
