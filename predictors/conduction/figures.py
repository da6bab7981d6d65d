"""How good are probabilities of metal, insulator and transition that were told of compounds left out?

Classes weigh alike everywhere, since the probabilities are those for classes of equal frequency. Intervals are 90%, from
samples of families drawn with replacement: compounds of one family go together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .fit import Labelled, recalls
from .process import CLASSES, INSULATOR, METAL, TRANSITION, Process, Shape

NAMES = {METAL: "metal", INSULATOR: "insulator", TRANSITION: "transition"}
SAMPLES = 2000
QUANTILES = (0.05, 0.95)
BINS = 10
LIKELY = 0.5
FARTHEST_QUANTILE = 0.95
"""Of the distances between families left out and the rest: up to there a compound counts as familiar."""
LEAST_OF_ANION_CLASS = 5
"""Compounds of an anion class below which it is not familiar."""


def accuracy(labelled: Labelled, told: np.ndarray, seed: int) -> dict[str, Any]:
    """Balanced accuracy and recalls of the likeliest class, with intervals.

    Args:
        labelled: Compounds.
        told: Probabilities of compounds left out, shape `(repeats, n, 3)`; figures are means over the repeats.
        seed: Of the samples.
    """
    said = told.argmax(axis=2)
    drawn = np.array([_recalls(labelled.labels[rows], said[:, rows]) for rows in _samples(labelled, seed)])
    found = _recalls(labelled.labels, said)
    per_class = {
        name: _figure(found[i], drawn[:, i], int((labelled.labels == i).sum())) for i, name in NAMES.items()
    }
    by_repeat = [float(recalls(labelled.labels, one).mean()) for one in said]
    return {
        "balanced_accuracy": _figure(found.mean(), drawn.mean(axis=1), len(labelled)),
        "recall": per_class,
        "by_repeat": by_repeat,
    }


def recall_by_family(labelled: Labelled, told: np.ndarray) -> dict[str, float]:
    """Recall of each class, each family that holds it weighing alike; a large family counts no more than a small one."""
    said = told.argmax(axis=2)
    means = {}
    for one, name in NAMES.items():
        of_class = labelled.labels == one
        families = np.unique(labelled.families[of_class])
        rows = [of_class & (labelled.families == family) for family in families]
        means[name] = float(np.mean([(said[:, these] == one).mean() for these in rows]))
    return means


def calibration(labelled: Labelled, told: np.ndarray) -> dict[str, Any]:
    """Brier score and expected calibration error of the probabilities, all repeats together, classes weighing alike."""
    repeats = len(told)
    probabilities, labels = told.reshape(-1, CLASSES), np.tile(labelled.labels, repeats)
    weights = 1.0 / np.bincount(labels, minlength=CLASSES)[labels]
    weights /= weights.sum()
    truth = np.eye(CLASSES)[labels]
    errors = {
        name: _calibration_error(probabilities[:, i], truth[:, i], weights) for i, name in NAMES.items()
    }
    likely = probabilities[:, TRANSITION] >= LIKELY
    hits = labels == TRANSITION
    return {
        "brier": float(weights @ ((probabilities - truth) ** 2).sum(axis=1)),
        "brier_of_equal_thirds": 1 - 1 / CLASSES,
        "expected_calibration_error": errors,
        "transition_at_least_half": {
            "said": float(likely.sum() / repeats),
            "right": float(hits[likely].mean()) if likely.any() else None,
            "found_of_transitions": float(likely[hits].mean()),
        },
    }


def family_distances(labelled: Labelled) -> np.ndarray:
    """How far each compound is from the nearest one of another family, in root mean square standard deviations,
    shape `(n,)`."""
    distances = np.zeros(len(labelled))
    for family in np.unique(labelled.families):
        out = labelled.families == family
        others = Process(labelled.rows[~out], labelled.labels[~out], Shape(1.0, 1.0))
        distances[out] = others.distances(labelled.rows[out])
    return distances


def farthest_familiar(labelled: Labelled) -> float:
    """The distance up to which a compound is familiar."""
    return float(np.quantile(family_distances(labelled), FARTHEST_QUANTILE))


def _recalls(labels: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Means over repeats, shape `(3,)`."""
    return np.mean([recalls(labels, one) for one in said], axis=0)


def _samples(labelled: Labelled, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(np.random.SeedSequence([seed]))
    members = [np.flatnonzero(labelled.families == one) for one in np.unique(labelled.families)]
    drawn = rng.integers(len(members), size=(SAMPLES, len(members)))
    return [np.concatenate([members[i] for i in row]) for row in drawn]


def _figure(value: float, drawn: np.ndarray, count: int) -> dict[str, Any]:
    defined = drawn[np.isfinite(drawn)]
    return {
        "value": float(value),
        "interval_90": [float(q) for q in np.quantile(defined, QUANTILES)] if len(defined) else None,
        "n": count,
    }


def _calibration_error(told: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    """Mean distance of probability and frequency in tenths."""
    bins = np.minimum((told * BINS).astype(int), BINS - 1)
    error = 0.0
    for one in np.unique(bins):
        inside = bins == one
        total = weights[inside].sum()
        error += abs(weights[inside] @ (told[inside] - truth[inside])) if total else 0.0
    return float(error)
