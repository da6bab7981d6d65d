"""Over which hops does a network reach through the whole crystal, and in how many dimensions?

Sites and hops form a graph that repeats with the lattice. A way round a cycle may end in another cell than it began:
the lattice vectors that can be reached so span a line, a plane or space, and their rank is the number of
dimensions in which the network connects. Hops are added in the order of their heights, so the height at which the rank
grows is the bottleneck of that dimension. Neither supercell, origin nor order of sites matters.

Source: Delgado-Friedrichs and O'Keeffe, Acta Cryst. A 59, 351 (2003), doi:10.1107/S0108767303012017, for periodic
graphs and their vectors; the heights enter as in Kruskal, Proc. Am. Math. Soc. 7, 48 (1956),
doi:10.1090/S0002-9939-1956-0078686-7.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

Vector = tuple[int, int, int]


@dataclass(frozen=True)
class Edge:
    """A hop as a part of the network.

    Attributes:
        start: Index of a site.
        end: Index of a site.
        translation: Cell of the end less cell of the start, in lattice vectors.
        height: What has to be reached to make the hop, in any unit: the energy of its saddle, or its length.
    """

    start: int
    end: int
    translation: Vector
    height: float


@dataclass(frozen=True)
class Percolation:
    """From which height on a network reaches through the crystal.

    Attributes:
        one: In at least one dimension; `None` if it never does.
        two: In at least two.
        three: In all three.
    """

    one: float | None
    two: float | None
    three: float | None

    @property
    def dimensions(self) -> int:
        """In how many dimensions all edges together connect, 0 to 3."""
        return sum(height is not None for height in (self.one, self.two, self.three))

    def record(self) -> dict[str, float | None]:
        """As JSON."""
        return {"1D": self.one, "2D": self.two, "3D": self.three}


def percolation(edges: Iterable[Edge]) -> Percolation:
    """The heights at which the network of some hops connects in 1, 2 and 3 dimensions.

    Args:
        edges: One for each hop of one cell; a hop and its reverse need be given once only.
    """
    network = _Network()
    reached: list[float] = []
    for edge in sorted(edges, key=lambda edge: edge.height):
        rank = network.add(edge)
        reached += [edge.height] * (rank - len(reached))
    one, two, three = (*reached, None, None, None)[:3]
    return Percolation(one, two, three)


class _Network:
    """Sites joined so far: to which root each belongs and in which cell it lies as seen from there."""

    def __init__(self) -> None:
        self._parent: dict[int, tuple[int, np.ndarray]] = {}
        self._cycles: dict[int, list[np.ndarray]] = {}

    def add(self, edge: Edge) -> int:
        """Join two sites; in how many dimensions their piece of the network now connects."""
        root, cell = self._found(edge.start)
        other, other_cell = self._found(edge.end)
        step = cell + np.array(edge.translation, dtype=int) - other_cell
        if root == other:
            self._cycles[root] = _independent([*self._cycles[root], step])
        else:
            self._parent[other] = (root, step)
            self._cycles[root] = _independent(self._cycles[root] + self._cycles.pop(other))
        return len(self._cycles[root])

    def _found(self, site: int) -> tuple[int, np.ndarray]:
        """Root of a site, and its cell as seen from the root."""
        if site not in self._parent:
            self._parent[site] = (site, np.zeros(3, dtype=int))
            self._cycles[site] = []
        cell = np.zeros(3, dtype=int)
        while True:
            above, step = self._parent[site]
            if above == site:
                return site, cell
            site, cell = above, cell + step


def _independent(vectors: list[np.ndarray]) -> list[np.ndarray]:
    """As many of some lattice vectors as are linearly independent, at most three."""
    kept: list[np.ndarray] = []
    for vector in vectors:
        if _volume([*kept, vector]):
            kept.append(vector)
    return kept


def _volume(vectors: list[np.ndarray]) -> bool:
    """Whether some integer vectors span a length, an area or a volume (four never do); exact."""
    if len(vectors) == 1:
        return bool(vectors[0].any())
    across = np.cross(vectors[0], vectors[1])
    if len(vectors) == 2:
        return bool(across.any())
    return len(vectors) == 3 and bool(vectors[2] @ across)
