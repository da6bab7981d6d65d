"""What is a workload? A task that any assumed device can be tried on, with its own ideal and chance beside."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..device import DeviceParameters

READ_AFTER_SECONDS = 3600.0
"""Time between programming, or the last update, and use: an hour, so that drift and lost states count."""


class Workload(Protocol):
    """A task, prepared once for a seed.

    Attributes:
        name: In the table of accuracies.
        ideal: Accuracy with weights of unlimited precision.
        chance: Accuracy without knowing anything.
        tested: Answers that an accuracy is the mean of.
    """

    name: str
    ideal: float
    chance: float
    tested: int

    def accuracy(self, parameters: DeviceParameters, rng: np.random.Generator) -> float:
        """Share of right answers with one array of such devices, drawn by `rng`."""
        ...
