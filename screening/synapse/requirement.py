"""How far is one requirement met, on a scale on which different ones can be compared?

The margin is 0 at the bound, positive inside and negative outside. Inside a window with two ends it reaches 1 in the middle; of
a bound with one end it is the distance from it over its own size, at most 1. Times are compared by their logarithm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from .words import plain

Status = Literal["passed", "failed", "missing"]
Kind = Literal["material", "assumed"]

BEST_MARGIN = 1.0
WORST_MARGIN = -9.0
"""Margins are told between these; what lies further out changes nothing."""
BARRIER_ERROR_DECADES = 5.0
"""One unit of margin of a time that has one bound only: at 298 K a barrier that is off by 0.3 eV, the mean absolute error of
universal potentials on migration barriers, moves a waiting time by as much."""


@dataclass(frozen=True)
class Requirement:
    """One thing an application asks, and what is known of it.

    Attributes:
        name: What is asked: `migration_barrier`, `levels`.
        kind: Whether the crystal answers it or an assumed device does.
        label: `from the crystal`, or `assumed, class VCM`.
        status: `missing` if nothing is known.
        sentence: Value, bound, unit and method in words, without a full stop.
        margin: See the module; `None` if nothing is known.
        value: The number held against the bound; of an assumed device there is none.
        share: Of an assumed device: how much of the class's range lies within the bound, 0 to 1.
        low: Lower end of the bound, in `units`.
        high: Upper end.
        units: Of value, low and high.
        required: Whether the profile fits only with it.
        flagged: It passed by a rule, or an uncertainty reaches over the bound.
    """

    name: str
    kind: Kind
    label: str
    status: Status
    sentence: str
    margin: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    units: str = "1"
    required: bool = True
    flagged: bool = False
    share: float | None = None

    @property
    def bound(self) -> float | None:
        """The end that the value is held against."""
        ends = [end for end in (self.low, self.high) if end is not None]
        if self.value is None or len(ends) < 2:
            return ends[0] if ends else None
        return min(ends, key=lambda end: abs(end - self.value))  # type: ignore[operator]

    def record(self, sentence: bool = True) -> dict[str, Any]:
        """As JSON, without what is absent; on demand without the sentence."""
        told = {
            "name": self.name,
            "words": plain(self.name),
            "kind": self.kind,
            "label": self.label,
            "status": self.status,
            "sentence": self.sentence if sentence else None,
            "margin": None if self.margin is None else round(self.margin, 4),
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "units": self.units,
            "share_of_class_range": None if self.share is None else round(self.share, 4),
        }
        flags = {key: True for key in ("required", "flagged") if getattr(self, key)}
        return {key: value for key, value in told.items() if value is not None} | flags


def margin(value: float, low: float | None, high: float | None, scale: float | None = None) -> float:
    """How far inside its bounds a value lies.

    Args:
        value: In the unit of the bounds.
        low: Lower end, if any.
        high: Upper end, if any.
        scale: Unit of margin of a single end; its own size if absent, or 1 for an end of 0.
    """
    if low is not None and high is not None:
        return _within((min(value - low, high - value)) / ((high - low) / 2))
    end = low if low is not None else high
    if end is None:
        return BEST_MARGIN
    inside = value - end if low is not None else end - value
    return _within(inside / (scale or abs(end) or 1.0))


def log_margin(log10_value: float, low: float | None, high: float | None) -> float:
    """The margin of a time whose logarithm is known, log10 of seconds; the bounds are in seconds."""
    ends = [None if end is None else math.log10(end) for end in (low, high)]
    return margin(log10_value, ends[0], ends[1], BARRIER_ERROR_DECADES)


def most_limiting(requirements: list[Requirement]) -> Requirement | None:
    """The failed one farthest outside its bound; if none failed an unknown one; else the one nearest to its bound."""
    if not requirements:
        return None
    rank = {"failed": 0, "missing": 1, "passed": 2}
    return min(
        requirements,
        key=lambda one: (rank[one.status], BEST_MARGIN if one.margin is None else one.margin),
    )


def _within(value: float) -> float:
    return min(BEST_MARGIN, max(WORST_MARGIN, value))
