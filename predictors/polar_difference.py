"""By how much does a polar crystal lie below its nonpolar parent, and how sure is that?

A weighted sum of the differences that potentials give, meV/atom, as one of the shipped fits says:

- SevenNet-l3i5 alone, as it is: the best by far where its package is installed;
- CHGNet 0.3.0 and 0.2.0 together: each alone is somewhat flat, and their largest errors are not the same. The two
  weights are all that is fitted (`polar_fit`), by least absolute deviation on DFT.

What else was tried and did not pass its test is told in the card, `polar_difference.md`. The sum is linear in
differences per atom: exchanging the ends turns the sign, equal ends give zero, and rotation, origin, order of atoms
and size of the cell change nothing.

The error grows with the difference and with the disagreement of the potentials; it was calibrated on families of
chemistry that the fit had not seen. Geometries are taken as they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from ..core.contracts import EnergyDifference, Potential
from ..core.errors import InputError
from ..core.settings import data_file
from .chgnet.earlier import EarlierCHGNet
from .chgnet.potential import CHGNetPotential

if TYPE_CHECKING:
    from pymatgen.core import Structure

TABLE = "polar_difference.json"
FORMAT = "hysteron-polar-difference-1"
BEST = "sevennet-l3i5"
MEV_PER_EV = 1000.0

Pair = tuple["Structure", "Structure"]
"""The polar and the nonpolar end."""


class Energies(Protocol):
    """Total energies of many structures."""

    name: str

    def energies(self, structures: Sequence[Structure]) -> np.ndarray:
        """eV, shape `(nstructures,)`."""
        ...


@dataclass(frozen=True)
class Combination:
    """What was fitted.

    Attributes:
        members: Names of the potentials.
        weights: Of the differences they give, same length.
        floor: Width that is always there, meV/atom.
        growth: Square of the width per difference, meV/atom.
        disagreement: Width per spread of the members.
        sigma: Standard deviation over width.
        half: Half interval over width.
        coverage: Of that interval.
    """

    members: tuple[str, ...]
    weights: tuple[float, ...]
    floor: float
    growth: float
    disagreement: float
    sigma: float
    half: float
    coverage: float

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """As JSON has it.

        Raises:
            ValueError: weights and members differ in number.
        """
        found = cls(**{**values, "members": tuple(values["members"]), "weights": tuple(values["weights"])})
        if len(found.members) != len(found.weights) or not found.members:
            raise ValueError(f"{len(found.members)} members have {len(found.weights)} weights")
        return found

    def values(self, members: np.ndarray) -> np.ndarray:
        """Combined differences, meV/atom, shape `(n,)`, from those of the members, shape `(n, nmembers)`."""
        return members @ np.array(self.weights)

    def widths(self, members: np.ndarray) -> np.ndarray:
        """How wrong they may be up to a factor, meV/atom, shape `(n,)`."""
        return width(self.values(members), spread(members), self.floor, self.growth, self.disagreement)


class PolarDifference:
    """Energy differences of polar and nonpolar ends, by one potential or by two together."""

    def __init__(self, potential: Potential | None = None, table: Path | None = None) -> None:
        """By the fit that goes with a potential.

        Args:
            potential: Of the run; by default CHGNet 0.3.0.
            table: Of fits; by default the shipped one.

        Raises:
            InputError: no fit goes with the potential, or the table cannot be read.
            MissingDataError: there is no such table.
        """
        used = potential or CHGNetPotential()
        fits = read_fits(table)
        first = next((fit for fit in fits if fit.members[0] == bare_name(used.name)), None)
        if first is None:
            raise InputError(
                f"No polar differences were calibrated with {used.name}, only with "
                f"{', '.join(fit.members[0] for fit in fits)}: its difference has no interval."
            )
        self.combination = first
        self.members: list[Energies] = [as_energies(used), *map(_companion, first.members[1:])]

    @property
    def method(self) -> str:
        """As written in `PropertyValue.method`."""
        parts = zip(self.combination.weights, self.combination.members, strict=True)
        return " + ".join(name if weight == 1 else f"{weight:.2f} {name}" for weight, name in parts)

    def differences(self, pairs: Sequence[Pair]) -> list[EnergyDifference | InputError]:
        """One result per pair of (polar, nonpolar), in order.

        Returns:
            The difference, or in its place why there is none: other compositions, an unknown element.
        """
        results: list[EnergyDifference | InputError | None] = [_refusal(*pair) for pair in pairs]
        asked = [i for i, result in enumerate(results) if result is None]
        for i, row in zip(asked, self._rows([pairs[i] for i in asked]), strict=True):
            results[i] = row if isinstance(row, InputError) else self._difference(row)
        return [result for result in results if result is not None]

    def member_differences(self, pairs: Sequence[Pair]) -> np.ndarray:
        """What each member gives, meV/atom, shape `(npairs, nmembers)`.

        Raises:
            InputError: a potential cannot treat one of the structures.
        """
        structures = [structure for pair in pairs for structure in pair]
        sizes = np.array([len(structure) for structure in structures], dtype=float)
        columns = []
        for member in self.members:
            per_atom = (member.energies(structures) / sizes).reshape(-1, 2)
            columns.append(MEV_PER_EV * (per_atom[:, 0] - per_atom[:, 1]))
        return np.stack(columns, axis=1)

    def _rows(self, pairs: Sequence[Pair]) -> list[np.ndarray | InputError]:
        """All at once; one by one only if something among them is refused."""
        try:
            return list(self.member_differences(pairs))
        except InputError as error:
            if len(pairs) == 1:
                return [error]
            return [self._rows([pair])[0] for pair in pairs]

    def _difference(self, row: np.ndarray) -> EnergyDifference:
        fit = self.combination
        value, scale = float(fit.values(row[None])[0]), float(fit.widths(row[None])[0])
        return EnergyDifference(
            value=value,
            uncertainty=scale * fit.sigma,
            interval=(value - scale * fit.half, value + scale * fit.half),
            coverage=fit.coverage,
            members=dict(zip(fit.members, (float(x) for x in row), strict=True)),
        )


def read_fits(path: Path | None = None) -> list[Combination]:
    """The shipped fits, or those of a file of the user's.

    Raises:
        InputError: the file is no such table.
        MissingDataError: there is no such file.
    """
    file = data_file(TABLE, path)
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        if table["format"] != FORMAT:
            raise ValueError(f"its format is {table['format']!r}, wanted {FORMAT!r}")
        return [Combination.from_dict(fit) for fit in table["fits"]]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{file} is no table of polar differences: {error}") from None


def as_energies(potential: Potential) -> Energies:
    """A potential asked for energies alone, the quick way if it has one."""
    return potential if hasattr(potential, "energies") else _ByCalculation(potential)  # type: ignore[return-value]


def bare_name(name: str) -> str:
    """Name of a potential without the version of its package: `SevenNet-l3i5 (sevenn 0.13.0)` is `SevenNet-l3i5`."""
    return name.partition(" (")[0]


class _ByCalculation:
    """Energies of a potential that only knows whole calculations."""

    def __init__(self, potential: Potential) -> None:
        self.potential = potential
        self.name = potential.name

    def energies(self, structures: Sequence[Structure]) -> np.ndarray:
        """eV, shape `(nstructures,)`."""
        return np.array([result.energy for result in self.potential.calculate(structures)])


def _companion(name: str) -> Energies:
    """A further member of a combination.

    Raises:
        InputError: it is not known.
    """
    if name != EarlierCHGNet.name:
        raise InputError(
            f"A table of polar differences names {name}; known beside CHGNet is {EarlierCHGNet.name}."
        )
    return EarlierCHGNet()


def spread(members: np.ndarray) -> np.ndarray:
    """Largest less smallest of the members' differences, meV/atom, shape `(n,)`."""
    return members.max(axis=1) - members.min(axis=1)


def width(
    values: np.ndarray, spreads: np.ndarray, floor: float, growth: float, disagreement: float
) -> np.ndarray:
    """Root of the sum of a constant, of a part that goes as the difference and of one that goes as the spread squared.

    The error of a difference of 50 meV/atom is not ten times that of 5: its square grows as the difference.

    Args:
        values: Combined differences, meV/atom, shape `(n,)`.
        spreads: Of the members, meV/atom, shape `(n,)`.
        floor: meV/atom.
        growth: meV/atom.
        disagreement: No unit.
    """
    return np.sqrt(floor**2 + growth * np.abs(values) + (disagreement * spreads) ** 2)


def _refusal(polar: Structure, nonpolar: Structure) -> InputError | None:
    ends = [end.composition.reduced_formula for end in (polar, nonpolar)]
    if ends[0] == ends[1]:
        return None
    return InputError(
        f"The polar end is {ends[0]} and the nonpolar one {ends[1]}; they must be one compound."
    )
