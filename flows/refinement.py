"""The costly physics of the few: which candidates a screen is asked to look at for minutes, and the looking.

After the screens, before the ranking. Chosen are the candidates with the best place in a first ranking, and those that a
screen may yet let pass; as many as `[flow] refine` says, and of a wall-time budget no longer than
there is time. Each is
written as soon as it is done, so a killed run loses one at most.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..core.candidate import Candidate
from ..core.contracts import RefiningScreen, Screen, Tools
from ..core.learnt import bare
from . import learning, selection, toolbox
from .progress import listener
from .run import GATE, Run
from .steps import seconds_left, to_screen

if TYPE_CHECKING:
    from ..predictors.lessons.lesson import Lesson

SHARE_TO_REFINE = 0.9
"""Of a wall-time budget, after which nothing more is refined."""
LEAST_SECONDS = 10.0
"""Nothing is begun with less time left."""
UNRANKED = 0.5
"""Weight of a candidate that does not pass yet against one at the head of the first ranking."""


def refine_places(run: Run) -> Iterator[int]:
    """Places still to be refined, the most promising first."""
    refining = [one for one in toolbox.screens(run.settings) if isinstance(one, RefiningScreen)]
    if not refining or not run.settings.refinements:
        return
    ids = _chosen(run, refining)
    done = run.done("refine")
    listener().stage("refine", len(ids))
    for place in range(len(ids)):
        if place in done:
            listener().advance(1)
        elif (left := seconds_left(run, SHARE_TO_REFINE)) is None or left > LEAST_SECONDS:
            yield place


def refine(run: Run, place: int) -> str:
    """Refine one candidate by every screen that can. Returns its id."""
    began = time.monotonic()
    identifier = run.done("to-refine")[0]["ids"][place]
    candidate = run.store.get_many([identifier])[0]
    seconds = seconds_left(run, SHARE_TO_REFINE)
    tools = toolbox.tools(run.settings, seconds)
    lesson = learning.lesson_for(run)
    refined = refined_by(candidate, toolbox.screens(run.settings), tools, seconds, lesson=lesson)
    work = ("refine", place, {"id": identifier, "seconds": time.monotonic() - began})
    run.store.upsert([refined], run.run_id, stage="screen", work=work)
    listener().advance(1)
    return identifier


def refined_by(
    candidate: Candidate,
    screens: Sequence[Screen],
    tools: Tools,
    seconds: float | None = None,
    hopeful_only: bool = True,
    lesson: Lesson | None = None,
) -> Candidate:
    """A candidate after every screen that can look closer has, and all screens have judged it anew.

    Args:
        candidate: Measured and judged by the screens.
        screens: In the order they are asked.
        tools: As the screens were handed.
        seconds: Wall time for each screen.
        hopeful_only: Leave out what a screen promises nothing of.
        lesson: What DFT taught, if anything; looked closer is at what carries no corrected values.
    """
    before, candidate = candidate, bare(candidate)
    asked = [one for one in screens if candidate.verdict(one.name) is not None]
    for one in asked:
        if isinstance(one, RefiningScreen) and (not hopeful_only or one.promise(candidate) > 0):
            candidate = one.refine(candidate, tools, seconds)
    for one in asked:
        candidate = candidate.with_verdict(one.judge(learning.seen(candidate, lesson)))
    return learning.with_lesson(candidate, before, lesson)


def _chosen(run: Run, refining: Sequence[RefiningScreen]) -> list[str]:
    """Ids, most promising first; written once, so that a resumed run goes on with the same ones."""
    if (known := run.done("to-refine")) == {}:
        members = run.store.get_many(to_screen(run))
        ids = most_promising(members, refining, run)
        run.store.upsert([], run.run_id, work=("to-refine", 0, {"ids": ids}))
        return ids
    return known[0]["ids"]


def most_promising(members: Sequence[Candidate], refining: Sequence[RefiningScreen], run: Run) -> list[str]:
    """By the score of a first ranking times the promise of the screens; equal ones by id."""
    scores = {ranked.candidate_id: ranked.score for ranked in selection.shortlist(members, run.settings.rank)}
    worth = []
    for candidate in members:
        if (gate := candidate.verdict(GATE)) is not None and not gate.passed:
            continue
        promise = max(one.promise(candidate) for one in refining)
        if promise > 0:
            worth.append((-promise * scores.get(candidate.candidate_id, UNRANKED), candidate.candidate_id))
    return [identifier for _, identifier in sorted(worth)[: run.settings.refinements]]
