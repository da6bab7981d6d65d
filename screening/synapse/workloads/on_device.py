"""How well does a perceptron learn digits when backpropagation writes its weights by pulses?"""

from __future__ import annotations

from functools import partial

import numpy as np

from ..device import DeviceParameters
from .images import most_frequent, split
from .perceptron import Perceptron, accuracy, drawn, gradients, with_bias
from .pulsed import IdealWeights, PulsedWeights
from .task import READ_AFTER_SECONDS

EPOCHS = 12
BATCH = 10
RATE = 0.1
GREATEST_WEIGHT = 1.0
"""Magnitude at the end of a device's range."""


class Backpropagation:
    """Stochastic gradient descent on the network of `Inference`; implements `Workload`.

    Args:
        seed: Of the split, of the weights before training, and of the order of images.
        epochs: Passes over the training images.
    """

    name = "backpropagation"

    def __init__(self, seed: int = 0, epochs: int = EPOCHS) -> None:
        self.trained, self.shown = split(seed)
        self.seed, self.epochs = seed, epochs
        self.chance = most_frequent(self.shown.digits)
        self.tested = len(self.shown)
        start = self._start()
        ideal = [IdealWeights(start.first), IdealWeights(start.second)]
        self._train(ideal)
        self.ideal = accuracy(Perceptron(ideal[0].read(), ideal[1].read()), self.shown)

    def accuracy(self, parameters: DeviceParameters, rng: np.random.Generator) -> float:
        """Share of test images recognised after training, an hour after the last pulse."""
        start = self._start()
        write = partial(PulsedWeights, greatest=GREATEST_WEIGHT, parameters=parameters, rng=rng)
        layers = [write(start.first), write(start.second)]
        self._train(layers)
        first, second = (layer.read(READ_AFTER_SECONDS) for layer in layers)
        return accuracy(Perceptron(first, second), self.shown)

    def _start(self) -> Perceptron:
        return drawn(self.trained.pixels.shape[1], self._rng(3))

    def _train(self, layers: list[IdealWeights] | list[PulsedWeights]) -> None:
        rng = self._rng(4)
        inputs = with_bias(self.trained.pixels)
        for _ in range(self.epochs):
            for batch in np.array_split(rng.permutation(len(inputs)), len(inputs) // BATCH):
                _step(layers, inputs[batch], self.trained.digits[batch])

    def _rng(self, stream: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence([self.seed, stream]))


def _step(layers: list[IdealWeights] | list[PulsedWeights], inputs: np.ndarray, digits: np.ndarray) -> None:
    network = Perceptron(layers[0].read(), layers[1].read())
    for layer, gradient in zip(layers, gradients(network, inputs, digits), strict=True):
        layer.add(-RATE * gradient)
