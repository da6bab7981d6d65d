"""Frames with energies that cost nothing: copper, nickel and gold in ASE's effective medium theory."""

from __future__ import annotations

import lzma
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import write

FIDELITY = "emt-toy"


def alloys(count: int, seed: int = 0) -> list[Atoms]:
    """Cells of four atoms, strained and rattled, with energy, forces and stress."""
    rng = np.random.default_rng(seed)
    return [_alloy(rng) for _ in range(count)]


def slabs(count: int, seed: int = 0) -> list[Atoms]:
    """Two layers of copper, the lower fixed, with an oxygen atom above; tags as in OC20."""
    from ase.build import add_adsorbate, fcc111

    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        slab = fcc111("Cu", (2, 2, 2), vacuum=5.0)
        add_adsorbate(slab, "O", rng.uniform(0.9, 1.6), "fcc")
        slab.set_tags([0] * 4 + [1] * 4 + [2])
        slab.positions[4:] += rng.normal(0, 0.08, (5, 3))
        slab.set_pbc(True)
        found.append(calculated(slab))
    return found


def write_extxyz(path: Path, frames: list[Atoms]) -> Path:
    """Extended XYZ by ASE, compressed where the name says so."""
    text = StringIO()
    write(text, frames, format="extxyz")
    raw = text.getvalue().encode()
    path.write_bytes(lzma.compress(raw, preset=0) if path.suffix == ".xz" else raw)
    return path


def write_aselmdb(path: Path, frames: list[Atoms]) -> Path:
    """An .aselmdb by ase-db-backends."""
    from ase.db import connect

    path.parent.mkdir(parents=True, exist_ok=True)
    opened: Any = connect(str(path), type="aselmdb", use_lock_file=False)
    with opened as database:
        for atoms in frames:
            database.write(atoms)
    return path


def _alloy(rng: np.random.Generator) -> Atoms:
    atoms = bulk("Cu", "fcc", a=3.7 + rng.uniform(-0.15, 0.25), cubic=True)
    atoms.symbols[rng.integers(0, 4)] = rng.choice(["Au", "Ni", "Cu"])
    atoms.set_cell(atoms.cell @ (np.eye(3) + rng.normal(0, 0.02, (3, 3))), scale_atoms=True)
    atoms.positions += rng.normal(0, 0.1, atoms.positions.shape)
    return calculated(atoms)


def calculated(atoms: Atoms) -> Atoms:
    """The same atoms with results."""
    atoms.calc = EMT()
    for ask in (atoms.get_potential_energy, atoms.get_forces, atoms.get_stress):
        ask()
    return atoms
