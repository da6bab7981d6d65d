"""Candidates with a full ferroelectric verdict that the report's and the command line's tests share.

Real crystals; displacements are those of their measured coordinates. Energies and estimates are made up: a
double well, which is what a displacive ferroelectric shows along a straight path.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import materials
import numpy as np
from hysteron.core.candidate import Candidate, PropertyValue, Step, Verdict

WELL = 12.4
"""meV/atom, of the double well of the sample."""
METHOD = "effective charges, ridge 2026-02"
CHGNET = "CHGNet 0.3.0"
IN_WINDOW = "barrier 12.4 meV/atom lies in the window of 1 to 40 meV/atom"
LOWER = "polar minus nonpolar -12.4 meV/atom lies in the window of -150 to 0 meV/atom"
OUTSIDE = "barrier 48.3 meV/atom lies outside the window of 1 to 40 meV/atom"


def displacements(polar, parent) -> np.ndarray:
    """Polar minus parent in the polar cell, A, mean zero."""
    apart = polar.frac_coords - parent.frac_coords
    moves = (apart - np.round(apart)) @ polar.lattice.matrix
    return moves - moves.mean(axis=0)


def double_well(images: int = 9) -> tuple[list[float], list[float]]:
    """Fractions from the parent to the polar end, and energies relative to that, meV/atom."""
    x = np.linspace(0, 1, images)
    return x.tolist(), (WELL * (1 - x**2) ** 2).tolist()


def details() -> dict[str, Any]:
    """Of P4mm BaTiO3, with all keys that the screen may write."""
    polar, parent = materials.barium_titanate_tetragonal(), materials.barium_titanate_cubic()
    moves = displacements(polar, parent)
    largest = float(np.linalg.norm(moves, axis=1).max())
    fractions, energies = double_well()
    return {
        "symmetry": [
            {"spacegroup_number": 99, "symbol": "P4mm", "point_group": "4mm", "polar": True, "symprec": s}
            for s in (0.01, 0.05)
        ],
        "parents": [
            _parent(221, "Pm-3m", "m-3m", largest, 0.0055, ["ladder", "pseudosymmetry"], WELL),
            _parent(123, "P4/mmm", "4/mmm", largest, 0.0, ["pseudosymmetry"], None),
            _parent(65, "Cmmm", "mmm", largest, 0.0, ["pseudosymmetry"], None),
        ],
        "reference": {"structure": parent.as_dict()},
        "displacements": moves.tolist(),
        "path": {
            "kind": "linear",
            "from": "parent",
            "fractions": fractions,
            "energies": energies,
            "barrier_per_atom": WELL,
            "barrier": 5 * WELL / 1000,
            "difference": -WELL,
            "images": len(fractions),
            "note": "",
        },
        "ends": {
            "polar": {"spacegroup_number": 99, "symbol": "P4mm", "converged": True, "collapsed": False},
            "parent": {"spacegroup_number": 221, "symbol": "Pm-3m", "converged": True, "collapsed": False},
            "method": f"{CHGNET}, FIRE, fmax 0.05 eV/A",
        },
        "quantum": [100.4, 100.4, 101.4],
        "effective_charges": {"Ba2+": 2.71, "Ti4+": 6.55, "O2-": -3.09},
        "mechanism": {"kind": "displacive", "assessable": True, "reason": "one ion in an octahedron moves off centre"},
        "estimates": [
            _estimate("coercive_field", 3.9, "MV/cm", "Landau upper bound; real ones are 10 to 1,000 times lower"),
            _estimate("transition_temperature", 402.0, "K", "Abrahams, displacive only"),
            {"name": "energy_above_hull", "value": None, "units": "eV/atom", "method": "", "reason": "no hull was handed in"},
        ],
        "criteria": [
            _criterion("polar", None, None, "A", "polar, P4mm (99) (spglib, symprec 0.01 and 0.05 A)"),
            _criterion("nonpolar_parent", 221.0, None, "1", "nonpolar parent Pm-3m (221, 0.11 A away)"),
            _criterion("insulator", 1.83, 0.3, "eV", "band_gap 1.83 eV (PBE) is at least 0.3 eV"),
            _criterion("polarization", 27.1, 1.0, "uC/cm^2", f"polarization 27.1 uC/cm^2 ({METHOD}) is at least 1 uC/cm^2"),
            _criterion("distortion_max", largest, 2.0, "A", f"largest displacement {largest:.2f} A is within 2 A"),
            _criterion("switching_barrier_per_atom", WELL, 40.0, "meV/atom", IN_WINDOW),
            _criterion("polar_nonpolar_energy_difference", -WELL, 0.0, "meV/atom", LOWER),
        ],
        "required": ["polar", "nonpolar_parent", "insulator", "polarization", "switching_barrier_per_atom"],
    }  # fmt: skip


def candidate(told: dict[str, Any] | None = None, passed: bool = True) -> Candidate:
    """P4mm BaTiO3 with its measured properties and the verdict's details, those of `details` unless others are told."""
    told = details() if told is None else told
    source = "parent Pm-3m (221)"
    properties = (
        PropertyValue("energy_above_hull", 0.012, "eV/atom", CHGNET, 0.034, "hull 2026-01"),
        PropertyValue("band_gap", 1.83, "eV", "PBE", source="Materials Project mp-5986"),
        PropertyValue("polarization", 27.1, "uC/cm^2", METHOD, 2.6, source, (22.9, 31.4), 0.9),
        PropertyValue("polarization_vector", (0.0, 0.0, 27.1), "uC/cm^2", METHOD, source=source),
        PropertyValue("parent_spacegroup_number", 221, "1", "ladder and pseudosymmetry"),
        PropertyValue("distortion_max", 0.109, "A", "ladder and pseudosymmetry"),
        PropertyValue("switching_barrier", 5 * WELL / 1000, "eV/f.u.", f"{CHGNET}, linear"),
        PropertyValue("switching_barrier_per_atom", WELL, "meV/atom", f"{CHGNET}, linear"),
        PropertyValue("polar_nonpolar_energy_difference", -WELL, "meV/atom", CHGNET),
    )
    reason = "Polarization 27.1 uC/cm^2 is at least 1 uC/cm^2; barrier 12.4 meV/atom lies in the window."
    return Candidate(
        "BaTiO3-99-0123456789",
        materials.barium_titanate_tetragonal(),
        properties,
        (Step("retrieve", "catalog", "1", time="2026-01-01T00:00:00Z", details={"material_id": "mp-5986"}),),
        (Verdict("ferroelectric", passed, 0.74 if passed else 0.0, 27.1, 1.0, reason, told),),
        (),
        99,
    )


def hafnia() -> Candidate:
    """Pca2_1 HfO2 on a path from the reversed state; its barrier outside of the window."""
    structure = materials.hafnia_polar()
    # Made up, but of the size it has: half of the oxygens move along c.
    moves = np.zeros((len(structure), 3))
    moves[4:8, 2] = 0.66
    moves -= moves.mean(axis=0)
    x = np.linspace(0, 1, 11)
    energies = 48.3 * np.sin(np.pi * x) ** 2
    told = {
        "symmetry": [
            {"spacegroup_number": 29, "symbol": "Pca2_1", "point_group": "mm2", "polar": True, "symprec": s}
            for s in (0.01, 0.05)
        ],
        "parents": [_parent(29, "Pca2_1", "mm2", 0.44, 0.0, ["reversal"], None)],
        "displacements": moves.tolist(),
        "path": {
            "kind": "NEB",
            "from": "reversed",
            "fractions": x.tolist(),
            "energies": energies.tolist(),
            "barrier_per_atom": 48.3,
            "barrier": 0.145,
            "difference": 0.0,
            "images": 11,
            "note": "Stopped at its wall-clock cap of 60 s; the force on the highest image is 0.11 eV/A.",
        },
        "mechanism": {"kind": "reversal", "assessable": True, "reason": "no centric parent within 1.7 A"},
        "criteria": [
            _criterion("polar", None, None, "A", "polar, Pca2_1 (29)"),
            _criterion("switching_barrier_per_atom", 48.3, 40.0, "meV/atom", OUTSIDE, "failed"),
            _criterion("insulator", None, 0.3, "eV", "band_gap is missing: it was not predicted", "missing"),
        ],
        "required": ["polar", "switching_barrier_per_atom"],
    }  # fmt: skip
    verdict = Verdict(
        "ferroelectric",
        False,
        0.0,
        48.3,
        40.0,
        "Barrier 48.3 meV/atom lies outside the window of 1 to 40 meV/atom.",
        told,
    )
    return Candidate(
        "HfO2-29-0123456789", structure, (), (Step("retrieve", "catalog", "1"),), (verdict,), (), 29
    )


def not_assessable() -> Candidate:
    """A verdict that refuses: nothing but the mechanism is told."""
    told = details()
    for key in ("path", "displacements", "reference", "quantum", "estimates", "ends"):
        told.pop(key)
    told["mechanism"] = {"kind": "molecular", "assessable": False, "reason": "rigid ions carry the dipole"}
    plain = candidate(told, passed=False)
    return dataclasses.replace(plain, candidate_id="BaTiO3-99-refused000", properties=plain.properties[:2])


def _parent(number, symbol, point_group, largest, strain, found_by, energy) -> dict[str, Any]:
    return {
        "spacegroup_number": number,
        "symbol": symbol,
        "point_group": point_group,
        "distortion_max": largest,
        "strain": strain,
        "found_by": found_by,
        "energy_above_polar": energy,
    }


def _estimate(name, value, units, method) -> dict[str, Any]:
    return {"name": name, "value": value, "units": units, "method": method, "reason": ""}


def _criterion(name, value, threshold, units, sentence, status="passed") -> dict[str, Any]:
    told = {"name": name, "status": status, "sentence": sentence, "value": value, "threshold": threshold}
    return told | {"units": units, "method": "", "score": None, "flagged": False}
