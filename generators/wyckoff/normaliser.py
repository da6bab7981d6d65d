"""In how many ways can one crystal be written down in one space group?

A shift of the origin or another choice of axes that leaves the group's operations as they are gives the same
crystal other coordinates and often other Wyckoff letters: in SrTiO3 the corner and the centre of the cube
change places. Those changes form the normaliser of the group; this file gives them, each with what it makes
of the letters. Reversed polar axes are among them, and mirror images where the group has both hands.

Up to a continuous shift along polar axes the changes are pyxtal's. Its tables do not change the oblique axes
of monoclinic and triclinic cells; those changes are found here, by trying.

Source: International Tables for Crystallography A (2016), chapter 3.5; Koch and Fischer.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from .lattice import LAST_MONOCLINIC, LAST_TRICLINIC
from .positions import SpaceGroup, WyckoffPosition, space_group

OBLIQUE_REACH = 2
"""Greatest factor of an old oblique axis in a new one; repeated steps go further."""
_SOMEWHERE = np.array([0.13713, 0.27191, 0.38877])
_TOLERANCE = 1e-5


@dataclass(frozen=True, eq=False)
class Change:
    """One change of origin and axes that leaves the group as it is: `x' = rotation @ x + translation`.

    Attributes:
        group: The space group.
        rotation: Integers, determinant 1 or -1, shape `(3, 3)`.
        translation: Shape `(3,)`.
        steps: The changes it is made of, if it is made of others.
    """

    group: SpaceGroup
    rotation: np.ndarray
    translation: np.ndarray
    steps: tuple[Change, ...] = ()

    def sites(self, sites: np.ndarray) -> np.ndarray:
        """New fractional coordinates of sites, shape `(..., 3)`."""
        return sites @ self.rotation.T + self.translation

    def metric(self, metric: np.ndarray) -> np.ndarray:
        """New metric tensor, A^2, shape `(3, 3)`."""
        inverse = np.linalg.inv(self.rotation)
        return inverse.T @ metric @ inverse

    @cached_property
    def letters(self) -> dict[str, str]:
        """New Wyckoff letter of each old one."""
        if self.steps:
            first, second = self.steps
            return {old: second.letters[new] for old, new in first.letters.items()}
        return {
            letter: _letter_of_image(self.group, position, self.rotation, self.translation)
            for letter, position in self.group.positions.items()
        }

    def then(self, other: Change) -> Change:
        """Both changes, this one first."""
        rotation, translation = other.rotation @ self.rotation, other.sites(self.translation)
        return Change(self.group, rotation, translation, (self, other))


@lru_cache(maxsize=230)
def changes(number: int) -> tuple[Change, ...]:
    """The changes of origin and axes but for oblique axes and polar shifts; the first changes nothing.

    Args:
        number: International number.
    """
    from pymatgen.core import SymmOp
    from pyxtal.symmetry import Group

    rows = Group(number, quick=True).get_alternatives()["Coset Representative"]
    operations = [SymmOp.from_xyz_str(row) for row in rows]
    return tuple(Change(space_group(number), op.rotation_matrix, op.translation_vector) for op in operations)


@lru_cache(maxsize=230)
def changes_of_oblique_axes(number: int) -> tuple[Change, ...]:
    """Other axes for a monoclinic cell (in the plane across b) or a triclinic one; the first changes nothing.

    Args:
        number: International number.

    Returns:
        Only the change that changes nothing for groups of more symmetry. All of small steps, so that
        repeated changes reach any cell; of a change and its opposite, which differ by an inversion or a
        twofold turn, one.
    """
    group = space_group(number)
    found = [Change(group, np.eye(3), np.zeros(3))]
    for rotation in _oblique_rotations(number):
        translation = _translation_that_fits(group, rotation)
        if translation is not None and not np.array_equal(rotation, np.eye(3)):
            found.append(Change(group, rotation, translation))
    return tuple(found)


def _oblique_rotations(number: int) -> list[np.ndarray]:
    if number <= LAST_TRICLINIC:
        return [rotation for rotation in _unimodular(3, 1) if np.linalg.det(rotation) > 0]
    if number <= LAST_MONOCLINIC:
        return [_across_b(small) for small in _unimodular(2, OBLIQUE_REACH) if small[small != 0][0] > 0]
    return []


def _letter_of_image(
    group: SpaceGroup, position: WyckoffPosition, rotation: np.ndarray, translation: np.ndarray
) -> str:
    """Where a point of a Wyckoff position goes."""
    if len(position.free) == 3:
        return position.letter
    point = position.sites(_SOMEWHERE[list(position.free)])[0]
    image = rotation @ point + translation
    orbit = group.general.rotations @ image + group.general.translations
    alike = [p for p in group.positions.values() if _are_alike(p, position)]
    return next(p.letter for p in alike if p.free_coordinates(orbit)[1].min() < _TOLERANCE)


def _are_alike(one: WyckoffPosition, other: WyckoffPosition) -> bool:
    return one.multiplicity == other.multiplicity and len(one.free) == len(other.free)


@lru_cache(maxsize=4)
def _unimodular(size: int, reach: int) -> list[np.ndarray]:
    """All integer matrices of determinant 1 or -1 with entries up to `reach`."""
    entries = np.array(list(itertools.product(range(-reach, reach + 1), repeat=size * size)))
    matrices = entries.reshape(-1, size, size)
    determinants = np.round(np.linalg.det(matrices))
    return list(matrices[np.abs(determinants) == 1].astype(float))


def _across_b(small: np.ndarray) -> np.ndarray:
    rotation = np.eye(3)
    rotation[np.ix_([0, 2], [0, 2])] = small
    return rotation


def _translation_that_fits(group: SpaceGroup, rotation: np.ndarray) -> np.ndarray | None:
    """A shift with which the rotation maps the group onto itself; `None` if there is none."""
    rotations, translations = group.general.rotations, group.general.translations
    turned = rotation @ rotations @ np.linalg.inv(rotation)
    same = np.abs(turned[:, None] - rotations[None]).max(axis=(2, 3)) < _TOLERANCE
    if not same.any(axis=1).all():
        return None
    for shift in itertools.product((0, 1 / 4, 1 / 2, 3 / 4), repeat=3):
        moved = translations @ rotation.T + np.array(shift) - turned @ np.array(shift)
        offsets = moved[:, None] - translations[None]
        fits = np.abs(offsets - np.round(offsets)).max(axis=2) < _TOLERANCE
        if (fits & same).any(axis=1).all():
            return np.array(shift)
    return None


def least_rows(rows: Sequence[np.ndarray] | np.ndarray, tolerance: float) -> np.ndarray:
    """Which rows are least: column by column, what differs by less than the tolerance counts as equal.

    Args:
        rows: Shape `(nrows, ncolumns)`.
        tolerance: In the unit of the rows.

    Returns:
        Indices, ascending; several where rows are equal.
    """
    table = np.asarray(rows, float)
    left = np.arange(len(table))
    for column in table.T:
        if len(left) == 1:
            break
        values = column[left]
        left = left[values <= values.min() + tolerance]
    return left
