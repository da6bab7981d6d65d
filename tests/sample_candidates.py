"""Candidates that the store's tests share: real crystals with values of several methods."""

from __future__ import annotations

import dataclasses
from functools import cache

import materials
import numpy as np
from hysteron.core.candidate import Candidate, Failure, PropertyValue, Step, Verdict

RELAXED = Step(
    "relax",
    "CHGNet 0.3.0",
    "fire fmax=0.05",
    "aa11",
    time="2026-01-01T00:00:00Z",
    details={"steps": 31, "converged": True},
)


@cache
def barium_titanate() -> Candidate:
    return Candidate(
        "BaTiO3-99-0123456789",
        materials.barium_titanate_tetragonal(),
        (
            PropertyValue("band_gap", 1.83, "eV", "PBE", source="Materials Project mp-5986"),
            PropertyValue("band_gap", 3.4, "eV", "experiment", uncertainty=0.1),
            PropertyValue(
                "energy_above_hull", 0.012, "eV/atom", "CHGNet 0.3.0", 0.02, "hull 2026-01", (0.0, 0.05), 0.9
            ),
            PropertyValue("polarization", 46.0, "uC/cm^2", "formal charges, linear path"),
            PropertyValue("polarization_vector", (0.0, 0.0, 46.0), "uC/cm^2", "formal charges, linear path"),
            PropertyValue("parent_spacegroup_number", 221, "1", "spglib ladder"),
        ),
        (
            Step(
                "retrieve", "catalog", "1", "cc", None, (), "2026-01-01T00:00:00Z", {"material_id": "mp-5986"}
            ),
        ),
        (Verdict("ferroelectric", True, 0.9, 46.0, 1.0, "Polar, 46 uC/cm^2.", {"parents": [221, 123]}),),
        (),
        99,
    )


@cache
def strontium_titanate() -> Candidate:
    return Candidate(
        "SrTiO3-221-0123456789",
        materials.strontium_titanate(),
        (
            PropertyValue("band_gap", 1.8, "eV", "PBE"),
            PropertyValue("energy_above_hull", 0.0, "eV/atom", "CHGNet 0.3.0"),
        ),
        (Step("generate", "substitution", "1", "dd", 3, ("BaTiO3-99-0123456789",), "2026-01-02T00:00:00Z"),),
        (Verdict("ferroelectric", False, 0.0, None, 1.0, "Not polar."),),
        (Failure("screen", "resistive_switching", "No oxidation states."),),
        221,
    )


@cache
def lead_titanate() -> Candidate:
    return Candidate(
        "TiPbO3-99-0123456789",
        materials.lead_titanate(),
        (PropertyValue("band_gap", 2.6, "eV", "HSE06"),),
        (Step("generate", "substitution", "1", "dd", 3, ("BaTiO3-99-0123456789", "absent-1"), ""),),
        (),
        (),
        99,
    )


@cache
def silicon() -> Candidate:
    return Candidate("Si-227-0123456789", materials.silicon(), (), (), (), (), 227)


def everyone() -> list[Candidate]:
    return [barium_titanate(), strontium_titanate(), lead_titanate(), silicon()]


def relaxed(candidate: Candidate, factor: float = 1.01) -> Candidate:
    """With a cell that a relaxation made larger, its energy and its step."""
    structure = candidate.structure.copy()
    structure.scale_lattice(structure.volume * factor)
    energy = PropertyValue("energy_per_atom", -7.9, "eV/atom", "CHGNet 0.3.0")
    return candidate.with_structure(structure, 99).with_step(RELAXED).with_property(energy)


def numbered(number: int) -> Candidate:
    """One of any number of different candidates."""
    gap = PropertyValue("band_gap", float(number % 7), "eV", "PBE")
    return dataclasses.replace(barium_titanate(), candidate_id=f"BaTiO3-99-{number:010d}", properties=(gap,))


def records(candidates: list[Candidate]) -> list[dict]:
    return [candidate.to_record() for candidate in candidates]


def awkward() -> Candidate:
    """Numpy's types, nested details, odd characters, a large seed, oxidation states, a magnetic moment."""
    structure = materials.hafnia_polar()
    structure.add_oxidation_state_by_element({"Hf": 4, "O": -2})
    structure.add_site_property("magmom", [0.5] * len(structure))
    details = {"deep": [{"x": 1, "y": None}, "text"], "Å": "\0 \ud83d"}
    return Candidate(
        "HfO2-29-0123456789",
        structure,
        (PropertyValue("switching_barrier", float(np.float64(0.1) + 0.2), "eV/f.u.", "linear path; \0"),),
        (Step("generate", "tokens", seed=2**100, details=details),),
        (Verdict("supply", True, None, 1, None, "Fine.", details),),
        (Failure("predict", "x", "ö" * 2000),),
        None,
    )
