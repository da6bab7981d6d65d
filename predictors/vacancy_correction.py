"""What would DFT say of an oxygen vacancy, given what the potential says of it and of the host?

The potential's own vacancy energies rank hosts well and miss DFT by an electronvolt, mostly by what it does not see: where the
two electrons go that the oxygen leaves behind. What it has learnt of an oxygen atom in the host tells that better. So the
correction is a Gaussian process: the potential's energy, plus a straight line in it, plus a smooth function of the mean of
CHGNet's features over the host's oxygen atoms (64 numbers an atom, from which it reads its energy). Far from the hosts it has
learnt from the smooth part fades. There is no answer then, nor for another element than oxygen, nor for other compounds than
ABO3 (three oxygen atoms for two cations, of two elements or more): of those nothing has been learnt.

Learnt from Emery and Wolverton's ABO3 near the hull (`vacancy_fit`); the card, `vacancy_correction.md`, tells how well, and
what else was tried. Supercell, setting and order of atoms of the host change nothing.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), equations 2.25 and 2.26.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from ..core.contracts import Potential, VacancyEnergy
from ..core.errors import InputError
from ..core.settings import data_file
from .chgnet.potential import CHGNetPotential

if TYPE_CHECKING:
    from pymatgen.core import Structure

TABLE = "vacancy_correction.json"
FORMAT = "hysteron-vacancy-correction-1"
ELEMENT = "O"
ATOMIC_NUMBER = 8
OXYGEN_SHARE = 0.6
"""Of the atoms of ABO3."""
SAME_SHARE = 1e-3


class Features(Protocol):
    """A potential that tells what it has learnt of each atom."""

    name: str

    def features(self, structures: Sequence[Structure]) -> list[np.ndarray]:
        """Shapes `(nsites, width)`."""
        ...


@dataclass(frozen=True)
class Shape:
    """How the correction varies, eV unless said otherwise.

    Attributes:
        slope: Of the straight line, per standard deviation of the potential's energies.
        amplitude: Of the smooth function.
        length: Over which it varies, in root mean square standard deviations of the features (no unit).
        noise: What no smooth function explains.
    """

    slope: float
    amplitude: float
    length: float
    noise: float


@dataclass(frozen=True, eq=False)
class VacancyFit:
    """What was learnt.

    Attributes:
        potential: Whose energies and features these are.
        shape: Of the correction.
        features: Of the hosts learnt from, standardised, shape `(n, width)`.
        feature_mean, feature_scale: By which features are standardised, shape `(width,)`.
        energies: Of the hosts by the potential, standardised, shape `(n,)`.
        energy_mean, energy_scale: By which they are, eV.
        corrections: DFT's less the potential's energies less `mean`, eV, shape `(n,)`.
        mean: Of these differences, eV.
        sigma: One standard deviation over the process's own.
        half: Half interval over that.
        coverage: Of the interval.
        farthest: Root mean square distance to the nearest host, in standard deviations, beyond which nothing is said.
        energy_range: Lowest and highest energy by the potential among the hosts, eV.
    """

    potential: str
    shape: Shape
    features: np.ndarray
    feature_mean: np.ndarray
    feature_scale: np.ndarray
    energies: np.ndarray
    energy_mean: float
    energy_scale: float
    corrections: np.ndarray
    mean: float
    sigma: float
    half: float
    coverage: float
    farthest: float
    energy_range: tuple[float, float]

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """As JSON has it."""
        arrays = {
            name: np.array(values[name], dtype=float)
            for name in ("features", "feature_mean", "feature_scale", "energies", "corrections")
        }
        low, high = values["energy_range"]
        fit = cls(**{**values, **arrays, "shape": Shape(**values["shape"]), "energy_range": (low, high)})
        if fit.features.shape != (len(fit.corrections), len(fit.feature_mean)):
            raise ValueError(f"features have the shape {fit.features.shape}")
        return fit

    def to_dict(self) -> dict[str, Any]:
        """For JSON, five significant digits of what is an array."""
        values = asdict(self) | {"shape": asdict(self.shape), "energy_range": list(self.energy_range)}
        return {k: _rounded(v) if isinstance(v, np.ndarray) else v for k, v in values.items()}

    @cached_property
    def inverse(self) -> np.ndarray:
        """Of the covariance of the hosts, shape `(n, n)`."""
        noise = self.shape.noise**2 * np.eye(len(self.energies))
        return np.linalg.inv(self.covariance(self.energies, self.features) + noise)

    def covariance(self, energies: np.ndarray, features: np.ndarray) -> np.ndarray:
        """With the hosts, eV^2, shape `(m, n)`, of standardised energies `(m,)` and features `(m, width)`."""
        shape = self.shape
        apart = mean_square_distances(features, self.features)
        line = shape.slope**2 * np.outer(energies, self.energies)
        return line + shape.amplitude**2 * np.exp(-apart / (2 * shape.length**2))

    def corrected(self, energies: np.ndarray, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies as DFT would have them and the process's standard deviations, eV, shapes `(m,)`.

        Args:
            energies: By the potential, eV, shape `(m,)`.
            features: Mean over the oxygen atoms of the host, shape `(m, width)`.
        """
        z, x = self.standardised(energies, features)
        covariance = self.covariance(z, x)
        own = self.shape.slope**2 * z**2 + self.shape.amplitude**2 + self.shape.noise**2
        explained = np.einsum("mi,ij,mj->m", covariance, self.inverse, covariance)
        values = energies + self.mean + covariance @ self.inverse @ self.corrections
        return values, np.sqrt(np.maximum(own - explained, self.shape.noise**2))

    def distances(self, features: np.ndarray) -> np.ndarray:
        """Root mean square distance to the nearest host, in standard deviations, shape `(m,)`."""
        x = (features - self.feature_mean) / self.feature_scale
        return np.sqrt(mean_square_distances(x, self.features).min(axis=1))

    def standardised(self, energies: np.ndarray, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `covariance` wants them."""
        return (
            (energies - self.energy_mean) / self.energy_scale,
            (features - self.feature_mean) / self.feature_scale,
        )


class VacancyCorrection:
    """Oxygen vacancy energies of CHGNet brought closer to DFT's; implements `core.contracts.VacancyCorrection`."""

    def __init__(self, potential: Potential | None = None, table: Path | None = None) -> None:
        """By the fit that goes with a potential.

        Args:
            potential: Of the run; by default CHGNet 0.3.0.
            table: Of the fit; by default the shipped one.

        Raises:
            InputError: the fit is of another potential, or the table cannot be read.
            MissingDataError: there is no such table.
        """
        used = potential or CHGNetPotential()
        self.fit, self.source = read_fit(table)
        if used.name != self.fit.potential or not hasattr(used, "features"):
            raise InputError(
                f"Vacancy energies were calibrated with {self.fit.potential} alone, not with {used.name}: "
                "its own count as they are."
            )
        self.potential: Features = used  # type: ignore[assignment]

    @property
    def method(self) -> str:
        """As written in `PropertyValue.method`."""
        return f"corrected to {self.source}"

    def corrected(self, host: Structure, element: str, energy: float) -> VacancyEnergy | None:
        """The corrected energy of the cheapest vacancy; see `core.contracts.VacancyCorrection`.

        Args:
            host: At rest by the potential, without the vacancy.
            element: What is taken out; only oxygen has been learnt.
            energy: By the potential alone, eV, at the chemical potential of the element's reference phase.
        """
        if element != ELEMENT or not is_abo3(host):
            return None
        features = oxygen_features(self.potential, [host])
        if not self._familiar(float(energy), features):
            return None
        values, deviations = self.fit.corrected(np.array([float(energy)]), features)
        value, deviation = float(values[0]), float(deviations[0])
        half = deviation * self.fit.half
        return VacancyEnergy(
            value=value,
            uncertainty=deviation * self.fit.sigma,
            interval=(value - half, value + half),
            coverage=self.fit.coverage,
        )

    def _familiar(self, energy: float, features: np.ndarray) -> bool:
        low, high = self.fit.energy_range
        return low <= energy <= high and float(self.fit.distances(features)[0]) <= self.fit.farthest


def is_abo3(host: Structure) -> bool:
    """Whether there are three oxygen atoms for two cations, of two elements or more; in any structure."""
    share = host.composition.get_atomic_fraction(ELEMENT)
    return abs(share - OXYGEN_SHARE) < SAME_SHARE and len(host.symbol_set) > 2


def oxygen_features(potential: Features, hosts: Sequence[Structure]) -> np.ndarray:
    """What the potential has learnt of the oxygen atoms of each host, their mean, shape `(nhosts, width)`."""
    found = potential.features(hosts)
    return np.stack(
        [
            np.asarray(rows, dtype=float)[np.array(host.atomic_numbers) == ATOMIC_NUMBER].mean(axis=0)
            for host, rows in zip(hosts, found, strict=True)
        ]
    )


def mean_square_distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Mean over the features of squared differences, shape `(m, n)`, of `(m, width)` and `(n, width)`."""
    square = (one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * one @ other.T
    return np.maximum(square, 0.0) / one.shape[1]


def read_fit(path: Path | None = None) -> tuple[VacancyFit, str]:
    """The shipped fit, or that of a file of the user's, and in a few words what it was fitted to.

    Raises:
        InputError: the file is no such table.
        MissingDataError: there is no such file.
    """
    file = data_file(TABLE, path)
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        if table["format"] != FORMAT:
            raise ValueError(f"its format is {table['format']!r}, wanted {FORMAT!r}")
        return VacancyFit.from_dict(table["fit"]), str(table["target"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{file} is no table of vacancy corrections: {error}") from None


def _rounded(values: np.ndarray) -> list[Any]:
    return [_rounded(v) if v.ndim else float(f"{float(v):.5g}") for v in map(np.asarray, values)]
