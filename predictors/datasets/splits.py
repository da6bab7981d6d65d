"""Which rows train, and which only judge?

A row goes where the hash of its group falls, so polymorphs and both orders of an A and a B stay together, and the
same row goes the same way on every machine. A table that brings its own `split` column keeps it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from .records import LabelledCrystal

SHARES = (0.8, 0.1)
"""Of train and val; the rest is test."""


def share_of(text: str, seed: int = 0) -> float:
    """A number in [0, 1) that depends on the text and the seed alone."""
    digest = hashlib.sha256(f"{seed}|{text}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def split_of(group: str, seed: int = 0, shares: tuple[float, float] = SHARES) -> str:
    """`train`, `val` or `test`, by the hash of a group.

    Args:
        group: Usually the reduced formula.
        seed: Another seed, another split.
        shares: Of train and of val.
    """
    place = share_of(group, seed)
    if place < shares[0]:
        return "train"
    return "val" if place < sum(shares) else "test"


def by_split(crystals: Iterable[LabelledCrystal]) -> dict[str, list[LabelledCrystal]]:
    """The crystals under `train`, `val` and `test`; those without a split are left out."""
    found: dict[str, list[LabelledCrystal]] = {"train": [], "val": [], "test": []}
    for crystal in crystals:
        if crystal.split in found:
            found[crystal.split].append(crystal)
    return found


def formulas_of(crystals: Iterable[LabelledCrystal]) -> frozenset[str]:
    """Reduced formulas that occur, such as those of a test split that no other table may teach."""
    return frozenset(crystal.formula for crystal in crystals)


def without_formulas(
    crystals: Iterable[LabelledCrystal], formulas: frozenset[str]
) -> Iterator[LabelledCrystal]:
    """The crystals of other formulas than these, in their order."""
    return (crystal for crystal in crystals if crystal.formula not in formulas)
