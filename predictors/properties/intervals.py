"""How wide is an interval that holds the truth in nine cases of ten?

Split-conformal: the error on crystals that were not trained on, divided by a width that grows with the spread of the
heads and the distance from the training crystals, has a quantile per class of chemistry; that quantile times the width is the
half interval. Each half of these crystals is judged by a width fitted to the other half, so that all of them give quantiles and
none is judged by what it taught; the width that is kept is fitted to all.
Off the known chemistry the heads agree in error, so a class that no calibrating crystal belonged to is judged by distance alone:
its half interval is the distance times the largest of the classes' quantiles of error over distance, in any release, since
classes differ among themselves as a further one would.
Sources: Lei et al., J. Am. Stat. Assoc. 113, 1094 (2018), doi:10.1080/01621459.2017.1307116 (sec. 5.2, locally weighted);
Vovk, PMLR 25, 475 (2012) (one quantile per class); Vovk, Ann. Math. Artif. Intell. 74, 9 (2015), doi:10.1007/s10472-013-9368-4
(cross-conformal: folds that calibrate one another); Dunn, Wasserman and Ramdas, J. Am. Stat. Assoc. 118, 2491 (2023),
doi:10.1080/01621459.2022.2060112 (a new group among exchangeable groups).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

COVERAGE = 0.9
ONE_SIGMA = 0.6827
STEEPEST = 1.0  # power of spread or distance; a steeper law, fitted near zero, explodes elsewhere
SMALLEST_CLASS = 60  # crystals of a class below which the quantile of all is used
SMALLEST_COMPARED = 15  # crystals of a class below which it says nothing of a class never met
SMALLEST = 1e-4


@dataclass
class Intervals:
    """Of one output of one head, on the head's scale.

    Attributes:
        constant, spread, distance: Coefficients of the logarithm of the width.
        quantiles: Half interval over width that holds `COVERAGE`, by class of chemistry; `""` for every other class.
        sigmas: The same for one standard deviation of a normal error.
        met: Classes that calibrated, however few their crystals; where none are listed, all count as met.
        unmet: Half interval and standard deviation over distance, of every other class.
    """

    constant: float = 0.0
    spread: float = 0.0
    distance: float = 0.0
    quantiles: dict[str, float] = field(default_factory=dict)
    sigmas: dict[str, float] = field(default_factory=dict)
    met: list[str] = field(default_factory=list)
    unmet: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        self.unmet = (float(self.unmet[0]), float(self.unmet[1]))  # JSON has lists for tuples

    @classmethod
    def fit(
        cls,
        errors: np.ndarray,
        spreads: np.ndarray,
        distances: np.ndarray,
        classes: Sequence[str],
        first_half: np.ndarray,
    ) -> Intervals:
        """From absolute errors of held-out crystals.

        Args:
            errors: Shape `(n,)`, on the head's scale.
            spreads: Standard deviation over the heads, shape `(n,)`.
            distances: From the training crystals, shape `(n,)`.
            classes: Of chemistry, length `n`.
            first_half: Which crystals are one fold; the others are the other. Shape `(n,)`, bool.
        """
        found = cls(*_width(errors, spreads, distances))
        scores = np.zeros(len(errors))
        for taught, judged in ((first_half, ~first_half), (~first_half, first_half)):
            fold = cls(*_width(errors[taught], spreads[taught], distances[taught]))
            scores[judged] = errors[judged] / fold.widths(spreads[judged], distances[judged])
        labels = np.array(classes)
        for name in ["", *sorted(set(classes))]:
            chosen = scores[labels == name] if name else scores
            if not name or len(chosen) >= SMALLEST_CLASS:
                found.quantiles[name] = conformal_quantile(chosen, COVERAGE)
                found.sigmas[name] = conformal_quantile(chosen, ONE_SIGMA)
        found.met = sorted(set(classes))
        relative = errors / np.maximum(distances, SMALLEST)
        of_classes = [relative[labels == name] for name in found.met]
        compared = [relative, *(some for some in of_classes if len(some) >= SMALLEST_COMPARED)]
        found.unmet = (
            max(conformal_quantile(some, COVERAGE) for some in compared),
            max(conformal_quantile(some, ONE_SIGMA) for some in compared),
        )
        return found

    def widths(self, spreads: np.ndarray, distances: np.ndarray) -> np.ndarray:
        """Width of each crystal, on the head's scale, shape `(n,)`."""
        return np.exp(self.constant + self.spread * _log(spreads) + self.distance * _log(distances))

    def half(
        self, spreads: np.ndarray, distances: np.ndarray, classes: Sequence[str]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Half interval and standard deviation of each crystal, on the head's scale, shapes `(n,)`."""
        widths = self.widths(spreads, distances)
        default, sigma = self.quantiles[""], self.sigmas[""]
        halves = widths * np.array([self.quantiles.get(name, default) for name in classes])
        sigmas = widths * np.array([self.sigmas.get(name, sigma) for name in classes])
        unmet = np.array([bool(self.met) and name not in self.met for name in classes], dtype=bool)
        far = np.maximum(distances, SMALLEST)
        return np.where(unmet, far * self.unmet[0], halves), np.where(unmet, far * self.unmet[1], sigmas)

    def as_dict(self) -> dict:
        """As JSON has it."""
        return asdict(self)


def with_common_unmet(outputs: Sequence[Intervals]) -> list[Intervals]:
    """The outputs of one head, with the widest of their intervals for a class that was never met.

    They tell one quantity by several releases: what a strange chemistry does to one of them it may do to all, but a release that
    few classes of crystals calibrated shows little of it.
    """
    known = [output.unmet for output in outputs if output.quantiles]
    if not known:
        return list(outputs)
    widest = (max(half for half, _ in known), max(sigma for _, sigma in known))
    return [replace(output, unmet=widest) if output.quantiles else output for output in outputs]


def _width(errors: np.ndarray, spreads: np.ndarray, distances: np.ndarray) -> tuple[float, float, float]:
    """Constant, and powers of spread and distance, of a width by least squares of its logarithm; no power is negative."""
    design = np.stack([np.ones(len(errors)), _log(spreads), _log(distances)], axis=1)
    wanted = _log(errors)
    columns = [0, 1, 2]
    while True:
        weights = np.zeros(3)
        weights[columns] = np.linalg.lstsq(design[:, columns], wanted, rcond=None)[0]
        negative = [c for c in columns[1:] if weights[c] < 0]
        if not negative:
            break
        columns.remove(negative[0])
    spread, distance = (float(min(weight, STEEPEST)) for weight in weights[1:])
    constant = float(np.mean(wanted - design[:, 1:] @ np.array([spread, distance]))) if len(errors) else 0.0
    return constant, spread, distance


def conformal_quantile(scores: np.ndarray, coverage: float) -> float:
    """The score that a further crystal stays below with at least this probability.

    Returns:
        The `ceil((n + 1) * coverage)`-th smallest; the largest if there are too few.
    """
    rank = math.ceil((len(scores) + 1) * coverage)
    return float(np.sort(scores)[min(rank, len(scores)) - 1])


def _log(values: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(values, SMALLEST))
