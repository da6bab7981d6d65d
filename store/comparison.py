"""Do two stores hold the same, times and names of runs aside?

For runs that must come to the same end: undisturbed or killed and resumed, by one worker or by several.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.candidate import Candidate
from .runs import LAST
from .store import CandidateStore

SAME = 1e-4
"""Of each unit: what two equal runs may differ by."""

Key = tuple[str, str, int]
"""Name and method of a property, and which number of it."""


@dataclass(frozen=True)
class Known:
    """What a store says of a candidate.

    Attributes:
        values: Every number and word of its properties.
        verdicts: Who passed which screen.
        steps: Stage, name and parents of each step of its provenance.
        failures: Reasons.
    """

    values: dict[Key, Any]
    verdicts: dict[str, bool]
    steps: list[tuple[str, str, tuple[str, ...]]]
    failures: list[str]


@dataclass(frozen=True)
class Content:
    """What a store holds.

    Attributes:
        candidates: By id.
        ranking: Ids of a run's ranking, the best first.
        joined: Crystals that are the same, by id.
    """

    candidates: dict[str, Known]
    ranking: list[str]
    joined: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Differences:
    """How a store differs from the one it should be equal to.

    Attributes:
        lost: Ids that are missing.
        duplicated: Ids that are too many, and candidates that went through a step or failed once more than they should.
        different: Ids of which something else is said.
        ranking: Whether the rankings differ.
    """

    lost: list[str]
    duplicated: list[str]
    different: list[str]
    ranking: bool

    def __bool__(self) -> bool:
        return bool(self.lost or self.duplicated or self.different or self.ranking)


def content(url: str | Path, run_id: str = LAST) -> Content:
    """What a store holds, without times and names of runs; the ranking is that of the run, by default the newest."""
    with CandidateStore.open(str(url), create=False) as store:
        found = store.query(None)
        ranking = [identifier for identifier, _ in store.ranking(store.get_run(run_id).run_id)]
        joined = {c.candidate_id: twins for c in found if (twins := store.same_as(c.candidate_id))}
    return Content({c.candidate_id: _known(c) for c in found}, ranking, joined)


def differences(one: Content, other: Content) -> Differences:
    """What is wrong with `other` if it should be equal to `one`."""
    lost = sorted(one.candidates.keys() - other.candidates.keys())
    more = sorted(other.candidates.keys() - one.candidates.keys())
    different = []
    for identifier in sorted(one.candidates.keys() & other.candidates.keys()):
        known, known_2 = one.candidates[identifier], other.candidates[identifier]
        if _repeats(known, known_2):
            more.append(identifier)
        elif not _agree(known, known_2) or one.joined.get(identifier) != other.joined.get(identifier):
            different.append(identifier)
    return Differences(lost, more, different, one.ranking != other.ranking)


def _known(candidate: Candidate) -> Known:
    values = {
        (p.name, p.method, i): number
        for p in candidate.properties
        for i, number in enumerate(p.value if isinstance(p.value, tuple) else [p.value])
    }
    verdicts = {verdict.screen: verdict.passed for verdict in candidate.verdicts}
    steps = [(step.stage, step.name, step.parents) for step in candidate.provenance]
    return Known(values, verdicts, steps, [failure.reason for failure in candidate.failures])


def _repeats(known: Known, other: Known) -> bool:
    """Whether `other` holds a step or a failure of `known` once more."""
    steps = Counter(other.steps) - Counter(known.steps)
    failures = Counter(other.failures) - Counter(known.failures)
    return bool(steps.keys() & set(known.steps) or failures.keys() & set(known.failures))


def _agree(known: Known, other: Known) -> bool:
    said = (known.verdicts, known.steps, known.failures)
    return said == (other.verdicts, other.steps, other.failures) and _close(known.values, other.values)


def _close(values: Mapping[Key, Any], others: Mapping[Key, Any]) -> bool:
    return values.keys() == others.keys() and all(_equal(values[key], others[key]) for key in values)


def _equal(value: Any, other: Any) -> bool:
    if isinstance(value, float | int) and isinstance(other, float | int):
        return math.isclose(value, other, rel_tol=1e-6, abs_tol=SAME)
    return value == other


def told(found: Differences, most: int = 3) -> str:
    """The differences in words, for a message."""

    def some(ids: Sequence[str]) -> str:
        return ", ".join(ids[:most]) + (" ..." if len(ids) > most else "")

    parts = [
        f"{len(ids)} {name} ({some(ids)})"
        for name, ids in (
            ("lost", found.lost),
            ("too many", found.duplicated),
            ("different", found.different),
        )
        if ids
    ]
    return "; ".join([*parts, *(["the rankings differ"] if found.ranking else [])]) or "equal"
