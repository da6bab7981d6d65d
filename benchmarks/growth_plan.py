"""What would a million candidates cost? Two ways, from what smaller numbers cost.

In one run, each part of it grows on as it grew between the two largest sizes that were measured. In nights of the largest size on
one store, each night costs what it costs on an empty store, and what it must read of the nights before in proportion to them.
"""

from __future__ import annotations

import math
from typing import Any

MILLION = 1_000_000
LEAST_MS = 1e-6
"""Below what a clock can tell."""


def for_a_million(small: dict[str, Any], large: dict[str, Any]) -> dict[str, Any]:
    """One run, without its physics.

    Args:
        small: Row of `growth.py` of the second largest size.
        large: That of the largest one.

    Returns:
        `powers`: each part's total grows as the number of candidates to this power; 1 is in proportion. `hours` of each part.
    """
    parts = {**large["steps_ms_a_candidate"], "orchestration": large["orchestration_ms_a_candidate"]}
    before = {**small["steps_ms_a_candidate"], "orchestration": small["orchestration_ms_a_candidate"]}
    ratio = large["candidates"] / small["candidates"]
    hours, powers = {}, {}
    for part, each in parts.items():
        powers[part] = 1 + math.log(max(each, LEAST_MS) / max(before[part], LEAST_MS)) / math.log(ratio)
        total_ms = each * large["candidates"] * (MILLION / large["candidates"]) ** powers[part]
        hours[part] = total_ms / 3.6e6
    return {
        "powers": powers,
        "hours": hours,
        "hours_in_all": sum(hours.values()),
        "store_gib": large["store_kib_a_candidate"] * MILLION / 1024**2,
        "memory_gib": _memory_mib(small, large, MILLION) / 1024,
    }


def in_nights(row: dict[str, Any], fresh: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """Runs of one size on one store until there are a million, without their physics.

    Args:
        row: Of `growth.py`, of one night's size on an empty store.
        fresh: A smaller run on an empty store.
        later: One of that size on the store that `row` left.
    """
    each = row["candidates"]
    nights = math.ceil(MILLION / each)
    reads = max(later["seconds"] - fresh["seconds"], 0.0) / each
    """Seconds that each candidate of the nights before costs a night."""
    hours = (nights * row["seconds"] + reads * each * nights * (nights - 1) / 2) / 3600
    return {
        "candidates_a_night": each,
        "nights": nights,
        "first_night_seconds": row["seconds"],
        "last_night_seconds": row["seconds"] + reads * each * (nights - 1),
        "hours_in_all": hours,
        "ms_a_stored_candidate_and_night": 1000 * reads,
        "memory_gib": row["peak_memory_mib"] / 1024,
    }


def _memory_mib(small: dict[str, Any], large: dict[str, Any], candidates: int) -> float:
    """Peak memory on the straight line through both sizes."""
    more = large["peak_memory_mib"] - small["peak_memory_mib"]
    slope = more / (large["candidates"] - small["candidates"])
    return large["peak_memory_mib"] + slope * (candidates - large["candidates"])
