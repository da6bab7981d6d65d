"""What do the spike trains look like that a liquid state machine tells apart?

Made, not recorded; like a cochlea's answer to short words. A word is three ridges that glide along 40 channels. Utterances of a
word differ in tempo, pitch, onset and loudness, and their spikes are drawn at random over a background.

Recipe, in steps of 5 ms. A ridge has a start, a middle and an end channel (uniform over the channels), an onset (uniform in the
first half) and a length (0.2 to 0.5 of the utterance); between them it glides in straight lines. An utterance stretches time by
`exp(TEMPO N(0, 1))`, shifts all ridges by `PITCH N(0, 1)` channels and each one by `RIDGE N(0, 1)`, starts `ONSET N(0, 1)` steps
later, and multiplies each ridge by `exp(LOUDNESS N(0, 1))`. A channel spikes in a step with a probability of `PEAK` times a
Gaussian of `WIDTH` channels about each ridge, and `BACKGROUND` anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CHANNELS = 40
STEPS = 80
STEP_SECONDS = 0.005
RIDGES = 3
TEMPO = 0.1
PITCH = 1.5
RIDGE = 1.0
ONSET = 4.0
LOUDNESS = 0.3
PEAK = 0.4
WIDTH = 1.5
BACKGROUND = 0.02


@dataclass(frozen=True)
class Utterances:
    """Spikes of 0 or 1, shape `(n, STEPS, CHANNELS)`, and the word each is, shape `(n,)`."""

    spikes: np.ndarray
    words: np.ndarray


def vocabulary(words: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Ridges of each word: `channels` of shape `(words, RIDGES, 3)`, `onset` and `length` in parts, `(words, RIDGES)`."""
    shape = (words, RIDGES)
    return {
        "channels": rng.uniform(0, CHANNELS - 1, (*shape, 3)),
        "onset": rng.uniform(0, 0.5, shape),
        "length": rng.uniform(0.2, 0.5, shape),
    }


def utter(ridges: dict[str, np.ndarray], words: np.ndarray, rng: np.random.Generator) -> Utterances:
    """One utterance of each word named, in order.

    Args:
        ridges: Of `vocabulary`.
        words: Shape `(n,)`.
        rng: Draws what differs between utterances, and spikes.
    """
    n = len(words)
    tempo = np.exp(TEMPO * rng.standard_normal((n, 1, 1)))
    late = ONSET * rng.standard_normal((n, 1, 1))
    pitch = PITCH * rng.standard_normal((n, 1)) + RIDGE * rng.standard_normal((n, RIDGES))
    loud = np.exp(LOUDNESS * rng.standard_normal((n, RIDGES)))
    when = (np.arange(STEPS)[None, :, None] - late) / (STEPS * tempo)  # (n, STEPS, 1), in parts of the word
    along = (when - ridges["onset"][words][:, None]) / ridges["length"][words][:, None]  # (n, STEPS, RIDGES)
    centre = _glide(along, ridges["channels"][words]) + pitch[:, None]
    strength = PEAK * loud[:, None] * ((along >= 0) & (along <= 1))
    off = np.arange(CHANNELS) - centre[..., None]
    rate = (strength[..., None] * np.exp(-0.5 * (off / WIDTH) ** 2)).sum(axis=2) + BACKGROUND
    return Utterances((rng.random(rate.shape) < rate).astype(np.float32), words)


def _glide(along: np.ndarray, channels: np.ndarray) -> np.ndarray:
    """Channel on the way from start through middle to end, shape of `along`."""
    start, middle, end = (channels[:, None, :, i] for i in range(3))
    return np.where(
        along < 0.5, start + (middle - start) * 2 * along, middle + (end - middle) * (2 * along - 1)
    )
