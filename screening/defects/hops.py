"""Which hops can a vacancy make on the sublattice of an element, and which of them are alike?

A hop is a pair of neighbouring sites: the ion of one moves into the vacancy of the other. Pairs that an operation of
the space group maps on one another, reversed or not, are one class with one barrier. Where an operation exchanges the two
ends of a hop, the midpoint is a stationary point of the way and a candidate saddle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ...core.errors import InputError, StructureError
from ...core.settings import Settings
from ...core.supercells import SYMPREC_ANGSTROM, primitive_of
from ...core.symmetry import dataset_at
from .percolation import Edge, Percolation, Vector, percolation

if TYPE_CHECKING:
    from pymatgen.core import Structure

SAME_LENGTH_ANGSTROM = 0.005
"""Neighbours that differ by less are one shell."""
Pair = tuple[int, int, Vector]
"""Start, end, and cell of the end as seen from the start's."""


class HopConfig(Settings):
    """Which neighbours a vacancy may move to.

    Attributes:
        reach: Neighbours up to this times the distance of the nearest one. 1.3 takes in the three shells of rutile
            (2.5, 2.8, 3.0 A) and no second shell of rock salt, fluorite or perovskite (1.41).
        longest_angstrom: If those hops do not connect in three dimensions, longer ones up to this are added until they do.
    """

    reach: float = Field(default=1.3, ge=1)
    longest_angstrom: float = Field(default=4.5, gt=0)


@dataclass(frozen=True)
class Operation:
    """A symmetry operation in fractional coordinates of the primitive cell: `x -> rotation @ x + translation`.

    Attributes:
        rotation: Shape `(3, 3)`, integers.
        translation: Shape `(3,)`.
    """

    rotation: np.ndarray
    translation: np.ndarray

    def of(self, point: np.ndarray) -> np.ndarray:
        """Where it carries a point, fractional, shape `(3,)`."""
        return self.rotation @ point + self.translation


@dataclass(frozen=True)
class Hop:
    """A class of hops that symmetry makes alike, told by one of them.

    Attributes:
        start: Index in the primitive cell of the site whose vacancy moves; the ion moves from `end` to here.
        end: Index of the other site.
        translation: Cell of the end as seen from the start's, in lattice vectors.
        length_angstrom: Distance of the two sites.
        members: All hops of the class that begin in one cell, each once, in the direction of the first.
        name: `O1-O2 2.76`: the classes of the ends, numbered by the first site of each, and the length in A.
        swap: An operation that exchanges the ends, `None` if there is none.
    """

    start: int
    end: int
    translation: Vector
    length_angstrom: float
    members: tuple[Pair, ...]
    name: str
    swap: Operation | None = field(compare=False)

    @property
    def multiplicity(self) -> int:
        """Hops of the class per primitive cell."""
        return len(self.members)

    def edges(self, height: float) -> list[Edge]:
        """The class as a part of the network."""
        return [Edge(*member, height) for member in self.members]


@dataclass(frozen=True)
class Hops:
    """The hops on the sublattice of one element.

    Attributes:
        primitive: The cell that sites are counted in.
        element: What moves.
        site_class: By index of a site, the first site that symmetry makes equal to it.
        classes: Shortest first.
        note: One sentence if the network of the hops does not connect in three dimensions.
    """

    primitive: Structure
    element: str
    site_class: dict[int, int]
    classes: tuple[Hop, ...]
    note: str = ""


def hops_of(host: Structure, element: str, config: HopConfig | None = None) -> Hops:
    """The symmetry-distinct hops of a vacancy of an element.

    Args:
        host: Ordered, in any setting.
        element: Symbol.
        config: Which neighbours count.

    Raises:
        InputError: the element is not there, or its sites have no neighbours of their kind within reach.
        StructureError: spglib finds no symmetry.
    """
    config = config or HopConfig()
    primitive = primitive_of(host)
    sites = [i for i, site in enumerate(primitive) if site.specie.symbol == element]
    if not sites:
        raise InputError(f"{host.composition.reduced_formula} has no {element}.")
    actions = _actions(primitive, sites)
    site_class = {i: min(action.sites[i] for action in actions) for i in sites}
    pairs, note = _within_reach(_pairs(primitive, sites, config), config)
    labels = {first: f"{element}{n}" for n, first in enumerate(sorted(set(site_class.values())), 1)}
    classes = []
    for orbit in _orbits(pairs, actions):
        start, end, translation = orbit[0]
        name = f"{labels[site_class[start]]}-{labels[site_class[end]]} {pairs[orbit[0]]:.2f}"
        swap = _swap(orbit[0], actions)
        classes.append(Hop(start, end, translation, pairs[orbit[0]], tuple(orbit), name, swap))
    return Hops(primitive, element, site_class, tuple(classes), note)


@dataclass(frozen=True)
class _Action:
    """What an operation does to the sites of the sublattice: which one each is carried to, and into which cell."""

    operation: Operation
    sites: dict[int, int]
    cells: dict[int, np.ndarray]

    def of(self, pair: Pair) -> Pair:
        """The pair that a pair is carried to, its start back in the first cell."""
        start, end, translation = pair
        cell = self.operation.rotation @ np.array(translation) + self.cells[end] - self.cells[start]
        return self.sites[start], self.sites[end], _vector(cell)


def _actions(primitive: Structure, sites: list[int]) -> list[_Action]:
    """Of all operations of the space group."""
    dataset = dataset_at(primitive, SYMPREC_ANGSTROM)
    if dataset is None:
        raise StructureError(
            f"spglib finds no space group of {primitive.composition.reduced_formula} at {SYMPREC_ANGSTROM:g} A."
        )
    return [
        _action(primitive, sites, Operation(rotation, translation))
        for rotation, translation in zip(dataset.rotations, dataset.translations, strict=True)
    ]


def _action(primitive: Structure, sites: list[int], operation: Operation) -> _Action:
    places = primitive.frac_coords[sites]
    gaps = (places @ operation.rotation.T + operation.translation)[:, None, :] - places[None, :, :]
    cells = np.round(gaps).astype(int)
    nearest = np.linalg.norm((gaps - cells) @ primitive.lattice.matrix, axis=2).argmin(axis=1)
    return _Action(
        operation,
        {i: sites[k] for i, k in zip(sites, nearest, strict=True)},
        {i: cells[n, k] for n, (i, k) in enumerate(zip(sites, nearest, strict=True))},
    )


def _pairs(primitive: Structure, sites: list[int], config: HopConfig) -> dict[Pair, float]:
    """All pairs up to the longest hop, in both directions, and their lengths, A."""
    sublattice = primitive.copy()
    sublattice.remove_sites([i for i in range(len(primitive)) if i not in set(sites)])
    starts, ends, cells, lengths = sublattice.get_neighbor_list(config.longest_angstrom)
    if not len(lengths):
        raise InputError(
            f"No two {primitive[sites[0]].specie} sites of {primitive.composition.reduced_formula} are within "
            f"{config.longest_angstrom:g} A of each other, so no vacancy can hop; raise 'longest_angstrom'."
        )
    return {
        (sites[i], sites[j], _vector(cell)): float(length)
        for i, j, cell, length in zip(starts, ends, cells, lengths, strict=True)
    }


def _within_reach(pairs: dict[Pair, float], config: HopConfig) -> tuple[dict[Pair, float], str]:
    """The nearest neighbours, longer hops if without them the network falls apart, and what to say of it."""
    nearest: dict[int, float] = {}
    for (start, _, _), length in pairs.items():
        nearest[start] = min(length, nearest.get(start, length))
    near = {
        pair: length
        for pair, length in pairs.items()
        if length <= config.reach * max(nearest[pair[0]], nearest[pair[1]]) + SAME_LENGTH_ANGSTROM
    }
    if _connected(near).dimensions == 3:
        return near, ""
    whole = _connected(pairs)
    needed = max((x for x in (whole.one, whole.two, whole.three) if x is not None), default=0.0)
    longer = {pair: length for pair, length in pairs.items() if length <= needed + SAME_LENGTH_ANGSTROM}
    if whole.dimensions == 3:
        return near | longer, ""
    return near | longer, (
        f"Hops of up to {config.longest_angstrom:g} A connect the sites in {whole.dimensions} of 3 dimensions."
    )


def _connected(pairs: dict[Pair, float]) -> Percolation:
    return percolation(Edge(*pair, length) for pair, length in pairs.items())


def _orbits(pairs: dict[Pair, float], actions: list[_Action]) -> list[list[Pair]]:
    """Classes of pairs, the shortest first; a pair and its reverse are one. The first pair begins at the first site."""
    left = dict.fromkeys(sorted(pairs, key=lambda pair: (round(pairs[pair], 3), pair)))
    found = []
    while left:
        first = next(iter(left))
        orbit: dict[Pair, None] = {}
        for carried in [first, *(action.of(first) for action in actions)]:
            if _reversed(carried) not in orbit:
                orbit[carried] = None
        for pair in orbit:
            left.pop(pair, None)
            left.pop(_reversed(pair), None)
        found.append(list(orbit))
    return found


def _swap(pair: Pair, actions: list[_Action]) -> Operation | None:
    """The first operation that exchanges the ends of a pair, with the lattice translation that does."""
    for action in actions:
        if action.of(pair) == _reversed(pair):
            start, _, translation = pair
            shift = np.array(translation) - action.cells[start]
            return Operation(action.operation.rotation, action.operation.translation + shift)
    return None


def _reversed(pair: Pair) -> Pair:
    start, end, (x, y, z) = pair
    return end, start, (-x, -y, -z)


def _vector(cell: np.ndarray) -> Vector:
    x, y, z = (int(n) for n in np.round(cell))
    return x, y, z
