"""Do the stated uncertainties say how wrong the estimates are?

A standardised error is DFT minus estimate, over the stated standard deviation. If the statement holds, its square is 1 on
average, and the central intervals of a normal distribution hold the shares they name. Intervals that a method states by
itself, asymmetric ones included, are counted as well.

The factor by which a stated deviation should be multiplied is shrunk towards 1: its square is the mean square of the
standardised errors and of `PRIOR_PAIRS` imagined ones of exactly 1.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.uncertainty import normal_quantile
from .pairs import Pair
from .residuals import ENOUGH
from .statistics import wilson

SHARES = (0.5, 0.8, 0.9, 0.95)
PRIOR_PAIRS = 4.0
"""What the statement of a method is worth: so many DFT values that agree with it. Ours, 2026."""


def calibration(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Mean square, coverage of central and of stated intervals with Wilson's 95% intervals, and the factor, as JSON.

    Returns:
        `n`, the pairs that state an uncertainty; of fewer than `ENOUGH` a `note` beside what little there is.
    """
    stated = [p for p in pairs if p.uncertainty]
    z = np.array(sorted(-p.error / p.uncertainty for p in stated if p.uncertainty))
    found: dict[str, Any] = {"n": len(z), "prior_pairs": PRIOR_PAIRS, "factor": round(sigma_factor(z), 6)}
    if not stated:
        return found | {"note": "no estimate states an uncertainty", "intervals": _of_intervals(pairs)}
    if len(z) < ENOUGH:
        found["note"] = (
            f"{len(z)} stated uncertainties: too few to say more than the prior (at least {ENOUGH})"
        )
    else:
        found |= {"mean_z": round(float(z.mean()), 6), "mean_square": round(float((z**2).mean()), 6)}
        found["coverage"] = [
            _counted(share, int((np.abs(z) <= normal_quantile(share)).sum()), len(z)) for share in SHARES
        ]
    return found | {"intervals": _of_intervals(pairs)}


def sigma_factor(z: Sequence[float] | np.ndarray) -> float:
    """By what a stated standard deviation should be multiplied; 1 where nothing is known."""
    squares = float((np.asarray(z, dtype=float) ** 2).sum())
    return math.sqrt((PRIOR_PAIRS + squares) / (PRIOR_PAIRS + len(z)))


def _of_intervals(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """How many DFT values lie in the intervals that the method states, by stated coverage."""
    held: dict[float, list[bool]] = defaultdict(list)
    for pair in pairs:
        if pair.interval is not None and pair.coverage:
            held[pair.coverage].append(pair.interval[0] <= pair.dft <= pair.interval[1])
    return [_counted(share, sum(held[share]), len(held[share])) for share in sorted(held)]


def _counted(share: float, hits: int, count: int) -> dict[str, Any]:
    low, high = wilson(hits, count)
    return {
        "stated": share,
        "n": count,
        "held": round(hits / count, 6),
        "interval": [round(low, 6), round(high, 6)],
    }
