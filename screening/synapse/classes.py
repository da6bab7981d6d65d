"""Of which mechanism class could a device of this crystal be, by what the other screens have said?

Nothing is judged anew: a crystal that passed the ferroelectric screen could make a ferroelectric device, and one that passed a
mechanism of the resistive-switching screen a device of that class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.candidate import Candidate, Verdict

FERROELECTRIC_SCREEN = "ferroelectric"
SWITCHING_SCREEN = "resistive-switching"
FERROELECTRIC = "ferroelectric"
UNJUDGED = "not judged"


@dataclass(frozen=True)
class DeviceClass:
    """A class that the verdicts allow.

    Attributes:
        mechanism: `VCM`, `ferroelectric` and so on.
        screen: Whose verdict allows it.
        score: Of that verdict, 0 to 1, if it has one.
        flagged: It was passed with a flag.
        criteria: Of that verdict, by name.
    """

    mechanism: str
    screen: str
    score: float | None = None
    flagged: bool = False
    criteria: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Allowed:
    """What the other screens leave.

    Attributes:
        classes: Those that passed.
        unjudged: Classes of which something was not computed, so that they may pass yet.
        asked: Screens that have given a verdict.
    """

    classes: tuple[DeviceClass, ...]
    unjudged: tuple[str, ...]
    asked: tuple[str, ...]


def allowed_classes(candidate: Candidate) -> Allowed:
    """The classes that a candidate's verdicts allow, those of resistive switching first, each in its screen's order."""
    switching, ferroelectric = candidate.verdict(SWITCHING_SCREEN), candidate.verdict(FERROELECTRIC_SCREEN)
    records = _mechanisms(switching) if switching else []
    classes = [_switching_class(one) for one in records if one["status"] == "passed"]
    unjudged = [one["mechanism"] for one in records if one["status"] == UNJUDGED]
    if ferroelectric is not None:
        if ferroelectric.passed:
            classes.append(_ferroelectric_class(ferroelectric))
        elif ferroelectric.score is None:
            unjudged.append(FERROELECTRIC)
    asked = [one.screen for one in (switching, ferroelectric) if one is not None]
    return Allowed(tuple(classes), tuple(unjudged), tuple(asked))


def _mechanisms(verdict: Verdict) -> list[dict[str, Any]]:
    """A record for each mechanism; of a verdict that names one mechanism alone, of that one."""
    details = verdict.details if isinstance(verdict.details, dict) else {}
    listed = details.get("mechanisms")
    if isinstance(listed, list | tuple):
        return [one for one in listed if isinstance(one, dict) and _is_readable(one)]
    if isinstance(details.get("mechanism"), str):
        status = "passed" if verdict.passed else UNJUDGED if verdict.score is None else "failed"
        return [
            {
                "mechanism": details["mechanism"],
                "status": status,
                "score": verdict.score,
                "criteria": details.get("criteria"),
            }
        ]
    return []


def _is_readable(record: dict[str, Any]) -> bool:
    return isinstance(record.get("mechanism"), str) and isinstance(record.get("status"), str)


def _switching_class(record: dict[str, Any]) -> DeviceClass:
    return DeviceClass(
        record["mechanism"],
        SWITCHING_SCREEN,
        _score(record.get("score")),
        record.get("flagged") is True,
        _by_name(record.get("criteria")),
    )


def _ferroelectric_class(verdict: Verdict) -> DeviceClass:
    details = verdict.details if isinstance(verdict.details, dict) else {}
    criteria = _by_name(details.get("criteria"))
    flagged = any(one.get("flagged") is True for one in criteria.values())
    return DeviceClass(FERROELECTRIC, FERROELECTRIC_SCREEN, _score(verdict.score), flagged, criteria)


def _score(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= 1 else None


def _by_name(criteria: Any) -> dict[str, Mapping[str, Any]]:
    listed: Sequence[Any] = criteria if isinstance(criteria, list | tuple) else ()
    return {one["name"]: one for one in listed if isinstance(one, dict) and isinstance(one.get("name"), str)}
