"""One crystal as bare arrays, for the inner loops of potentials and relaxers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pymatgen.core import Structure


@dataclass(frozen=True)
class Cell:
    """One crystal, as bare arrays.

    Attributes:
        numbers: Atomic numbers, shape `(nsites,)`.
        positions: Cartesian, A, shape `(nsites, 3)`.
        lattice: Rows are lattice vectors, A, shape `(3, 3)`.
    """

    numbers: np.ndarray
    positions: np.ndarray
    lattice: np.ndarray

    @property
    def volume(self) -> float:
        """Cell volume, A^3."""
        return float(abs(np.linalg.det(self.lattice)))

    @property
    def heights(self) -> np.ndarray:
        """Distances between opposite faces of the cell, A, shape `(3,)`."""
        return 1 / np.linalg.norm(np.linalg.inv(self.lattice), axis=0)

    @classmethod
    def from_structure(cls, structure: Structure) -> Cell:
        """The arrays of an ordered pymatgen `Structure`."""
        return cls(
            numbers=np.array([site.specie.Z for site in structure], dtype=np.int64),
            positions=np.array(structure.cart_coords, dtype=float),
            lattice=np.array(structure.lattice.matrix, dtype=float),
        )
