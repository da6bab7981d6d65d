"""What does a synapse verdict tell of a candidate, as far as it can be trusted, and what does the report show of it?

A verdict's `details` may come from a store, from a JSONL file, or from an older version of the screen: what has not the shape or
range it should have is left out. A number of an assumed device that does not name its class is left out too, so that none is
shown as if it were the crystal's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..core.candidate import Candidate
from .foreign_details import number, text
from .report_accuracy import AccuracyRow, accuracy_chart

SCREEN = "synapse"
MOST_PROFILES = 20
MOST_REQUIREMENTS = 60
MOST_NOTES = 4
LONGEST_NAME = 60
ASSUMED = "assumed"
STATUSES = ("passed", "failed", "missing")


@dataclass(frozen=True)
class ToldRequirement:
    """One requirement of a profile.

    Attributes:
        name: What is asked, in words.
        label: `from the crystal`, or `assumed, class VCM`.
        status: `passed`, `failed` or `missing`.
        sentence: In words; empty for most of an assumed device.
        margin: 0 at the bound, positive inside; `None` if it is not told.
        required: Whether the profile fits only with it.
        share: Of an assumed device: how much of the class's range serves, 0 to 1.
    """

    name: str
    label: str
    status: str
    sentence: str
    margin: float | None
    required: bool
    share: float | None

    @property
    def is_assumed(self) -> bool:
        """Whether an assumed device answers it and not the crystal."""
        return self.label.startswith(ASSUMED)


@dataclass(frozen=True)
class ToldProfile:
    """One application."""

    title: str
    assumed_class: str
    fits: bool
    undecided: bool
    limiting: ToldRequirement | None
    requirements: tuple[ToldRequirement, ...]
    accuracy: tuple[AccuracyRow, ...]

    @property
    def fits_in_words(self) -> str:
        """`fits`, `open` or `no`."""
        return "fits" if self.fits else "open" if self.undecided else "no"


@dataclass(frozen=True)
class ToldSynapse:
    """All that a verdict tells; what is absent or malformed is empty."""

    assumed_class: str
    profiles: tuple[ToldProfile, ...]
    notes: tuple[str, ...]


def synapse(candidate: Candidate) -> ToldSynapse | None:
    """What the synapse screen has told of a candidate, or `None` if it was not asked."""
    verdict = candidate.verdict(SCREEN)
    if verdict is None:
        return None
    details = _mapping(verdict.details)
    notes = (text(one) for one in _list(details.get("notes"))[:MOST_NOTES])
    profiles = (_profile(one) for one in _list(details.get("profiles"))[:MOST_PROFILES])
    return ToldSynapse(
        text(details.get("assumed_class"), LONGEST_NAME),
        tuple(one for one in profiles if one is not None),
        tuple(note for note in notes if note),
    )


def synapse_block(candidate: Candidate, rank: int) -> dict[str, Any] | None:
    """The `synapse` of a candidate's card, plain values for the template; `None` if there is nothing to show.

    Args:
        candidate: Judged or not.
        rank: Its place, from 1; it begins the ids of the drawing.
    """
    told = synapse(candidate)
    if told is None or not told.profiles:
        return None
    rows = accuracy_rows(told)
    return {
        "chart": accuracy_chart(rows, f"accuracy-{rank}") if rows else None,
        "caption": _caption(rows),
        "profiles": [_shown(profile) for profile in told.profiles],
        "notes": list(told.notes),
    }


def accuracy_rows(told: ToldSynapse) -> list[AccuracyRow]:
    """Accuracies of the profiles, each workload and class once."""
    return list(
        {
            (row.workload, row.assumed_class): row for profile in told.profiles for row in profile.accuracy
        }.values()
    )


def _shown(profile: ToldProfile) -> dict[str, Any]:
    limiting = profile.limiting
    asked = [one for one in profile.requirements if not one.is_assumed]
    assumed = [one for one in profile.requirements if one.is_assumed]
    return {
        "title": profile.title,
        "fits": profile.fits,
        "mark": profile.fits_in_words,
        "assumed": f"{ASSUMED}, class {profile.assumed_class}" if profile.assumed_class else "",
        "limiting": limiting.sentence or limiting.name if limiting else "",
        "limiting_label": limiting.label if limiting else "",
        "asked": [
            {"sentence": one.sentence, "status": one.status, "required": one.required} for one in asked
        ],
        "device": [_device(one) for one in assumed],
    }


def _device(one: ToldRequirement) -> dict[str, str]:
    share = "" if one.share is None else f"{100 * one.share:.0f}%"
    return {"name": one.name, "label": one.label, "share": share, "status": one.status}


def _caption(rows: list[AccuracyRow]) -> str:
    if not rows:
        return ""
    return (
        "Accuracy of workloads on assumed devices, drawn from what published devices of the class do: dot, mean; line, the "
        "interval that holds nine tenths of the devices; bar, ideal weights; dashes, guessing. None of it follows from the "
        "crystal."
    )


def _profile(value: Any) -> ToldProfile | None:
    record = _mapping(value)
    title = text(record.get("title"), LONGEST_NAME) or text(record.get("name"), LONGEST_NAME)
    if not title or not isinstance(record.get("fits"), bool):
        return None
    requirements = (_requirement(one) for one in _list(record.get("requirements"))[:MOST_REQUIREMENTS])
    accuracy = (_accuracy(name, one) for name, one in _mapping(record.get("accuracy")).items())
    return ToldProfile(
        title,
        text(record.get("assumed_class"), LONGEST_NAME),
        record["fits"],
        record.get("undecided") is True,
        _requirement(record.get("limiting")),
        tuple(one for one in requirements if one is not None),
        tuple(one for one in accuracy if one is not None)[:MOST_PROFILES],
    )


def _requirement(value: Any) -> ToldRequirement | None:
    record = _mapping(value)
    name, label = text(record.get("name"), LONGEST_NAME), text(record.get("label"), LONGEST_NAME)
    unlabelled = record.get("kind") == ASSUMED and not label.startswith(ASSUMED)
    if not name or not label or unlabelled or record.get("status") not in STATUSES:
        return None
    share = number(record.get("share_of_class_range"))
    return ToldRequirement(
        text(record.get("words"), LONGEST_NAME) or name.replace("_", " "),
        label,
        record["status"],
        text(record.get("sentence")),
        number(record.get("margin")),
        record.get("required") is True,
        share if share is not None and 0 <= share <= 1 else None,
    )


def _accuracy(name: Any, value: Any) -> AccuracyRow | None:
    record = _mapping(value)
    workload, of_class = text(name, LONGEST_NAME), text(record.get("assumed_class"), LONGEST_NAME)
    mean, low, high, ideal = (number(record.get(key)) for key in ("mean", "low", "high", "ideal"))
    if not workload or not of_class or mean is None or low is None or high is None or ideal is None:
        return None
    if not 0 <= low <= high <= 1 or not 0 <= mean <= 1 or not 0 <= ideal <= 1:
        return None
    chance = number(record.get("chance"))
    count = record.get("n")
    words = workload.replace("-", " ")
    guessed = chance if chance is not None and 0 <= chance <= 1 else None
    return AccuracyRow(
        words, of_class, mean, low, high, ideal, guessed, count if type(count) is int else None
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
