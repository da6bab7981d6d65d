"""Does a value lie in a window, and how sure is that?

A window belongs to one quantity in one unit. A value whose interval reaches over an edge passes or fails by its
middle, and is flagged.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import model_validator

from ..core.candidate import PropertyValue
from ..core.settings import Settings
from .criteria import Criterion

DOUBTFUL_SCORE = 0.6
"""Of a value inside whose interval reaches over an edge; one that is surely inside scores 1. Ours, 2026."""


class Window(Settings):
    """Values from `low` to `high` pass, both included; `None`: no such end."""

    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Window:
        if self.low is None and self.high is None:
            raise ValueError("a window needs an end: low, high or both")
        if self.low is not None and self.high is not None and self.high <= self.low:
            raise ValueError(f"high ({self.high}) must lie above low ({self.low})")
        return self

    def holds(self, value: float) -> bool:
        """Whether a value lies inside."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def edge(self, value: float) -> float:
        """The end that a value is held against: the one it has crossed, else the nearer one."""
        ends = [end for end in (self.low, self.high) if end is not None]
        return min(ends, key=lambda end: abs(end - value))

    def __str__(self) -> str:
        if self.low is None:
            return f"at most {self.high:g}"
        return f"at least {self.low:g}" if self.high is None else f"{self.low:g} to {self.high:g}"


def judge_in_window(
    name: str,
    value: float,
    window: Window,
    units: str,
    method: str,
    uncertainty: float | None = None,
    interval: Sequence[float] | None = None,
) -> Criterion:
    """The criterion on a number.

    Args:
        name: Of the criterion, as it is told: `migration_barrier`.
        value: In `units`.
        window: What passes.
        units: Plain ASCII; `"1"` is not told.
        method: How the value was found.
        uncertainty: One standard deviation.
        interval: Lower and upper end, if known; else two standard deviations to either side count.
    """
    inside = window.holds(value)
    reach = interval or (
        (value - 2 * uncertainty, value + 2 * uncertainty) if uncertainty else (value, value)
    )
    doubtful = any(window.holds(end) != inside for end in reach) or (
        not inside and reach[0] < window.edge(value) < reach[1]
    )
    unit = "" if units == "1" else f" {units}"
    spread = f" +- {uncertainty:.2g}" if uncertainty else ""
    doubt = ", though its interval reaches over the edge" if doubtful else ""
    return Criterion(
        name=name,
        status="passed" if inside else "failed",
        sentence=f"{name} {value:.2f}{spread}{unit} ({method}) lies "
        f"{'in' if inside else 'outside'} the window of {window}{unit}{doubt}",
        value=value,
        threshold=window.edge(value),
        units=units,
        method=method,
        score=0.0 if not inside else DOUBTFUL_SCORE if doubtful else 1.0,
        flagged=doubtful,
        uncertainty=uncertainty,
    )


def judge_property(found: PropertyValue | None, name: str, window: Window, units: str) -> Criterion:
    """The criterion on a property of a candidate, or that it was not computed."""
    if found is None:
        return Criterion(name, "not computed", f"{name} not computed", None, window.low, units)
    value = float(found.value)  # type: ignore[arg-type]
    return judge_in_window(name, value, window, units, found.method, found.uncertainty, found.interval)
