"""Which geometries are absurd? They end the relaxation of one structure, not of the batch.

The search for colliding atoms is the costly part, so it is made only when atoms may have come close since
the last one: the distances found then shrink at most by the strain and twice the largest move since.
"""

from __future__ import annotations

import numpy as np

from ..cell import Cell
from ..chgnet.graph import find_bonds

MIN_DISTANCE = 0.5  # A; the shortest bond there is, H2, has 0.74
MIN_HEIGHT = 0.5  # A between opposite faces of a cell
MAX_VOLUME_PER_ATOM = 1000.0  # A^3
MAX_VOLUME_RATIO = 3.0  # final over initial, or the inverse
SEARCH_CUTOFF = 2.0  # A; longer than most shortest bonds, so that one search serves many steps


class Guard:
    """Watches over the geometries of one relaxation."""

    def __init__(self, first: Cell) -> None:
        self.first_volume = first.volume
        self._searched: Cell | None = None
        self._shortest = 0.0
        self._inverse = np.eye(3)

    def trouble(self, cell: Cell) -> str | None:
        """What is absurd about a geometry, as a phrase, or `None`."""
        if not (np.isfinite(cell.lattice).all() and np.isfinite(cell.positions).all()):
            return "the geometry is not finite"
        volume = cell.volume
        if volume < 1e-6 or (cell.heights.min() < MIN_HEIGHT and _is_flat(cell)):
            return f"the cell is flat (less than {MIN_HEIGHT:g} A between opposite faces)"
        if volume > MAX_VOLUME_PER_ATOM * len(cell.numbers):
            return f"the cell is empty ({volume / len(cell.numbers):.0f} A^3 per atom)"
        if not 1 / MAX_VOLUME_RATIO < volume / self.first_volume < MAX_VOLUME_RATIO:
            return f"the volume changed by a factor {volume / self.first_volume:.2f}"
        if self.at_least(cell) > MIN_DISTANCE:
            return None
        shortest = self._search(cell)
        return f"two atoms are {shortest:.2f} A apart" if shortest < MIN_DISTANCE else None

    def at_least(self, cell: Cell) -> float:
        """No two atoms are closer than this, A, by what the last search found; 0 before the first."""
        if self._searched is None:
            return 0.0
        deform = self._inverse @ cell.lattice
        moves = cell.positions - self._searched.positions @ deform
        farthest = np.sqrt((moves * moves).sum(axis=1).max())
        strain = deform - np.eye(3)
        return self._shortest * (1 - np.sqrt((strain * strain).sum())) - 2 * farthest

    def _search(self, cell: Cell) -> float:
        self._searched = cell
        self._inverse = np.linalg.inv(cell.lattice)
        self._shortest = min(shortest_distance(cell), SEARCH_CUTOFF)
        return self._shortest


def _is_flat(cell: Cell) -> bool:
    """Whether the cell is flat in its reduced setting too, and not merely skewed."""
    from pymatgen.core import Lattice

    reduced = Lattice(cell.lattice).get_lll_reduced_lattice()
    return bool(Cell(cell.numbers, cell.positions, reduced.matrix).heights.min() < MIN_HEIGHT)


def shortest_distance(cell: Cell, cutoff: float = SEARCH_CUTOFF) -> float:
    """Shortest distance between atoms, images included, A, if below the cutoff; else infinity."""
    bonds = find_bonds(cell, cutoff=cutoff)
    lengths = np.linalg.norm(bonds.vectors(cell), axis=1)
    return float(lengths.min()) if len(lengths) else float("inf")
