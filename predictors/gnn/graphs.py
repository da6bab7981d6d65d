"""Which neighbours of an atom does the property network see?

The nearest ones, and every other that is as near as the last of these: a count that cut a shell in two would
depend on the order of atoms. Source of the choice: Ruff et al., Digital Discovery 3, 594 (2024),
doi:10.1039/D4DD00018H (k nearest neighbours serve properties better than a radius).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..cell import Cell

NEIGHBOURS = 12
SHELL_TOLERANCE_ANGSTROM = 0.05  # neighbours of one shell differ by less than this
FIRST_RADIUS_ANGSTROM = 5.0
RADIUS_GROWTH = 1.4
LARGEST_RADIUS_ANGSTROM = 40.0  # a gas of single atoms further apart than this has no neighbours
NEIGHBOUR_TOLERANCE_ANGSTROM = 1e-8


@dataclass(frozen=True)
class Neighbours:
    """Directed edges of one crystal, sorted by the atom they arrive at.

    Attributes:
        sources: Atom an edge comes from, shape `(nedges,)`.
        targets: Atom it arrives at, ascending, shape `(nedges,)`.
        distances: A, shape `(nedges,)`.
    """

    sources: np.ndarray
    targets: np.ndarray
    distances: np.ndarray


def nearest_neighbours(cell: Cell, count: int = NEIGHBOURS) -> Neighbours:
    """The `count` nearest neighbours of every atom, periodic images included, with the whole last shell."""
    radius = FIRST_RADIUS_ANGSTROM
    while True:
        targets, sources, distances = _within(cell, radius)
        enough = np.bincount(targets, minlength=len(cell.numbers)).min() >= count
        if enough and _last_shells_fit(targets, distances, count, radius):
            break
        if radius >= LARGEST_RADIUS_ANGSTROM:
            break
        radius = min(radius * RADIUS_GROWTH, LARGEST_RADIUS_ANGSTROM)
    order = np.lexsort((distances, targets))
    targets, sources, distances = targets[order], sources[order], distances[order]
    limits = _distance_of_last(targets, distances, len(cell.numbers), count)
    kept = distances <= limits[targets] + SHELL_TOLERANCE_ANGSTROM
    return Neighbours(sources[kept], targets[kept], distances[kept])


def _within(cell: Cell, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, sources and distances of all pairs closer than `radius`."""
    from pymatgen.optimization.neighbors import find_points_in_spheres

    positions = np.ascontiguousarray(cell.positions, dtype=float)
    targets, sources, _, distances = find_points_in_spheres(
        positions,
        positions,
        r=float(radius),
        pbc=np.ones(3, dtype=np.int64),
        lattice=np.ascontiguousarray(cell.lattice, dtype=float),
        tol=NEIGHBOUR_TOLERANCE_ANGSTROM,
    )
    others = distances > NEIGHBOUR_TOLERANCE_ANGSTROM
    return targets[others], sources[others], distances[others]


def _last_shells_fit(targets: np.ndarray, distances: np.ndarray, count: int, radius: float) -> bool:
    """Whether the search reached beyond the last shell of every atom."""
    order = np.lexsort((distances, targets))
    limits = _distance_of_last(targets[order], distances[order], int(targets.max()) + 1, count)
    return bool(limits.max() + SHELL_TOLERANCE_ANGSTROM < radius)


def _distance_of_last(targets: np.ndarray, distances: np.ndarray, natoms: int, count: int) -> np.ndarray:
    """Distance of the neighbour number `count` (or of the last there is), A, shape `(natoms,)`."""
    found = np.bincount(targets, minlength=natoms)
    starts = np.concatenate([[0], np.cumsum(found)[:-1]])
    last = starts + np.minimum(found, count) - 1
    return np.where(found > 0, distances[np.maximum(last, 0)], 0.0) if len(distances) else np.zeros(natoms)
