"""Which numbers and orders of properties does a question ask for? The rules, in the order they are tried."""

from __future__ import annotations

from .properties import compared, counted, known, signed, symbolic
from .reading import Reading
from .sorting import bounded_superlative, comparative, sorted_by, superlative
from .symmetry import point_group

READERS = (
    point_group, bounded_superlative, superlative, sorted_by, comparative, signed, known, symbolic, counted, compared,
)  # fmt: skip


def measure(reading: Reading, i: int) -> int | None:
    """A property and what is said of it, from a token on; the index after it."""
    return next((end for read in READERS if (end := read(reading, i)) is not None), None)
