"""How is the diffusion steered to low energies without training anything?

Several particles of each crystal move side by side. In the last fifth of the steps they are weighed by the energy that they would
have without their noise, and resampled: the heavier ones go on several times, the lighter ones end. The weight is Boltzmann's of
the distance above the hull, brought in little by little, so that what goes on at the end was weighed once in all.

Source: Singhal et al., arXiv:2501.06848, algorithm 1 (resampling particles of a diffusion by an intermediate reward).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from .sampler import CHOOSING_BELOW
from .table import Batch

TEMPERATURE_EV = 0.05
"""Of the weights, eV/atom."""
UNKNOWN_EV = 0.5
"""Taken where there is no energy, and no distance counts for more."""

Heights = Callable[[Batch], Sequence[float | None]]
"""Distances above the hull of crystals without noise, eV/atom."""


class Steering:
    """Chooses which particles go on; see `sampler.Chooser`.

    Args:
        heights: Of crystals.
        particles: Of each crystal; those of one stand next to one another.
        rng: Draws.

    Attributes:
        asked: How often energies were asked for.
    """

    def __init__(self, heights: Heights, particles: int, rng: np.random.Generator) -> None:
        self.heights, self.particles, self.rng = heights, particles, rng
        self.asked = 0
        self._before: np.ndarray | None = None

    def __call__(self, crystals: Batch, time: float) -> Tensor:
        """Rows that go on.

        Args:
            crystals: As they would be without noise.
            time: To which they go on; at 0 the weights are whole.
        """
        self.asked += 1
        found = [
            UNKNOWN_EV if height is None else min(height, UNKNOWN_EV) for height in self.heights(crystals)
        ]
        share = 1 - time / CHOOSING_BELOW
        potential = share * np.array(found).reshape(-1, self.particles) / TEMPERATURE_EV
        gained = potential if self._before is None else potential - self._before
        rows = np.concatenate([i * self.particles + self._resampled(-row) for i, row in enumerate(gained)])
        self._before = potential.ravel()[rows].reshape(-1, self.particles)
        return torch.as_tensor(rows)

    def _resampled(self, logs: np.ndarray) -> np.ndarray:
        """Places of the particles that go on, by systematic resampling, in a random order."""
        weights = np.exp(logs - logs.max())
        ends = np.cumsum(weights / weights.sum())
        points = (np.arange(len(logs)) + self.rng.random()) / len(logs)
        return self.rng.permutation(np.minimum(np.searchsorted(ends, points), len(logs) - 1))


def repeated(batch: Batch, times: int) -> Batch:
    """Each crystal so often, side by side."""
    return batch[torch.arange(len(batch)).repeat_interleave(times)]


def first_of_each(batch: Batch, times: int) -> Batch:
    """One particle of each crystal: after the last resampling all are alike in law."""
    return batch[torch.arange(0, len(batch), times)]
