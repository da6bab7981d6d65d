"""In which order is a crystal told to a model?

    property bins | space group | (element, count)* units | (element, letter)* end | numbers

The words before the bar `numbers` are discrete; which numbers follow, how many and of which kind, they
decide alone: the free coordinates of each orbit in turn, then the free lattice parameters. `units` says how
many formula units the primitive cell holds and closes the formula; `end` closes the orbits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...core.errors import InputError
from ..wyckoff.crystal import Orbit, WyckoffCrystal
from ..wyckoff.lattice import LENGTHS, free_parameters
from ..wyckoff.positions import AXES, space_group
from .vocabulary import END, Vocabulary, Word

COORDINATE, LOG_LENGTH, ANGLE = "coordinate", "log_length", "angle"


@dataclass(frozen=True)
class Slot:
    """The place of one number in a sequence.

    Attributes:
        kind: `coordinate` (fractional, period 1), `log_length` (of A) or `angle` (degrees).
        name: `x`, `y`, `z`, or the lattice parameter.
        orbit: Which orbit a coordinate belongs to, counted from 0; `None` for the lattice.
        is_origin: Whether the choice of origin along a polar axis makes it 0, so that there is nothing to
            learn of it.
    """

    kind: str
    name: str
    orbit: int | None = None
    is_origin: bool = False


@dataclass(frozen=True)
class TokenSequence:
    """A crystal as a model reads it.

    Attributes:
        tokens: Ids of the vocabulary, `end` last.
        numbers: One for each of `slots`.
    """

    tokens: tuple[int, ...]
    numbers: tuple[float, ...]


def to_tokens(
    crystal: WyckoffCrystal, vocabulary: Vocabulary, properties: Mapping[str, float] | None = None
) -> TokenSequence:
    """The sequence of a crystal.

    Args:
        crystal: The record.
        vocabulary: The words.
        properties: What is known of it, by name, in the unit of the property table; what is absent is `any`.

    Raises:
        InputError: the crystal needs a word that the vocabulary lacks (more atoms, a heavier element).
    """
    known = properties or {}
    words: list[Word] = [(bins.name, bins.bin_of(known.get(bins.name))) for bins in vocabulary.properties]
    words.append(("spacegroup", crystal.spacegroup_number))
    for element, count in crystal.reduced_amounts.items():
        words += [("element", element), ("count", count)]
    words.append(("units", crystal.units))
    for orbit in crystal.orbits:
        words += [("element", orbit.element), ("letter", orbit.letter)]
    words.append(("special", END))
    return TokenSequence(tuple(vocabulary.id_of(*word) for word in words), _numbers(crystal))


def from_tokens(sequence: TokenSequence, vocabulary: Vocabulary) -> WyckoffCrystal:
    """The crystal of a sequence; the properties it opens with are left out, coordinates taken modulo 1.

    Raises:
        InputError: a word stands where none of its kind may, numbers are missing or too many, or the orbits
            do not add up to the formula.
        StructureError: the crystal cannot be (see `WyckoffCrystal`).
    """
    reader = _Reader([vocabulary.word(token) for token in sequence.tokens])
    for bins in vocabulary.properties:
        reader.take(bins.name)
    number = int(reader.take("spacegroup"))
    formula = {str(element): int(count) for element, count in reader.pairs("element", "count")}
    units = int(reader.take("units"))
    places = [(str(element), str(letter)) for element, letter in reader.pairs("element", "letter")]
    if reader.take("special") != END or reader.is_open:
        raise InputError("A sequence of tokens closes with 'end', once.")
    crystal = _with_numbers(number, places, sequence.numbers)
    wanted = {element: count * units for element, count in formula.items()}
    if crystal.amounts != wanted:
        raise InputError(f"The orbits hold {crystal.amounts}, the formula wants {wanted}.")
    return crystal


def slots(number: int, letters: Sequence[str]) -> tuple[Slot, ...]:
    """The numbers that follow the discrete part.

    Args:
        number: Space group number.
        letters: Wyckoff letter of each orbit.

    Raises:
        InputError: the group has no such letter.
    """
    group = space_group(number)
    polar = {AXES[i] for i in group.polar_axes}
    coordinates = [
        Slot(COORDINATE, name, i, is_origin=i == 0 and name in polar)
        for i, letter in enumerate(letters)
        for name in group.position(letter).free_names
    ]
    lattice = [Slot(LOG_LENGTH if name in LENGTHS else ANGLE, name) for name in free_parameters(number)]
    return (*coordinates, *lattice)


def _numbers(crystal: WyckoffCrystal) -> tuple[float, ...]:
    coordinates = [value for orbit in crystal.orbits for value in orbit.free]
    names = free_parameters(crystal.spacegroup_number)
    lattice = [
        math.log(value) if name in LENGTHS else value
        for name, value in zip(names, crystal.lattice, strict=True)
    ]
    return (*coordinates, *lattice)


def _with_numbers(number: int, places: Sequence[tuple[str, str]], numbers: Sequence[float]) -> WyckoffCrystal:
    """Orbits and lattice from the numbers that follow the words."""
    wanted = slots(number, [letter for _, letter in places])
    if len(numbers) != len(wanted):
        raise InputError(f"The sequence needs {len(wanted)} numbers after its tokens, not {len(numbers)}.")
    free: list[list[float]] = [[] for _ in places]
    lattice = []
    for slot, value in zip(wanted, numbers, strict=True):
        if slot.orbit is not None:
            free[slot.orbit].append(_modulo_one(value))
        else:
            lattice.append(math.exp(value) if slot.kind == LOG_LENGTH else float(value))
    orbits = [Orbit(*place, tuple(own)) for place, own in zip(places, free, strict=True)]
    return WyckoffCrystal(number, tuple(orbits), tuple(lattice))


def _modulo_one(value: float) -> float:
    """In [0, 1); Python makes 1.0 of a tiny negative number modulo 1."""
    inside = float(value) % 1.0
    return inside if inside < 1.0 else 0.0


class _Reader:
    """Takes words from the front, each of the kind that may stand there."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._words, self._at = words, 0

    @property
    def is_open(self) -> bool:
        return self._at < len(self._words)

    def take(self, kind: str) -> str | int:
        found = self._words[self._at] if self.is_open else ("nothing", "")
        if found[0] != kind:
            raise InputError(f"Place {self._at + 1} of the sequence wants a {kind}; {found[0]} stands there.")
        self._at += 1
        return found[1]

    def pairs(self, first: str, second: str) -> Iterator[tuple[str | int, str | int]]:
        while self.is_open and self._words[self._at][0] == first:
            yield self.take(first), self.take(second)
