"""Which crystals get the expensive steps: the order of relaxation, known ones to compare with, the shortlist."""

from __future__ import annotations

import heapq
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
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
REPEATED_GENERATOR = 0.5
UNSTABLE_PER_EV = 10.0
MOST_UNSTABLE_EV = 0.5
"""Weights of `promise`, in units of ln(probability); beyond the last a prediction tells no more."""
SPREAD = 1.0
"""Distance of the quartiles of ln(probability) on the common scale. That of substitution is 0.6 to 1.1 in chunks of 64 from the
shipped catalogue (ours, November 2026), so its values stay what they are."""
FURTHEST = 2.0
"""From the middle of the common scale, to either side: what a generator thinks of itself decides less than the hull."""


def by_promise(
    candidates: Sequence[Candidate],
    wants_polar: bool,
    unstable: Mapping[str, float] | None = None,
    proposers: Mapping[str, str] | None = None,
    interest: Callable[[Candidate], float] | None = None,
) -> list[str]:
    """Ids, most promising first, without letting one parent, chemical system or generator take the head.

    What decides, the strongest first:

    1. The predicted distance above the hull: `UNSTABLE_PER_EV`, up to `MOST_UNSTABLE_EV`. One model is asked the same of every
       crystal, so it is the judge between generators.
    2. The logarithm of the probability that the generator gave, within `FURTHEST` of the middle of all that it gave: on a
       scale of its own (see `_common_scale`), so that one generator's nats are never held against another's.
    3. A bonus for a polar group where a ferroelectric is sought, less a small price for each atom (time); and the logarithm
       of the weight of its region of chemistry, where earlier runs give regions different ones (`exploration`).
    4. A price for each candidate of the same parent or chemical system already taken.
    5. A price for the share of a generator's proposals already taken, `REPEATED_GENERATOR` for each factor of e: generators
       that are equally good share the head as they shared the proposals. Of five fair places about two are left to one
       whose crystals are expected 0.1 eV/atom higher, one at 0.2, none at 0.3. It never decides between two crystals of
       one generator.

    Args:
        candidates: Proposals, in any order.
        wants_polar: Whether a ferroelectric is sought.
        unstable: Predicted distance above the hull, eV/atom, by id; a crystal without one pays nothing.
        proposers: Who proposed each, by id; by default what its first step says.
        interest: Weight of the region that a crystal lies in, positive; by default all weigh the same.
    """
    probable = _common_scale(candidates)
    costs: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for c in candidates:
        generator = (proposers or {}).get(c.candidate_id) or c.provenance[0].name
        promise = probable.get(c.candidate_id, 0.0) + _merit(c, wants_polar)
        promise += math.log(interest(c)) if interest else 0.0
        costs[generator].append((_price(c, unstable or {}) - promise, c.candidate_id))
    queues = {generator: _Queue(of_one) for generator, of_one in costs.items()}
    families = _Families(candidates)
    ordered: list[str] = []
    while queues:
        generator = min(queues, key=lambda name: queues[name].best(families))
        ordered.append(queues[generator].take())
        families.repeat(ordered[-1])
        if not queues[generator].heap:
            del queues[generator]
    return ordered


def affordable(ordered: Sequence[str], free: Set[str], most: int | None) -> list[str]:
    """All that are free, and the first so many of the others, in order; `most=None` is everyone."""
    if most is None:
        return list(ordered)
    paid = set([i for i in ordered if i not in free][:most])
    return [identifier for identifier in ordered if identifier in free or identifier in paid]


class _Families:
    """What has been taken of each parent and chemical system."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._of = {c.candidate_id: (_parents(c), c.structure.chemical_system) for c in candidates}
        self._parents, self._systems = Counter[str](), Counter[str]()

    def price(self, identifier: str) -> float:
        parents, system = self._of[identifier]
        repeated = sum(self._parents[parent] for parent in parents)
        return REPEATED_PARENT * repeated + REPEATED_CHEMISTRY * self._systems[system]

    def repeat(self, identifier: str) -> None:
        parents, system = self._of[identifier]
        self._parents.update(parents)
        self._systems[system] += 1


class _Queue:
    """The proposals of one generator, as (cost, id, price of its families in it).

    A heap of stale costs: prices only rise, so one that is still best after an update is the best.
    """

    def __init__(self, costs: Sequence[tuple[float, str]]) -> None:
        self.heap = [(cost, identifier, 0.0) for cost, identifier in costs]
        self._proposed = len(costs)
        heapq.heapify(self.heap)

    def best(self, families: _Families) -> tuple[float, str]:
        """Cost and id of the next one."""
        while True:
            cost, identifier, paid = self.heap[0]
            price = families.price(identifier)
            if price <= paid:
                break
            heapq.heapreplace(self.heap, (cost + price - paid, identifier, price))
        used = (self._proposed - len(self.heap) + 0.5) / self._proposed  # half of the next one itself
        return cost + REPEATED_GENERATOR * math.log(used), identifier

    def take(self) -> str:
        return heapq.heappop(self.heap)[1]


def _common_scale(candidates: Sequence[Candidate]) -> dict[str, float]:
    """ln(probability) of each candidate by id, on a scale that all methods share; those without one are left out.

    Every method's own values are moved to a median of 0 and, if their quartiles are further apart than `SPREAD`, shrunk to it.
    They are never stretched: few values, or values that hardly differ, do not become an opinion. Of a crystal that
    several methods weighed the best value counts.
    """
    import numpy as np

    by_method: dict[str, dict[str, float]] = defaultdict(dict)
    for candidate in candidates:
        for method, value in _logarithms(candidate).items():
            by_method[method][candidate.candidate_id] = value
    scores: dict[str, float] = {}
    for values in by_method.values():
        low, middle, high = np.percentile(list(values.values()), [25, 50, 75])
        unit = max(1.0, (high - low) / SPREAD)
        for identifier, value in values.items():
            score = float(np.clip((value - middle) / unit, -FURTHEST, FURTHEST))
            scores[identifier] = max(score, scores.get(identifier, -FURTHEST))
    return scores


def _logarithms(candidate: Candidate) -> dict[str, float]:
    """ln(probability) by method; where no generator gave one, that of the exchange of ions."""
    found = {p.method: float(p.value) for p in candidate.all_of("log_probability")}  # type: ignore[arg-type]
    exchanged = candidate.get("substitution_probability")
    if found or exchanged is None:
        return found
    return {exchanged.method: math.log(max(float(exchanged.value), sys.float_info.min))}  # type: ignore[arg-type]


def _merit(candidate: Candidate, wants_polar: bool) -> float:
    bonus = POLAR_BONUS if wants_polar and is_polar(candidate.spacegroup_number) else 0.0
    return bonus - COST_PER_ATOM * len(candidate.structure)


def _parents(candidate: Candidate) -> list[str]:
    """What any generator made it from, each once."""
    steps = [step for step in candidate.provenance if step.stage == "generate"]
    return list(dict.fromkeys(parent for step in steps for parent in step.parents))


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
