"""Which bonds and angles does CHGNet see in a batch of crystals?

The whole batch becomes one graph. A bond between two atoms is listed once (undirected); the two
directed edges of bond `u` are `u` and `u + n`, where `n` is the number of bonds, so that no table
from one to the other is needed. Bonds short enough to take part in angles come first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...core.errors import StructureError
from ..cell import Cell

BOND_CUTOFF_ANGSTROM = 6.0  # of the atom graph, CHGNet 0.3.0
ANGLE_CUTOFF_ANGSTROM = 3.0  # of the bond graph, CHGNet 0.3.0
COINCIDENT_ANGSTROM = 1e-3
NEIGHBOUR_TOLERANCE_ANGSTROM = 1e-8  # numerical tolerance of the neighbour search


@dataclass(frozen=True)
class Bonds:
    """The bonds of one crystal, each listed once.

    Attributes:
        first, second: Atom indices, shape `(n,)`.
        images: Lattice translation of `second`, shape `(n, 3)`.
    """

    first: np.ndarray
    second: np.ndarray
    images: np.ndarray

    def vectors(self, cell: Cell) -> np.ndarray:
        """From `first` to the image of `second`, A, shape `(n, 3)`."""
        ends = cell.positions[self.second] + self.images @ cell.lattice
        return ends - cell.positions[self.first]


@dataclass(frozen=True)
class Graph:
    """A batch of crystals as one graph; `n` bonds of which the first `n_short` form angles.

    Attributes:
        numbers: Atomic numbers, shape `(natoms,)`.
        owners: Which crystal an atom belongs to, shape `(natoms,)`.
        first, second: Atoms of each bond, shape `(n,)`.
        bond_owners: Which crystal a bond belongs to, shape `(n,)`.
        vectors: Bond vectors, A, float64, shape `(n, 3)`.
        n_short: Number of bonds no longer than the angle cutoff.
        angles: Directed short edges `u` or `u + n_short` of each unordered pair that shares its
            centre, shape `(2, nangles)`.
        volumes: A^3, shape `(ncells,)`.
    """

    numbers: np.ndarray
    owners: np.ndarray
    first: np.ndarray
    second: np.ndarray
    bond_owners: np.ndarray
    vectors: np.ndarray
    n_short: int
    angles: np.ndarray
    volumes: np.ndarray


def find_bonds(cell: Cell, cutoff: float = BOND_CUTOFF_ANGSTROM) -> Bonds:
    """All pairs of atoms closer than `cutoff` A, periodic images included, each pair once."""
    from pymatgen.optimization.neighbors import find_points_in_spheres

    positions = np.ascontiguousarray(cell.positions)
    first, second, images, _ = find_points_in_spheres(
        positions,
        positions,
        r=float(cutoff),
        pbc=np.ones(3, dtype=np.int64),
        lattice=np.ascontiguousarray(cell.lattice),
        tol=NEIGHBOUR_TOLERANCE_ANGSTROM,
    )
    images = images.astype(np.int64)
    lexicographic = images @ np.array([1_000_000, 1_000, 1])
    once = (first < second) | ((first == second) & (lexicographic > 0))
    return Bonds(first[once], second[once], images[once])


def build_graph(cells: Sequence[Cell], bonds: Sequence[Bonds] | None = None) -> Graph:
    """Join crystals into one graph.

    Args:
        cells: At least one crystal.
        bonds: Bonds found earlier, possibly with a wider cutoff; longer ones are left out here.

    Raises:
        StructureError: two atoms coincide.
    """
    bonds = [find_bonds(cell) for cell in cells] if bonds is None else bonds
    sizes = np.array([len(cell.numbers) for cell in cells])
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    vectors = np.concatenate([b.vectors(cell) for b, cell in zip(bonds, cells, strict=True)])
    first = np.concatenate([b.first + o for b, o in zip(bonds, offsets, strict=False)])
    second = np.concatenate([b.second + o for b, o in zip(bonds, offsets, strict=False)])
    owners = np.repeat(np.arange(len(cells)), [len(b.first) for b in bonds])
    lengths = np.linalg.norm(vectors, axis=1)
    if len(lengths) and not lengths.min() > COINCIDENT_ANGSTROM:
        raise StructureError("Two atoms of a structure stand on the same place; CHGNet cannot treat it.")
    order, n_short = _short_bonds_first(lengths)
    first, second = first[order], second[order]
    return Graph(
        numbers=np.concatenate([cell.numbers for cell in cells]),
        owners=np.repeat(np.arange(len(cells)), sizes),
        first=first,
        second=second,
        bond_owners=owners[order],
        vectors=vectors[order],
        n_short=n_short,
        angles=_pairs_around_atoms(np.concatenate([first[:n_short], second[:n_short]])),
        volumes=np.array([cell.volume for cell in cells]),
    )


def _short_bonds_first(lengths: np.ndarray) -> tuple[np.ndarray, int]:
    """Order that puts bonds of the angle cutoff first and drops those beyond the bond cutoff."""
    short = np.flatnonzero(lengths < ANGLE_CUTOFF_ANGSTROM)
    long = np.flatnonzero((lengths >= ANGLE_CUTOFF_ANGSTROM) & (lengths < BOND_CUTOFF_ANGSTROM))
    return np.concatenate([short, long]), len(short)


def _pairs_around_atoms(centres: np.ndarray) -> np.ndarray:
    """Every unordered pair of directed edges that leave the same atom, shape `(2, npairs)`."""
    order = np.argsort(centres, kind="stable")
    ends = np.searchsorted(centres[order], centres[order], side="right")
    here = np.arange(len(order))
    partners = ends - here - 1
    first = np.repeat(here, partners)
    starts = np.repeat(np.cumsum(partners) - partners, partners)
    second = first + 1 + (np.arange(len(first)) - starts)
    return np.stack([order[first], order[second]])
