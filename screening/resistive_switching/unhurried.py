"""How are settings read where no wall clock may decide a result? Without their wall times; steps alone then limit the work."""

from __future__ import annotations

import math
from typing import TypeVar

from ...core.settings import Settings

WALL_TIMES = ("seconds", "seconds_per_hop", "hop_seconds")
T = TypeVar("T", bound=Settings)


def unhurried(config: T) -> T:
    """The same settings with endless wall times, also in the tables inside."""
    update = {}
    for name in type(config).model_fields:
        value = getattr(config, name)
        if name in WALL_TIMES:
            update[name] = math.inf
        elif isinstance(value, Settings):
            update[name] = unhurried(value)
    return config.model_copy(update=update)
