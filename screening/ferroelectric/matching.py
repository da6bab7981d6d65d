"""Which atom of the one end of a path becomes which atom of the other?

Atoms paired badly make the straight way between two ends run through a hill that is not there: the
tabulated path of LiNbO3 moves every O by 1.3 A and peaks 319 meV/atom above the polar end, while the ends
differ by 31 (Smidt et al., Sci. Data 7, 72 (2020), doi:10.1038/s41597-020-0407-9). Of all pairings of equal
elements, and of all common shifts of the crystal, those with the least sum of squared displacements are
looked for: from several starting shifts, pairing and shift are improved in turn until neither changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pymatgen.core import Structure

ROUNDS = 30
"""Of pairing and shift, at most; mostly the third changes nothing."""
MOST_SHIFTS = 64
"""Starting shifts tried at most: each is one assignment problem per element and round."""
SAME_SHIFT_ANGSTROM = 1e-6
SAME_SUM = 1e-3
"""A^2; pairings whose sums of squared displacements differ by less are one, up to a symmetry."""
FARTHEST = 2.0
"""Times the least sum of squared displacements: no longer pairing is offered. Among 182 DFT pairs with their alternatives
the one whose path is the lowest has the least sum itself (181) or 1.10 times it (CrO3)."""
POWERS = (2, 4)
"""Of the displacements that are summed: the least sum of squares, and a pairing that rather spares the largest."""
FORBIDDEN_COST = 1e9
"""In A to whichever power, between atoms of different elements."""


@dataclass(frozen=True)
class Match:
    """One end laid upon the other.

    Attributes:
        structure: The first end with its atoms in the order of the second, each at the image nearest to its
            partner, shifted as a whole so that the displacements have no mean.
        displacements: Second minus first end in the second one's cell, Cartesian, A, shape `(nsites, 3)`.
        order: `structure[i]` is site `order[i]` of the first end as given, shape `(nsites,)`.
    """

    structure: Structure
    displacements: np.ndarray
    order: np.ndarray

    @property
    def distortion_max(self) -> float:
        """Largest displacement of an atom, A."""
        return float(np.linalg.norm(self.displacements, axis=1).max())


def matches(parent: Structure, polar: Structure, limit: int = 4) -> list[Match]:
    """Different pairings of two ends, that with the least sum of squared displacements first.

    Each is a way to switch. The least displacement mostly has the lowest barrier, but it may break a chain or
    molecule that a longer way turns: in CrO3 the straight path of the least squares rises by 1.5 eV/atom, that of a
    pairing 5% longer by 0.02 (`path.best_matches` asks a potential). Pairings much longer than the first are left out.

    Args:
        parent: The nonpolar end, or the reversed polar one, in the lattice setting of `polar`; atoms in any order.
        polar: The polar end, whose order of atoms is kept.
        limit: At most so many.

    Returns:
        Empty if the ends are not of the same atoms.

    Notes:
        Shifts that carry an atom of the rarest element onto one of its partners are all tried (up to
        `MOST_SHIFTS`), so a parent whose origin stands elsewhere, or whose pattern of rotated octahedra is out of
        step by a lattice translation of its aristotype, falls into place. A lattice in another setting, or
        another domain orientation, is not looked for.
    """
    numbers, own = (np.array(end.atomic_numbers) for end in (polar, parent))
    if not np.array_equal(np.sort(own), np.sort(numbers)):
        return []
    alike = numbers[:, None] == own[None, :]
    found = [
        _settled(parent.frac_coords + shift, polar, alike, power)
        for shift in _starting_shifts(parent, polar)
        for power in POWERS
    ]
    if np.array_equal(own, numbers):
        found.append(_as_given(parent, polar))
    found.sort(key=lambda one: one[0])
    near = [one for one in found if one[0] <= FARTHEST * found[0][0] + SAME_SUM]
    return [
        Match(_laid_out(parent, polar, moves), moves @ polar.lattice.matrix, order)
        for _, order, moves in _distinct(near)[:limit]
    ]


_Pairing = tuple[float, np.ndarray, np.ndarray]
"""Sum of squared displacements, A^2; the order; and the displacements, fractional, mean zero."""


def _distinct(found: Sequence[_Pairing]) -> list[_Pairing]:
    """Without those whose atoms move as far, one by one, as in an earlier one: a symmetry makes them the same."""
    kept: list[_Pairing] = []
    for one in found:
        if not any(abs(one[0] - other[0]) < SAME_SUM for other in kept):
            kept.append(one)
    return kept


def _as_given(parent: Structure, polar: Structure) -> _Pairing:
    """Each atom with the one at its own place in the list."""
    order = np.arange(len(polar))
    moves = _nearest_steps(parent.frac_coords, polar)[order, order]
    return _pairing(order, moves, polar)


def _pairing(order: np.ndarray, moves: np.ndarray, polar: Structure) -> _Pairing:
    moves = moves - moves.mean(axis=0)
    return float(np.sum((moves @ polar.lattice.matrix) ** 2)), order, moves


def _starting_shifts(parent: Structure, polar: Structure) -> np.ndarray:
    """None; and those that lay one atom of the rarest element (the heaviest of these) upon each of its kind.

    Fractional, shape `(nshifts, 3)`.
    """
    numbers = np.array(polar.atomic_numbers)
    kinds, counts = np.unique(numbers, return_counts=True)
    rarest = max(zip(-counts, kinds, strict=True))[1]
    first = parent.frac_coords[parent.atomic_numbers.index(rarest)]
    shifts = polar.frac_coords[numbers == rarest][: MOST_SHIFTS - 1] - first
    return np.vstack([np.zeros(3), shifts])


def _settled(positions: np.ndarray, polar: Structure, alike: np.ndarray, power: int) -> _Pairing:
    """Pair and shift in turn until neither changes.

    Args:
        positions: Of the first end's atoms, fractional, shape `(nsites, 3)`.
        polar: The second end.
        alike: Whether atoms i of the second and j of the first end are of one element, shape `(nsites, nsites)`.
        power: Of the displacements, whose sum the pairing makes least.
    """
    from scipy.optimize import linear_sum_assignment

    order, moves = np.arange(len(positions)), np.zeros_like(positions)
    for _ in range(ROUNDS):
        steps = _nearest_steps(positions, polar)
        lengths = np.linalg.norm(steps @ polar.lattice.matrix, axis=2)
        order = linear_sum_assignment(np.where(alike, lengths**power, FORBIDDEN_COST))[1]
        moves = steps[np.arange(len(order)), order]
        drift = moves.mean(axis=0)
        positions = positions + drift
        if np.linalg.norm(drift @ polar.lattice.matrix) < SAME_SHIFT_ANGSTROM:
            break
    return _pairing(order, moves, polar)


def _nearest_steps(positions: np.ndarray, polar: Structure) -> np.ndarray:
    """From each atom of the first end (second index) to the nearest image of each of the second, fractional."""
    from pymatgen.util.coord import pbc_shortest_vectors

    vectors = pbc_shortest_vectors(polar.lattice, positions, polar.frac_coords)
    return np.swapaxes(vectors, 0, 1) @ np.linalg.inv(polar.lattice.matrix)


def _laid_out(parent: Structure, polar: Structure, moves: np.ndarray) -> Structure:
    """The first end in its own cell, at the places from which `moves` (fractional) lead to the second."""
    from pymatgen.core import Structure

    return Structure(parent.lattice, [site.specie for site in polar], polar.frac_coords - moves)
