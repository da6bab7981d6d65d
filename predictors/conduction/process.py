"""How localised are a compound's electrons, on a line from metal to insulator, and how sure is that?

A Gaussian process with targets -1 for metals, 0 for transitions and +1 for insulators: a transition lies between the two, so
what is known of metals and insulators says where transitions are, also in families none of which has been seen. Rows
weigh so that the three classes weigh alike. Two thresholds and a width turn mean and variance into three probabilities
(an ordered probit); far from all rows the variance is large and no class is likely.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), equations 2.25 and 2.26 and section 3.9 (probit);
ordered thresholds: Chu and Ghahramani, J. Mach. Learn. Res. 6, 1019 (2005).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

METAL, INSULATOR, TRANSITION = 0, 1, 2
"""Columns of probabilities, and labels of the table."""
TARGETS = np.array([-1.0, 1.0, 0.0])
CLASSES = 3


@dataclass(frozen=True)
class Shape:
    """How the line varies with the features.

    Attributes:
        length: Over which it varies, in root mean square standard deviations of the features.
        noise: Variance of the targets around it, for a row of mean weight.
    """

    length: float
    noise: float


@dataclass(frozen=True)
class Thresholds:
    """Where classes begin on the line.

    Attributes:
        low: Metals lie below.
        high: Insulators lie above.
        width: One standard deviation of a compound around its place.
    """

    low: float
    high: float
    width: float

    def probabilities(self, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """Of metal, insulator and transition if all three are equally frequent, shape `(n, 3)`.

        Args:
            mean: Places on the line, shape `(n,)`.
            variance: Of these, shape `(n,)`.
        """
        spread = np.sqrt(variance + self.width**2)
        metal = _normal((self.low - mean) / spread)
        insulator = _normal((mean - self.high) / spread)
        return np.column_stack([metal, insulator, np.clip(1 - metal - insulator, 0, 1)])


@dataclass(frozen=True, eq=False)
class Process:
    """What was learnt.

    Attributes:
        rows: Features of the compounds learnt from, shape `(n, width)`.
        labels: Their classes, shape `(n,)`.
        shape: Of the line.
    """

    rows: np.ndarray
    labels: np.ndarray
    shape: Shape

    @cached_property
    def weights(self) -> np.ndarray:
        """Of the rows: mean 1, each class with the same sum, shape `(n,)`."""
        counts = np.bincount(self.labels, minlength=CLASSES)
        present = np.count_nonzero(counts)
        return len(self.labels) / (present * counts[self.labels])

    def places(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance on the line, shapes `(m,)`; the variance is 1 far from everything and near 0 amid rows.

        Args:
            features: Shape `(m, width)`.
        """
        near = self._covariance(self._standardised(features))
        explained = np.einsum("mi,ij,mj->m", near, self._inverse, near)
        return self._mean + near @ self._pull, np.maximum(1 - explained, 0.0)

    def distances(self, features: np.ndarray) -> np.ndarray:
        """To the most alike row, in root mean square standard deviations, shape `(m,)`."""
        return np.sqrt(_square_distances(self._standardised(features), self._standard_rows).min(axis=1))

    @cached_property
    def _scale(self) -> tuple[np.ndarray, np.ndarray]:
        spread = self.rows.std(axis=0)
        return self.rows.mean(axis=0), np.where(spread > 0, spread, 1.0)

    def _standardised(self, features: np.ndarray) -> np.ndarray:
        mean, spread = self._scale
        return (features - mean) / spread

    @cached_property
    def _standard_rows(self) -> np.ndarray:
        return self._standardised(self.rows)

    def _covariance(self, features: np.ndarray) -> np.ndarray:
        return np.exp(-_square_distances(features, self._standard_rows) / (2 * self.shape.length**2))

    @cached_property
    def _inverse(self) -> np.ndarray:
        covariance = self._covariance(self._standard_rows)
        return np.linalg.inv(covariance + np.diag(self.shape.noise / self.weights))

    @cached_property
    def _mean(self) -> float:
        return float(np.average(TARGETS[self.labels], weights=self.weights))

    @cached_property
    def _pull(self) -> np.ndarray:
        return self._inverse @ (TARGETS[self.labels] - self._mean)


@dataclass(frozen=True, eq=False)
class Fitted:
    """Several processes of different shapes over the same compounds; their probabilities are averaged.

    Attributes:
        rows: Features of the compounds learnt from, shape `(n, width)`.
        labels: Their classes, shape `(n,)`.
        members: The shape of each process, with its thresholds.
    """

    rows: np.ndarray
    labels: np.ndarray
    members: tuple[tuple[Shape, Thresholds], ...]

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Of metal, insulator and transition if all three are equally frequent, shape `(m, 3)`.

        Args:
            features: Shape `(m, width)`.
        """
        told = [
            thresholds.probabilities(*process.places(features))
            for process, (_, thresholds) in zip(self._processes, self.members, strict=True)
        ]
        return np.mean(told, axis=0)

    def distances(self, features: np.ndarray) -> np.ndarray:
        """To the most alike compound learnt from, in root mean square standard deviations, shape `(m,)`."""
        return self._processes[0].distances(features)

    @cached_property
    def _processes(self) -> list[Process]:
        return [Process(self.rows, self.labels, shape) for shape, _ in self.members]


def _square_distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Mean over features of the squared differences, shape `(m, n)`."""
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    return np.maximum(squares, 0.0) / one.shape[1]


def _normal(values: np.ndarray) -> np.ndarray:
    """Cumulative standard normal distribution."""
    return np.array([0.5 * (1 + math.erf(value / math.sqrt(2))) for value in values])
