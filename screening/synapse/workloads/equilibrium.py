"""How well does a small Hopfield-like network learn digits by equilibrium propagation when pulses write its weights?

Input, hidden and output units are coupled both ways by the same devices. The network settles with the input held; then its output
is nudged towards the answer and it settles again; each weight changes by the difference of products of its ends, which needs no
second circuit for errors.

Source: Scellier and Bengio, Front. Comput. Neurosci. 11, 24 (2017), doi:10.3389/fncom.2017.00024; hard sigmoid units
and a nudge whose sign is drawn for each batch, as there.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from ..device import DeviceParameters
from .images import CLASSES, Images, most_frequent, split
from .perceptron import HIDDEN, with_bias
from .pulsed import IdealWeights, PulsedWeights
from .task import READ_AFTER_SECONDS

EPOCHS = 12
BATCH = 20
RATES = (0.2, 0.1)  # of the first and second layer, in units of weight
NUDGE = 1.0  # with 0.5, output units that fell silent stay so on 2 of 6 splits
STEP = 0.5  # of Euler's method, in time constants of a unit
FREE_STEPS = 15
NUDGED_STEPS = 6
GREATEST_WEIGHT = 1.0


class EquilibriumPropagation:
    """A layered Hopfield-like network of 64, 32 and 10 units; implements `Workload`.

    Args:
        seed: Of the split, of the weights before training, of the order of images and the signs of nudges.
        epochs: Passes over the training images.
    """

    name = "equilibrium-propagation"

    def __init__(self, seed: int = 0, epochs: int = EPOCHS) -> None:
        self.trained, self.shown = split(seed)
        self.seed, self.epochs = seed, epochs
        self.chance = most_frequent(self.shown.digits)
        self.tested = len(self.shown)
        ideal = [IdealWeights(start) for start in self._start()]
        self._train(ideal)
        self.ideal = _recognised(ideal[0].read(), ideal[1].read(), self.shown)

    def accuracy(self, parameters: DeviceParameters, rng: np.random.Generator) -> float:
        """Share of test images recognised after training, an hour after the last pulse."""
        write = partial(PulsedWeights, greatest=GREATEST_WEIGHT, parameters=parameters, rng=rng)
        layers = [write(start) for start in self._start()]
        self._train(layers)
        first, second = (layer.read(READ_AFTER_SECONDS) for layer in layers)
        return _recognised(first, second, self.shown)

    def _start(self) -> list[np.ndarray]:
        """Uniform within sqrt(6 / (inputs + outputs)) (Glorot and Bengio, AISTATS 2010), biases of 0."""
        rng = self._rng(5)
        sizes = [(self.trained.pixels.shape[1], HIDDEN), (HIDDEN, CLASSES)]
        drawn = [rng.uniform(-1, 1, size) * np.sqrt(6 / sum(size)) for size in sizes]
        return [np.vstack([weights, np.zeros(weights.shape[1])]) for weights in drawn]

    def _train(self, layers: list[IdealWeights] | list[PulsedWeights]) -> None:
        rng = self._rng(6)
        inputs = with_bias(self.trained.pixels)
        answers = np.eye(CLASSES)[self.trained.digits]
        for _ in range(self.epochs):
            for batch in np.array_split(rng.permutation(len(inputs)), len(inputs) // BATCH):
                _step(layers, inputs[batch], answers[batch], NUDGE * rng.choice((-1, 1)))

    def _rng(self, stream: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence([self.seed, stream]))


def settled(
    weights: tuple[np.ndarray, np.ndarray],
    drive: np.ndarray,
    state: tuple[np.ndarray, np.ndarray],
    steps: int,
    nudge: float = 0.0,
    answers: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Hidden and output units after some steps down the energy.

    Args:
        weights: Of both layers with their biases.
        drive: Of the inputs on the hidden units.
        state: Of hidden and output units at the start, 0 to 1.
        steps: Of Euler's method; the hard sigmoid holds every unit between 0 and 1.
        nudge: Strength of the pull of the output towards the answers.
        answers: 1 for the right unit.
    """
    up, bias = weights[1][:-1], weights[1][-1]
    hidden, output = state
    for _ in range(steps):
        pull = drive + output @ up.T - hidden
        push = hidden @ up + bias - output
        if answers is not None:
            push = push + nudge * (answers - output)
        hidden = np.clip(hidden + STEP * pull, 0, 1)
        output = np.clip(output + STEP * push, 0, 1)
    return hidden, output


def _step(
    layers: list[IdealWeights] | list[PulsedWeights], inputs: np.ndarray, answers: np.ndarray, nudge: float
) -> None:
    weights = (layers[0].read(), layers[1].read())
    drive = inputs @ weights[0]
    free = settled(weights, drive, _rest(len(inputs)), FREE_STEPS)
    nudged = settled(weights, drive, free, NUDGED_STEPS, nudge, answers)
    per = 1 / (nudge * len(inputs))
    layers[0].add(RATES[0] * per * (inputs.T @ (nudged[0] - free[0])))
    products = with_bias(nudged[0]).T @ nudged[1] - with_bias(free[0]).T @ free[1]
    layers[1].add(RATES[1] * per * products)


def _rest(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((n, HIDDEN)), np.zeros((n, CLASSES))


def _recognised(first: np.ndarray, second: np.ndarray, shown: Images) -> float:
    drive = with_bias(shown.pixels) @ first
    _, output = settled((first, second), drive, _rest(len(shown)), FREE_STEPS)
    return float(np.mean(output.argmax(axis=1) == shown.digits))
