"""How are unlabelled compounds dealt to known materials as their controls?

The positives take turns, so that those of one family share what there is of it. Each takes formulas in random order, and of a
formula the crystal that is lowest above the hull; no formula is dealt twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

import numpy as np


class HasFormula(Protocol):
    """What of a crystal the dealing needs to know."""

    @property
    def id(self) -> str:
        """Of the material."""
        ...

    @property
    def formula(self) -> str:
        """Reduced."""
        ...

    @property
    def energy_above_hull(self) -> float | None:
        """eV/atom."""
        ...


C = TypeVar("C", bound=HasFormula)


def deal(queues: Sequence[Sequence[Iterator[C]]], count: int, used: set[str]) -> list[list[C]]:
    """Controls for each positive, at most `count`.

    Args:
        queues: For each level of likeness, the closest first, one iterator for each positive. They are asked one
            after the other, and must pass over formulas that have come into `used` meanwhile.
        count: Wanted.
        used: Formulas that are no controls; those that are dealt are added.
    """
    dealt: list[list[C]] = [[] for _ in queues[0]]
    for level in queues:
        for _ in range(count):
            for queue, own in zip(level, dealt, strict=True):
                chosen = next(queue, None) if len(own) < count else None
                if chosen is not None:
                    used.add(chosen.formula)
                    own.append(chosen)
    return dealt


def in_random_order(
    crystals: Sequence[C],
    used: set[str],
    like: Callable[[C], bool],
    fits: Callable[[C], bool],
    rng: np.random.Generator,
) -> Iterator[C]:
    """Controls of one positive as long as there are any; `used` may grow meanwhile.

    Args:
        crystals: Among which; those that are like the positive must have an energy above the hull.
        used: Formulas that are no controls.
        like: Whether a crystal is like the positive.
        fits: What costs more to find out; asked of one formula after the other.
        rng: Orders the formulas.
    """
    by_formula: dict[str, list[C]] = {}
    for crystal in crystals:
        if crystal.formula not in used and like(crystal):
            by_formula.setdefault(crystal.formula, []).append(crystal)
    for formula in rng.permutation(sorted(by_formula)).tolist():
        if formula in used:
            continue
        ordered = sorted(by_formula[formula], key=lambda one: (one.energy_above_hull, one.id))
        chosen = next((crystal for crystal in ordered if fits(crystal)), None)
        if chosen is not None:
            yield chosen
