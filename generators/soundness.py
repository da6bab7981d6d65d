"""Can a new crystal be handed out?

Two things can go wrong with coordinates that were drawn freely: atoms fall on one another, or they fall on places of higher
symmetry, so that the crystal has another space group than the one written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.identity import SYMPREC_ANGSTROM
from .wyckoff.crystal import WyckoffCrystal
from .wyckoff.decode import decode

if TYPE_CHECKING:
    from pymatgen.core import Structure

NEAREST_ANGSTROM = 0.5
NEAREST_SHARE = 0.5
"""No two atoms are nearer than this, nor than this share of the sum of their covalent radii."""
SMALLEST_VOLUME = 0.1  # A^3
LARGEST_VOLUME_PER_ATOM = 250.0  # A^3: caesium has 117
TOO_NEAR, OTHER_GROUP, NO_CELL = "atoms overlap", "another space group", "no sensible cell"


def examined(crystal: WyckoffCrystal) -> tuple[Structure, str] | tuple[None, str]:
    """The primitive cell, or none and why the crystal is not sound."""
    structure = decode(crystal)
    if not SMALLEST_VOLUME <= structure.volume <= LARGEST_VOLUME_PER_ATOM * len(structure):
        return None, NO_CELL
    if overlaps(structure):
        return None, TOO_NEAR
    if spacegroup_number(structure) != crystal.spacegroup_number:
        return None, OTHER_GROUP
    return structure, ""


def overlaps(structure: Structure) -> bool:
    """Whether two atoms, periodic images included, are nearer than they may be."""
    radii = _covalent_radii()[list(structure.atomic_numbers)]
    reach = max(NEAREST_ANGSTROM, 2 * NEAREST_SHARE * float(radii.max()))
    if min(structure.lattice.abc) < NEAREST_ANGSTROM:
        return True
    centres, points, _, distances = structure.get_neighbor_list(reach)
    least = np.maximum(NEAREST_ANGSTROM, NEAREST_SHARE * (radii[centres] + radii[points]))
    return bool((distances < least).any())


def spacegroup_number(structure: Structure) -> int | None:
    """At symprec 0.01 A; `None` where spglib finds no symmetry."""
    os.environ.setdefault("SPGLIB_WARNING", "OFF")
    import spglib

    cell: Any = (structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers)
    dataset = spglib.get_symmetry_dataset(cell, symprec=SYMPREC_ANGSTROM)
    return None if dataset is None else int(dataset.number)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch: the model is small, and sums round otherwise with two."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@lru_cache(maxsize=1)
def _covalent_radii() -> np.ndarray:
    """By atomic number, A. Source: Cordero et al., Dalton Trans. 2832 (2008), as ASE has them."""
    from ase.data import covalent_radii

    return np.asarray(covalent_radii)
