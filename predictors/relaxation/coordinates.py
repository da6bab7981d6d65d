"""Which numbers move when a crystal relaxes, what pulls at them, and when is the crystal at rest?

A move is one vector: three numbers per atom, then the nine of a strain. `LocalCoordinates` take it from
the current geometry (for quasi-Newton methods), `FrechetCoordinates` from the first one through the
logarithm of the deformation, which are the numbers of ASE's FrechetCellFilter. What may move is said by a
`Freedom`: the cell free, at fixed volume or fixed; the pressure; a space group that is kept.

At rest: the largest force on an atom (eV/A) and the largest row of the force on the cell per atom,
-V (stress + p) / nsites (eV), lie below fmax. ASE's filter compares with fmax the same rows after they were
carried back to the first geometry: with F the deformation since then and U its logarithm, forces F and the
derivative by U. For small strains the two differ by the strain (2% strain: 2% of the force). `max_force`
is the larger of both, so whoever is at rest here is at rest for ASE, FrechetCellFilter and fmax too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.linalg import expm

from ...core.contracts import Calculation
from ..cell import Cell
from .matrices import logarithm, mean_conjugate
from .symmetry import Symmetry

CellFreedom = Literal["free", "fixed", "volume"]
GPA = 1 / 160.2176634  # eV/A^3; exact e of the 2019 SI


@dataclass(frozen=True)
class Freedom:
    """What may move, and under which pressure.

    Attributes:
        cell: `free`, `fixed`, or `volume`: the shape is free at fixed volume.
        pressure_gpa: Positive compresses. Without effect on a cell of fixed volume.
        symmetry: The space group that is kept, or `None`.
    """

    cell: CellFreedom = "free"
    pressure_gpa: float = 0.0
    symmetry: Symmetry | None = None


@dataclass(frozen=True)
class Point:
    """A geometry and what the potential says of it.

    Attributes:
        cell: The geometry.
        energy: eV.
        objective: What is made small: the enthalpy, energy + p V, eV.
        gradient: Of the objective by the coordinates, eV/A, shape `(3 * nsites + 9,)`.
        max_force: Largest row of the generalised force, eV/A; see the head of this file.
    """

    cell: Cell
    energy: float
    objective: float
    gradient: np.ndarray
    max_force: float


class Coordinates:
    """The numbers that move; `LocalCoordinates` and `FrechetCoordinates` say how.

    Args:
        start: The first geometry.
        freedom: What may move.
    """

    def __init__(self, start: Cell, freedom: Freedom | None = None) -> None:
        self.freedom = freedom or Freedom()
        self.pressure = self.freedom.pressure_gpa * GPA
        self.nsites = len(start.numbers)
        self._start = start.lattice
        self._from_start = np.linalg.inv(start.lattice)

    def point(self, cell: Cell, calculation: Calculation) -> Point:
        """What the potential says, in these coordinates."""
        forces, virial = calculation.forces, self._virial(cell, calculation.stress)
        if self.freedom.symmetry is not None:
            forces = self.freedom.symmetry.of_vectors(forces)
        deformation = self.deformation(cell)
        back_forces, back_virial = self._from_first(forces, virial, deformation)
        largest = max(
            _largest_row(rows)
            for rows in (forces, virial / self.nsites, back_forces, back_virial / self.nsites)
        )
        energy = float(calculation.energy)
        gradient = self._gradient(forces, virial, back_forces, back_virial)
        return Point(cell, energy, energy + self.pressure * cell.volume, gradient, largest)

    def moved(self, cell: Cell, move: np.ndarray) -> Cell:
        """The geometry after a move."""
        raise NotImplementedError

    def allowed(self, move: np.ndarray) -> np.ndarray:
        """The part of a move that the freedom allows; the strain made symmetric."""
        atoms, strain = move[:-9].reshape(-1, 3), move[-9:].reshape(3, 3)
        if self.freedom.symmetry is not None:
            atoms = self.freedom.symmetry.of_vectors(atoms)
        return np.concatenate([atoms.ravel(), self._allowed_strain((strain + strain.T) / 2).ravel()])

    def deformation(self, cell: Cell) -> np.ndarray:
        """F of a cell: `cell.lattice = first.lattice @ F.T`."""
        return (self._from_start @ cell.lattice).T

    def _virial(self, cell: Cell, stress: np.ndarray) -> np.ndarray:
        """Force on the strain, eV: -V (stress + p), without what may not move."""
        if self.freedom.cell == "fixed":
            return np.zeros((3, 3))
        return self._allowed_strain(-cell.volume * (stress + self.pressure * np.eye(3)))

    def _allowed_strain(self, strain: np.ndarray) -> np.ndarray:
        if self.freedom.cell == "fixed":
            return np.zeros((3, 3))
        if self.freedom.symmetry is not None:
            strain = self.freedom.symmetry.of_tensor(strain)
        return _traceless(strain) if self.freedom.cell == "volume" else strain

    def _from_first(
        self, forces: np.ndarray, virial: np.ndarray, deformation: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Forces and virial as derivatives by the numbers of ASE's FrechetCellFilter, not yet scaled."""
        if self.freedom.cell == "fixed":
            return forces, virial
        by_logarithm = mean_conjugate(logarithm(deformation).T, virial)
        if self.freedom.cell == "volume":
            by_logarithm = _traceless(by_logarithm)
        return forces @ deformation, by_logarithm

    def _gradient(
        self, forces: np.ndarray, virial: np.ndarray, back_forces: np.ndarray, back_virial: np.ndarray
    ) -> np.ndarray:
        raise NotImplementedError


class LocalCoordinates(Coordinates):
    """Displacements of the atoms, A, and a symmetric strain, both from the current geometry.

    Args:
        start: The first geometry.
        freedom: What may move.
        strain_scale: A; a strain times this stands beside the displacements.
    """

    def __init__(self, start: Cell, freedom: Freedom | None, strain_scale: float) -> None:
        super().__init__(start, freedom)
        self.strain_scale = strain_scale

    def moved(self, cell: Cell, move: np.ndarray) -> Cell:
        """Displace the atoms, then strain everything by the exponential of the strain."""
        positions = cell.positions + move[:-9].reshape(-1, 3)
        if self.freedom.cell == "fixed":
            return Cell(cell.numbers, positions, cell.lattice)
        strain = move[-9:].reshape(3, 3) / self.strain_scale
        deform = expm((strain + strain.T) / 2)
        return Cell(cell.numbers, positions @ deform, cell.lattice @ deform)

    def _gradient(
        self, forces: np.ndarray, virial: np.ndarray, back_forces: np.ndarray, back_virial: np.ndarray
    ) -> np.ndarray:
        return -np.concatenate([forces.ravel(), virial.ravel() / self.strain_scale])


class FrechetCoordinates(Coordinates):
    """Positions carried back to the first cell, A, and nsites times the logarithm of the deformation.

    As in ASE's FrechetCellFilter with its default scale; the logarithm need not be symmetric.
    """

    def moved(self, cell: Cell, move: np.ndarray) -> Cell:
        """Move the positions in the first cell and the logarithm, then deform both anew."""
        displacements = move[:-9].reshape(-1, 3)
        if self.freedom.cell == "fixed":
            return Cell(cell.numbers, cell.positions + displacements, cell.lattice)
        before = self.deformation(cell)
        back = cell.positions @ np.linalg.inv(before).T + displacements
        after = expm(logarithm(before) + move[-9:].reshape(3, 3) / self.nsites).T
        return Cell(cell.numbers, back @ after, self._start @ after)

    def _gradient(
        self, forces: np.ndarray, virial: np.ndarray, back_forces: np.ndarray, back_virial: np.ndarray
    ) -> np.ndarray:
        return -np.concatenate([back_forces.ravel(), back_virial.ravel() / self.nsites])


def _traceless(matrix: np.ndarray) -> np.ndarray:
    return matrix - np.trace(matrix) / 3 * np.eye(3)


def _largest_row(rows: np.ndarray) -> float:
    return float(np.sqrt((rows * rows).sum(axis=1).max()))
