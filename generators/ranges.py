"""In which ranges shall the properties of new crystals lie?"""

from __future__ import annotations

import math
from collections.abc import Mapping

STABILITY = "energy_above_hull"
Range = tuple[float | None, float | None]
"""Low and high end, in the unit of the property table; none is open."""


def require_ascending(ranges: Mapping[str, Range]) -> None:
    """Refuse ranges that are empty, or none.

    Raises:
        ValueError: one is.
    """
    for name, (low, high) in ranges.items():
        if low is None and high is None:
            raise ValueError(f"the range of {name} is open at both ends; leave it out")
        if any(end is not None and not math.isfinite(end) for end in (low, high)):
            raise ValueError(f"the range of {name} ends at a number; leave an end out to open it")
        if low is not None and high is not None and not low < high:
            raise ValueError(f"the range {low:g}..{high:g} of {name} is empty")


def lies_in(value: float, limits: Range) -> bool:
    """Whether a value lies in a range, its ends included."""
    low, high = limits
    return (low is None or value >= low) and (high is None or value <= high)
