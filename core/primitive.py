"""How is a crystal built of its primitive cell, and what corresponds to something found there in the whole crystal?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .cell import Cell, primitive_basis, reduced
from .symmetry import dataset_at

if TYPE_CHECKING:
    from pymatgen.core import Structure


@dataclass(frozen=True)
class Primitive:
    """The primitive cell of a crystal, and how the crystal is built of it.

    Attributes:
        whole: The crystal.
        small: Its primitive cell, reduced, with the first atom of each site.
        site_of: Index of each atom's site in `small`, shape `(nsites,)`.
        steps: From that site to the atom, in lattice vectors of `small`, shape `(nsites, 3)`.
        operations: Number of symmetry operations of `small`.
    """

    whole: Structure
    small: Structure
    site_of: np.ndarray
    steps: np.ndarray
    operations: int

    @classmethod
    def of(cls, structure: Structure, symprec: float) -> Primitive | None:
        """`None` if spglib finds no symmetry or no primitive cell."""
        dataset = dataset_at(structure, symprec)
        if dataset is None:
            return None
        pure = np.all(dataset.rotations == np.eye(3, dtype=int), axis=(1, 2))
        basis = primitive_basis(dataset.translations[pure])
        if basis is None:
            return None
        cell = reduced(Cell.of_structure(structure).in_basis(basis))[0]
        _, first, site_of = np.unique(dataset.mapping_to_primitive, return_index=True, return_inverse=True)
        steps = np.round(cell.positions - cell.positions[first][site_of])
        small = cell.of(first).structure()
        own = dataset_at(small, symprec)  # a supercell may lack operations that its primitive cell has
        return None if own is None else cls(structure, small, site_of, steps, len(own.rotations))

    def expanded(self, other: Structure) -> tuple[Structure, np.ndarray]:
        """Another crystal that is matched with the primitive cell, as one that is matched with the whole crystal.

        Args:
            other: Atoms in the order of `small`, each at the image nearest to it.

        Returns:
            The crystal, atoms in the order of `whole`, and the displacements from it to `whole`: in the cell of `whole`,
            Cartesian, A, shape `(nsites, 3)`; mean zero.
        """
        from pymatgen.core import Structure

        matrix, small = self.whole.lattice.matrix, self.small.lattice.matrix
        places = (other.frac_coords[self.site_of] + self.steps) @ small @ np.linalg.inv(matrix)
        places += (self.whole.frac_coords - places).mean(axis=0)
        lattice = matrix @ np.linalg.solve(small, other.lattice.matrix)
        structure = Structure(lattice, [site.specie for site in self.whole], places)
        return structure, (self.whole.frac_coords - places) @ matrix
