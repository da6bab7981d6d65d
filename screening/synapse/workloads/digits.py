"""How many handwritten digits does a perceptron still recognise when its trained weights are written into crossbars?"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..crossbar import Crossbar
from ..device import DeviceParameters
from .images import most_frequent, split
from .perceptron import Perceptron, accuracy, rectified, train, with_bias
from .task import READ_AFTER_SECONDS

WIRE_RESISTANCE = 1e-4
"""Of the wire between two cells, over a device at its highest conductance: 1 ohm and 10 kohm. Ours, 2026."""


class Inference:
    """A perceptron of 64 inputs, 32 hidden units and 10 outputs, trained with ideal weights; implements `Workload`.

    Args:
        seed: Of the split and of the training.
        wire_resistance: Of the wire between two cells, over a device at its highest conductance.
        verify: Whether each device is programmed until it reads its level.
    """

    name = "inference"

    def __init__(self, seed: int = 0, wire_resistance: float = WIRE_RESISTANCE, verify: bool = True) -> None:
        self.shown = split(seed)[1]
        self.network = _trained(seed)
        self.wire_resistance, self.verify = wire_resistance, verify
        self.ideal = accuracy(self.network, self.shown)
        self.chance = most_frequent(self.shown.digits)
        self.tested = len(self.shown)

    def accuracy(self, parameters: DeviceParameters, rng: np.random.Generator) -> float:
        """Share of test images recognised by one pair of crossbars of such devices."""
        layers = [
            Crossbar(weights, parameters, rng, self.verify).at(READ_AFTER_SECONDS, self.wire_resistance)
            for weights in (self.network.first, self.network.second)
        ]
        hidden = rectified(layers[0].multiply(with_bias(self.shown.pixels)))
        scores = layers[1].multiply(with_bias(hidden))
        return float(np.mean(scores.argmax(axis=1) == self.shown.digits))


@lru_cache(maxsize=32)
def _trained(seed: int) -> Perceptron:
    return train(split(seed)[0], np.random.default_rng(np.random.SeedSequence([seed, 2])))
