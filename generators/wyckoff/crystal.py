"""What has to be said of a crystal once its space group is known?

A record of the group, of the orbits with their free coordinates, and of the free lattice parameters: what is
left when everything that symmetry dictates is taken away. `encode` makes it of a structure, `decode` makes a
structure of it; in between it turns to JSON and to tokens without loss.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from typing import Any

from ...core.errors import InputError, StructureError, nearest
from .lattice import require_cell
from .positions import space_group


@dataclass(frozen=True)
class Orbit:
    """Sites that symmetry makes equal.

    Attributes:
        element: Symbol.
        letter: Of the Wyckoff position.
        free: Values of the position's free coordinates, in [0, 1), in the order x, y, z: those at which the
            first operation of the position gives a site.
    """

    element: str
    letter: str
    free: tuple[float, ...] = ()


@dataclass(frozen=True)
class WyckoffCrystal:
    """A crystal in its space group; see the module's docstring.

    Attributes:
        spacegroup_number: International number; the setting is that of `positions.py`.
        orbits: By electronegativity, then letter, then coordinates.
        lattice: The free lattice parameters of the conventional cell, A and degrees, in the order of
            `lattice.free_parameters`.

    Raises:
        InputError: the parts do not fit one another; the sentence says which.
        StructureError: there are no orbits, or a position without freedom is taken twice.
    """

    spacegroup_number: int
    orbits: tuple[Orbit, ...]
    lattice: tuple[float, ...]

    def __post_init__(self) -> None:
        group = space_group(self.spacegroup_number)
        if not self.orbits:
            raise StructureError("The crystal has no orbits.")
        taken: set[str] = set()
        for orbit in self.orbits:
            position = group.position(orbit.letter)
            _require_element(orbit.element)
            _require_free(orbit, len(position.free))
            if not position.free and orbit.letter in taken:
                raise StructureError(
                    f"Wyckoff position {orbit.letter} of {group.symbol} has no freedom and is taken twice: "
                    "its atoms would lie on one another."
                )
            taken.add(orbit.letter)
        require_cell(self.lattice, self.spacegroup_number)

    @cached_property
    def amounts(self) -> dict[str, int]:
        """Number of atoms of each element in the primitive cell, by electronegativity."""
        group = space_group(self.spacegroup_number)
        amounts: dict[str, int] = {}
        for orbit in sorted(self.orbits, key=lambda orbit: electronegativity_rank(orbit.element)):
            sites = group.position(orbit.letter).primitive_multiplicity
            amounts[orbit.element] = amounts.get(orbit.element, 0) + sites
        return amounts

    @property
    def natoms(self) -> int:
        """Number of atoms in the primitive cell."""
        return sum(self.amounts.values())

    @property
    def units(self) -> int:
        """Number of formula units in the primitive cell."""
        return reduce(math.gcd, self.amounts.values())

    @property
    def reduced_amounts(self) -> dict[str, int]:
        """Number of atoms of each element in one formula unit, by electronegativity."""
        return {element: amount // self.units for element, amount in self.amounts.items()}

    @property
    def formula(self) -> str:
        """Reduced formula, as pymatgen writes it."""
        from pymatgen.core import Composition

        return Composition(self.amounts).reduced_formula

    @property
    def wyckoff(self) -> str:
        """The Wyckoff sequence as `core.identity` writes it: `a:Sr b:Ti c:O`."""
        return " ".join(sorted(f"{orbit.letter}:{orbit.element}" for orbit in self.orbits))

    def to_dict(self) -> dict[str, Any]:
        """A JSON object; `from_dict` reads it back without loss."""
        return {
            "spacegroup_number": self.spacegroup_number,
            "formula": self.formula,
            "orbits": [[orbit.element, orbit.letter, list(orbit.free)] for orbit in self.orbits],
            "lattice": list(self.lattice),
        }

    @classmethod
    def from_dict(cls, record: Any) -> WyckoffCrystal:
        """The crystal of such a JSON object.

        Raises:
            InputError: it is no such record, or its parts contradict one another.
        """
        try:
            orbits = tuple(
                Orbit(str(element), str(letter), tuple(float(x) for x in free))
                for element, letter, free in record["orbits"]
            )
            lattice = tuple(float(value) for value in record["lattice"])
            crystal = cls(record["spacegroup_number"], orbits, lattice)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"No crystal can be read from this record: {error!r}.") from None
        told = record.get("formula", crystal.formula)
        if told != crystal.formula:
            raise InputError(f"The record says {told}, but its orbits make {crystal.formula}.")
        return crystal


def electronegativity_rank(symbol: str) -> int:
    """Place of an element when all are sorted by Pauling electronegativity; those without one come last."""
    return _electronegativity_ranks()[symbol]


@lru_cache(maxsize=1)
def _electronegativity_ranks() -> dict[str, int]:
    from pymatgen.core import Element

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymatgen warns of every noble gas that has no value
        values = {element.symbol: (element.X, element.Z) for element in map(Element.from_Z, range(1, 119))}
    known = {symbol: (x if x == x and x > 0 else math.inf, z) for symbol, (x, z) in values.items()}
    return {symbol: rank for rank, symbol in enumerate(sorted(known, key=known.__getitem__))}


def _require_element(symbol: str) -> None:
    known = _electronegativity_ranks()
    if symbol not in known:
        guess = nearest(symbol, known).partition("Known:")[0]
        raise InputError(f"{symbol!r} is not the symbol of an element. {guess}".strip())


def _require_free(orbit: Orbit, wanted: int) -> None:
    if len(orbit.free) != wanted:
        raise InputError(
            f"Wyckoff position {orbit.letter} has {wanted} free coordinates; {orbit.element} came with "
            f"{len(orbit.free)}."
        )
    for value in orbit.free:
        if not 0 <= value < 1:
            raise InputError(f"A free coordinate of {orbit.element} is {value}; they lie in [0, 1).")
