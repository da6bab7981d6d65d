"""Which neutral exchanges of ions can a crystal undergo, and which are the most probable?

An exchange replaces one to three of a crystal's ions. Either every newcomer has the charge of the ion
whose place it takes, or the changes of charge cancel (Ba2+ Ti4+ -> K+ Nb5+, Ba2+ Ti4+ O2- -> K+ Mg2+ F-).
Its probability is the product over all ions of the crystal, those that stay included.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, islice

import numpy as np

from .ion_pairs import Ion, IonPairs, ion_pairs

CHOICES_PER_ION = 30
"""When three ions change at once, only this many newcomers are weighed for each."""


@dataclass(frozen=True)
class Exchange:
    """Ions that leave, ions that come.

    Attributes:
        pairs: (old, new) of the ions that change, in the order of the old ones.
        log_probability: Natural logarithm of the product over all ions of the crystal.
    """

    pairs: tuple[tuple[Ion, Ion], ...]
    log_probability: float

    def __str__(self) -> str:
        return ", ".join(f"{old} -> {new}" for old, new in self.pairs)

    def applied_to(self, ions: Sequence[Ion]) -> tuple[Ion, ...]:
        """The ions after the exchange, in order."""
        new = dict(self.pairs)
        return tuple(new.get(ion, ion) for ion in ions)


@dataclass(frozen=True)
class ExchangeRules:
    """What may change, and into what.

    Attributes:
        allowed: Elements that the product may hold; `None` for all that are not excluded.
        complete: Whether the product must hold all of `allowed`.
        excluded: Elements that the product may not hold.
        stay_only: Elements that may stay and may not come in.
        most_exchanged: Number of ions that may change at once, at most.
        coupled: Whether changes of charge that cancel are allowed.
    """

    allowed: frozenset[str] | None = None
    complete: bool = False
    excluded: frozenset[str] = frozenset()
    stay_only: frozenset[str] = frozenset()
    most_exchanged: int = 3
    coupled: bool = True

    def may_hold(self, symbol: str) -> bool:
        """Whether an element may be in the product."""
        return symbol not in self.excluded and (self.allowed is None or symbol in self.allowed)


def best_exchanges(amounts: Mapping[Ion, int], rules: ExchangeRules, count: int) -> tuple[Exchange, ...]:
    """The most probable neutral exchanges of a crystal, best first.

    No two ions of the product share an element unless they did in the crystal (Fe2+ and Fe3+ may become
    Mn2+ and Mn3+; Ba2+ in BaTiO3 does not become Ti2+). A cation gives way to a cation, an anion to an
    anion; an ion that the pair model does not hold stays.

    Args:
        amounts: Number of each ion in the cell or formula.
        rules: What may change.
        count: How many to return at most.
    """
    return _best_exchanges(tuple(sorted(amounts.items())), rules, count)


@lru_cache(maxsize=8192)
def _best_exchanges(
    amounts: tuple[tuple[Ion, int], ...], rules: ExchangeRules, count: int
) -> tuple[Exchange, ...]:
    pairs, numbers = ion_pairs(), dict(amounts)
    newcomers = {ion: _newcomers(ion, pairs, rules) for ion in numbers if ion in pairs}
    streams = [
        _Search(changing, numbers, newcomers, pairs, rules).best()
        for changing in _subsets(sorted(numbers), pairs, rules)
    ]
    return tuple(islice(heapq.merge(*streams, key=lambda exchange: -exchange.log_probability), count))


def _newcomers(old: Ion, pairs: IonPairs, rules: ExchangeRules) -> list[int]:
    """Columns of the ions that may take the place of one, most probable first."""
    row = pairs.log_conditional[pairs.index(old)]

    def may_come(new: Ion) -> bool:
        like_charged = new.charge == old.charge or (rules.coupled and new.charge * old.charge > 0)
        return (
            new != old and like_charged and rules.may_hold(new.symbol) and new.symbol not in rules.stay_only
        )

    return sorted((i for i, new in enumerate(pairs.ions) if may_come(new)), key=lambda i: -row[i])


def _subsets(ions: Sequence[Ion], pairs: IonPairs, rules: ExchangeRules) -> Iterator[tuple[Ion, ...]]:
    """Sets of ions that may change at once; all that must leave are in each."""
    must = {ion for ion in ions if not rules.may_hold(ion.symbol)}
    free = [ion for ion in ions if ion in pairs]
    for size in range(1, rules.most_exchanged + 1):
        for subset in combinations(free, size):
            if must <= set(subset):
                yield subset


class _Search:
    """The exchanges in which exactly the ions `changing` change: one axis of an array for each."""

    def __init__(
        self,
        changing: tuple[Ion, ...],
        amounts: Mapping[Ion, int],
        newcomers: Mapping[Ion, Sequence[int]],
        pairs: IonPairs,
        rules: ExchangeRules,
    ) -> None:
        self.changing, self.amounts, self.pairs, self.rules = changing, amounts, pairs, rules
        self.staying = [ion for ion in amounts if ion not in changing]
        self.kept = {ion.symbol for ion in self.staying}
        most = CHOICES_PER_ION if len(changing) > 2 else None
        self.choices = [
            np.array([i for i in newcomers[ion] if pairs.ions[i].symbol not in self.kept][:most], dtype=int)
            for ion in changing
        ]

    def best(self) -> Iterator[Exchange]:
        """The sound ones, best first."""
        shape = [len(columns) for columns in self.choices]
        charge, score = np.zeros(shape, dtype=int), np.zeros(shape)
        for axis, (ion, columns) in enumerate(zip(self.changing, self.choices, strict=True)):
            along = [1] * len(shape)
            along[axis] = -1
            charge += (self.amounts[ion] * (self.pairs.charges[columns] - ion.charge)).reshape(along)
            score += self.pairs.log_conditional[self.pairs.index(ion), columns].reshape(along)
        score += sum(self.pairs.log_probability(ion, ion) for ion in self.staying)
        neutral = np.flatnonzero(charge == 0)
        for place in neutral[np.argsort(-score.flat[neutral], kind="stable")]:
            at = np.unravel_index(place, shape)
            new = [self.pairs.ions[columns[i]] for columns, i in zip(self.choices, at, strict=True)]
            if self._is_sound(new):
                yield Exchange(tuple(zip(self.changing, new, strict=True)), float(score[at]))

    def _is_sound(self, new: Sequence[Ion]) -> bool:
        """Whether newcomers share an element only where their places did, and fill the chemical system."""
        if self.rules.complete and {*self.kept, *(ion.symbol for ion in new)} != self.rules.allowed:
            return False
        return shares_elements_as_before(self.changing, new)


def shares_elements_as_before(old: Collection[Ion], new: Collection[Ion]) -> bool:
    """Whether different old ions became different ions, of one element only where they were of one."""
    return all(
        x != y and (x.symbol != y.symbol or a.symbol == b.symbol)
        for (a, x), (b, y) in combinations(zip(old, new, strict=True), 2)
    )
