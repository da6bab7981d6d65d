"""A crystal as three arrays, for loops over symmetry operations, and its cell in other lattice vectors."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pymatgen.core import Structure

SAME_POSITION = 1e-3
"""Fractional coordinates of ideal sites that differ by less are one site."""
TIE = 1e-6
"""Fractional; a step so near to one half counts as one half."""


@dataclass(frozen=True)
class Cell:
    """A cell: lattice vectors in rows, A, `(3, 3)`; positions, fractional, `(nsites, 3)`; atomic numbers."""

    matrix: np.ndarray
    positions: np.ndarray
    numbers: np.ndarray

    @classmethod
    def of_structure(cls, structure: Structure) -> Cell:
        """From pymatgen's."""
        return cls(
            np.array(structure.lattice.matrix),
            np.array(structure.frac_coords),
            np.array(structure.atomic_numbers),
        )

    def structure(self) -> Structure:
        from pymatgen.core import Element, Lattice, Structure

        return Structure(Lattice(self.matrix), [Element.from_Z(int(z)) for z in self.numbers], self.positions)

    def in_basis(self, basis: np.ndarray) -> Cell:
        """The same atoms in other lattice vectors, `basis` in units of the present ones."""
        return Cell(basis @ self.matrix, self.positions @ np.linalg.inv(basis), self.numbers)

    def of(self, atoms: np.ndarray) -> Cell:
        """The cell with some of its atoms."""
        return Cell(self.matrix, self.positions[atoms], self.numbers[atoms])


def reduced(cell: Cell) -> tuple[Cell, np.ndarray]:
    """LLL-reduced, so that rounding fractional differences finds nearest images; and the basis, integers."""
    from pymatgen.core import Lattice

    short = Lattice(cell.matrix).get_lll_reduced_lattice().matrix
    basis = np.round(short @ np.linalg.inv(cell.matrix))
    return cell.in_basis(basis), basis


def nearest_whole(steps: np.ndarray) -> np.ndarray:
    """The whole numbers nearest to fractional steps, which leave at most one half of a cell; one half is rounded down.

    On symmetric crystals one half is frequent, and the last digit, which differs from machine to machine, must not choose.

    Args:
        steps: In units of the lattice vectors, of any shape, which is that of the result.
    """
    return np.ceil(steps - 0.5 - TIE)


def strained_to(matrix: np.ndarray, metric: np.ndarray) -> np.ndarray:
    """Lattice vectors of a given metric, from `matrix` by a symmetric strain: no rotation."""
    inverse = np.linalg.inv(matrix)
    square = inverse @ metric @ inverse.T
    values, vectors = np.linalg.eigh((square + square.T) / 2)
    return matrix @ (vectors * np.sqrt(values)) @ vectors.T


def primitive_basis(translations: np.ndarray) -> np.ndarray | None:
    """A basis, in rows, of the lattice that the translations and the unit vectors generate."""
    inside = translations - np.floor(translations + SAME_POSITION)
    vectors = np.vstack([inside[np.abs(inside).max(axis=1) > SAME_POSITION], np.eye(3)])
    triples = vectors[np.array(list(combinations(range(len(vectors)), 3)))]
    volumes = np.abs(np.linalg.det(triples)) * len(translations)
    best = int(np.abs(volumes - 1).argmin())
    return triples[best] if abs(volumes[best] - 1) < 0.01 else None


def unique_sites(positions: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each position the number of its site modulo the lattice, and the first position of each site."""
    steps = positions[:, None, :] - positions[None, :, :]
    same = np.abs(steps - np.round(steps)).max(axis=2) < SAME_POSITION
    same &= numbers[:, None] == numbers[None, :]
    first, site_of = np.unique(same.argmax(axis=1), return_inverse=True)
    return site_of, first
