"""Which sites can an atom be taken out of, and where does a relaxation without it start?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .supercells import SYMPREC_ANGSTROM, Supercell
from .symmetry import dataset_at

if TYPE_CHECKING:
    from pymatgen.core import Structure

SEED_ANGSTROM = 0.05
"""Largest displacement that every atom is given, so that an atom on a special position may leave it."""
WAVES = np.array([[1, 2, 1], [2, -1, 1], [-1, 1, 2]])
PHASES = np.array([0.5, 1.7, 2.9])
"""Of the seed displacements: no symmetry of a crystal keeps all three waves, and they fit any supercell."""


@dataclass(frozen=True)
class Site:
    """A site of the primitive cell that no symmetry operation turns into another one of the list.

    Attributes:
        index: In the primitive cell.
        number: Among the kinds of sites of the element, from 1.
        element: Symbol.
        multiplicity: Number of equal sites in the primitive cell.
        wyckoff: Letter of its Wyckoff position.
    """

    index: int
    number: int
    element: str
    multiplicity: int
    wyckoff: str

    @property
    def label(self) -> str:
        """Such as `V_O2(4e)`: the second kind of oxygen, of which the primitive cell has four."""
        return f"V_{self.element}{self.number}({self.multiplicity}{self.wyckoff})"


def distinct_sites(primitive: Structure, element: str) -> list[Site]:
    """One site of each kind, those with most equals first, then in the order of the cell."""
    dataset = dataset_at(primitive, SYMPREC_ANGSTROM)
    kinds = list(range(len(primitive))) if dataset is None else [int(i) for i in dataset.equivalent_atoms]
    letters = ["a"] * len(primitive) if dataset is None else list(dataset.wyckoffs)
    first = [
        i for i, kind in enumerate(kinds) if kinds.index(kind) == i and primitive[i].specie.symbol == element
    ]
    first.sort(key=lambda i: (-kinds.count(kinds[i]), i))
    return [Site(i, n, element, kinds.count(kinds[i]), letters[i]) for n, i in enumerate(first, 1)]


def place_of(supercell: Supercell, site: Site) -> int:
    """Index in the supercell of the first copy of a site."""
    return supercell.structure.site_properties["origin"].index(site.index)


def seeded(structure: Structure, centre: np.ndarray) -> Structure:
    """With every atom moved a little, the same way whatever the order of atoms.

    Args:
        structure: Supercell.
        centre: Fractional position about which the waves are laid.
    """
    waves = np.sin(2 * math.pi * (structure.frac_coords - centre) @ WAVES.T + PHASES)
    moved = structure.copy()
    shifts = SEED_ANGSTROM / math.sqrt(3) * waves
    for i, shift in enumerate(shifts):
        moved.translate_sites([i], shift, frac_coords=False, to_unit_cell=False)
    return moved
