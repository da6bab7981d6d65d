"""How far do barriers of a potential lie from DFT's, and would a factor bring them closer?

Learnt from literature paths whose hosts do not occur among the test paths: one of each host, in seeded order, of an
affordable size. The width of the error goes into a table that the screen reads. A factor, the one of least absolute error with
no constant, is fitted and judged by leaving out one host at a time, and told in the table for what it is; it is not
applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..core.contracts import Potential, Relaxer
from ..screening.defects.barrier_error import COVERAGE, FORMAT
from .ferroelectric_figures import figure
from .migration_paths import HopPath, read_other_paths
from .resistive_switching_migration import MeasuredPaths, in_order

PATHS = 130
MOST_ATOMS = 130
ONE_SIGMA = 0.6827
FEWEST_OF_AN_ION = 3
"""Paths, below which nothing is told of an ion."""
SMALLEST_WIDTH = 0.01  # eV


def build(
    folder: Path, potential: Potential, relaxer: Relaxer, seed: int = 0, count: int = PATHS
) -> dict[str, Any]:
    """The table that `screening.defects.barrier_error` reads; about 20 s a path on one core, kept as they are measured.

    Args:
        folder: With the data.
        potential: Of the bands.
        relaxer: Of their ends; moves atoms alone.
        seed: Of the order of paths, and of samples.
        count: Paths.

    Raises:
        MissingDataError: the paths are not there.
    """
    kept = MeasuredPaths(potential, relaxer, resume=True)
    found = [(path, kept.measured(path)) for path in training_paths(folder, seed)[:count]]
    done = [(path, one["barrier"]) for path, one in found if "barrier" in one]
    return fit_error([path for path, _ in done], [barrier for _, barrier in done], potential, seed)


def training_paths(folder: Path, seed: int = 0) -> list[HopPath]:
    """One path of each host that is no test host and has at most `MOST_ATOMS` atoms, in seeded order.

    Raises:
        MissingDataError: the files are not there.
    """
    chosen: dict[str, HopPath] = {}
    for path in in_order(read_other_paths(folder), seed):
        if len(path.initial) <= MOST_ATOMS:
            chosen.setdefault(path.group, path)
    return list(chosen.values())


def fit_error(
    paths: Sequence[HopPath], barriers: Sequence[float], potential: Potential, seed: int = 0
) -> dict[str, Any]:
    """Width of the error, and what a factor would gain.

    Args:
        paths: With DFT's barriers.
        barriers: Of the potential's bands, eV.
        potential: Whose.
        seed: Of the samples of hosts.
    """
    x, y = np.array(barriers, dtype=float), np.array([path.barrier for path in paths])
    groups = [path.group for path in paths]
    errors = np.abs(x - y)
    floor, growth = fit_width(errors, x)
    scores = errors / (floor + growth * x)
    ions = [path.ion for path in paths]
    return {
        "format": FORMAT,
        "potential": potential.name,
        "model_hash": potential.model_hash,
        "floor": round(floor, 4),
        "growth": round(growth, 4),
        "one_sigma": round(float(np.quantile(scores, ONE_SIGMA)), 4),
        "ninety": round(float(np.quantile(scores, COVERAGE)), 4),
        "ions": sorted(ion for ion in set(ions) if ions.count(ion) >= FEWEST_OF_AN_ION),
        "n_paths": len(paths),
        "mae": round(float(errors.mean()), 4),
        "median_absolute_error": round(float(np.median(errors)), 4),
        "bias": round(float((x - y).mean()), 4),
        "factor_not_applied": _factor(x, y, groups, seed),
    }


def _factor(x: np.ndarray, y: np.ndarray, groups: Sequence[str], seed: int) -> dict[str, Any]:
    """The factor, and the gain in absolute error with its own host left out, eV."""
    gains = np.abs(x - y) - np.abs(left_out(x, y, groups) - y)
    gain = figure(gains, groups, lambda some: float(some.mean()), seed)
    low, high = gain["interval_90"]
    return {
        "value": round(fit_scale(x, y), 4),
        "gain_in_mae": round(gain["value"], 4),
        "gain_interval_90": [round(low, 4), round(high, 4)],
    }


def fit_scale(barriers: np.ndarray, dft: np.ndarray) -> float:
    """Factor of least absolute error: the median of the ratios, each weighted by its barrier.

    Args:
        barriers: eV, shape `(n,)`; one that is not positive says nothing.
        dft: eV, shape `(n,)`.
    """
    tells = barriers > 0
    ratios, weights = dft[tells] / barriers[tells], barriers[tells]
    order = np.argsort(ratios)
    half = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return float(ratios[order][half])


def left_out(barriers: np.ndarray, dft: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """Barriers times the factor of the other groups, eV, shape `(n,)`."""
    labels, found = np.array(groups), np.zeros(len(dft))
    for group in np.unique(labels):
        outside = labels != group
        found[~outside] = barriers[~outside] * fit_scale(barriers[outside], dft[outside])
    return found


def fit_width(errors: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Floor (eV) and growth of the error's width with the value: the highest Laplace likelihood.

    Args:
        errors: Absolute, eV, shape `(n,)`.
        values: Barriers, eV, shape `(n,)`.
    """
    from scipy.optimize import minimize

    def cost(logarithms: np.ndarray) -> float:
        floor, growth = np.exp(logarithms)
        width = floor + growth * values
        return float(np.mean(errors / width + np.log(width)))

    bounds = [(np.log(SMALLEST_WIDTH), 1.0), (-6.0, 1.0)]
    found = minimize(cost, np.log([0.1, 0.1]), method="L-BFGS-B", bounds=bounds)
    floor, growth = np.exp(found.x)
    return float(floor), float(growth)
