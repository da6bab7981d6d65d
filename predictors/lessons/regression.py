"""What shift, and how certain, do a few residuals of several classes support?

A Bayesian linear model of the residuals y = DFT - estimate, in units of a reference deviation:

    y_i = a + c_family(i) + b t_i + e_i,   a ~ N(0, k s^2),  c ~ N(0, r s^2),  b ~ N(0, s^2),  e_i ~ N(0, w_i s^2)
    w_i = (v_i + f) / (1 + f)

where v_i is the variance that the estimate states, in the same unit, and f a floor: some methods are surest where they are
wrong. s^2 has an inverse gamma distribution that is worth `prior_pairs` residuals of 1. The prior means are zero, so few
residuals are shrunk to no shift at all. k, r and f are not chosen: every point of a grid is weighed by its evidence
(empirical Bayes without picking), so a class that was never seen keeps the variance that classes may have. The
leave-one-out predictions have a closed form, the weights of the grid included.

Source: conjugate normal-inverse-gamma regression, e.g. Gelman et al., Bayesian Data Analysis, 3rd ed. (2013), chapter 14;
leave-one-out: Sundararajan and Keerthi, Neural Comput. 13, 1103 (2001).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np

OFFSET_VARIANCES = (0.1, 1.0, 10.0)
CLASS_VARIANCES = (0.03, 0.3, 3.0, 30.0)
"""k and r of the grid, in variances of the noise: from next to none to far more than the noise, each weighed alike before."""
FLOORS = (1e-6, 0.3, 3.0, 30.0)
"""f of the grid: from the statement alone, believed down to a thousandth of the reference deviation, to one width for all."""
SLOPE_VARIANCE = 1.0
"""Of b, for t of unit spread."""


@dataclass(frozen=True)
class Posterior:
    """What the residuals say, in their unit. Moments of the mixture over the grid.

    Attributes:
        mean: Of a, b (if there is a slope) and c by class, shape `(p,)`.
        covariance: Of these, shape `(p, p)`.
        noise: Variance of a residual about its mean, for each unit of the variance that its estimate states.
        floor: Variance that it has besides.
        between: Variance of the offset of a class that was never seen.
        freedom: Degrees of freedom of the predictions.
        scores: Logarithm of the density of each residual, predicted from all others, shape `(n,)`.
    """

    mean: np.ndarray
    covariance: np.ndarray
    noise: float
    floor: float
    between: float
    freedom: float
    scores: np.ndarray


def fit(
    residuals: np.ndarray,
    stated: np.ndarray | None,
    design: np.ndarray,
    classes: int,
    reference: float,
    prior_pairs: float,
) -> Posterior:
    """The posterior of the coefficients.

    Args:
        residuals: DFT minus estimate, shape `(n,)`, n at least 4.
        stated: Variance that each estimate states, in squares of the reference, shape `(n,)`; `None`: one width for all.
        design: Columns of a, b if wanted, and of each class, shape `(n, p)`; no column at all: no shift.
        classes: How many of the last columns are of classes.
        reference: The deviation that the prior stands for, in the unit of the residuals.
        prior_pairs: What it is worth; 0: the residuals alone say how wide they are.
    """
    y = residuals / reference
    n, columns, freedom = len(y), design.shape[1], prior_pairs + len(y)
    variance, floors = (np.ones(n), FLOORS[:1]) if stated is None else (stated, FLOORS)
    offsets = OFFSET_VARIANCES if columns else OFFSET_VARIANCES[:1]
    grid = list(product(offsets, CLASS_VARIANCES if classes else CLASS_VARIANCES[:1], floors))
    parts = [
        _conditional(y, (variance + f) / (1 + f), design, _prior(columns, classes, k, r), prior_pairs)
        for k, r, f in grid
    ]
    share = _normalised(np.array([part.evidence for part in parts]))
    squares = share * np.array([(prior_pairs + part.square) / (freedom - 2) for part in parts]) * reference**2
    means = np.array([part.mean for part in parts]) * reference
    mean = share @ means
    spread = np.einsum("h,hi,hj->ij", share, means - mean, means - mean)
    inside = np.einsum("h,hij->ij", squares, np.array([part.covariance for part in parts]))
    _, between, floor = np.array(grid).T
    return Posterior(
        mean=mean,
        covariance=inside + spread,
        noise=float((squares / (1 + floor)).sum()),
        floor=float((squares * floor / (1 + floor)).sum()),
        between=float(squares @ between) if classes else 0.0,
        freedom=freedom,
        scores=_left_out(parts, n) - math.log(reference),
    )


@dataclass(frozen=True)
class _Conditional:
    """The posterior at one point of the grid, in units of the reference."""

    mean: np.ndarray
    covariance: np.ndarray
    square: float
    evidence: float
    scores: np.ndarray


def _conditional(
    y: np.ndarray, weights: np.ndarray, design: np.ndarray, prior: np.ndarray, prior_pairs: float
) -> _Conditional:
    """By a QR decomposition: normal equations lose all digits of an estimate that is far surer than the others."""
    n, roots = len(y), np.sqrt(weights)
    q, r = np.linalg.qr(np.vstack([design / roots[:, None], np.diag(prior**-0.5)]))
    projected = q[:n].T @ (y / roots)
    residual = y / roots - q[:n] @ projected
    inverse_r = np.linalg.inv(r)
    left = 1 - np.square(q[:n]).sum(axis=1)
    square = max(float(np.square(residual).sum() + np.square(q[n:] @ projected).sum()), 1e-12)
    determinant = np.log(weights).sum() + np.log(prior).sum() + 2 * np.log(np.abs(np.diag(r))).sum()
    evidence = -0.5 * determinant - 0.5 * (prior_pairs + n) * math.log(prior_pairs + square)
    scores = _scores(residual / roots, left / weights, square, prior_pairs)
    return _Conditional(inverse_r @ projected, inverse_r @ inverse_r.T, square, evidence, scores)


def _scores(inverse_y: np.ndarray, diagonal: np.ndarray, square: float, prior_pairs: float) -> np.ndarray:
    """Student's log density of each y as the others predict it."""
    freedom = prior_pairs + len(inverse_y) - 1
    others = np.maximum(square - inverse_y**2 / diagonal, 1e-12)
    variance = (prior_pairs + others) / freedom / diagonal
    return student_log_density(inverse_y / diagonal, variance, freedom)


def student_log_density(difference: np.ndarray, variance: np.ndarray, freedom: float) -> np.ndarray:
    """Of Student's distribution; `variance` is the square of its scale."""
    constant = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(freedom * math.pi)
    return (
        constant - 0.5 * np.log(variance) - (freedom + 1) / 2 * np.log1p(difference**2 / variance / freedom)
    )


def _prior(columns: int, classes: int, k: float, r: float) -> np.ndarray:
    """Variances of a, b and the classes, in variances of the noise."""
    return np.array([k, *[SLOPE_VARIANCE] * (columns - classes - 1), *[r] * classes][:columns])


def _left_out(parts: list[_Conditional], n: int) -> np.ndarray:
    """Log density of each residual given the others: p(y_i | rest) = sum p(y | h) / sum p(y | h) / p(y_i | rest, h)."""
    evidence = np.array([part.evidence for part in parts])[:, None]
    scores = np.array([part.scores for part in parts]).reshape(len(parts), n)
    return _log_sum(np.broadcast_to(evidence, scores.shape)) - _log_sum(evidence - scores)


def _log_sum(values: np.ndarray) -> np.ndarray:
    top = values.max(axis=0)
    return top + np.log(np.exp(values - top).sum(axis=0))


def _normalised(logarithms: np.ndarray) -> np.ndarray:
    found = np.exp(logarithms - logarithms.max())
    return found / found.sum()
