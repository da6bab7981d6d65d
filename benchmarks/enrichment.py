"""How far up do known materials come when a screen puts them in order with like compounds?

A pool is a set of positives, each with its own controls. The enrichment is the share of positives among the best tenth
of the pool over their share in the pool. What the screen holds equal is not put in order by luck: a level that lies
across the edge of the tenth counts in part, which is the mean over all orders of its members. Intervals are 90%,
from samples of formulas drawn with replacement, each with its positives and their controls.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from ..core.candidate import Verdict

TOP_SHARE = 0.1
BOOTSTRAP_SAMPLES = 2000
QUANTILES = (0.05, 0.95)
T = TypeVar("T")
Standing = tuple[float, ...]
"""Greater is better."""


@dataclass(frozen=True)
class Group(Generic[T]):
    """A positive and the controls that were chosen for it."""

    positive: T
    controls: tuple[T, ...]

    @property
    def members(self) -> tuple[T, ...]:
        """The positive first."""
        return (self.positive, *self.controls)


@dataclass(frozen=True)
class Pool:
    """Groups in order, as numbers.

    Attributes:
        levels: Place of each member, 0 the best; equal ones share a place; shape `(n,)`.
        positive: Whether it is one, shape `(n,)`.
        group: Which group it belongs to, shape `(n,)`.
        formula: Number of its positive's formula, shape `(n,)`; phases of one compound are sampled together.
    """

    levels: np.ndarray
    positive: np.ndarray
    group: np.ndarray
    formula: np.ndarray


def standing(verdict: Verdict) -> Standing:
    """How well a candidate stands: passed first, then by score, then by how many required criteria it passed.

    A verdict without a score stands with those of score 0. What is told of fewer criteria, since an early one failed,
    has passed fewer.
    """
    required = set(verdict.details.get("required", ()))
    passed = {c["name"] for c in verdict.details.get("criteria", ()) if c["status"] == "passed"}
    return float(verdict.passed), float(verdict.score or 0.0), float(len(passed & required))


def pool_of(groups: Sequence[Group[T]], place: Callable[[T], Hashable], formula: Callable[[T], str]) -> Pool:
    """Groups put in order by what `place` says of each member; greater is better.

    Args:
        groups: At least one.
        place: Values that can be compared.
        formula: Of a positive.
    """
    members = [member for group in groups for member in group.members]
    places: list[Any] = [place(member) for member in members]
    formulas = {name: i for i, name in enumerate(sorted({formula(group.positive) for group in groups}))}
    order = {value: i for i, value in enumerate(sorted(set(places), reverse=True))}
    return Pool(
        np.array([order[value] for value in places]),
        np.array([i == 0 for group in groups for i in range(len(group.members))]),
        np.array([i for i, group in enumerate(groups) for _ in group.members]),
        np.array([formulas[formula(group.positive)] for group in groups for _ in group.members]),
    )


def enrichment(pool: Pool, share: float = TOP_SHARE) -> float:
    """Share of positives in the best `share` of the pool over their share in all of it."""
    top = share * len(pool.levels)
    counts = np.bincount(pool.levels)
    positives = np.bincount(pool.levels, weights=pool.positive)
    before = np.cumsum(counts) - counts
    taken = np.clip(top - before, 0, counts)
    hits = float(np.sum(positives * taken / np.maximum(counts, 1)))
    return hits / top / float(pool.positive.mean())


def ceiling(pool: Pool, share: float = TOP_SHARE) -> float:
    """The enrichment of a pool with all positives on top."""
    return min(1 / share, 1 / float(pool.positive.mean()))


def ranked_above(pool: Pool) -> float:
    """Probability that a positive stands above a control of any group; equals count one half."""
    ours, others = pool.levels[pool.positive], pool.levels[~pool.positive]
    if not len(others):
        return np.nan
    above = ours[:, None] < others[None, :]
    equal = ours[:, None] == others[None, :]
    return float((above + 0.5 * equal).mean())


def enrichment_figures(pool: Pool, seed: int, target: float | None = None) -> dict[str, Any]:
    """Enrichment with its interval, its ceiling, and the probability to stand above a control."""
    controls = np.bincount(pool.group) - 1
    drawn = _samples(pool, seed)
    value = enrichment(pool)
    figures: dict[str, Any] = {
        "n_positives": int(pool.positive.sum()),
        "n_formulas": len(np.unique(pool.formula)),
        "n_controls": int((~pool.positive).sum()),
        "controls_per_positive": {
            "fewest": int(controls.min()),
            "median": float(np.median(controls)),
            "most": int(controls.max()),
        },
        "enrichment_top_decile": value,
        "interval_90": _interval([enrichment(one) for one in drawn]),
        "ceiling": ceiling(pool),
        "ranked_above_control": ranked_above(pool),
        "ranked_above_control_interval_90": _interval([ranked_above(one) for one in drawn]),
    }
    return figures if target is None else {**figures, "target": target, "met": value >= target}


def _samples(pool: Pool, seed: int) -> list[Pool]:
    rng = np.random.default_rng(seed)
    count = int(pool.formula.max()) + 1
    members = [np.flatnonzero(pool.formula == i) for i in range(count)]
    drawn = []
    for _ in range(BOOTSTRAP_SAMPLES):
        rows = np.concatenate([members[i] for i in rng.integers(count, size=count)])
        columns = (pool.levels, pool.positive, pool.group, pool.formula)
        drawn.append(Pool(*(column[rows] for column in columns)))
    return drawn


def _interval(values: Sequence[float]) -> list[float]:
    return [float(q) for q in np.nanquantile(values, QUANTILES)]
