"""How are settings read under a wall clock, and without one? Their wall times are cut to what is left, or taken away."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

from ...core.settings import Settings

WALL_TIMES = ("seconds", "seconds_per_hop", "hop_seconds")
LEAST_SECONDS = 5.0
"""Bands are not begun with less time left."""
T = TypeVar("T", bound=Settings)


def seconds_left(stop_at: float | None) -> float:
    """Until `stop_at` by `time.monotonic`, s; negative once it has passed, endless if there is none."""
    return math.inf if stop_at is None else stop_at - time.monotonic()


def within(config: T, stop_at: float | None) -> T:
    """The same settings with no wall time longer than what is left, but for `LEAST_SECONDS`; also in the tables inside."""
    left = max(LEAST_SECONDS, seconds_left(stop_at))
    return _with_wall_times(config, lambda seconds: min(seconds, left))


def unhurried(config: T) -> T:
    """The same settings with endless wall times, so that steps alone limit the work; also in the tables inside."""
    return _with_wall_times(config, lambda seconds: math.inf)


def _with_wall_times(config: T, change: Callable[[float], float]) -> T:
    update = {}
    for name in type(config).model_fields:
        value = getattr(config, name)
        if name in WALL_TIMES:
            update[name] = change(value)
        elif isinstance(value, Settings):
            update[name] = _with_wall_times(value, change)
    return config.model_copy(update=update)
