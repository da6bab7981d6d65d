"""In which order does an epoch visit a data set?

Each (seed, epoch) has its own order, and any place in it is found at once: nothing of the size of the data set is
kept, and training resumes at a place without walking there. OMat24 has 10^8 frames; a list of them would be 800 MB.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_ROUNDS = 6
_MULTIPLIER = 0x9E3779B97F4A7C15
_64_BITS = 2**64 - 1


class ShuffledOrder:
    """A permutation of `range(count)`.

    A balanced Feistel network over the next power of four, walked until it falls inside the range: a permutation by
    construction, with no table. Source: Black and Rogaway (2002), doi:10.1007/3-540-45760-7_9, method 3.
    """

    def __init__(self, count: int, seed: int, epoch: int) -> None:
        self.count = count
        self._half_bits = max(1, (max(count - 1, 1).bit_length() + 1) // 2)
        state = np.random.SeedSequence([seed, epoch, count]).generate_state(_ROUNDS, np.uint64)
        self._keys = [int(key) for key in state]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> int:
        """What is visited at this place."""
        if not 0 <= place < self.count:
            raise IndexError(place)
        found = self._mixed(place)
        while found >= self.count:
            found = self._mixed(found)
        return found

    def __iter__(self) -> Iterator[int]:
        return (self[place] for place in range(self.count))

    def _mixed(self, value: int) -> int:
        bits = self._half_bits
        mask = (1 << bits) - 1
        left, right = value >> bits, value & mask
        for key in self._keys:
            left, right = right, left ^ (self._hash(right, key) & mask)
        return left << bits | right

    @staticmethod
    def _hash(value: int, key: int) -> int:
        mixed = ((value ^ key) * _MULTIPLIER) & _64_BITS
        mixed ^= mixed >> 32
        mixed = (mixed * _MULTIPLIER) & _64_BITS
        return mixed >> 29
