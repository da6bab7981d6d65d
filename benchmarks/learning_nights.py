"""Which choice of who gets DFT finds most in few nights, on pools whose DFT values are known?

Every night so many of a pool are answered, by expected improvement, by the upper confidence bound, in the order of the
estimates (as the ranking does), or by chance. With *learning*, the answers of the nights before correct the estimates of
the rest; without, they only join the front. Each seed draws half of the pool. Told are, after each night, the share of the
hypervolume of the pool's true front that the answered enclose, and how many of the pool's true best were answered.

Pools: polar crystals of Smidt et al. (2020), goals polarization and a polar end that lies lower, scored as the ferroelectric
screen does; crystals of the Materials Project, goals near the hull and a gap in a window, scored as the stability and the
path windows are; and Castelli's perovskites, one goal, a GLLB-SC gap near 3 eV, which the estimates miss by some 0.9 eV. Of the
first, half of the pairs also chose a constant of the correction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.learnt import NEVER_NEGATIVE
from ..predictors.lessons.correction import learn_correction
from ..predictors.lessons.pairs import Pair
from ..screening.acquisition import Space, choose
from ..screening.ferroelectric.verdict import GOOD_ENERGY_DIFFERENCE, HALF_SCORE_POLARIZATION, window_score
from ..screening.hopes import standard_draws

NIGHTS, A_NIGHT = 6, 5
LARGEST_POOL = 400
BEST = 10
STRATEGIES = ("improvement", "bound", "rank", "random")
RANGE = (5.0, 50.0, 95.0)
Score = Callable[[float], float]


@dataclass(frozen=True)
class Pool:
    """Candidates with an estimate and a DFT value for each goal.

    Attributes:
        name: Of the pool.
        pairs: For each candidate its pair of each goal.
        scores: Of each goal, 0 to 1.
    """

    name: str
    pairs: tuple[tuple[Pair, ...], ...]
    scores: tuple[Score, ...]

    @property
    def truth(self) -> np.ndarray:
        """Scores of the DFT values, shape `(n, ngoals)`."""
        return np.array([[s(p.dft) for s, p in zip(self.scores, row, strict=True)] for row in self.pairs])


def ferroelectric_pool(found: dict[str, list[Pair]]) -> Pool:
    """Of `learning_estimates.ferroelectrics`."""
    return _pool(
        "ferroelectrics", found, ("polarization", "polar_nonpolar_energy_difference"), (_polar, _well)
    )


def insulator_pool(found: dict[str, list[Pair]]) -> Pool:
    """Of `learning_estimates.materials_project`."""
    return _pool("insulators", found, ("energy_above_hull", "band_gap"), (_stable, _gap))


def perovskite_pool(pairs: list[Pair]) -> Pool:
    """Of `learning_estimates.castelli`."""
    return _pool("perovskites", {"band_gap": pairs}, ("band_gap",), (_near_three,))


def nights(pool: Pool, seeds: int, seed: int = 0) -> dict[str, Any]:
    """Figures of every strategy, with learning and without, as JSON."""
    found: dict[str, Any] = {
        "pool": len(pool.pairs),
        "drawn": len(pool.pairs) // 2,
        "a_night": A_NIGHT,
        "seeds": seeds,
    }
    told: dict[str, np.ndarray] = {}
    for strategy in STRATEGIES:
        for learning in (True, False) if strategy != "random" else (False,):
            rows = np.array([_one_seed(pool, strategy, learning, [seed, i]) for i in range(seeds)])
            told[f"{strategy}{', learning' if learning else ''}"] = rows
    found["strategies"] = {name: _figures(rows) for name, rows in told.items()}
    best = "improvement, learning"
    found["differences_after_last_night"] = {
        f"{best} - {name}": _range(told[best][:, 0, -1] - rows[:, 0, -1])
        for name, rows in told.items()
        if name != best
    }
    return found


def _one_seed(pool: Pool, strategy: str, learning: bool, seed: Sequence[int]) -> np.ndarray:
    """Share of the hypervolume, and recall of the best, after each night, shape `(2, NIGHTS)`."""
    rng = np.random.default_rng(list(seed))
    drawn = rng.permutation(len(pool.pairs))[: len(pool.pairs) // 2]
    pairs, truth = [pool.pairs[i] for i in drawn], pool.truth[drawn]
    zero = np.zeros(len(pool.scores))
    whole = Space(truth, zero).hypervolume
    best = set(np.argsort(-truth.prod(1), kind="stable")[:BEST].tolist())
    answered: list[int] = []
    told = []
    for _ in range(NIGHTS):
        left = [i for i in range(len(pairs)) if i not in set(answered)]
        answered += [left[i] for i in _tonight(pool, pairs, truth, answered, left, strategy, learning, rng)]
        share = Space(truth[answered], zero).hypervolume / whole
        told.append((share, len(best & set(answered)) / len(best)))
    return np.array(told).T


def _tonight(
    pool: Pool,
    pairs: Sequence[tuple[Pair, ...]],
    truth: np.ndarray,
    answered: Sequence[int],
    left: Sequence[int],
    strategy: str,
    learning: bool,
    rng: np.random.Generator,
) -> list[int]:
    """Places in `left` of those that are answered tonight."""
    if strategy == "random":
        return rng.permutation(len(left))[:A_NIGHT].tolist()
    draws = _draws(pool, [pairs[i] for i in left], [pairs[i] for i in answered] if learning else [])
    if strategy == "rank":
        return np.argsort(-draws.mean(1).prod(1), kind="stable")[:A_NIGHT].tolist()
    kin = [pairs[i][0].family for i in left]
    kind = "improvement" if strategy == "improvement" else "bound"
    return [one.index for one in choose(draws, truth[list(answered)], A_NIGHT, kind, kin)]


def _draws(pool: Pool, rows: Sequence[tuple[Pair, ...]], answered: Sequence[tuple[Pair, ...]]) -> np.ndarray:
    """Scores of what DFT might say of each, shape `(n, ndraws, ngoals)`."""
    standard = standard_draws()
    goals = []
    for goal, score in enumerate(pool.scores):
        pairs = [row[goal] for row in rows]
        middle, width = _distribution(pairs, [row[goal] for row in answered])
        values = middle[:, None] + width[:, None] * standard[:, goal]
        if pairs[0].name in NEVER_NEGATIVE or pairs[0].name == "energy_above_hull":
            values = np.maximum(values, 0.0)
        goals.append(np.vectorize(score)(values))
    return np.stack(goals, axis=2)


def _distribution(pairs: Sequence[Pair], answered: Sequence[Pair]) -> tuple[np.ndarray, np.ndarray]:
    """Value and standard deviation of each, corrected by what the answered taught."""
    values = np.array([p.estimate for p in pairs])
    widths = np.array([p.stated or 0.0 for p in pairs])
    if not widths.any():
        widths = np.full(len(pairs), values.std())  # nothing is stated, as in `hopes`
    if answered and (correction := learn_correction(answered)).does_something:
        for i, pair in enumerate(pairs):
            if not pair.at_bound:
                shift, widths[i] = correction.shift(pair.family, pair.estimate, pair.stated)
                values[i] += shift
    return values, widths


def _pool(name: str, found: dict[str, list[Pair]], goals: tuple[str, ...], scores: tuple[Score, ...]) -> Pool:
    of_goals = [{p.candidate_id: p for p in found[goal]} for goal in goals]
    known = sorted(set.intersection(*(set(one) for one in of_goals)))[:LARGEST_POOL]
    return Pool(name, tuple(tuple(one[i] for one in of_goals) for i in known), scores)


def _polar(polarization: float) -> float:
    return polarization / (polarization + HALF_SCORE_POLARIZATION)


def _well(difference: float) -> float:
    return window_score(difference, (-500.0, 0.0), GOOD_ENERGY_DIFFERENCE)


def _stable(height: float) -> float:
    return math.exp(-height / 0.1) if height < 0.1 else 0.0


def _gap(gap: float) -> float:
    return window_score(gap, (0.5, 6.0), (2.0, 4.0))


def _near_three(gap: float) -> float:
    return max(0.0, 1.0 - abs(gap - 3.0))


def _figures(rows: np.ndarray) -> dict[str, Any]:
    """Median and 90% interval over the seeds, night by night."""
    return {
        "hypervolume_share": [_range(night) for night in rows[:, 0].T],
        f"recall_of_best_{BEST}": [_range(night) for night in rows[:, 1].T],
    }


def _range(values: np.ndarray) -> dict[str, float]:
    low, middle, high = np.percentile(values, RANGE)
    return {"median": round(float(middle), 4), "low": round(float(low), 4), "high": round(float(high), 4)}
