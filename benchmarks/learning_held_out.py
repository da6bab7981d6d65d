"""How much better are estimates after 5, 10, 20 or 50 DFT answers, on pairs that are not among these?

The answers are drawn in many random orders; what they teach corrects the estimates of the other pairs, of which at most
`HELD_OUT` are looked at. Errors, coverage of the 90% interval and log score stand beside those of the estimates as they
are, and the difference of the two, which is what counts, has an interval over the orders.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.uncertainty import normal_quantile
from ..predictors.lessons.correction import COVERAGE, Correction, learn_correction
from ..predictors.lessons.pairs import Pair
from ..predictors.lessons.regression import student_log_density
from ..predictors.lessons.statistics import student_quantile

ANSWERS = (5, 10, 20, 50)
HELD_OUT = 200
RANGE = (5.0, 50.0, 95.0)


@dataclass(frozen=True)
class Said:
    """What is said of held-out pairs.

    Attributes:
        errors: Absolute, shape `(n,)`.
        held: Whether the 90% interval holds DFT's value; empty without one.
        scores: Log density of DFT's values; empty without an uncertainty.
    """

    errors: np.ndarray
    held: np.ndarray
    scores: np.ndarray


def held_out(pairs: Sequence[Pair], seed: int, orders: int) -> list[dict[str, Any]]:
    """The figures after each number of answers, as JSON."""
    usable = [pair for pair in pairs if not pair.at_bound]
    rows = []
    for answers in (n for n in ANSWERS if n + 20 <= len(usable)):
        rng = np.random.default_rng([seed, answers])
        taught = [_one_order(usable, answers, rng) for _ in range(orders)]
        rows.append({"answers": answers, "orders": orders, **_summary(taught)})
    return rows


def _one_order(pairs: Sequence[Pair], answers: int, rng: np.random.Generator) -> tuple[Said, Said, str]:
    order = rng.permutation(len(pairs))
    correction = learn_correction([pairs[i] for i in order[:answers]])
    others = [pairs[i] for i in order[answers : answers + HELD_OUT]]
    raw = as_stated(others)
    return raw, (corrected(others, correction) if correction.does_something else raw), correction.kind


def as_stated(pairs: Sequence[Pair]) -> Said:
    """The estimates as they are."""
    residuals = np.array([-p.error for p in pairs])
    stated = np.array([p.stated or 0.0 for p in pairs])
    if not (stated > 0).all():
        return Said(np.abs(residuals), np.zeros(0), np.zeros(0))
    held = [
        p.interval[0] <= p.dft <= p.interval[1]
        if p.interval is not None
        else abs(p.error) <= normal_quantile(COVERAGE) * (p.stated or 0.0)
        for p in pairs
    ]
    scores = -0.5 * (residuals / stated) ** 2 - np.log(stated) - 0.5 * math.log(2 * math.pi)
    return Said(np.abs(residuals), np.array(held), scores)


def corrected(pairs: Sequence[Pair], correction: Correction) -> Said:
    """What a correction makes of them."""
    told = np.array([correction.shift(p.family, p.estimate, p.stated) for p in pairs])
    residuals = np.array([-p.error for p in pairs]) - told[:, 0]
    freedom = correction.freedom
    scale = told[:, 1] * math.sqrt(1 - 2 / freedom)
    half = student_quantile(COVERAGE, freedom) * scale
    return Said(
        np.abs(residuals), np.abs(residuals) <= half, student_log_density(residuals, scale**2, freedom)
    )


def _summary(taught: Sequence[tuple[Said, Said, str]]) -> dict[str, Any]:
    kinds = [kind for _, _, kind in taught]
    found: dict[str, Any] = {
        "mae_raw": _range([raw.errors.mean() for raw, _, _ in taught]),
        "mae_corrected": _range([new.errors.mean() for _, new, _ in taught]),
        "mae_change": _range([new.errors.mean() - raw.errors.mean() for raw, new, _ in taught]),
        "kinds": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
    }
    for name in ("held", "scores"):
        label = "coverage_of_90" if name == "held" else "log_score"
        for which, i in (("raw", 0), ("corrected", 1)):
            values = [getattr(row[i], name) for row in taught]
            told = [v.mean() for v in values if len(v)]
            if told:
                found[f"{label}_{which}"] = _range(told)
    changes = [
        new.scores.mean() - raw.scores.mean() for raw, new, _ in taught if len(raw.scores) and len(new.scores)
    ]
    if changes:
        found["log_score_change"] = _range(changes)
    return found


def _range(values: Sequence[float]) -> dict[str, float]:
    """Median and the 90% interval over the orders."""
    low, middle, high = np.percentile(np.array(values, dtype=float), RANGE)
    return {"median": round(float(middle), 5), "low": round(float(low), 5), "high": round(float(high), 5)}
