"""How is the correction of vacancy energies fitted, and how good is it on formulas it has not seen?

The four numbers of its shape by the highest marginal likelihood; nothing else is chosen. How good is measured over folds by
formula: shape, means and scales from the other folds alone. From these errors over the process's own standard deviations come the
factors to one standard deviation and to the 90% interval.

`COMPETITORS` are simpler corrections, measured on the same folds: a constant, a straight line, the features without the
potential's vacancy energy. The simplest that wins should be shipped.

Source: Rasmussen and Williams (2006), equations 5.8 and 5.9, for the likelihood and its slopes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .polar_fit import conformal_factor
from .vacancy_correction import FORMAT, Shape, VacancyFit, mean_square_distances, oxygen_features

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from .vacancy_correction import Features

FOLDS = 10
COVERAGE = 0.9
ONE_SIGMA = 0.6827
FAMILIAR = 0.98
"""Share of the hosts that are nearer to another host than the correction may be from the nearest."""
STARTS = ((0.5, 3.0, 1.5, 0.2), (1.0, 1.0, 0.7, 0.5))
BOUNDS = ((0.02, 20.0), (0.02, 20.0), (0.15, 20.0), (0.05, 2.0))
"""Of slope, amplitude, length and noise, in the units of `Shape`; DFT's values are told to 0.001 eV, and repeat far worse."""
SMALLEST_SCALE = 1e-9

Predictor = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Energies, features and DFT's energies of training hosts, then energies and features of others; what DFT may say of these."""


def build_table(
    potential: Features,
    hosts: Sequence[Structure],
    energies: np.ndarray,
    dft: np.ndarray,
    formulas: Sequence[str],
    words: dict[str, Any],
) -> dict[str, Any]:
    """The table that is shipped, as JSON.

    Args:
        potential: Which gave the energies.
        hosts: At rest by it.
        energies: Of their cheapest vacancies, eV, shape `(n,)`.
        dft: The same by DFT, at the same chemical potential, eV, shape `(n,)`.
        formulas: Reduced; those alike stand or fall together.
        words: What else the table says: `source`, `licence`, `target`.
    """
    features = oxygen_features(potential, hosts)
    fit = calibrated(fit_process(potential.name, energies, features, dft), energies, features, dft, formulas)
    return {
        "format": FORMAT,
        **words,
        "n": len(dft),
        "n_formulas": len(set(formulas)),
        "units": "eV",
        "fit": fit.to_dict(),
    }


def fit_process(potential: str, energies: np.ndarray, features: np.ndarray, dft: np.ndarray) -> VacancyFit:
    """A Gaussian process whose shape has the highest marginal likelihood; its factors are those of a normal error.

    Args:
        potential: Name.
        energies: By the potential, eV, shape `(n,)`.
        features: Shape `(n, width)`.
        dft: eV, shape `(n,)`.
    """
    feature_mean, feature_scale = features.mean(axis=0), np.maximum(features.std(axis=0), SMALLEST_SCALE)
    energy_mean, energy_scale = float(energies.mean()), max(float(energies.std()), SMALLEST_SCALE)
    z, x = (energies - energy_mean) / energy_scale, (features - feature_mean) / feature_scale
    differences = dft - energies
    mean = float(differences.mean())
    return VacancyFit(
        potential=potential,
        shape=_likeliest(z, mean_square_distances(x, x), differences - mean),
        features=x,
        feature_mean=feature_mean,
        feature_scale=feature_scale,
        energies=z,
        energy_mean=energy_mean,
        energy_scale=energy_scale,
        corrections=differences - mean,
        mean=mean,
        sigma=1.0,
        half=1.6449,  # of a normal distribution
        coverage=COVERAGE,
        farthest=_familiar_distance(x),
        energy_range=(float(energies.min()), float(energies.max())),
    )


def calibrated(
    fit: VacancyFit, energies: np.ndarray, features: np.ndarray, dft: np.ndarray, formulas: Sequence[str]
) -> VacancyFit:
    """With the factors to one standard deviation and to the interval measured on formulas left out."""
    values, deviations = held_out(energies, features, dft, folds_by_formula(formulas, seed=0))
    scores = np.abs(values - dft) / deviations
    return replace(
        fit,
        sigma=conformal_factor(scores, ONE_SIGMA),
        half=conformal_factor(scores, COVERAGE),
    )


def held_out(
    energies: np.ndarray, features: np.ndarray, dft: np.ndarray, folds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Corrected energies and the process's deviations, eV, each from a fit without its fold, shapes `(n,)`."""
    values, deviations = np.zeros(len(dft)), np.zeros(len(dft))
    for fold in np.unique(folds):
        test = folds == fold
        fit = fit_process("", energies[~test], features[~test], dft[~test])
        values[test], deviations[test] = fit.corrected(energies[test], features[test])
    return values, deviations


def covered(
    energies: np.ndarray, features: np.ndarray, dft: np.ndarray, folds: np.ndarray, formulas: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each row lies in a 90% interval fitted and calibrated without its fold, and the half width, eV, shapes `(n,)`."""
    labels = np.array(formulas)
    inside, half = np.zeros(len(dft), dtype=bool), np.zeros(len(dft))
    for fold in np.unique(folds):
        test, rest = folds == fold, folds != fold
        fit = fit_process("", energies[rest], features[rest], dft[rest])
        fit = calibrated(fit, energies[rest], features[rest], dft[rest], labels[rest].tolist())
        values, deviations = fit.corrected(energies[test], features[test])
        half[test] = deviations * fit.half
        inside[test] = np.abs(values - dft[test]) <= half[test]
    return inside, half


def competing(
    predictor: Predictor, energies: np.ndarray, features: np.ndarray, dft: np.ndarray, folds: np.ndarray
) -> np.ndarray:
    """What a simpler correction says of each row, learnt without its fold, eV, shape `(n,)`."""
    values = np.zeros(len(dft))
    for fold in np.unique(folds):
        test = folds == fold
        values[test] = predictor(energies[~test], features[~test], dft[~test], energies[test], features[test])
    return values


def folds_by_formula(formulas: Sequence[str], seed: int, folds: int = FOLDS) -> np.ndarray:
    """Number of the fold of each row, rows of one formula in one fold, shape `(n,)`; not dependent on the order of rows."""
    labels = sorted(set(formulas))
    order = np.random.default_rng(np.random.SeedSequence([seed])).permutation(len(labels))
    fold_of = {labels[i]: place % folds for place, i in enumerate(order)}
    return np.array([fold_of[formula] for formula in formulas])


def _constant(energies, features, dft, others, other_features):
    return others + np.median(dft - energies)


def _line(energies, features, dft, others, other_features):
    slope, offset = np.polyfit(energies, dft, 1)
    return slope * others + offset


def _without_energy(energies, features, dft, others, other_features):
    nothing = np.zeros(len(energies))
    return fit_process("", nothing, features, dft).corrected(np.zeros(len(others)), other_features)[0]


def _median(energies, features, dft, others, other_features):
    return np.full(len(others), np.median(dft))


COMPETITORS: dict[str, Predictor] = {
    "median of the other folds": _median,
    "constant shift": _constant,
    "straight line": _line,
    "features alone, no vacancy computed": _without_energy,
}


def _likeliest(z: np.ndarray, apart: np.ndarray, corrections: np.ndarray) -> Shape:
    from scipy.optimize import minimize

    lines, identity = np.outer(z, z), np.eye(len(z))

    def cost(logarithms: np.ndarray) -> tuple[float, np.ndarray]:
        slope, amplitude, length, noise = np.exp(logarithms)
        smooth = amplitude**2 * np.exp(-apart / (2 * length**2))
        parts = (slope**2 * lines, smooth, noise**2 * identity)
        inverse = np.linalg.inv(sum(parts))
        weights = inverse @ corrections
        pull = inverse - np.outer(weights, weights)  # equation 5.9
        changes = (2 * parts[0], 2 * parts[1], smooth * apart / length**2, 2 * parts[2])
        slopes = [float((pull * change).sum()) / 2 for change in changes]
        size = float(np.linalg.slogdet(inverse)[1])
        return float(corrections @ weights) / 2 - size / 2, np.array(slopes)

    found = [
        minimize(cost, np.log(start), jac=True, method="L-BFGS-B", bounds=np.log(BOUNDS)) for start in STARTS
    ]
    best = min(found, key=lambda result: result.fun)
    return Shape(*(float(x) for x in np.exp(best.x)))


def _familiar_distance(x: np.ndarray) -> float:
    """How far the hosts are from their nearest neighbours, but for the farthest few."""
    if len(x) < 2:
        return 0.0
    apart = mean_square_distances(x, x)
    np.fill_diagonal(apart, np.inf)
    return float(np.quantile(np.sqrt(apart.min(axis=1)), FAMILIAR))
