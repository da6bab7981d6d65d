"""Are metals, insulators and compounds with a metal-insulator transition told apart in families that nobody has learnt from?

Compounds: Georgescu et al., Chem. Mater. 33, 5591 (2021), doi:10.1021/acs.chemmater.1c00905. Families by the rule in
`predictors.conduction.families`, which was written before anything was fitted. Ten folds of families, dealt anew five times;
everything that is chosen is chosen inside the other nine. Features come from the composition of the candidate alone. Intervals
are 90%, from samples of families.

Beside it: all compounds of one set of transition metals and one class of anion left out together, which is stricter; single
formulas left out, which is kinder; the best rule on one feature, chosen inside likewise; always one class (0.33). The largest
families of transitions are shown one by one, since a figure over compounds is mostly theirs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.settings import data_dir
from ..predictors.conduction.features import FEATURES
from ..predictors.conduction.figures import accuracy, calibration, family_distances, recall_by_family
from ..predictors.conduction.fit import (
    FOLDS,
    Labelled,
    grouped_folds,
    predicted_left_out,
    read_labelled,
    recalls,
)
from ..predictors.conduction.model import read_learnt
from ..predictors.conduction.process import CLASSES, TRANSITION

SOURCE = "Georgescu et al. 2021, 301 compounds, formula and label alone"
TARGET = 0.70
REPEATS = 5
QUICK_REPEATS = 1
LARGE_FAMILY = 3
"""Transitions from which on a family is shown by itself."""
CUTS = np.linspace(0.1, 0.9, 9)
"""Quantiles at which a rule on one feature may cut."""


def conduction_row(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Measure the row; a minute or two, some seconds if quick.

    Args:
        seed: Of folds and samples.
        quick: Families dealt to folds once; no claim stands on it.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set or lacks the table.
    """
    labelled = read_labelled(data_dir())
    repeats = QUICK_REPEATS if quick else REPEATS
    told = predicted_left_out(labelled, labelled.families, seed, repeats)
    return {
        "truth": SOURCE,
        "seed": seed,
        "quick": quick,
        "n": len(labelled),
        "families": len(np.unique(labelled.families)),
        "repeats": repeats,
        "target_balanced_accuracy": TARGET,
        "families_left_out": accuracy(labelled, told, seed),
        "families_weighing_alike": recall_by_family(labelled, told),
        "familiar_families_left_out": _familiar(labelled, told, seed),
        "largest_families": _largest(labelled, told),
        "without_the_largest_family": _without_largest(labelled, told, seed),
        "calibration": calibration(labelled, told),
        "beside": {
            "metals_and_anion_left_out": accuracy(
                labelled, predicted_left_out(labelled, labelled.kinds, seed, repeats), seed
            ),
            "formulas_left_out": accuracy(
                labelled, predicted_left_out(labelled, labelled.formulas, seed, repeats), seed
            ),
            "one_feature": one_feature(labelled, seed, repeats),
            "always_one_class": 1 / CLASSES,
        },
    }


def one_feature(labelled: Labelled, seed: int, repeats: int) -> dict[str, Any]:
    """The best rule that cuts one feature twice, chosen on the other families, on families left out."""
    told = np.zeros((repeats, len(labelled), CLASSES))
    used: list[str] = []
    for repeat in range(repeats):
        rng = np.random.default_rng(np.random.SeedSequence([seed, repeat]))
        folds = grouped_folds(labelled.families, FOLDS, rng)
        for fold in range(FOLDS):
            out = folds == fold
            feature, cuts, classes = best_cuts(labelled.rows[~out], labelled.labels[~out])
            said = classes[np.searchsorted(cuts, labelled.rows[out, feature])]
            told[repeat, out] = np.eye(CLASSES)[said]
            used.append(FEATURES[feature])
    names, counts = np.unique(used, return_counts=True)
    chosen = {str(name): int(count) for name, count in zip(names, counts, strict=True)}
    return {**accuracy(labelled, told, seed), "chosen": chosen}


def best_cuts(rows: np.ndarray, labels: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    """Which feature, cut where, tells the classes apart best.

    Args:
        rows: Features, shape `(n, width)`.
        labels: Shape `(n,)`.

    Returns:
        The feature's column, two cuts, and the class below, between and above them, shape `(3,)`.
    """
    weights = 1.0 / np.bincount(labels, minlength=CLASSES)[labels]
    best: tuple[float, int, np.ndarray, np.ndarray] | None = None
    for feature in range(rows.shape[1]):
        edges = np.unique(np.quantile(rows[:, feature], CUTS))
        for i, low in enumerate(edges):
            for high in edges[i:]:
                cuts = np.array([low, high])
                part = np.searchsorted(cuts, rows[:, feature])
                mass = np.zeros((CLASSES, CLASSES))
                np.add.at(mass, (part, labels), weights)
                right = float(mass.max(axis=1).sum())
                if best is None or right > best[0]:
                    best = (right, feature, cuts, mass.argmax(axis=1))
    assert best is not None
    return best[1:]


def _familiar(labelled: Labelled, told: np.ndarray, seed: int) -> dict[str, Any]:
    """Figures over compounds that are near enough to another family to be called familiar when theirs is left out."""
    near = family_distances(labelled) <= read_learnt().farthest
    return {"share": float(near.mean()), **accuracy(_only(labelled, near), told[:, near], seed)}


def _largest(labelled: Labelled, told: np.ndarray) -> dict[str, Any]:
    """What becomes of the families with most transitions when they are left out."""
    said = told.argmax(axis=2)
    names, counts = np.unique(labelled.families[labelled.labels == TRANSITION], return_counts=True)
    shown = {}
    for name, count in sorted(zip(names, counts, strict=True), key=lambda one: (-one[1], one[0])):
        if count < LARGE_FAMILY:
            break
        rows = (labelled.families == name) & (labelled.labels == TRANSITION)
        shown[str(name)] = {"transitions": int(count), "recall": float((said[:, rows] == TRANSITION).mean())}
    return shown


def _without_largest(labelled: Labelled, told: np.ndarray, seed: int) -> dict[str, Any]:
    """Figures over all but the family that holds most transitions."""
    names, counts = np.unique(labelled.families[labelled.labels == TRANSITION], return_counts=True)
    largest = names[counts.argmax()]
    rest = labelled.families != largest
    kept = _only(labelled, rest)
    means = [float(recalls(kept.labels, one).mean()) for one in told[:, rest].argmax(axis=2)]
    figure = accuracy(kept, told[:, rest], seed)["balanced_accuracy"]
    return {"family": str(largest), "balanced_accuracy": figure, "by_repeat": means}


def _only(labelled: Labelled, rows: np.ndarray) -> Labelled:
    return Labelled(
        labelled.formulas[rows],
        labelled.labels[rows],
        labelled.rows[rows],
        labelled.families[rows],
        labelled.kinds[rows],
    )
