"""How is a JSON object read that may come from anywhere?

A verdict's `details` may come from a store, from a JSONL file, or from an older version of a screen. What has not the
shape, the range or the finiteness it should have is left out; text loses its control characters. What remains is safe
to draw and to print once it is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

LONGEST_TEXT = 400
MOST_NUMBERS = 400
T = TypeVar("T")


def text(value: Any, longest: int = LONGEST_TEXT) -> str:
    """Foreign text on one line without control characters; empty if it is no text."""
    if not isinstance(value, str):
        return ""
    visible = "".join(character if character.isprintable() else " " for character in value[: 2 * longest])
    line = " ".join(visible.split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def each(value: Any, read: Callable[[dict[str, Any]], T | None], most: int) -> tuple[T, ...]:
    """What can be read of a list of JSON objects, at most so many."""
    records = value if isinstance(value, list | tuple) else ()
    found = (read(record) for record in records[:most] if isinstance(record, dict))
    return tuple(one for one in found if one is not None)


def mapping(value: Any) -> dict[str, Any]:
    """A JSON object; empty if it is none."""
    return value if isinstance(value, dict) else {}


def truth(value: Any) -> bool | None:
    """True or false; `None` if it is neither."""
    return value if isinstance(value, bool) else None


def number(value: Any) -> float | None:
    """A finite number; `None` if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def positive(record: dict[str, Any], key: str) -> float | None:
    """A number that is not negative; `None` if it is none."""
    value = number(record.get(key))
    return value if value is not None and value >= 0 else None


def numbers(value: Any) -> np.ndarray | None:
    """Two to `MOST_NUMBERS` finite numbers."""
    if not isinstance(value, list | tuple) or not 2 <= len(value) <= MOST_NUMBERS:
        return None
    found: Sequence[float | None] = [number(one) for one in value]
    return None if None in found else np.array(found, dtype=float)
