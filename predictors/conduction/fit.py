"""How is the classifier of conduction fitted, and how well does it do on families it has not seen?

Data: 301 compounds labelled metal, insulator or transition (Georgescu et al., Chem. Mater. 33, 5591 (2021),
doi:10.1021/acs.chemmater.1c00905, MIT licence). Which shape of the process is best these few compounds cannot tell, so a range
of shapes is averaged. Their thresholds are fitted inside the compounds fitted to, by the likelihood of families left out with all
classes weighing alike: a family that is left out for the figures has decided nothing.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.errors import MissingDataError
from .families import family, kind
from .features import features
from .process import CLASSES, Fitted, Process, Shape, Thresholds

TABLE = "metal_insulator/imt_classification_full.csv.gz"
SHAPES = tuple(Shape(length, noise) for length in (0.4, 0.5, 0.7, 1.0) for noise in (0.05, 0.15))
"""Over which probabilities are averaged; shorter lengths know no family but their own, longer ones only a trend."""
FOLDS = 10
LEAST_PROBABILITY = 1e-3
"""A class is never given less when likelihoods are compared."""
START = (-0.33, np.log(0.66), np.log(0.3))
"""Low threshold, logarithms of the distance of thresholds and of the width, from which the search begins."""
WIDTH_BOUNDS = (np.log(0.1), np.log(1.5))
DISTANCE_BOUNDS = (np.log(0.1), np.log(1.8))


@dataclass(frozen=True, eq=False)
class Labelled:
    """Compounds with their class.

    Attributes:
        formulas: As published; some are fractional.
        labels: 0 metal, 1 insulator, 2 transition, shape `(n,)`.
        rows: Features, shape `(n, width)`.
        families: By the rule in `families`, shape `(n,)`.
        kinds: Coarser ones, shape `(n,)`.
    """

    formulas: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    families: np.ndarray
    kinds: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shares(self) -> np.ndarray:
        """How frequent each class is, shape `(3,)`."""
        return np.bincount(self.labels, minlength=CLASSES) / len(self)


def read_labelled(data_folder: Path) -> Labelled:
    """The table; of its columns formula and label alone.

    Raises:
        MissingDataError: it is not there.
    """
    from pymatgen.core import Composition

    path = data_folder / TABLE
    if not path.is_file():
        raise MissingDataError(f"There is no table of metals and insulators at {path}.")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        table = [(row["Compound"], int(row["Label"])) for row in csv.DictReader(lines)]
    compositions = [Composition(formula) for formula, _ in table]
    return Labelled(
        formulas=np.array([formula for formula, _ in table]),
        labels=np.array([label for _, label in table]),
        rows=np.array([features(composition) for composition in compositions]),
        families=np.array([family(composition) for composition in compositions]),
        kinds=np.array([kind(composition) for composition in compositions]),
    )


def fit(rows: np.ndarray, labels: np.ndarray, families: np.ndarray, rng: np.random.Generator) -> Fitted:
    """All processes, each with the thresholds that tell families left out best.

    Args:
        rows: Features, shape `(n, width)`.
        labels: Shape `(n,)`.
        families: Shape `(n,)`.
        rng: Deals families to folds.
    """
    folds = grouped_folds(families, FOLDS, rng)
    members = []
    for shape in SHAPES:
        places = _places_left_out(rows, labels, folds, shape)
        members.append((shape, fit_thresholds(*places, labels)))
    return Fitted(rows, labels, tuple(members))


def fit_thresholds(mean: np.ndarray, variance: np.ndarray, labels: np.ndarray) -> Thresholds:
    """Those under which the labels are most likely, each class weighing alike.

    Args:
        mean: Places on the line of rows left out, shape `(n,)`.
        variance: Of these, shape `(n,)`.
        labels: Shape `(n,)`.
    """
    from scipy.optimize import minimize

    def thresholds(values: np.ndarray) -> Thresholds:
        low, distance, width = values
        return Thresholds(float(low), float(low + np.exp(distance)), float(np.exp(width)))

    found = minimize(
        lambda values: _cost(thresholds(values).probabilities(mean, variance), labels),
        START,
        method="L-BFGS-B",
        bounds=[(-1.0, 0.5), DISTANCE_BOUNDS, WIDTH_BOUNDS],
    )
    return thresholds(found.x)


def predicted_left_out(
    labelled: Labelled, groups: np.ndarray, seed: int, repeats: int, folds: int = FOLDS
) -> np.ndarray:
    """Probabilities of compounds whose group was not fitted to, shape `(repeats, n, 3)`.

    Groups that are not families (formulas) are left out for the figures alone; thresholds are always fitted to families left out.

    Args:
        labelled: Compounds.
        groups: Shape `(n,)`.
        seed: Of the folds.
        repeats: How often groups are dealt to folds anew.
        folds: Into how many.
    """
    told = np.zeros((repeats, len(labelled), CLASSES))
    for repeat in range(repeats):
        rng = np.random.default_rng(np.random.SeedSequence([seed, repeat]))
        dealt = grouped_folds(groups, folds, rng)
        for fold in range(folds):
            out = dealt == fold
            fitted = fit(labelled.rows[~out], labelled.labels[~out], labelled.families[~out], rng)
            told[repeat, out] = fitted.probabilities(labelled.rows[out])
    return told


def grouped_folds(groups: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """A fold for each row, the same for all of a group and about equally large, shape `(n,)`.

    Large groups go first, each to the emptiest fold, so chance deals only groups of one size.
    """
    names, sizes = np.unique(groups, return_counts=True)
    order = rng.permutation(len(names))
    loads, where = np.zeros(count), {}
    for i in sorted(order, key=lambda i: -sizes[i]):
        fold = int(loads.argmin())
        where[names[i]] = fold
        loads[fold] += sizes[i]
    return np.array([where[name] for name in groups])


def recalls(labels: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Share of each class that is told right, shape `(3,)`; not a number for a class without rows."""
    with np.errstate(invalid="ignore"):
        return np.array([_share(said[labels == one] == one) for one in range(CLASSES)])


def _share(hits: np.ndarray) -> float:
    return float(hits.mean()) if len(hits) else float("nan")


def _places_left_out(
    rows: np.ndarray, labels: np.ndarray, folds: np.ndarray, shape: Shape
) -> tuple[np.ndarray, np.ndarray]:
    mean, variance = np.zeros(len(labels)), np.zeros(len(labels))
    for fold in np.unique(folds):
        out = folds == fold
        mean[out], variance[out] = Process(rows[~out], labels[~out], shape).places(rows[out])
    return mean, variance


def _cost(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean over classes of the mean negative logarithm of the probability of the true class."""
    true = np.maximum(probabilities[np.arange(len(labels)), labels], LEAST_PROBABILITY)
    return float(np.mean([-np.log(true[labels == one]).mean() for one in np.unique(labels)]))
