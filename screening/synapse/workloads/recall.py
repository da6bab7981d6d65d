"""How often does a content-addressable memory that was shown one image of each digit name the digit of another image?

Each row of an analog content-addressable memory holds an image, a cell a pixel. Of a cell's two devices one holds the pixel, the
other its complement; with the query's pixel on the search lines the one passes current in proportion to how far the query lies
above, the other to how far it lies below. The row of least current is recalled; without errors that is the nearest image by the
sum of absolute differences. A closed branch still passes the device's lowest conductance. Real transistors of such cells open
exponentially rather than in proportion; that is left out.

Source: Li et al., Nat. Commun. 11, 1638 (2020), doi:10.1038/s41467-020-15254-4: analog cell of two devices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..device import DeviceParameters, Devices
from .images import CLASSES, Images, images
from .task import READ_AFTER_SECONDS

EPISODES = 20
QUERIES = 100


@dataclass(frozen=True)
class Episode:
    """One image of each digit to store, in order, and others to ask for."""

    stored: np.ndarray
    asked: Images


class Recall:
    """One-shot recall of digits; implements `Workload`.

    Args:
        seed: Of the images stored and asked for.
        episodes: Memories that are filled and asked.
    """

    name = "recall"

    def __init__(self, seed: int = 0, episodes: int = EPISODES) -> None:
        rng = np.random.default_rng(np.random.SeedSequence([seed, 8]))
        self.episodes = [_episode(images(), rng) for _ in range(episodes)]
        self.chance = 1 / CLASSES
        self.tested = episodes * QUERIES
        self.ideal = float(
            np.mean([_right(one, _distances(one.asked.pixels, one.stored)) for one in self.episodes])
        )

    def accuracy(self, parameters: DeviceParameters, rng: np.random.Generator) -> float:
        """Share of queries answered rightly, each episode with its own memory of such devices."""
        return float(np.mean([_right(one, self._currents(one, parameters, rng)) for one in self.episodes]))

    def _currents(self, one: Episode, p: DeviceParameters, rng: np.random.Generator) -> np.ndarray:
        devices = Devices(p, (2, *one.stored.shape), rng)
        pair = np.stack([one.stored, 1 - one.stored])
        devices.program(p.lowest + pair * (1 - p.lowest))
        held = (devices.recalibrated(READ_AFTER_SECONDS) - p.lowest) / (1 - p.lowest)
        return match_currents(one.asked.pixels, held, devices.low, p.read_noise, rng)


def match_currents(
    queries: np.ndarray,
    held: np.ndarray,
    leaks: np.ndarray,
    read_noise: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Currents of all rows, in units of one cell at full mismatch.

    Args:
        queries: Pixels of 0 to 1, shape `(n, ncells)`.
        held: Pixels and their complements as devices hold them, shape `(2, nrows, ncells)`.
        leaks: Lowest conductance of each device, likewise.
        read_noise: Of each device, relative.
        rng: Of the noise.

    Returns:
        Shape `(n, nrows)`.
    """
    least = leaks.mean()
    above = np.maximum(queries[:, None] - held[0], 0) * (1 - least) + leaks[0]
    below = np.maximum(1 - queries[:, None] - held[1], 0) * (1 - least) + leaks[1]
    currents = (above + below).sum(axis=2)
    if not read_noise:
        return currents
    spread = read_noise * np.sqrt((above**2 + below**2).sum(axis=2))
    return currents + spread * rng.standard_normal(currents.shape)


def _episode(every: Images, rng: np.random.Generator) -> Episode:
    order = rng.permutation(len(every))
    stored = np.array([order[every.digits[order] == digit][0] for digit in range(CLASSES)])
    asked = order[~np.isin(order, stored)][:QUERIES]
    return Episode(every.pixels[stored], every.chosen(asked))


def _distances(queries: np.ndarray, stored: np.ndarray) -> np.ndarray:
    return np.abs(queries[:, None] - stored).sum(axis=2)


def _right(one: Episode, distances: np.ndarray) -> float:
    return float(np.mean(distances.argmin(axis=1) == one.asked.digits))
