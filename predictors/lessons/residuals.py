"""How far off are the estimates of one method, as DFT sees it, overall and by class of chemistry?

An error is estimate minus DFT. Below `ENOUGH` pairs no figure is given, and that is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from .pairs import Pair
from .statistics import BOOTSTRAPS, bootstrap, mean_interval, spearman

ENOUGH = 5
"""Pairs below which an interval says more of the method of making it than of the errors. Ours, 2026."""
MANY = 300
"""Pairs above which the interval of the rank correlation is made of a seeded sample of so many: its cost goes as the square."""


def figures(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Count, mean error, MAE, RMSE and rank correlation, each with a 95% interval, as JSON.

    Returns:
        `n`; with fewer than `ENOUGH` pairs a `note` instead of figures.
    """
    n = len(pairs)
    if n < ENOUGH:
        return {
            "n": n,
            "note": f"{n} {'pair' if n == 1 else 'pairs'}: too few for figures (at least {ENOUGH})",
        }
    rows = np.array(sorted((p.estimate, p.dft) for p in pairs))
    errors = rows[:, 0] - rows[:, 1]
    found: dict[str, Any] = {
        "n": n,
        "mean_error": _told(errors.mean(), mean_interval(errors)),
        "mae": _told(np.abs(errors).mean(), bootstrap(errors[:, None], _mae)),
        "rmse": _told(np.sqrt((errors**2).mean()), bootstrap(errors[:, None], _rmse)),
    }
    correlation = float(spearman(rows[None])[0])
    if np.isfinite(correlation):
        some = rows if n <= MANY else rows[np.random.default_rng(0).permutation(n)[:MANY]]
        found["spearman"] = _told(correlation, bootstrap(some, _spearman))
    else:
        found["note"] = "no rank correlation: all estimates, or all DFT values, are equal"
    return found


def by_class(pairs: Sequence[Pair]) -> dict[str, dict[str, Any]]:
    """`figures` of each class of chemistry, the largest first."""
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.family].append(pair)
    return {name: figures(groups[name]) for name in sorted(groups, key=lambda f: (-len(groups[f]), f))}


def _told(value: float, interval: tuple[float, float]) -> dict[str, Any]:
    return {"value": round(float(value), 6), "interval": [round(end, 6) for end in interval]}


def _mae(samples: np.ndarray) -> np.ndarray:
    return np.abs(samples[..., 0]).mean(-1)


def _rmse(samples: np.ndarray) -> np.ndarray:
    return np.sqrt((samples[..., 0] ** 2).mean(-1))


def _spearman(samples: np.ndarray) -> np.ndarray:
    """A few samples at a time: each costs the square of its length."""
    parts = np.array_split(samples, max(1, BOOTSTRAPS * samples.shape[1] // 40_000))
    return np.concatenate([spearman(part) for part in parts])
