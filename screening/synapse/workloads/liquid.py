"""How well does a liquid state machine tell words apart whose random weights are conductances as forming left them?

A reservoir of leaky integrate-and-fire neurons with fixed random weights from the channels and among themselves, and a linear
read-out that is trained in software on its traces. Nothing is programmed: forming takes in half of the devices and leaves them
about the middle of their range, with the device's spread from one to another, the others stay at their lowest conductance. A
weight is the difference of two devices; the gain of the read circuit is set once so that the weights have a stated spread. The
ideal has normal weights of the same spread and mean (zero).

The read-out is trained when the devices are fresh; the test follows an hour later.

Sources: Maass, Natschlaeger and Markram, Neural Comput. 14, 2531 (2002), doi:10.1162/089976602760407955; Lin et al., Nat. Comput.
Sci. (2025), doi:10.1038/s43588-024-00751-z, for random weights of a 40 nm 256 Kb resistive array.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from ..crossbar import Reading
from ..device import DeviceParameters, Devices, nearest_level
from .sequences import CHANNELS, STEP_SECONDS, STEPS, Utterances, utter, vocabulary
from .task import READ_AFTER_SECONDS

WORDS = 10
TRAINED_PER_WORD = 50
TESTED_PER_WORD = 30
NEURONS = 200
INPUT_SPREAD = 0.5  # standard deviation of input weights, in thresholds
RECURRENT_SPREAD = 1.0 / math.sqrt(NEURONS)  # likewise, among neurons
MEMBRANE_SECONDS = 0.022
TRACE_SECONDS = 0.047
THRESHOLD = 1.0
SNAPSHOTS = 4  # times in an utterance at which the read-out sees the traces
RIDGE = 1000.0  # penalty of the read-out's squared weights, for standardised traces
QUIET = 1e-3  # standard deviation of a trace below which it tells nothing
FORMED = 0.5
IDEAL_DRAWS = 5
"""Draws of normal weights whose mean is the ideal: one draw may be 2 points better or worse than another."""
NO_SPREAD = 1e-9  # of conductances; smaller ones are no weights

Product = Callable[[np.ndarray], np.ndarray]
"""From spikes of channels and neurons, `(n, CHANNELS + NEURONS)`, to currents of neurons in thresholds, `(n, NEURONS)`."""


class Liquid:
    """A liquid state machine; implements `Workload`.

    Args:
        seed: Of words, utterances and the ideal's weights.
    """

    name = "liquid"

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(np.random.SeedSequence([seed, 7]))
        ridges = vocabulary(WORDS, rng)
        self.trained = utter(ridges, np.tile(np.arange(WORDS), TRAINED_PER_WORD), rng)
        self.shown = utter(ridges, np.tile(np.arange(WORDS), TESTED_PER_WORD), rng)
        self.chance = 1 / WORDS
        self.tested = len(self.shown.words)
        self.ideal = float(np.mean([self.with_normal_weights(rng) for _ in range(IDEAL_DRAWS)]))

    def with_normal_weights(self, rng: np.random.Generator) -> float:
        """Share of test utterances recognised with one draw of normal weights."""
        weights = _spreads() * rng.standard_normal((CHANNELS + NEURONS, NEURONS))
        ideal = partial(_times, weights.astype(np.float32))
        return self._right(ideal, ideal)

    def accuracy(self, parameters: DeviceParameters, rng: np.random.Generator) -> float:
        """Share of test utterances recognised with one draw of such devices."""
        devices = formed(parameters, (2, CHANNELS + NEURONS, NEURONS), rng)
        gain = _gain(devices.conductance)
        fresh, later = (
            Reading((devices.recalibrated(t) * gain).astype(np.float32), parameters.read_noise, rng).multiply
            for t in (0.0, READ_AFTER_SECONDS)
        )
        return self._right(fresh, later)

    def _right(self, fresh: Product, later: Product) -> float:
        seen, asked = traces(self.trained, fresh), traces(self.shown, later)
        scores = read_out(seen, np.eye(WORDS)[self.trained.words], asked)
        return float(np.mean(scores.argmax(axis=1) == self.shown.words))


def formed(parameters: DeviceParameters, shape: tuple[int, ...], rng: np.random.Generator) -> Devices:
    """Devices as forming leaves them."""
    devices = Devices(parameters, shape, rng)
    middle = (1 + parameters.lowest) / 2
    taken = rng.random(shape) < FORMED
    devices.hold(np.where(taken, nearest_level(middle * devices.factor, parameters), devices.low))
    return devices


def traces(heard: Utterances, product: Product) -> np.ndarray:
    """Decaying spike counts of all neurons at the snapshots, shape `(n, SNAPSHOTS * NEURONS)`."""
    shape = (len(heard.words), NEURONS)
    potential, spikes, trace = (np.zeros(shape, dtype=np.float32) for _ in range(3))
    leak, fade = (np.float32(math.exp(-STEP_SECONDS / t)) for t in (MEMBRANE_SECONDS, TRACE_SECONDS))
    kept = []
    for step in range(STEPS):
        current = product(np.concatenate([heard.spikes[:, step], spikes], axis=1))
        potential = leak * potential * (1 - spikes) + current
        spikes = (potential > THRESHOLD).astype(np.float32)
        trace = fade * trace + spikes
        if (step + 1) % (STEPS // SNAPSHOTS) == 0:
            kept.append(trace)
    return np.concatenate(kept, axis=1)


def read_out(seen: np.ndarray, answers: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Scores of a linear read-out fitted by ridge regression.

    Args:
        seen: Traces, shape `(n, ntraces)`.
        answers: Shape `(n, WORDS)`.
        asked: Traces to score, shape `(m, ntraces)`.
    """
    mean, spread = seen.mean(axis=0), seen.std(axis=0)
    tells = spread > QUIET
    known, new = ((x[:, tells] - mean[tells]) / spread[tells] for x in (seen, asked))
    offset = answers.mean(axis=0)
    gram = known.T @ known + RIDGE * np.eye(known.shape[1], dtype=known.dtype)
    return new @ np.linalg.solve(gram, known.T @ (answers - offset)) + offset


def _spreads() -> np.ndarray:
    """Standard deviation of weights by row, in thresholds, shape `(CHANNELS + NEURONS, 1)`."""
    return np.repeat([INPUT_SPREAD, RECURRENT_SPREAD], [CHANNELS, NEURONS])[:, None]


def _gain(pair: np.ndarray) -> np.ndarray:
    """Thresholds per conductance, one number for the channels' rows and one for the neurons'."""
    weights = pair[0] - pair[1]
    found = [float(block.std()) for block in (weights[:CHANNELS], weights[CHANNELS:])]
    return _spreads() / np.maximum(np.repeat(found, [CHANNELS, NEURONS])[:, None], NO_SPREAD)


def _times(weights: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    return spikes @ weights
