"""How do single criteria become one verdict?

A criterion is one question with its value, threshold, unit and method. A verdict passes if every
required criterion was computed and passed; one that is missing or was not computed is never a pass.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..core.candidate import Verdict

Status = Literal["passed", "failed", "missing", "not computed"]


@dataclass(frozen=True)
class Criterion:
    """One question of a screen.

    Attributes:
        name: What was asked: `polarization`.
        status: `missing` if it should have been computed and could not be; `not computed` if this version
            of the screen does not compute it.
        sentence: Value, threshold, unit and method in words, without a full stop.
        value: The number that decided, if there is one.
        threshold: What it was held against.
        units: Of value and threshold.
        method: How the value was found.
        score: 0 to 1: how well it is met; `None` if it does not weigh.
        flagged: True if it passed by a rule instead of a computed value, or its uncertainty reaches over the threshold.
        uncertainty: Of the value, one standard deviation, if known.
    """

    name: str
    status: Status
    sentence: str
    value: float | None = None
    threshold: float | None = None
    units: str = "1"
    method: str = ""
    score: float | None = None
    flagged: bool = False
    uncertainty: float | None = None

    @property
    def passed(self) -> bool:
        """Whether it was computed and holds."""
        return self.status == "passed"

    def record(self) -> dict[str, Any]:
        """As JSON, for `Verdict.details`."""
        return dataclasses.asdict(self)


def decide(
    screen: str,
    criteria: Sequence[Criterion],
    required: Sequence[str],
    headline: str,
    details: Mapping[str, Any] | None = None,
) -> Verdict:
    """The verdict that the criteria add up to.

    Args:
        screen: Name of the screen.
        criteria: In the order in which they are told.
        required: Names that must have passed; one that is not among the criteria counts as missing.
        headline: The criterion whose value and threshold a passing verdict shows.
        details: More to keep beside the criteria.

    Returns:
        Passed if all required ones passed. The score is the geometric mean of the required criteria's
        scores; 0 if one failed, `None` if one is missing.
    """
    by_name = {criterion.name: criterion for criterion in criteria}
    needed = [by_name.get(name) or _absent(name) for name in required]
    refused = [c for c in needed if not c.passed]
    deciding = refused[0] if refused else by_name[headline]
    told = refused or [*needed, *(c for c in criteria if c.name not in required)]
    return Verdict(
        screen=screen,
        passed=not refused,
        score=_score(needed),
        value=deciding.value,
        threshold=deciding.threshold,
        reason=_sentence(told),
        details={
            "criteria": [c.record() for c in (*criteria, *(c for c in needed if c.name not in by_name))],
            "required": list(required),
            **(details or {}),
        },
    )


def _absent(name: str) -> Criterion:
    return Criterion(name, "missing", f"{name} was asked for and is not judged by this screen")


def _score(needed: Sequence[Criterion]) -> float | None:
    if any(c.status == "failed" for c in needed):
        return 0.0
    if any(not c.passed for c in needed):
        return None
    scores = [c.score for c in needed if c.score is not None]
    if not scores or min(scores) <= 0:
        return 0.0 if scores else None
    return math.exp(sum(math.log(s) for s in scores) / len(scores))


def _sentence(criteria: Sequence[Criterion]) -> str:
    text = "; ".join(c.sentence for c in criteria if c.sentence)
    is_name = "_" in text.split(" ", 1)[0]
    return (text if is_name else text[:1].upper() + text[1:]) + "."
