"""Which way does one crystal move next, atoms and cell together?

A quasi-Newton (BFGS) minimiser under a trust radius that starts from a model of the crystal's bonds. The
variables are the displacements of the atoms and a symmetric strain of the cell, taken from the current
geometry; the strain is scaled so that atoms and cell are about equally stiff. A step that raises the energy
is taken back, and the radius becomes the distance at which a cubic through both ends has its minimum.
"""

from __future__ import annotations

import numpy as np

from ...core.contracts import Calculation
from ..cell import Cell
from .coordinates import Freedom, LocalCoordinates, Point
from .curvature import Curvature
from .model_hessian import model_hessian, strain_scale

FIRST_RADIUS = 0.15  # A, first trust radius: largest move of an atom
LARGEST_RADIUS = 0.20
SMALLEST_RADIUS = 1e-4
WELL_FORESEEN = 0.75  # of the expected gain must come true for the radius to grow
GROWTH = 1.5
SHRINKAGE = (0.1, 0.6)  # a radius that was too large shrinks to between these parts of the move
ENERGY_NOISE_PER_ATOM = 2e-6  # eV/atom, single precision: no rise that small is a rise


class Bfgs:
    """The minimisation of one crystal; implements `Method`. `best` is the lowest geometry."""

    version = "bfgs-springs"

    def __init__(self, cell: Cell, freedom: Freedom | None = None) -> None:
        self.trial = cell
        self.best: Point | None = None
        self.steps = 0
        natoms = len(cell.numbers)
        self.coordinates = LocalCoordinates(cell, freedom, strain_scale(cell))
        self.curvature = Curvature(model_hessian(cell, self._strains(natoms)))
        self.radius = FIRST_RADIUS
        self._reach = 2 * (cell.volume / natoms) ** (1 / 3)
        self._move = np.zeros(3 * natoms + 9)

    @property
    def stuck(self) -> bool:
        """Whether even the smallest step raises the energy."""
        return self.radius < SMALLEST_RADIUS

    def feed(self, calculation: Calculation) -> None:
        """Take in the calculation at `trial`."""
        point = self.coordinates.point(self.trial, calculation)
        if self.best is None:
            self.best = point
            return
        noise = ENERGY_NOISE_PER_ATOM * len(self.trial.numbers)
        rise = point.objective - self.best.objective
        slopes = [float(self._move @ gradient) for gradient in (self.best.gradient, point.gradient)]
        gain = -rise if abs(rise) > 10 * noise else -sum(slopes) / 2
        foreseen = -slopes[0] - self.curvature.along(self._move) / 2
        self.curvature.learn(self._move, point.gradient - self.best.gradient)
        if rise > noise and not (rise < 10 * noise and point.max_force < self.best.max_force):
            self.radius = min(self.radius, self._length(self._move)) * _part_to_minimum(rise, *slopes)
            return
        if gain > WELL_FORESEEN * foreseen and self._length(self._move) > 0.9 * self.radius:
            self.radius = min(GROWTH * self.radius, LARGEST_RADIUS)
        self.best = point

    def propose(self) -> None:
        """Set `trial` to the next geometry."""
        assert self.best is not None
        self.steps += 1
        move = self.curvature.step(self.best.gradient, self._length, self.radius)
        self._move = self.coordinates.allowed(move)
        self.trial = self.coordinates.moved(self.best.cell, self._move)

    def _strains(self, natoms: int) -> np.ndarray:
        """Projector on the strains that are allowed, shape `(9, 9)`."""
        units = np.eye(3 * natoms + 9)[-9:]
        return np.array([self.coordinates.allowed(unit)[-9:] for unit in units]).T

    def _length(self, move: np.ndarray) -> float:
        """Largest move of an atom, A; the largest principal strain counts as what it does two atoms away."""
        atoms, strain = move[:-9].reshape(-1, 3), move[-9:].reshape(3, 3)
        neighbour = np.linalg.norm(strain, 2) * self._reach / self.coordinates.strain_scale
        return float(max(np.sqrt((atoms * atoms).sum(axis=1).max()), neighbour))


def _part_to_minimum(rise: float, first_slope: float, last_slope: float) -> float:
    """Where on a move the cubic through the energies and slopes at both ends is lowest, within `SHRINKAGE`.

    Source: Nocedal and Wright, Numerical Optimization, 2nd ed. (2006), equation 3.59.
    """
    cubic = first_slope + last_slope - 2 * rise
    square = 3 * rise - 2 * first_slope - last_slope
    discriminant = square**2 - 3 * cubic * first_slope
    if discriminant <= 0:
        return 0.5
    part = -first_slope / (square + np.sqrt(discriminant))
    return float(np.clip(part, *SHRINKAGE)) if part > 0 else 0.5
