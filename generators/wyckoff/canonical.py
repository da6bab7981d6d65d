"""Of all the ways to write a crystal down, which one is kept?

One and the same for everybody: oblique axes are reduced; of the choices that the normaliser then leaves,
the one with the least Wyckoff sequence (that of `core.identity`), then with the shortest axes in their order,
then with the least free coordinates. Along polar axes the first orbit stands at 0. So the two signs of a
polarization are one crystal, as everywhere in this project, and so are mirror images (except in the eleven
pairs of enantiomorphic groups, where the image stands in the other group).

What differs by less than a named tolerance counts as equal, so that the noise of a rotated cell does not
decide; where a crystal sits exactly at such an edge two descriptions may remain, both of them right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...core.errors import StructureError
from .crystal import Orbit, WyckoffCrystal, electronegativity_rank
from .lattice import LAST_MONOCLINIC, LAST_TRICLINIC, free_values, parameters_of
from .normaliser import Change, changes, changes_of_oblique_axes, least_rows
from .positions import SpaceGroup, WyckoffPosition, space_group, wrapped

LENGTH_TOLERANCE = 1e-3
"""A, and degrees for angles. Described from another cell, 99 crystals in 100 differ by less than 5e-7."""
COORDINATE_TOLERANCE = 1e-4
"""Fractional. Described from another cell, 99 crystals in 100 differ by less than 3e-5."""
ON_THE_POSITION = 2e-3
"""Fractional; how far a symmetrised site may lie from its Wyckoff position."""
_STEPS_OF_REDUCTION = 50

# Free coordinates by (element, letter), those of equal orbits in ascending order.
Description = dict[tuple[str, str], np.ndarray]


@dataclass(frozen=True, eq=False)
class PlacedOrbit:
    """An orbit as it stands in the conventional cell.

    Attributes:
        element: Symbol.
        letter: Of the Wyckoff position.
        sites: Fractional coordinates, shape `(multiplicity, 3)`.
    """

    element: str
    letter: str
    sites: np.ndarray


def canonical(number: int, metric: np.ndarray, orbits: Sequence[PlacedOrbit]) -> WyckoffCrystal:
    """The one description that is kept.

    Args:
        number: Space group number.
        metric: Metric tensor of the conventional cell, A^2, shape `(3, 3)`.
        orbits: In the setting of `positions.py`.

    Raises:
        StructureError: an orbit does not lie on the Wyckoff position that it is said to occupy.
    """
    choices = [
        reduced.then(change) for reduced in _reduced_axes(number, metric) for change in changes(number)
    ]
    choices = _least_lattices(metric, _least_letters(orbits, choices))
    group = space_group(number)
    found = [description for choice in choices for description in _descriptions(group, choice, orbits)]
    flat = [np.concatenate([rows.ravel() for rows in description.values()]) for description in found]
    best = found[least_rows(flat, COORDINATE_TOLERANCE)[0]]
    written = tuple(
        Orbit(element, letter, tuple(float(value) for value in np.maximum(row, 0.0)))
        for (element, letter), rows in best.items()
        for row in rows
    )
    return WyckoffCrystal(number, written, free_values(choices[0].metric(metric), number))


def _reduced_axes(number: int, metric: np.ndarray) -> list[Change]:
    """The changes to reduced oblique axes; more than one if the lattice is more symmetric than the group."""
    steps = changes_of_oblique_axes(number)
    if len(steps) == 1:
        return [steps[0]]
    inverses = _inverse_rotations(number)
    so_far = steps[0]
    for _ in range(_STEPS_OF_REDUCTION):
        metrics = np.swapaxes(inverses, 1, 2) @ so_far.metric(metric) @ inverses
        least = least_rows(_obliqueness(number, parameters_of(metrics)), LENGTH_TOLERANCE)
        if least[0] == 0:
            return [so_far.then(steps[i]) for i in least]
        so_far = so_far.then(steps[least[0]])
    raise StructureError("The cell's axes cannot be reduced: they are too long or too oblique.")


@lru_cache(maxsize=LAST_MONOCLINIC)
def _inverse_rotations(number: int) -> np.ndarray:
    return np.linalg.inv(np.array([step.rotation for step in changes_of_oblique_axes(number)]))


def _obliqueness(number: int, parameters: np.ndarray) -> np.ndarray:
    """What reduced axes have least, column by column, shape `(nchoices, ncolumns)`.

    Monoclinic: the shortest a and c, an obtuse beta, a before c. Triclinic: the shortest three vectors in
    ascending order, angles all acute or else all obtuse (Niggli's types I and II).
    """
    a, b, c, alpha, beta, gamma = parameters.T
    if number > LAST_TRICLINIC:
        return np.column_stack([a + c, -beta, a])
    angles = parameters[:, 3:]
    acute = (angles <= 90 + LENGTH_TOLERANCE).all(axis=1)
    obtuse = (angles >= 90 - LENGTH_TOLERANCE).all(axis=1)
    return np.column_stack([a + b + c, a, b, c, ~(acute | obtuse), alpha, beta, gamma])


def _least_letters(orbits: Sequence[PlacedOrbit], choices: Sequence[Change]) -> list[Change]:
    """The choices whose Wyckoff sequence comes first, compared as `core.identity` does."""
    amounts: dict[tuple[str, str], int] = defaultdict(int)
    for orbit in orbits:
        amounts[orbit.letter, orbit.element] += 1
    sequences = [
        " ".join(
            sorted(
                f"{choice.letters[letter]}:{element}"
                for (letter, element), number in amounts.items()
                for _ in range(number)
            )
        )
        for choice in choices
    ]
    least = min(sequences)
    return [choice for choice, sequence in zip(choices, sequences, strict=True) if sequence == least]


def _least_lattices(metric: np.ndarray, choices: Sequence[Change]) -> list[Change]:
    """The choices whose axes, in their order, are the shortest."""
    rows = [parameters_of(choice.metric(metric)) for choice in choices]
    return [choices[i] for i in least_rows(rows, LENGTH_TOLERANCE)]


def _descriptions(group: SpaceGroup, choice: Change, orbits: Sequence[PlacedOrbit]) -> Iterator[Description]:
    """The crystal's free coordinates under one choice: once, or once for each origin along polar axes."""
    classes: dict[tuple[str, str], list[np.ndarray]] = defaultdict(list)
    for orbit in orbits:
        classes[orbit.element, choice.letters[orbit.letter]].append(choice.sites(orbit.sites))
    ordered = sorted(classes, key=lambda key: (electronegativity_rank(key[0]), key[1].isupper(), key[1]))
    for shift in _origins(group, np.concatenate(classes[ordered[0]])):
        yield {
            (element, letter): _ascending(
                [
                    _least_free(group.position(letter), sites + shift, element)
                    for sites in classes[element, letter]
                ]
            )
            for element, letter in ordered
        }


def _origins(group: SpaceGroup, sites: np.ndarray) -> np.ndarray:
    """The shifts along polar axes that bring one of these sites to 0, shape `(nshifts, 3)`."""
    shifts = np.zeros_like(sites)
    axes = list(group.polar_axes)
    if not axes:
        return shifts[:1]
    shifts[:, axes] = -sites[:, axes]
    _, first = np.unique(np.round(_from_zero(shifts[:, axes]), 5), axis=0, return_index=True)
    return shifts[np.sort(first)]


def _least_free(position: WyckoffPosition, sites: np.ndarray, element: str) -> np.ndarray:
    """The least free coordinates that describe an orbit, shape `(nfree,)`."""
    free, misses = position.free_coordinates(sites)
    on_it = free[misses <= ON_THE_POSITION]
    if not len(on_it):
        raise StructureError(f"No site of {element} lies on Wyckoff position {position.letter}.")
    rows = _from_zero(on_it)
    return rows[least_rows(rows, COORDINATE_TOLERANCE)[0]]


def _from_zero(coordinates: np.ndarray) -> np.ndarray:
    """Fractional coordinates from 0 (within the tolerance) to 1."""
    inside = wrapped(coordinates)
    return np.where(inside > 1 - COORDINATE_TOLERANCE, inside - 1, inside)


def _ascending(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Rows in ascending order, compared with the tolerance, shape `(nrows, ncolumns)`."""
    left, sorted_rows = list(rows), []
    while left:
        sorted_rows.append(left.pop(least_rows(left, COORDINATE_TOLERANCE)[0]))
    return np.array(sorted_rows)
