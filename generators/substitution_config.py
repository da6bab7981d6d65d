"""What may `substitution` propose, and in which order?"""

from __future__ import annotations

from pydantic import Field

from .asked import Asked


class SubstitutionConfig(Asked):
    """`[[generator]] name = "substitution"`: what all generators are asked (`Asked`), and how exchanges are drawn.

    Attributes:
        formula: Exactly this formula: every crystal of a like formula is tried as its prototype, the most
            probable first.
        most_exchanged: Number of ions that change at once, at most; not a limit where `formula` is given.
        coupled: Whether changes of charge that cancel are allowed beside exchanges at constant charge.
        exchanges_per_seed: How many exchanges of one seed are weighed.
        sharpness: Exponent of the weights when exchanges are drawn: 0 draws evenly among those weighed,
            1 as weighted, more keeps closer to the most probable.
        size_tolerance_angstrom: An exchange weighs e times less for every such change of an ion's radius.
        hull_tolerance: A seed weighs e times less for every such distance above the hull, eV/atom.
        pool: Number of seeds taken up at once; the best of a pool come first.
        tries_per_candidate: Tries, for each crystal asked for, after which the search ends.
    """

    most_exchanged: int = Field(default=3, ge=1, le=4)
    coupled: bool = True
    exchanges_per_seed: int = Field(default=100, ge=1)
    sharpness: float = Field(default=2.0, ge=0)
    size_tolerance_angstrom: float = Field(default=0.22, gt=0)
    hull_tolerance: float = Field(default=0.05, gt=0)
    pool: int = Field(default=256, ge=1)
    tries_per_candidate: int = Field(default=50, ge=1)
