"""With which weights do two potentials give the DFT difference of polar and nonpolar ends, and how well?

Weights by least absolute deviation, none negative, no constant: a linear programme with one answer, which is what
a mean absolute error asks for and which broken rows pull on least. How well is measured by leaving out one group
at a time, a formula or a family of chemistry, fitting to the others and predicting it: no seed enters.

Widths by the highest Laplace likelihood of the errors on families left out; the factors to one standard deviation
and to 90% are quantiles of error over width, again on families that the width had not seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from .polar_difference import Combination, spread, width

COVERAGE = 0.9
ONE_SIGMA = 0.6827
SMALLEST_WIDTH_MEV = 0.05
STARTS = ((0.3, 0.1, 0.1), (1.0, 0.1, 0.5))
LOG_BOUNDS = [(math.log(SMALLEST_WIDTH_MEV), 3.0), (-10.0, 3.0), (-7.0, 1.0)]
"""Of floor, growth and disagreement, as natural logarithms: none runs away where the rows do not tell them."""


def fit_weights(members: np.ndarray, dft: np.ndarray) -> np.ndarray:
    """Weights that make the sum of absolute errors least, none negative, shape `(nmembers,)`.

    Args:
        members: What each potential gives, meV/atom, shape `(n, nmembers)`.
        dft: meV/atom, shape `(n,)`.
    """
    from scipy.optimize import linprog

    n, k = members.shape
    errors = np.eye(n)
    above = np.block([[members, -errors], [-members, -errors]])
    found = linprog(np.r_[np.zeros(k), np.ones(n)], A_ub=above, b_ub=np.r_[dft, -dft], method="highs")
    return found.x[:k]


def left_out(
    members: np.ndarray,
    dft: np.ndarray,
    groups: Sequence[str],
    fit: Callable[[np.ndarray, np.ndarray], np.ndarray] = fit_weights,
) -> np.ndarray:
    """Combined differences, each with weights fitted without its group, meV/atom, shape `(n,)`."""
    labels, predicted = np.array(groups), np.zeros(len(dft))
    for group in np.unique(labels):
        outside = labels != group
        predicted[~outside] = members[~outside] @ fit(members[outside], dft[outside])
    return predicted


def fit_widths(errors: np.ndarray, values: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    """Floor (meV/atom), growth (meV/atom) and part of the disagreement of a width, shape `(3,)`; see `width`.

    Args:
        errors: Absolute, meV/atom, shape `(n,)`, of rows that the weights were not fitted to.
        values: Combined differences, meV/atom, shape `(n,)`.
        spreads: Of the members, meV/atom, shape `(n,)`.
    """
    from scipy.optimize import minimize

    def cost(logarithms: np.ndarray) -> float:
        widths = np.maximum(width(values, spreads, *np.exp(logarithms)), SMALLEST_WIDTH_MEV)
        return float(np.mean(errors / widths + np.log(widths)))

    found = [minimize(cost, np.log(start), method="L-BFGS-B", bounds=LOG_BOUNDS) for start in STARTS]
    return np.exp(min(found, key=lambda result: result.fun).x)


def scaled_errors(
    errors: np.ndarray, values: np.ndarray, spreads: np.ndarray, groups: Sequence[str]
) -> np.ndarray:
    """Error over width, each width fitted without its group, shape `(n,)`."""
    labels, scores = np.array(groups), np.zeros(len(errors))
    for group in np.unique(labels):
        outside = labels != group
        shape = fit_widths(errors[outside], values[outside], spreads[outside])
        widths = np.maximum(width(values[~outside], spreads[~outside], *shape), SMALLEST_WIDTH_MEV)
        scores[~outside] = errors[~outside] / widths
    return scores


def as_it_is(members: np.ndarray, dft: np.ndarray) -> np.ndarray:
    """The weight of a potential that is not corrected: one."""
    return np.ones(1)


def weights_for(members: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """One potential alone is taken as it is; of several the weights are fitted."""
    return as_it_is if members.shape[1] == 1 else fit_weights


def fit_combination(
    names: Sequence[str], members: np.ndarray, dft: np.ndarray, families: Sequence[str]
) -> Combination:
    """Weights from all rows, widths and their factors from rows of families left out.

    Args:
        names: Of the potentials, without the version of a package.
        members: What each gives, meV/atom, shape `(n, nmembers)`.
        dft: meV/atom, shape `(n,)`.
        families: Of each row; see `family`.
    """
    fit = weights_for(members)
    predicted = left_out(members, dft, families, fit)
    errors, spreads = np.abs(predicted - dft), spread(members)
    floor, growth, disagreement = (float(x) for x in fit_widths(errors, predicted, spreads))
    scores = scaled_errors(errors, predicted, spreads, families)
    return Combination(
        members=tuple(names),
        weights=tuple(float(w) for w in fit(members, dft)),
        floor=floor,
        growth=growth,
        disagreement=disagreement if spreads.any() else 0.0,
        sigma=conformal_factor(scores, ONE_SIGMA),
        half=conformal_factor(scores, COVERAGE),
        coverage=COVERAGE,
    )


def covered(errors: np.ndarray, values: np.ndarray, spreads: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """Whether each row lies inside a 90% interval calibrated on the other groups alone, bool, shape `(n,)`."""
    labels, inside = np.array(groups), np.zeros(len(errors), dtype=bool)
    for group in np.unique(labels):
        out = labels != group
        scores = scaled_errors(errors[out], values[out], spreads[out], labels[out].tolist())
        shape = fit_widths(errors[out], values[out], spreads[out])
        widths = np.maximum(width(values[~out], spreads[~out], *shape), SMALLEST_WIDTH_MEV)
        inside[~out] = errors[~out] <= widths * conformal_factor(scores, COVERAGE)
    return inside


def conformal_factor(scores: np.ndarray, coverage: float) -> float:
    """The score that a further row stays below with at least this probability (`ceil((n + 1) * coverage)`-th)."""
    rank = math.ceil((len(scores) + 1) * coverage)
    return float(np.sort(scores)[min(rank, len(scores)) - 1])
