"""Which lesson does a run use, when is a new one made, and how do corrected values come to candidates?

A run takes the newest lesson of its store when it begins, after having made one if DFT results were ingested since the
last; it notes the version with its work, so a resumed run uses the same, and no later lesson changes it. Corrections are
applied between measuring and judging: what a screen measures, and what is reused of it, never depends on a lesson.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..core.candidate import Candidate
from ..core.learnt import NEVER_NEGATIVE, bare, learnt_values, still_valid
from ..export.run_summary import LessonSummary
from ..predictors.lessons.lesson import FORMAT, Lesson, kept_pairs, learn, lesson_of
from .run import Run

if TYPE_CHECKING:
    from ..store.lessons import StoredLesson
    from ..store.store import CandidateStore

STAGE = "lesson"
READ_AT_ONCE = 200
"""Candidates that are read from the store at once."""


@dataclass(frozen=True)
class Learned:
    """What came of learning.

    Attributes:
        content: The lesson; empty if DFT has answered nothing.
        last: The lesson before, if there is one.
        is_new: Whether DFT has said anything that the lesson before did not know.
    """

    content: dict[str, Any]
    last: StoredLesson | None
    is_new: bool


def learned(store: CandidateStore) -> Learned:
    """What all DFT values of a store teach; nothing is written."""
    last = store.newest_lesson()
    ids = store.answered_ids()
    if not ids:
        return Learned({}, last, False)
    known = last.content if last and last.content.get("format") == FORMAT else None
    content = learn(_read(store, ids), kept_pairs(known))
    return Learned(content, last, known is None or _answers(content) != _answers(known))


def keep(store: CandidateStore, found: Learned) -> StoredLesson | None:
    """The newest lesson after learning: what was learned if it is new, else the one before."""
    return store.add_lesson(found.content) if found.is_new and found.content["pairs"] else found.last


@lru_cache(maxsize=4)
def lesson_for(run: Run) -> Lesson | None:
    """The lesson of a run, worked out and noted when it is first asked; `None` without one."""
    noted = run.done(STAGE)
    if not noted:
        stored = _newest(run)
        version = stored.version if stored else None
        run.store.upsert([], run.run_id, work=(STAGE, 0, {"version": version}))
        noted = run.done(STAGE)
    version = noted[0]["version"]
    return lesson_of(version, run.store.lesson(version).content) if version else None


def sentence(lesson: Lesson | None) -> str:
    """For whoever follows a run."""
    if lesson is None:
        return "none"
    taught, corrected = lesson.content["learned_from"], len(lesson.corrections)
    methods = "1 method is" if corrected == 1 else f"{corrected} methods are"
    return f"{lesson.version}, of {taught['dft_values']} DFT values of {taught['candidates']} candidates; {methods} corrected"


def told(lesson: Lesson | None) -> LessonSummary | None:
    """What the report says of a run's lesson."""
    if lesson is None:
        return None
    by_group = {(c.name, c.method, c.teacher): c for c in lesson.corrections}
    pairs = []
    for pair in kept_pairs(lesson.content):
        record = pair.to_record() | {"uncertainty": pair.stated}
        correction = by_group.get(pair.group)
        if correction is not None and not pair.at_bound:
            shift, deviation = correction.shift(pair.family, pair.estimate, pair.stated)
            least = 0.0 if pair.name in NEVER_NEGATIVE else float("-inf")
            record |= {"corrected": max(least, pair.estimate + shift), "deviation": deviation}
        pairs.append(record)
    return LessonSummary(lesson.version, tuple(lesson.content["groups"]), tuple(pairs))


def seen(candidate: Candidate, lesson: Lesson | None) -> Candidate:
    """A candidate without corrected values, as it is judged: with those of the run's lesson alone."""
    return lesson.seen(candidate) if lesson else bare(candidate)


def with_lesson(now: Candidate, before: Candidate, lesson: Lesson | None) -> Candidate:
    """A measured candidate with what stands corrected: by earlier lessons if the estimate is what it was, and by this one.

    Args:
        now: Without corrected values.
        before: As it was before it was measured.
        lesson: Of the run.
    """
    old = still_valid(learnt_values(before), before, now)
    new = lesson.corrected(now) if lesson else []
    richer = now.with_property(*old).with_property(*new)
    step = lesson.step(new) if lesson and new else None
    return richer if step is None or step in richer.provenance else richer.with_step(step)


def forget() -> None:
    """Drop what this process remembers of runs."""
    lesson_for.cache_clear()


def _newest(run: Run) -> StoredLesson | None:
    settings = run.settings.learn
    if not settings.use:
        return None
    if settings.at_start:
        return keep(run.store, learned(run.store))
    return run.store.newest_lesson()


def _read(store: CandidateStore, ids: list[str]) -> Iterator[Candidate]:
    for start in range(0, len(ids), READ_AT_ONCE):
        yield from store.get_many(ids[start : start + READ_AT_ONCE])


def _answers(content: dict[str, Any]) -> set[tuple[Any, ...]]:
    """What DFT has said, as far as a lesson tells it: of which estimates, and how much."""
    names = ("candidate_id", "name", "method", "teacher", "dft")
    return {tuple(pair[name] for name in names) for pair in content["pairs"]}
