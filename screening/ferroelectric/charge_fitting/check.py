"""How well do effective charges do on crystals whose chemistry they have not seen, and how wide are their errors?

Cross-validation in folds that keep groups together: all crystals of a family of chemistry, or of a formula. Errors
are those of the polarization's norm against DFT.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..charges import EffectiveChargeModel, ErrorLaw
from .fit import DEGREES_OF_FREEDOM, fit_charges
from .labels import LabelledPair

FOLDS = 5
ONE_SIGMA = 0.683
COVERAGE = 0.9
BOOTSTRAP_SAMPLES = 1000
BOOTSTRAP_QUANTILES = (0.05, 0.95)


@dataclass(frozen=True)
class HeldOut:
    """What fits without a pair's group say of it.

    Attributes:
        vector: Polarization, uC/cm^2, shape `(3,)`.
        added: Length of the part by the bonds, uC/cm^2.
        coefficients: Standard deviation by that of the coefficients, uC/cm^2.
        error: Norm less the DFT norm, uC/cm^2.
        fold: In which it was left out.
    """

    vector: np.ndarray
    added: float
    coefficients: float
    error: float
    fold: int

    @property
    def norm(self) -> float:
        """uC/cm^2."""
        return float(np.linalg.norm(self.vector))


def folds_of(groups: Sequence[str], seed: int, count: int = FOLDS) -> np.ndarray:
    """A fold for each pair; a group is never split, and the folds are of like size.

    Groups are dealt out from the largest to the smallest, those of one size in random order, each to the fold that
    holds fewest pairs.
    """
    sizes = Counter(groups)
    order = np.random.default_rng(seed).permutation(sorted(sizes)).tolist()
    held, fold = [0] * count, {}
    for group in sorted(order, key=lambda group: -sizes[group]):
        fold[group] = int(np.argmin(held))
        held[fold[group]] += sizes[group]
    return np.array([fold[group] for group in groups])


def held_out(pairs: Sequence[LabelledPair], groups: Sequence[str], seed: int = 0) -> list[HeldOut]:
    """What fits that have seen no pair of the same group say of each pair, in `FOLDS` folds."""
    folds = folds_of(groups, seed)
    said: dict[int, HeldOut] = {}
    for fold in sorted(set(folds.tolist())):
        model = fit_charges([pair for pair, own in zip(pairs, folds, strict=True) if own != fold]).model
        for i in np.flatnonzero(folds == fold).tolist():
            said[i] = _say(model, pairs[i], fold)
    return [said[i] for i in range(len(pairs))]


def _say(model: EffectiveChargeModel, pair: LabelledPair, fold: int) -> HeldOut:
    added = sum((model.coefficient(bond) * one for bond, one in pair.added.items()), np.zeros(3))
    vector = pair.nominal + added
    return HeldOut(
        vector=vector,
        added=float(np.linalg.norm(added)),
        coefficients=model.spread(pair.added, vector),
        error=float(np.linalg.norm(vector) - np.linalg.norm(pair.polarization)),
        fold=fold,
    )


def error_law(said: Sequence[HeldOut]) -> ErrorLaw:
    """The law under which errors of held-out pairs are most probable, with its two quantiles.

    That of the interval is taken a standard error higher, since it is found on few pairs and meets others.
    """
    from scipy.optimize import minimize
    from scipy.stats import t

    errors = np.abs([one.error for one in said])
    parts = np.array([[1.0, one.norm, one.added] for one in said])
    coefficients = np.array([one.coefficients for one in said])

    def surprise(logarithms: np.ndarray) -> float:
        spread = np.hypot(parts @ np.exp(logarithms), coefficients)
        return float(np.sum(np.log(spread) - t.logpdf(errors / spread, DEGREES_OF_FREEDOM)))

    start = np.log([0.05, 0.03, 0.1])
    found = minimize(surprise, start, method="Nelder-Mead", options={"maxiter": 2000}).x
    floor, relative, of_bonds = (float(value) for value in np.exp(np.maximum(found, np.log(1e-6))))
    plain = ErrorLaw(floor, relative, of_bonds, 1.0, 1.0, COVERAGE)
    ratios = errors / [plain.uncertainty(one.norm, one.added, one.coefficients) for one in said]
    caution = np.sqrt(COVERAGE * (1 - COVERAGE) / len(ratios))
    one_sigma, interval = np.quantile(ratios, [ONE_SIGMA, min(1.0, COVERAGE + caution)])
    return replace(plain, scale=float(one_sigma), interval_factor=float(interval / one_sigma))


def interval_covers(said: Sequence[HeldOut]) -> np.ndarray:
    """Whether each pair's DFT norm lies in an interval whose law was found on the other folds alone."""
    covers = np.zeros(len(said), dtype=bool)
    for fold in {one.fold for one in said}:
        law = error_law([one for one in said if one.fold != fold])
        for i, one in enumerate(said):
            if one.fold == fold:
                low, high = law.interval(one.norm, law.uncertainty(one.norm, one.added, one.coefficients))
                covers[i] = low <= one.norm - one.error <= high
    return covers


def bootstrapped(groups: Sequence[str], figure: Callable[[np.ndarray], float], seed: int = 0) -> list[float]:
    """Two quantiles (`BOOTSTRAP_QUANTILES`) of a figure over samples of groups, drawn with replacement.

    Args:
        groups: Of each pair.
        figure: From the indices of pairs to a number.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(np.array(groups) == group) for group in sorted(set(groups))]
    figures = [
        figure(np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))]))
        for _ in range(BOOTSTRAP_SAMPLES)
    ]
    return [float(q) for q in np.nanquantile(figures, BOOTSTRAP_QUANTILES)]


def norms(vectors: Sequence[np.ndarray]) -> np.ndarray:
    """Of vectors, shape `(n,)`."""
    return np.linalg.norm(np.array(vectors), axis=1)


def agreement(dft: np.ndarray, ours: np.ndarray) -> dict[str, Any]:
    """Mean and median absolute error and R2 of norms, uC/cm^2."""
    errors = ours - dft
    return {
        "n": len(dft),
        "mae": float(np.abs(errors).mean()),
        "median_absolute_error": float(np.median(np.abs(errors))),
        "r2": float(1 - np.sum(errors**2) / np.sum((dft - dft.mean()) ** 2)),
    }
