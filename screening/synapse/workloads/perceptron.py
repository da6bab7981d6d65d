"""How does a perceptron of one hidden layer learn digits with ideal weights, and what are its gradients?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .images import CLASSES, Images

HIDDEN = 32
EPOCHS = 40
BATCH = 32
ADAM_RATE = 3e-3
ADAM_DECAY = (0.9, 0.999)
CLIP = 2.5
"""Standard deviations of a layer beyond which its weights are clipped after each pass, so that a few large ones do not take the
device's range for themselves; so does hardware-aware training with AIHWKit (`WeightClipType.LAYER_GAUSSIAN`, sigma 2.5)."""


@dataclass(frozen=True)
class Perceptron:
    """Weights with the bias as last row: shapes `(65, HIDDEN)` and `(HIDDEN + 1, 10)`."""

    first: np.ndarray
    second: np.ndarray


def with_bias(inputs: np.ndarray) -> np.ndarray:
    """Inputs and a last one that is always 1."""
    return np.column_stack([inputs, np.ones(len(inputs))])


def rectified(inputs: np.ndarray) -> np.ndarray:
    """Positive part."""
    return np.maximum(inputs, 0)


def drawn(ninputs: int, rng: np.random.Generator) -> Perceptron:
    """Before training: normal weights of variance 1 / inputs, biases of 0."""
    first = rng.standard_normal((ninputs + 1, HIDDEN)) / np.sqrt(ninputs)
    second = rng.standard_normal((HIDDEN + 1, CLASSES)) / np.sqrt(HIDDEN)
    first[-1] = second[-1] = 0
    return Perceptron(first, second)


def gradients(network: Perceptron, inputs: np.ndarray, digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the mean cross entropy, by backpropagation.

    Args:
        network: Where they are taken.
        inputs: With bias, shape `(n, 65)`.
        digits: Shape `(n,)`.
    """
    hidden = rectified(inputs @ network.first)
    shown = with_bias(hidden)
    error = softmax(shown @ network.second)
    error[np.arange(len(digits)), digits] -= 1
    error /= len(digits)
    behind = (error @ network.second[:-1].T) * (hidden > 0)
    return inputs.T @ behind, shown.T @ error


def softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities of each row."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def accuracy(network: Perceptron, shown: Images) -> float:
    """Share of images whose digit has the highest score."""
    hidden = rectified(with_bias(shown.pixels) @ network.first)
    return float(np.mean((with_bias(hidden) @ network.second).argmax(axis=1) == shown.digits))


def train(shown: Images, rng: np.random.Generator) -> Perceptron:
    """Ideal weights by Adam, clipped.

    Source: Kingma and Ba, arXiv:1412.6980, algorithm 1.
    """
    network = drawn(shown.pixels.shape[1], rng)
    inputs = with_bias(shown.pixels)
    weights = [network.first.copy(), network.second.copy()]
    moments = [np.zeros_like(w) for w in weights]
    squares = [np.zeros_like(w) for w in weights]
    step = 0
    for _ in range(EPOCHS):
        for batch in np.array_split(rng.permutation(len(shown)), len(shown) // BATCH):
            step += 1
            found = gradients(Perceptron(*weights), inputs[batch], shown.digits[batch])
            for i, gradient in enumerate(found):
                moments[i] = ADAM_DECAY[0] * moments[i] + (1 - ADAM_DECAY[0]) * gradient
                squares[i] = ADAM_DECAY[1] * squares[i] + (1 - ADAM_DECAY[1]) * gradient**2
                mean = moments[i] / (1 - ADAM_DECAY[0] ** step)
                size = np.sqrt(squares[i] / (1 - ADAM_DECAY[1] ** step))
                weights[i] -= ADAM_RATE * mean / (size + 1e-8)
        weights = [np.clip(w, -CLIP * w.std(), CLIP * w.std()) for w in weights]
    return Perceptron(*weights)
