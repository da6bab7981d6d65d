"""Can these atoms stand in this space group?

Every atom needs a place on a Wyckoff position of the primitive cell. A position without freedom takes one
element, once; one with freedom takes any number. What matters of a group is therefore its *room*: how many
positions without freedom it has of each size, and which sizes there are with freedom. Groups of like room
share all answers.

Of the ways to place an amount only the thrifty ones are kept: those of which no position without freedom
can be spared.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache

from ..wyckoff.positions import space_group
from .amounts import Shares

Usage = tuple[int, ...]
"""How many positions without freedom are used up, for each of `Room.sizes`."""


@dataclass(frozen=True)
class Room:
    """What a space group offers to atoms, by size alone.

    Attributes:
        sizes: Number of atoms of the positions without freedom, ascending.
        numbers: How many positions of each of these sizes there are.
        free_sizes: Number of atoms of the positions with freedom, ascending.
    """

    sizes: tuple[int, ...]
    numbers: Usage
    free_sizes: tuple[int, ...]
    _known: dict[Shares, tuple[Usage, ...]] = field(default_factory=dict, compare=False, repr=False)

    def holds(self, shares: Shares) -> bool:
        """Whether elements of these amounts can be placed together.

        Args:
            shares: Number of atoms of each element in the primitive cell, in descending order.
        """
        return bool(self.usages(shares))

    def usages(self, shares: Shares) -> tuple[Usage, ...]:
        """What they use up, in every thrifty way of placing them; nothing if they cannot be placed."""
        if not shares:
            return ((0,) * len(self.sizes),)
        if shares not in self._known:
            own = ways(shares[0], self.sizes, self.numbers, self.free_sizes)
            rest = self.usages(shares[1:]) if own else ()
            sums = {tuple(map(sum, zip(one, other, strict=True))) for one in own for other in rest}
            self._known[shares] = _thrifty(usage for usage in sums if _fits(usage, self.numbers))
        return self._known[shares]


class Places:
    """The Wyckoff positions of one space group as places for atoms of a primitive cell.

    Attributes:
        number: Space group number.
        letters: From the most special to the general position.
        sizes: Number of atoms of each.
        are_free: Whether each has freedom.
        room: The same by size alone.
    """

    def __init__(self, number: int, most_atoms: int) -> None:
        positions = list(space_group(number).positions.values())
        self.number = number
        self.letters = tuple(position.letter for position in positions)
        self.sizes = tuple(position.primitive_multiplicity for position in positions)
        self.are_free = tuple(bool(position.free) for position in positions)
        small = [
            (size, is_free)
            for size, is_free in zip(self.sizes, self.are_free, strict=True)
            if size <= most_atoms
        ]
        fixed = [size for size, is_free in small if not is_free]
        sizes = tuple(sorted(set(fixed)))
        free_sizes = tuple(sorted({size for size, is_free in small if is_free}))
        self.room = _room(sizes, tuple(fixed.count(size) for size in sizes), free_sizes)
        self.next_letters = lru_cache(maxsize=2**15)(self._next_letters)

    def _next_letters(self, amounts: tuple[int, ...], first: int, taken: int) -> tuple[int, ...]:
        """The places from which the next one may be chosen so that all that is left can still be placed.

        Args:
            amounts: Number of atoms left to place of the present element, then of those to come.
            first: The first place that the present element may take: its places ascend.
            taken: The places without freedom that are used up, as bits.

        Returns:
            Indices of `letters`.
        """
        return tuple(
            place
            for place in range(first, len(self.letters))
            if self.sizes[place] <= amounts[0]
            and (self.are_free[place] or not taken >> place & 1)
            and self._can_go_on(*self.after(place, amounts, taken))
        )

    def after(self, place: int, amounts: tuple[int, ...], taken: int) -> tuple[tuple[int, ...], int, int]:
        """Amounts, first place and places taken, once the present element has taken a place."""
        left = (amounts[0] - self.sizes[place], *amounts[1:])
        if self.are_free[place]:
            return left, place, taken
        return left, place + 1, taken | 1 << place

    def _can_go_on(self, amounts: tuple[int, ...], first: int, taken: int) -> bool:
        later = self.room.usages(tuple(sorted(amounts[1:], reverse=True)))
        open_to_all = self._number_open(0, taken)
        now = ways(amounts[0], self.room.sizes, self._number_open(first, taken), self._free_from[first])
        return any(
            all(a + b <= n for a, b, n in zip(one, other, open_to_all, strict=True))
            for one in now
            for other in later
        )

    def _number_open(self, first: int, taken: int) -> Usage:
        """How many places without freedom are left from a place on, for each size of the room."""
        numbers = dict.fromkeys(self.room.sizes, 0)
        for place in range(first, len(self.letters)):
            if not self.are_free[place] and not taken >> place & 1 and self.sizes[place] in numbers:
                numbers[self.sizes[place]] += 1
        return tuple(numbers.values())

    @cached_property
    def _free_from(self) -> list[tuple[int, ...]]:
        """Sizes of the places with freedom from each place on."""
        free = [
            (place, size)
            for place, size in enumerate(self.sizes)
            if self.are_free[place] and size in self.room.free_sizes
        ]
        return [
            tuple(sorted({size for place, size in free if place >= first}))
            for first in range(len(self.letters) + 1)
        ]


@cache
def places(number: int, most_atoms: int) -> Places:
    """The places of a space group for cells of up to so many atoms; made once."""
    return Places(number, most_atoms)


@cache
def _room(sizes: tuple[int, ...], numbers: Usage, free_sizes: tuple[int, ...]) -> Room:
    return Room(sizes, numbers, free_sizes)


@lru_cache(maxsize=2**16)
def ways(
    amount: int, sizes: tuple[int, ...], numbers: Usage, free_sizes: tuple[int, ...]
) -> tuple[Usage, ...]:
    """The thrifty ways to place one element.

    Args:
        amount: Number of its atoms.
        sizes, numbers: Of the positions without freedom.
        free_sizes: Of the positions with freedom.
    """
    reached = _sums(amount, free_sizes)
    tries = itertools.product(
        *(range(min(number, amount // size) + 1) for size, number in zip(sizes, numbers, strict=True))
    )
    found = []
    for usage in tries:
        left = amount - sum(size * number for size, number in zip(sizes, usage, strict=True))
        if left >= 0 and reached >> left & 1:
            found.append(usage)
    return _thrifty(found)


@lru_cache(maxsize=2**12)
def _sums(most: int, sizes: tuple[int, ...]) -> int:
    """The numbers up to `most` that are sums of these sizes, as bits."""
    found = 1
    for size in sizes:
        for _ in range(most // size):
            found |= found << size
    return found


def _thrifty(usages: Iterable[Usage]) -> tuple[Usage, ...]:
    """Those that use no less than none of the others."""
    kept: list[Usage] = []
    for usage in sorted(usages, key=sum):
        if not any(_fits(other, usage) for other in kept):
            kept.append(usage)
    return tuple(kept)


def _fits(usage: Sequence[int], numbers: Sequence[int]) -> bool:
    return all(used <= number for used, number in zip(usage, numbers, strict=True))
