"""Which atoms of a crystal hold together, and in how many directions does what holds together repeat?

Atoms closer than the sum of their covalent radii and a little are bonded. A bonded piece that repeats in n
independent directions is n-dimensional: a molecule, a chain, a layer, a framework. Nothing here depends on the cell,
the origin, the orientation or the order of sites.

Source: Larsen, Pandey, Strange, Jacobsen, Phys. Rev. Materials 3, 034003 (2019), section II.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pymatgen.core import Structure

BOND_SLACK_ANGSTROM = 0.45
"""Bonds are shorter than the sum of the covalent radii plus this; usual with Cordero's radii (doi:10.1039/b801115j)."""

Bonds = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Site, site, lattice translation of the second (shape `(n, 3)`), and length in A, of each bond."""


@dataclass(frozen=True)
class Piece:
    """Atoms held together by bonds.

    Attributes:
        sites: Their numbers, each once.
        cells: The lattice translation that puts each next to the first, shape `(len(sites), 3)`.
        basis: Translations that carry the piece into itself, in rows, shape `(dimension, 3)`.
    """

    sites: tuple[int, ...]
    cells: np.ndarray
    basis: np.ndarray

    @property
    def dimension(self) -> int:
        """Number of independent directions in which it repeats, 0 to 3."""
        return len(self.basis)


def dimensionality(structure: Structure) -> int:
    """Largest number of directions in which a bonded piece of the crystal repeats, 0 to 3.

    Args:
        structure: Ordered, any cell.
    """
    pieces = bonded_pieces(range(len(structure)), find_bonds(structure))
    return max(piece.dimension for piece in pieces)


def find_bonds(structure: Structure) -> Bonds:
    """Bonded pairs of sites, each from both ends, by covalent radii."""
    from ase.data import covalent_radii

    radii = np.array([covalent_radii[site.specie.Z] for site in structure])
    starts, ends, cells, lengths = structure.get_neighbor_list(2 * radii.max() + BOND_SLACK_ANGSTROM)
    bonded = lengths < radii[starts] + radii[ends] + BOND_SLACK_ANGSTROM
    return starts[bonded], ends[bonded], np.rint(cells[bonded]).astype(int), lengths[bonded]


def bonded_pieces(sites: Sequence[int], bonds: Bonds) -> list[Piece]:
    """The pieces into which these sites fall when only the bonds between them hold.

    Args:
        sites: Numbers of the sites that take part.
        bonds: Of the whole crystal.
    """
    kept = set(sites)
    neighbours: dict[int, list[tuple[int, np.ndarray]]] = {i: [] for i in sites}
    for i, j, cell, _ in zip(*bonds, strict=True):
        if i in kept and j in kept:
            neighbours[int(i)].append((int(j), cell))
    pieces: list[Piece] = []
    while kept:
        piece = _walk(min(kept), neighbours)
        kept -= set(piece.sites)
        pieces.append(piece)
    return pieces


def _walk(root: int, neighbours: dict[int, list[tuple[int, np.ndarray]]]) -> Piece:
    """Follow the bonds from one site; a closed walk that ends in another cell repeats the piece there."""
    cells = {root: np.zeros(3, dtype=int)}
    stack, closed = [root], {(0, 0, 0)}
    while stack:
        i = stack.pop()
        for j, step in neighbours[i]:
            cell = cells[i] + step
            if j not in cells:
                cells[j] = cell
                stack.append(j)
            else:
                closed.add(tuple((cell - cells[j]).tolist()))
    return Piece(tuple(cells), np.array(list(cells.values())), integer_basis(np.array(sorted(closed))))


def integer_basis(vectors: np.ndarray) -> np.ndarray:
    """A basis, in rows, of all sums of integer vectors; shape `(rank, 3)`.

    By Euclid's algorithm, column after column (row-style Hermite normal form).
    """
    rows, rank = vectors.astype(int).copy(), 0
    for column in range(rows.shape[1]):
        while np.count_nonzero(rows[rank:, column]) > 1:
            sizes = np.where(rows[rank:, column] == 0, np.iinfo(int).max, np.abs(rows[rank:, column]))
            pivot = rank + int(sizes.argmin())
            rows[[rank, pivot]] = rows[[pivot, rank]]
            rows[rank + 1 :] -= np.outer(rows[rank + 1 :, column] // rows[rank, column], rows[rank])
        left = np.flatnonzero(rows[rank:, column])
        if left.size:
            rows[[rank, rank + left[0]]] = rows[[rank + left[0], rank]]
            rank += 1
    return rows[:rank]
