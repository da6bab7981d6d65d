"""How do the mechanisms of resistive switching become one verdict?

Each mechanism is a verdict of its own. A crystal passes if one of them does; the best one that passes gives the score and
names `details.mechanism`. A mechanism that lacks a value it requires is not judged, and says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...core.candidate import Verdict
from ..criteria import Criterion, decide

Status = Literal["passed", "failed", "not judged"]


@dataclass(frozen=True)
class Judged:
    """What was found of one mechanism.

    Attributes:
        mechanism: `VCM`, `ECM`, `PCM`, `MIT`, `ECRAM` or `halide`.
        status: `not judged` if nothing it requires failed but something was not computed.
        verdict: Its own verdict.
        criteria: In the order they are told.
    """

    mechanism: str
    status: Status
    verdict: Verdict
    criteria: tuple[Criterion, ...]

    @property
    def not_computed(self) -> list[str]:
        """Names of the criteria that were not computed."""
        return [one.name for one in self.criteria if one.status == "not computed"]

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "mechanism": self.mechanism,
            "status": self.status,
            "score": self.verdict.score,
            "reason": self.verdict.reason,
            "flagged": any(one.flagged for one in self.criteria),
            "not_computed": self.not_computed,
            "criteria": self.verdict.details["criteria"],
            "required": self.verdict.details["required"],
        }


def judged(
    mechanism: str, criteria: Sequence[Criterion], required: Sequence[str], headline: str, weight: float = 1.0
) -> Judged:
    """One mechanism after its criteria.

    Args:
        mechanism: Its name.
        criteria: In the order they are told.
        required: Names of those that must have passed.
        headline: Whose value and threshold a passing verdict shows.
        weight: Its score is multiplied by this, 0 to 1.
    """
    verdict = decide(mechanism, criteria, required, headline)
    if verdict.score:
        verdict = dataclasses.replace(verdict, score=verdict.score * weight)
    needed = [one for one in criteria if one.name in required]
    failed = any(one.status == "failed" for one in needed)
    status: Status = "passed" if verdict.passed else "failed" if failed else "not judged"
    return Judged(mechanism, status, verdict, tuple(criteria))


def joined(screen: str, mechanisms: Sequence[Judged], details: Mapping[str, Any]) -> Verdict:
    """The verdict of the screen.

    Args:
        screen: Its name.
        mechanisms: In the order they are told; of equal scores the first counts.
        details: More to keep.
    """
    passing = [one for one in mechanisms if one.status == "passed"]
    best = max(passing, key=lambda one: one.verdict.score or 0.0) if passing else mechanisms[0]
    told = {
        "mechanism": best.mechanism if passing else None,
        "mechanisms": [one.record() for one in mechanisms],
        "mechanisms_not_judged": [one.mechanism for one in mechanisms if one.status == "not judged"],
        "not_computed": best.not_computed,
        **best.verdict.details,
        **details,
    }
    return Verdict(
        screen=screen,
        passed=bool(passing),
        score=_score(mechanisms, passing),
        value=best.verdict.value,
        threshold=best.verdict.threshold,
        reason=_reason(mechanisms, passing, best),
        details=told,
    )


def _score(mechanisms: Sequence[Judged], passing: Sequence[Judged]) -> float | None:
    if passing:
        return max(one.verdict.score or 0.0 for one in passing)
    return 0.0 if all(one.status == "failed" for one in mechanisms) else None


def _reason(mechanisms: Sequence[Judged], passing: Sequence[Judged], best: Judged) -> str:
    if not passing:
        return " ".join(f"{one.mechanism} {_verb(one)}: {one.verdict.reason}" for one in mechanisms)
    others = [one.mechanism for one in passing if one is not best]
    also = f" Also {', '.join(others)}." if others else ""
    return f"{best.mechanism}: {best.verdict.reason}{also}"


def _verb(one: Judged) -> str:
    return "fails" if one.status == "failed" else "is not judged"
