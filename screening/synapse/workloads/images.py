"""Which handwritten digits do the workloads see?

Optical Recognition of Handwritten Digits, test part: 1,797 images of 8 x 8 pixels, 0 to 16, by 13 writers. The card beside the
file says where it comes from.
"""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from functools import cache

import numpy as np

from ....core.settings import data_file

FILE = "synapse/digits.csv.gz"
BRIGHTEST = 16
CLASSES = 10
TESTED = 600


@dataclass(frozen=True)
class Images:
    """Pixels of 0 to 1, shape `(n, 64)`, and the digit each shows, shape `(n,)`."""

    pixels: np.ndarray
    digits: np.ndarray

    def __len__(self) -> int:
        return len(self.digits)

    def chosen(self, which: np.ndarray) -> Images:
        """Some of them."""
        return Images(self.pixels[which], self.digits[which])


@cache
def images() -> Images:
    """All of them, in the file's order."""
    raw = gzip.decompress(data_file(FILE).read_bytes()).decode()
    rows = np.array([[int(value) for value in row] for row in csv.reader(io.StringIO(raw))])
    return Images(rows[:, :-1] / BRIGHTEST, rows[:, -1])


def split(seed: int) -> tuple[Images, Images]:
    """Images to train with and `TESTED` others, drawn at random: both have the same writers."""
    every = images()
    order = np.random.default_rng(np.random.SeedSequence([seed, 1])).permutation(len(every))
    return every.chosen(order[TESTED:]), every.chosen(order[:TESTED])


def most_frequent(digits: np.ndarray) -> float:
    """Share that one is right about by always naming the most frequent digit."""
    return float(np.bincount(digits).max() / len(digits))
