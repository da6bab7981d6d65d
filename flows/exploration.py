"""Where shall tonight look? Regions of chemistry, weighted by what earlier nights found in them.

A region is a family of chemistry (`core.chemistry_families`): the kind of the most electronegative element and that of
the next one. Of each, earlier runs of the same question say how many crystals they relaxed and how many of these passed.
The yield to hope for is the mean of a Beta posterior plus one standard deviation, so a region of which little is known is
worth a look; the prior has the mean of all regions and weighs as much as `PRIOR_TRIALS` relaxations. A region's weight is
its hoped-for yield over the best one's, and never below `FLOOR`: nothing dies out. Without a history all weights are 1.

Seeds are drawn in proportion to the weight of their region; among proposals, whoever made them, the logarithm of the
weight is a part of the promise. Ion exchange leaves four crystals of five in the region of their parent (192 proposals from
the shipped catalogue). Nothing here is drawn: the same history gives the same weights.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from ..core.candidate import Candidate
from ..core.chemistry_families import chemistry_family, family_in_words

FLOOR = 0.1
"""Least weight, of the best region's."""
PRIOR_TRIALS = 4.0
DEVIATIONS = 1.0
"""Standard deviations above the mean that are hoped for. In simulations as in `benchmarks/night_regions.py` (300 worlds) two
found 3% less, weights drawn from the posterior as much within 3%, and letting older nights count less helped nowhere."""
EVEN = 1.25
"""A weight within this factor of the average region's is called even."""
UNSURE = 1.5
"""Where the yield to hope for is beyond that many times the mean, little is known."""


@dataclass(frozen=True)
class Region:
    """A family of chemistry, and what to hope of it.

    Attributes:
        family: As `chemistry_family` names it.
        tried: Crystals of it that were relaxed.
        passed: How many of these passed.
        expected: Mean of the posterior of its yield.
        hoped: That and `DEVIATIONS` standard deviations.
        weight: 0 to 1; how often it is looked at beside the best region.
    """

    family: str
    tried: int
    passed: int
    expected: float
    hoped: float
    weight: float


@dataclass(frozen=True)
class Exploration:
    """The regions that have a history, and what the others are worth.

    Attributes:
        regions: Greatest weight first, then by name.
        average: Yield of all regions together; `None` without a history.
        unseen: Weight of a region that was never tried.
    """

    regions: tuple[Region, ...] = ()
    average: float | None = None
    unseen: float = 1.0

    def weight(self, family: str) -> float:
        """Of a region, tried or not."""
        return next((region.weight for region in self.regions if region.family == family), self.unseen)

    def interest(self, candidate: Candidate) -> float:
        """Weight of the region that a crystal lies in."""
        return self.weight(family_of(candidate.formula))

    def to_record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "average": self.average,
            "unseen": self.unseen,
            "regions": [asdict(region) for region in self.regions],
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Exploration:
        """The inverse of `to_record`."""
        regions = tuple(Region(**fields) for fields in record["regions"])
        return cls(regions, record["average"], record["unseen"])


def explore(tried: Mapping[str, int], passed: Mapping[str, int]) -> Exploration:
    """What to hope of each region.

    Args:
        tried: Relaxed crystals by family.
        passed: How many of these passed, by family.
    """
    trials, finds = sum(tried.values()), sum(passed.values())
    if not trials:
        return Exploration()
    prior = (finds + 0.5) / (trials + 1.0)  # Jeffreys' mean: never 0, never 1
    hopes = {family: _hope(prior, tried[family], passed.get(family, 0)) for family in sorted(tried)}
    unseen = _hope(prior, 0, 0)[1]
    best = max(unseen, *(hoped for _, hoped in hopes.values()))
    regions = [
        Region(family, tried[family], passed.get(family, 0), mean, hoped, max(FLOOR, hoped / best))
        for family, (mean, hoped) in hopes.items()
    ]
    regions.sort(key=lambda region: (-region.weight, region.family))
    return Exploration(tuple(regions), finds / trials, max(FLOOR, unseen / best))


def _hope(prior: float, tried: int, passed: int) -> tuple[float, float]:
    """Mean of the posterior, and the yield to hope for."""
    total = PRIOR_TRIALS + tried
    mean = (PRIOR_TRIALS * prior + passed) / total
    return mean, mean + DEVIATIONS * math.sqrt(mean * (1.0 - mean) / (total + 1.0))


def counted(formulas: Iterable[str]) -> dict[str, int]:
    """How many crystals of each family, from their reduced formulas."""
    return dict(sorted(Counter(map(family_of, formulas)).items()))


@lru_cache(maxsize=100_000)
def family_of(formula: str) -> str:
    """The family of a reduced formula."""
    from pymatgen.core import Composition

    return chemistry_family(Composition(formula))


def why(region: Region, exploration: Exploration) -> str:
    """What follows from a region's history, in a clause."""
    if region.weight <= FLOOR:
        return f"{FLOOR:g} times as often as the best, which is the least"
    middle = sum(other.weight for other in exploration.regions) / len(exploration.regions)
    often = f"{region.weight / middle:.1f} times as often as the average"
    if middle / EVEN <= region.weight <= middle * EVEN:
        often = "about as often as the average"
    unsure = region.hoped > UNSURE * region.expected
    return (
        f"{often}, for want of knowledge"
        if unsure and region.expected < (exploration.average or 0)
        else often
    )


def words(family: str) -> str:
    """A family as a reader would say it."""
    return family_in_words(family)
