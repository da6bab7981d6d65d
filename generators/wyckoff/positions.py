"""Which places does a space group offer to atoms?

The Wyckoff positions of the 230 groups, in the one setting that this folder speaks: the standard of
International Tables A with unique axis b and cell choice 1 for monoclinic groups, origin choice 2 where
there are two, and hexagonal axes for rhombohedral groups. The tables are pyxtal's; spglib reaches the same
setting when it is asked for `SpaceGroup.hall_number`.

Source: International Tables for Crystallography A (2016), chapter 2.3, as tabulated in pyxtal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import numpy as np

from ...core.errors import InputError, nearest

FIRST_GROUP, LAST_GROUP = 1, 230
AXES = ("x", "y", "z")

# Rows are primitive vectors in terms of conventional ones; spglib's choice of primitive cell.
PRIMITIVE_VECTORS: dict[str, np.ndarray] = {
    "P": np.eye(3),
    "A": np.array([[1, 0, 0], [0, 1 / 2, -1 / 2], [0, 1 / 2, 1 / 2]]),
    "C": np.array([[1 / 2, -1 / 2, 0], [1 / 2, 1 / 2, 0], [0, 0, 1]]),
    "I": np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / 2,
    "F": np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2,
    "R": np.array([[2, 1, 1], [-1, 1, 1], [-1, -2, 1]]) / 3,
}


@dataclass(frozen=True, eq=False)
class WyckoffPosition:
    """One Wyckoff position of a space group, in the conventional cell.

    Attributes:
        letter: `a` to `z`, then `A` for the general position of Pmmm.
        rotations: What each operation makes of (x, y, z), shape `(multiplicity, 3, 3)`. Not of full rank for
            special positions: the first row of `2x, x, 1/4` is `(2, 0, 0)`.
        translations: Their constant parts, shape `(multiplicity, 3)`.
        free: Which of x, y and z are free, as indices: `(0, 2)` for `x, 0, z`.
        primitive: Which operations give the sites of a primitive cell, shape `(primitive_multiplicity,)`.
    """

    letter: str
    rotations: np.ndarray
    translations: np.ndarray
    free: tuple[int, ...]
    primitive: np.ndarray

    @property
    def multiplicity(self) -> int:
        """Number of sites in the conventional cell."""
        return len(self.translations)

    @property
    def primitive_multiplicity(self) -> int:
        """Number of sites in a primitive cell."""
        return len(self.primitive)

    @property
    def free_names(self) -> tuple[str, ...]:
        """The free coordinates by name: `("x", "z")`."""
        return tuple(AXES[i] for i in self.free)

    @cached_property
    def primitive_rotations(self) -> np.ndarray:
        """Free coordinates to the sites of a primitive cell, shape `(primitive_multiplicity, 3, nfree)`."""
        return self.rotations[self.primitive][:, :, list(self.free)]

    @cached_property
    def primitive_translations(self) -> np.ndarray:
        """Constant parts that belong to them, shape `(primitive_multiplicity, 3)`."""
        return self.translations[self.primitive]

    def sites(self, free: np.ndarray) -> np.ndarray:
        """All sites of the conventional cell.

        Args:
            free: Values of the free coordinates, shape `(nfree,)`.

        Returns:
            Fractional coordinates in [0, 1), shape `(multiplicity, 3)`.
        """
        return wrapped(self.rotations[:, :, list(self.free)] @ free + self.translations)

    def free_coordinates(self, sites: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The free coordinates at which the first operation gives a site.

        Args:
            sites: Fractional coordinates, shape `(..., 3)`.

        Returns:
            Free coordinates in [0, 1), shape `(..., nfree)`, and by how much the first operation then misses
            the site, the greatest of three fractional distances, shape `(...)`.
        """
        found = (sites[..., self._pivots] - self.translations[0, self._pivots]) * self._signs
        reached = found @ self.rotations[0][:, list(self.free)].T + self.translations[0]
        misses = np.abs(reached - sites - np.round(reached - sites)).max(axis=-1)
        return wrapped(found), misses

    @cached_property
    def _pivots(self) -> list[int]:
        """For each free coordinate a row of the first operation that holds nothing but it, once."""
        return [_pivot(self.rotations[0], i) for i in self.free]

    @cached_property
    def _signs(self) -> np.ndarray:
        return self.rotations[0][self._pivots, list(self.free)]


@dataclass(frozen=True, eq=False)
class SpaceGroup:
    """The Wyckoff positions of one space group.

    Attributes:
        number: International number, 1 to 230.
        symbol: Short Hermann-Mauguin symbol.
        hall_number: The setting, as spglib counts them (1 to 530).
        centring: `P`, `A`, `C`, `I`, `F` or `R`.
        positions: By letter, the most special first.
    """

    number: int
    symbol: str
    hall_number: int
    centring: str
    positions: dict[str, WyckoffPosition]

    def position(self, letter: str) -> WyckoffPosition:
        """The position of this letter.

        Raises:
            InputError: the group has no such letter.
        """
        try:
            return self.positions[letter]
        except KeyError:
            raise InputError(
                f"Space group {self.number} ({self.symbol}) has no Wyckoff position {letter!r}; "
                f"it has {', '.join(self.positions)}."
            ) from None

    @cached_property
    def general(self) -> WyckoffPosition:
        """The general position: its operations are those of the group."""
        return list(self.positions.values())[-1]

    @cached_property
    def primitive_vectors(self) -> np.ndarray:
        """Rows are primitive vectors in terms of conventional ones, shape `(3, 3)`."""
        return PRIMITIVE_VECTORS[self.centring]

    @cached_property
    def to_primitive(self) -> np.ndarray:
        """Conventional to primitive coordinates: `primitive = conventional @ to_primitive`."""
        return np.linalg.inv(self.primitive_vectors)

    @cached_property
    def polar_axes(self) -> tuple[int, ...]:
        """The axes along which the origin is free, as indices: `(2,)` for P4mm, `(0, 2)` for Pm."""
        kept = self.general.rotations.mean(axis=0)
        return tuple(i for i in range(3) if kept[i, i] > 1e-6)


@lru_cache(maxsize=LAST_GROUP)
def space_group(number: int) -> SpaceGroup:
    """The Wyckoff positions of a space group; read once, in some milliseconds.

    Args:
        number: International number.

    Raises:
        InputError: there is no such group.
    """
    if not isinstance(number, int | np.integer) or not FIRST_GROUP <= number <= LAST_GROUP:
        raise InputError(f"There is no space group {number!r}; they are numbered from 1 to 230.")
    from pyxtal.symmetry import get_symbol_and_number, get_wyckoffs, letter_from_index, pyxtal_hall_numbers

    tables = get_wyckoffs(int(number))
    symbol, _ = get_symbol_and_number(int(number))
    centring = symbol[0]
    positions = {}
    for i in reversed(range(len(tables))):
        letter = letter_from_index(i, tables)
        rotations = np.array([op.rotation_matrix for op in tables[i]])
        translations = np.array([op.translation_vector for op in tables[i]])
        positions[letter] = _position(letter, rotations, translations, PRIMITIVE_VECTORS[centring])
    return SpaceGroup(int(number), symbol, int(pyxtal_hall_numbers[number - 1]), centring, positions)


@cache
def site_symmetry(number: int, letter: str) -> str:
    """Symbol of the site symmetry of a Wyckoff position, oriented as in International Tables: `mm2.`."""
    space_group(number).position(letter)
    from pyxtal.symmetry import Group

    position = Group(number).get_wp_by_letter(letter)
    position.get_site_symmetry()
    return str(position.site_symm)


def spacegroup_number(name: int | str) -> int:
    """The number of a space group given by number or by symbol: 99, `"99"` or `"P4mm"`.

    Raises:
        InputError: there is no such group.
    """
    if isinstance(name, int | np.integer) or name.strip().isdigit():
        return space_group(int(name)).number
    known = _symbols()
    plain = name.strip().replace(" ", "").replace("_", "")
    if plain not in known:
        guess = nearest(plain, known).partition("Known:")[0]
        raise InputError(f"There is no space group {name!r}. {guess}".strip())
    return known[plain]


@lru_cache(maxsize=1)
def _symbols() -> dict[str, int]:
    from pyxtal.symmetry import get_symbol_and_number

    symbols = {number: get_symbol_and_number(number)[0] for number in range(FIRST_GROUP, LAST_GROUP + 1)}
    return {symbol.replace("_", ""): number for number, symbol in symbols.items()}


def wrapped(coordinates: np.ndarray, slack: float = 1e-9) -> np.ndarray:
    """Fractional coordinates in [0, 1); what is 1 but for rounding becomes 0."""
    inside = coordinates - np.floor(coordinates)
    return np.where(inside >= 1.0 - slack, 0.0, inside)


def _position(
    letter: str, rotations: np.ndarray, translations: np.ndarray, primitive_vectors: np.ndarray
) -> WyckoffPosition:
    free = tuple(i for i in range(3) if np.abs(rotations[0, :, i]).max() > 1e-6)
    primitive = _one_of_each(rotations, translations, np.linalg.inv(primitive_vectors))
    return WyckoffPosition(letter, rotations, translations, free, primitive)


def _one_of_each(rotations: np.ndarray, translations: np.ndarray, to_primitive: np.ndarray) -> np.ndarray:
    """The first operation of each set that differs by a centring translation only."""
    somewhere = np.array([0.13713, 0.27191, 0.38877])
    sites = (rotations @ somewhere + translations) @ to_primitive
    kept: list[int] = []
    for i, site in enumerate(sites):
        offsets = sites[kept] - site
        if not len(kept) or np.abs(offsets - np.round(offsets)).max(axis=1).min() > 1e-5:
            kept.append(i)
    return np.array(kept)


def _pivot(rotation: np.ndarray, free: int) -> int:
    for row in range(3):
        others = np.delete(rotation[row], free)
        if abs(abs(rotation[row, free]) - 1) < 1e-6 and np.abs(others).max() < 1e-6:
            return row
    raise AssertionError("every free coordinate stands alone in some row of a table")
