"""How are the ferroelectric benchmark's shares, errors and their intervals computed?

Intervals are 90%, from samples of formulas drawn with replacement, since pairs of one formula go together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

BOOTSTRAP_SAMPLES = 2000
QUANTILES = (0.05, 0.95)


def figure(
    values: np.ndarray, formulas: Sequence[str], compute: Callable[[np.ndarray], float], seed: int
) -> dict[str, Any]:
    """A figure of rows with its interval.

    Args:
        values: One row for each pair, shape `(n, ...)`.
        formulas: Of each pair.
        compute: From rows to the figure.
        seed: Of the samples.
    """
    rng = np.random.default_rng(seed)
    names = np.array(formulas)
    members = [np.flatnonzero(names == name) for name in sorted(set(formulas))]
    drawn = []
    for _ in range(BOOTSTRAP_SAMPLES if len(values) else 0):
        chosen = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        drawn.append(compute(values[chosen]))
    defined = [one for one in drawn if np.isfinite(one)]
    interval = [float(q) for q in np.quantile(defined, QUANTILES)] if defined else None
    value = float(compute(values)) if len(values) else np.nan
    return {
        "value": value if np.isfinite(value) else None,
        "interval_90": interval,
        "n": len(values),
    }


def share(hits: Sequence[bool], formulas: Sequence[str], seed: int) -> dict[str, Any]:
    """Of pairs that do."""
    return figure(np.array(hits, dtype=float), formulas, lambda rows: float(rows.mean()), seed)


def classifier(
    truth: Sequence[bool], said: Sequence[bool], formulas: Sequence[str], seed: int
) -> dict[str, Any]:
    """Precision and recall, beside the precision of saying yes to all."""
    rows = np.column_stack([np.array(truth, dtype=bool), np.array(said, dtype=bool)])
    return {
        "precision": figure(rows, formulas, precision, seed),
        "recall": figure(rows, formulas, recall, seed),
        "positives": int(rows[:, 0].sum()),
        "said": int(rows[:, 1].sum()),
        "baseline_precision": float(rows[:, 0].mean()),
    }


def precision(rows: np.ndarray) -> float:
    """Of columns (truth, said); not defined if nothing was said."""
    said = rows[:, 1].sum()
    return float((rows[:, 0] & rows[:, 1]).sum() / said) if said else np.nan


def recall(rows: np.ndarray) -> float:
    """Of columns (truth, said); not defined without positives."""
    positives = rows[:, 0].sum()
    return float((rows[:, 0] & rows[:, 1]).sum() / positives) if positives else np.nan


def agreement(
    dft: Sequence[float], ours: Sequence[float], formulas: Sequence[str], seed: int
) -> dict[str, Any]:
    """Mean absolute error and coefficient of determination of numbers."""
    rows = np.column_stack([dft, ours])
    return {
        "mae": figure(rows, formulas, _mae, seed),
        "r2": figure(rows, formulas, _r2, seed),
        "median_absolute_error": float(np.median(np.abs(rows[:, 0] - rows[:, 1]))),
        "baseline_mae": float(np.abs(rows[:, 0] - np.median(rows[:, 0])).mean()),
    }


def _mae(rows: np.ndarray) -> float:
    return float(np.abs(rows[:, 0] - rows[:, 1]).mean())


def _r2(rows: np.ndarray) -> float:
    spread = np.sum((rows[:, 0] - rows[:, 0].mean()) ** 2)
    return float(1 - np.sum((rows[:, 0] - rows[:, 1]) ** 2) / spread) if spread else np.nan
