"""How sure is a share, a median, a mean, a difference or a ratio? And is a target met, or by how much is it missed?

Intervals are at 95%: Wilson's for a share, Newcombe's for the difference of two, and the bootstrap's (members of a set drawn
with replacement) for medians, means and ratios of shares.

Sources: Wilson, J. Am. Stat. Assoc. 22, 209 (1927); Newcombe, Stat. Med. 17, 873 (1998), method 10; Efron and Tibshirani,
An Introduction to the Bootstrap (1993), section 13.3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

PERCENTILES = (2.5, 97.5)
BOOTSTRAPS = 2000
Figures = dict[str, Any]


def share(hits: int, n: int) -> Figures:
    """So many of so many, with its interval; of nothing there is no share."""
    low, high = wilson(hits, n)
    return {"share": hits / n if n else None, "interval_95": [low, high] if n else None, "hits": hits, "n": n}


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Lower and upper end of a share's interval; everything if nothing was tried."""
    if n == 0:
        return 0.0, 1.0
    from scipy.stats import binomtest

    interval = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def difference(hits: int, n: int, other_hits: int, other_n: int) -> Figures:
    """By how much one share is greater than another, of independent sets."""
    if not n or not other_n:
        return {"difference": None, "interval_95": None}
    p, q = hits / n, other_hits / other_n
    (low, high), (other_low, other_high) = wilson(hits, n), wilson(other_hits, other_n)
    below = math.hypot(p - low, other_high - q)
    above = math.hypot(high - p, q - other_low)
    return {"difference": p - q, "interval_95": [p - q - below, p - q + above]}


def ratio(hits: int, n: int, other_hits: int, other_n: int, seed: int) -> Figures:
    """How many times greater one share is than another, of independent sets.

    There is no ratio to a share of zero; an end of the interval that is infinite is `None`.
    """
    if not n or not other_hits:
        return {"ratio": None, "interval_95": None}
    rng = np.random.default_rng(seed)
    mine = rng.binomial(n, hits / n, BOOTSTRAPS) / n
    others = rng.binomial(other_n, other_hits / other_n, BOOTSTRAPS) / other_n
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = mine / others
    return {
        "ratio": hits * other_n / (n * other_hits),
        "interval_95": _percentiles(ratios[~np.isnan(ratios)]),
    }


def median(values: Sequence[float], seed: int) -> Figures:
    """Of all values; infinite ones count as greater than any other and come out as `None`."""
    if not len(values):
        return {"median": None, "interval_95": None, "n": 0}
    known = np.sort(np.asarray(values, dtype=float))
    rng = np.random.default_rng(seed)
    drawn = known[rng.integers(len(known), size=(BOOTSTRAPS, len(known)))]
    middle = _finite(_medians(known[None])[0])
    return {"median": middle, "interval_95": _percentiles(_medians(drawn)), "n": len(known)}


def mean(values: Sequence[float], seed: int) -> Figures:
    """Of finite values; of none there is no mean."""
    if not len(values):
        return {"mean": None, "interval_95": None, "n": 0}
    known = np.sort(np.asarray(values, dtype=float))
    rng = np.random.default_rng(seed)
    drawn = known[rng.integers(len(known), size=(BOOTSTRAPS, len(known)))]
    return {"mean": float(known.mean()), "interval_95": _percentiles(drawn.mean(axis=1)), "n": len(known)}


def ratio_of_medians(values: Sequence[float], others: Sequence[float], seed: int) -> Figures:
    """The median of some values over that of others; none if that is zero."""
    above, below = np.asarray(values, dtype=float), np.asarray(others, dtype=float)
    if not len(above) or not len(below) or not below.min() > 0:
        return {"ratio": None, "interval_95": None, "n": len(above)}
    rng = np.random.default_rng(seed)
    drawn = [
        np.median(rng.choice(above, len(above))) / np.median(rng.choice(below, len(below)))
        for _ in range(BOOTSTRAPS)
    ]
    return {
        "ratio": float(np.median(above) / np.median(below)),
        "interval_95": _percentiles(np.array(drawn)),
        "n": len(above),
    }


def claim(
    figure: str,
    measured: Figures,
    target: float | None = None,
    at_most: bool = False,
    **more: Any,
) -> Figures:
    """One line: a figure beside its target.

    Args:
        figure: What is measured, with its unit.
        measured: Of `share`, `median`, `mean`, `ratio` or `difference`.
        target: What is aimed at; `None` if the figure is only reported.
        at_most: Whether smaller is better.
        more: Baselines and words.
    """
    name = next(key for key in ("share", "median", "mean", "ratio", "difference", "rate") if key in measured)
    value = measured[name]
    line: Figures = {
        "figure": figure,
        "target": None if target is None else f"{'<=' if at_most else '>='} {target:g}",
        "measured": value,
        "interval_95": measured.get("interval_95"),
        "n": measured.get("n"),
        "met": None,
        "missed_by": None,
        **more,
    }
    if target is not None and value is not None:
        short = value - target if at_most else target - value
        line |= {"met": short <= 0, "missed_by": short if short > 0 else 0.0}
    return line


def _medians(rows: np.ndarray) -> np.ndarray:
    """The middle value, of two the mean (which is infinite if one is), shape `(nrows,)`."""
    ordered = np.sort(rows, axis=1)
    n = ordered.shape[1]
    return (ordered[:, (n - 1) // 2] + ordered[:, n // 2]) / 2


def _percentiles(values: np.ndarray) -> list[float | None]:
    return [_finite(np.percentile(values, q, method="nearest")) for q in PERCENTILES]


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
