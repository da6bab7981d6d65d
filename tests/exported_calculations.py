"""A manifest whose calculations are listed, made of an export's input files, with the functional that was really asked for."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import orjson
from ase.io import read
from hysteron.export.calculation import BERRY_PHASE, RELAXATION, STATIC, Calculation
from pymatgen.core import Structure

INPUTS = {"vasp": ("POSCAR", "POSCAR", "vasp"), "espresso": ("pw.in", "scf.in", "espresso-in")}
"""Of each format: the input that holds the crystal, that of an image, and ASE's name for it."""


def list_calculations(root: Path, format: str, functional: str = "PBE") -> list[Calculation]:
    """List in a manifest what its folders ask for, and return it."""
    place = root / "manifest.json"
    record = orjson.loads(place.read_bytes())
    listed = []
    for entry in record["candidates"]:
        found = _calculations(root, entry["folder"], format, functional)
        entry["calculations"] = [dataclasses.asdict(one) for one in found]
        listed += found
    place.write_bytes(orjson.dumps(record | {"manifest_version": 2}))
    return listed


def _calculations(root: Path, folder: str, format: str, functional: str) -> list[Calculation]:
    single, image, kind = INPUTS[format]
    found = [
        Calculation.of(_crystal(root / folder / name / single, kind), what, f"{folder}/{name}", functional)
        for name, what in (("relax", RELAXATION), ("static", STATIC))
    ]
    for i, place in enumerate(sorted((root / folder / "polarization").glob("??"))):
        crystal = _crystal(place / image, kind)
        name = f"{folder}/polarization/{place.name}"
        found.append(Calculation.of(crystal, BERRY_PHASE, name, functional, image=i))
    return found


def _crystal(path: Path, kind: str) -> Structure:
    atoms = read(path, format=kind)
    return Structure(atoms.cell.array, atoms.get_chemical_symbols(), atoms.get_scaled_positions(wrap=False))
