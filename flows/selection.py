"""Which crystals get the expensive steps: the order of relaxation, known ones to compare with, the shortlist."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.candidate import Candidate, PropertyValue
from ..core.properties import DIMENSIONLESS
from ..core.settings import validate
from ..core.symmetry import is_polar

if TYPE_CHECKING:
    import numpy as np
    from pymatgen.core import Structure

    from ..screening.ranking import Ranked
    from .run_settings import RankTable, RunSettings

POLAR_BONUS = 1.0
COST_PER_ATOM = 0.03
REPEATED_PARENT = 0.5
REPEATED_CHEMISTRY = 0.7
UNSTABLE_PER_EV = 10.0
MOST_UNSTABLE_EV = 0.5
"""Weights of `promise`, in units of ln(probability); beyond the last a prediction tells no more."""


def by_promise(
    candidates: Sequence[Candidate], wants_polar: bool, unstable: Mapping[str, float] | None = None
) -> list[str]:
    """Ids, most promising first, without letting one parent or chemical system take the head.

    Promise is the logarithm of the probability that the generator gave, plus a bonus for a polar
    group where a ferroelectric is sought, less a small price for each atom (time), less a price for
    each candidate of the same parent or chemical system already taken, less what the predicted distance above the
    hull (`unstable`, eV/atom by id) costs.
    """
    # A heap of stale promises: prices only rise, so one that is still best after an update is the best.
    parents, systems = Counter[str](), Counter[str]()
    waiting = [
        (_price(c, unstable or {}) - _promise(c, wants_polar), c.candidate_id, 0.0) for c in candidates
    ]
    families = {c.candidate_id: (c.provenance[0].parents, c.structure.chemical_system) for c in candidates}
    heapq.heapify(waiting)
    ordered: list[str] = []
    while waiting:
        cost, identifier, paid = heapq.heappop(waiting)
        own_parents, system = families[identifier]
        price = REPEATED_PARENT * sum(parents[p] for p in own_parents) + REPEATED_CHEMISTRY * systems[system]
        if price > paid:
            heapq.heappush(waiting, (cost + price - paid, identifier, price))
            continue
        parents.update(own_parents)
        systems[system] += 1
        ordered.append(identifier)
    return ordered


def _promise(candidate: Candidate, wants_polar: bool) -> float:
    probability = candidate.value("substitution_probability")
    logarithm = candidate.value("log_probability")
    if logarithm is None:
        logarithm = math.log(probability) if probability else -10.0
    bonus = POLAR_BONUS if wants_polar and is_polar(candidate.spacegroup_number) else 0.0
    return logarithm + bonus - COST_PER_ATOM * len(candidate.structure)


def _price(candidate: Candidate, unstable: Mapping[str, float]) -> float:
    """Of a predicted distance above the hull; a crystal without a prediction pays nothing."""
    distance = unstable.get(candidate.candidate_id, 0.0)
    return UNSTABLE_PER_EV * min(max(distance, 0.0), MOST_UNSTABLE_EV)


def spacegroup_number(structure: Structure) -> int | None:
    """International number at symprec 0.01 A, or `None` if none is found."""
    from ..core.identity import bucket_of

    return bucket_of(structure).spacegroup_number


def known_to_compare(
    seeds: Sequence[Candidate], settings: RunSettings, rng: np.random.Generator
) -> list[str]:
    """Known materials to screen beside the new ones: a seeded sample, polar ones where polarity is asked.

    Returns:
        At most `[run] known` ids, sorted.
    """
    devices = {table.name for table in settings.screen} & {"ferroelectric", "resistive-switching"}
    pool = [s for s in seeds if devices != {"ferroelectric"} or is_polar(s.spacegroup_number)]
    count = min(settings.run.known, len(pool))
    chosen = rng.choice(len(pool), size=count, replace=False) if count else []
    return sorted(pool[i].candidate_id for i in chosen)


def shortlist(members: Sequence[Candidate], table: RankTable) -> list[Ranked]:
    """The ranking of a run, for somebody who looks for new materials.

    What relaxed into another crystal is not listed twice. Known materials beyond the number that
    `[rank] known` allows come after all new ones.
    """
    from ..screening.ranking import RankConfig, rank

    config = validate(RankConfig, table.settings, "[rank]")
    eligible = [c for c in members if (v := c.verdict("novelty")) is None or v.passed]
    new = {c.candidate_id for c in eligible if c.provenance[0].stage == "generate"}
    first, later = [], []
    known = 0
    for ranked in rank(eligible, config):
        known += ranked.candidate_id not in new
        (first if ranked.candidate_id in new or known <= table.known else later).append(ranked)
    return [replace(ranked, position=i) for i, ranked in enumerate(first + later, 1)]


def with_score(candidate: Candidate, ranked: Ranked, run_id: str) -> Candidate:
    """The candidate with its score of this run."""
    score = PropertyValue(
        "rank_score", ranked.score, DIMENSIONLESS, "weighted verdict scores", None, f"run {run_id}"
    )
    return candidate.with_property(score)
