"""Which way does one crystal move next, atoms and cell together?

A quasi-Newton (BFGS) minimiser under a trust radius. The variables are the displacements of the atoms
and a symmetric strain of the cell, taken from the current geometry; the strain is scaled so that atoms
and cell are about equally stiff. A step that raises the energy is taken back and the radius halved.
"""

from __future__ import annotations

import numpy as np

from ...core.contracts import Calculation
from ..cell import Cell
from .coordinates import Freedom, LocalCoordinates, Point

ATOM_STIFFNESS = 20.0  # eV/A^2, first guess of the curvature for an atom
CELL_STIFFNESS = 0.6  # eV/A^3 (about 100 GPa), first guess of the elastic constants
SOFTEST = 2.0  # eV/A^2, floor of the curvatures, against wild steps along soft modes
DAMPING = 0.2  # of the expected curvature is kept at least
FIRST_RADIUS = 0.10  # A, first trust radius: largest move of an atom
LARGEST_RADIUS = 0.25
SMALLEST_RADIUS = 1e-4
ENERGY_NOISE_PER_ATOM = 2e-6  # eV/atom, single precision: no rise that small is a rise


class Bfgs:
    """The minimisation of one crystal; implements `Method`. `best` is the lowest geometry."""

    version = "bfgs-trust"

    def __init__(self, cell: Cell, freedom: Freedom | None = None) -> None:
        self.trial = cell
        self.best: Point | None = None
        self.steps = 0
        natoms = len(cell.numbers)
        strain_scale = float(np.sqrt(CELL_STIFFNESS * cell.volume / ATOM_STIFFNESS))
        self.coordinates = LocalCoordinates(cell, freedom, strain_scale)
        self.hessian = np.eye(3 * natoms + 9) * ATOM_STIFFNESS
        self.radius = FIRST_RADIUS
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
        self._learn(point.gradient - self.best.gradient)
        noise = ENERGY_NOISE_PER_ATOM * len(self.trial.numbers)
        rise = point.objective - self.best.objective
        if rise > noise and not (rise < 10 * noise and point.max_force < self.best.max_force):
            self.radius = min(self.radius, self._length(self._move)) / 2
            return
        expected = 0.5 * self._move @ (self.best.gradient + point.gradient)
        if expected < 0 and self._length(self._move) > 0.9 * self.radius:
            self.radius = min(1.5 * self.radius, LARGEST_RADIUS)
        self.best = point

    def propose(self) -> None:
        """Set `trial` to the next geometry."""
        assert self.best is not None
        self.steps += 1
        curvatures, modes = np.linalg.eigh(self.hessian)
        along = modes.T @ self.best.gradient
        move = self.coordinates.allowed(-modes @ (along / np.maximum(curvatures, SOFTEST)))
        length = self._length(move)
        if length > self.radius:
            move *= self.radius / length
        self._move = move
        self.trial = self.coordinates.moved(self.best.cell, move)

    def _learn(self, change: np.ndarray) -> None:
        """Damped update of the curvature, which stays positive where the energy surface is not.

        Source: Nocedal and Wright, Numerical Optimization, 2nd ed. (2006), procedure 18.2.
        """
        move = self._move
        felt = self.hessian @ move
        stiffness, expected = move @ change, move @ felt
        if expected < 1e-12:
            return
        if stiffness < DAMPING * expected:
            keep = (1 - DAMPING) * expected / (expected - stiffness)
            change = keep * change + (1 - keep) * felt
            stiffness = move @ change
        self.hessian += np.outer(change, change) / stiffness - np.outer(felt, felt) / expected

    def _length(self, move: np.ndarray) -> float:
        """Largest move of an atom, A; a strain counts as the move of an atom at the strain scale."""
        rows = move.reshape(-1, 3)
        return float(np.linalg.norm(rows, axis=1).max())
