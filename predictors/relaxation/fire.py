"""How does the fast inertial relaxation engine (FIRE) move one crystal, atoms and cell together?

The crystal slides downhill like a sledge: the velocity is turned towards the force as long as the two
agree, and set to zero when they do not. Same parameters, coordinates and order of operations as ASE's FIRE
under a FrechetCellFilter, so the path is the same step by step.

Source: Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006), doi:10.1103/PhysRevLett.97.170201.
"""

from __future__ import annotations

import numpy as np

from ...core.contracts import Calculation
from ..cell import Cell
from .coordinates import FrechetCoordinates, Freedom, Point

FIRST_TIME_STEP = 0.1
LONGEST_TIME_STEP = 1.0
LONGEST_MOVE = 0.2  # A, norm over all atoms and the cell
PATIENCE = 5  # downhill steps before the time step grows
GROWTH, SHRINKAGE = 1.1, 0.5  # of the time step
FIRST_MIXING, MIXING_DECAY = 0.1, 0.99


class Fire:
    """The minimisation of one crystal; implements `Method`. `best` is the latest geometry, as in ASE."""

    version = "fire"
    stuck = False

    def __init__(self, cell: Cell, freedom: Freedom | None = None) -> None:
        self.trial = cell
        self.best: Point | None = None
        self.steps = 0
        self.coordinates = FrechetCoordinates(cell, freedom)
        self.time_step = FIRST_TIME_STEP
        self.mixing = FIRST_MIXING
        self.velocity: np.ndarray | None = None
        self._downhill_steps = 0

    def feed(self, calculation: Calculation) -> None:
        """Take in the calculation at `trial`."""
        self.best = self.coordinates.point(self.trial, calculation)

    def propose(self) -> None:
        """Set `trial` to the next geometry."""
        assert self.best is not None
        self.steps += 1
        force = -self.best.gradient
        if self.velocity is None:
            self.velocity = np.zeros_like(force)
        elif force @ self.velocity > 0:
            self._speed_up(force, self.velocity)
        else:
            self._stop()
        self.velocity = self.velocity + self.time_step * force
        move = self.time_step * self.velocity
        length = np.sqrt(move @ move)
        if length > LONGEST_MOVE:
            move = LONGEST_MOVE * move / length
        self.trial = self.coordinates.moved(self.best.cell, move)

    def _speed_up(self, force: np.ndarray, velocity: np.ndarray) -> None:
        """Turn the velocity towards the force; after some patience, longer time steps."""
        along = force / np.sqrt(force @ force) * np.sqrt(velocity @ velocity)
        self.velocity = (1 - self.mixing) * velocity + self.mixing * along
        if self._downhill_steps > PATIENCE:
            self.time_step = min(self.time_step * GROWTH, LONGEST_TIME_STEP)
            self.mixing *= MIXING_DECAY
        self._downhill_steps += 1

    def _stop(self) -> None:
        self.velocity = np.zeros_like(self.velocity)
        self.mixing = FIRST_MIXING
        self.time_step *= SHRINKAGE
        self._downhill_steps = 0
