"""How much of a total energy is explained by the elements alone?

Total energies of different settings differ first of all by a constant for each element. A model is trained on what is
left once these are taken away; the constants are fitted for each fidelity on its own frames, since none are published
for all of them. They are no elemental reference phases: formation energies need those (`potentials.references`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ...core.energy_scales import require_one_scale
from ...core.errors import EnergyScaleError, InputError
from .checked import HEAVIEST
from .records import Frame

RIDGE = 1e-8
"""Share of the mean of the diagonal that is added to it where the equations have no unique solution."""


@dataclass(frozen=True)
class LinearReferences:
    """Energies of the elements that best explain the totals of one fidelity.

    Attributes:
        fidelity: Whose totals.
        energies: eV/atom by atomic number; an element that no frame had is absent.
        frames: How many they were fitted on.
        rms_before: Spread of the energies per atom about their mean, eV/atom.
        rms_after: Root mean square of what is left, eV/atom.
        remark: Says so where elements always come together, so that only their sum is told; else empty.
    """

    fidelity: str
    energies: Mapping[int, float]
    frames: int
    rms_before: float
    rms_after: float
    remark: str = ""

    def total(self, numbers: np.ndarray) -> float:
        """What the elements of a cell amount to, eV.

        Raises:
            EnergyScaleError: an element was not in the frames of the fit; it is never filled with 0.
        """
        absent = sorted({int(z) for z in numbers} - self.energies.keys())
        if absent:
            told = ", ".join(map(str, absent))
            raise EnergyScaleError(f"No energy of {self.fidelity} was fitted for the atomic numbers {told}.")
        return float(sum(self.energies[int(z)] for z in numbers))

    def remove(self, frame: Frame) -> float:
        """Energy of a frame less that of its elements, eV.

        Raises:
            EnergyScaleError: it is of another fidelity, or has an element that was not fitted.
            InputError: it has no energy.
        """
        require_one_scale([self.fidelity, frame.fidelity], f"{frame.key} and the energies of elements")
        if frame.energy is None:
            raise InputError(f"{frame.key} has no energy.")
        return frame.energy - self.total(frame.cell.numbers)

    def restore(self, rest: float, numbers: np.ndarray) -> float:
        """The total energy of which `remove` left this, eV."""
        return rest + self.total(numbers)


def fit_linear_references(frames: Iterable[Frame]) -> LinearReferences:
    """The energies of elements with the least squares of error per atom.

    Memory does not grow with the frames: the normal equations of the shares of the elements are summed up. Frames
    without an energy are passed over.

    Raises:
        InputError: no frame has an energy.
        EnergyScaleError: they are of more than one fidelity.
    """
    gram = np.zeros((HEAVIEST + 1, HEAVIEST + 1))
    moment = np.zeros(HEAVIEST + 1)
    count, first, fidelity = 0, 0.0, ""
    total = squares = 0.0
    for frame in frames:
        if frame.energy is None:
            continue
        fidelity = fidelity or frame.fidelity
        require_one_scale([fidelity, frame.fidelity], "Frames of one fit")
        atoms, shares = _shares(frame)
        per_atom = frame.energy / len(frame.cell.numbers)
        first = per_atom if count == 0 else first
        gram[np.ix_(atoms, atoms)] += np.outer(shares, shares)
        moment[atoms] += shares * (per_atom - first)
        total, squares, count = total + per_atom - first, squares + (per_atom - first) ** 2, count + 1
    if count == 0:
        raise InputError("No frame has an energy; there is nothing to fit the energies of elements on.")
    present = np.flatnonzero(np.diag(gram))
    solution, remark = _solved(gram[np.ix_(present, present)], moment[present])
    left = squares - 2 * solution @ moment[present] + solution @ gram[np.ix_(present, present)] @ solution
    return LinearReferences(
        fidelity=fidelity,
        energies={int(z): float(energy) + first for z, energy in zip(present, solution, strict=True)},
        frames=count,
        rms_before=float(np.sqrt(max(squares / count - (total / count) ** 2, 0.0))),
        rms_after=float(np.sqrt(max(left / count, 0.0))),
        remark=remark,
    )


def _shares(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Atomic numbers of a frame and the share of each, which add up to 1."""
    atoms, counts = np.unique(frame.cell.numbers, return_counts=True)
    return atoms, counts / counts.sum()


def _solved(gram: np.ndarray, moment: np.ndarray) -> tuple[np.ndarray, str]:
    rank = int(np.linalg.matrix_rank(gram, hermitian=True))
    if rank == len(gram):
        return np.linalg.solve(gram, moment), ""
    ridge = RIDGE * float(np.trace(gram)) / len(gram)
    remark = (
        f"The frames tell {rank} of {len(gram)} elements apart; a ridge of {ridge:.3g} decides for small "
        "energies where only a sum is told."
    )
    return np.linalg.solve(gram + ridge * np.eye(len(gram)), moment), remark
