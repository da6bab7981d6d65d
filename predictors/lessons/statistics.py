"""Intervals of a share, of a mean, and of what has no formula: Wilson, Student, bootstrap.

`scipy.special` gives the quantiles; nothing is drawn but with a fixed seed, so equal data give equal figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ...core.uncertainty import normal_quantile

BOOTSTRAPS = 2000
SEED = 0
SHARE = 0.95
"""Of every interval that is told of a figure."""


def student_quantile(share: float, freedom: float) -> float:
    """Half width, in scales, of the central interval that holds a share of Student's distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + share / 2))


def wilson(hits: int, count: int, share: float = SHARE) -> tuple[float, float]:
    """Interval of a share of which `hits` of `count` were seen.

    Source: Wilson, J. Am. Stat. Assoc. 22, 209 (1927).
    """
    z = normal_quantile(share)
    middle = (hits + z**2 / 2) / (count + z**2)
    half = z / (count + z**2) * math.sqrt(hits * (count - hits) / count + z**2 / 4)
    # The ends at no and at all hits are 0 and 1 exactly; rounding must not leave them.
    return (0.0 if hits == 0 else middle - half), (1.0 if hits == count else middle + half)


def mean_interval(values: np.ndarray, share: float = SHARE) -> tuple[float, float]:
    """Student's interval of a mean, of at least two values."""
    half = student_quantile(share, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def bootstrap(
    rows: np.ndarray, figure: Callable[[np.ndarray], np.ndarray], share: float = SHARE
) -> tuple[float, float]:
    """Percentile interval of a figure of rows that are drawn again and again.

    Args:
        rows: Shape `(n, ncolumns)`; their order changes nothing.
        figure: Of many samples at once, shape `(nsamples, n, ncolumns)`; gives shape `(nsamples,)`.
        share: That the interval holds.
    """
    rows = rows[np.lexsort(rows.T)]
    places = np.random.default_rng(SEED).integers(len(rows), size=(BOOTSTRAPS, len(rows)))
    found = figure(rows[places])
    found = found[np.isfinite(found)]
    low, high = np.percentile(found, [50 * (1 - share), 50 * (1 + share)])
    return float(low), float(high)


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks along the last axis from 0; equal values share the mean of their ranks."""
    lower = (values[..., :, None] > values[..., None, :]).sum(-1)
    equal = (values[..., :, None] == values[..., None, :]).sum(-1)
    return lower + (equal - 1) / 2


def spearman(samples: np.ndarray) -> np.ndarray:
    """Rank correlation of two columns, of samples shaped `(nsamples, n, 2)`; NaN where a column does not vary."""
    one, other = (ranks(samples[..., i]) for i in range(2))
    one, other = (column - column.mean(-1, keepdims=True) for column in (one, other))
    scale = np.sqrt((one**2).sum(-1) * (other**2).sum(-1))
    return np.divide((one * other).sum(-1), scale, out=np.full(scale.shape, np.nan), where=scale > 0)
