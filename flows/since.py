"""What is new on the shortlist since the last run that asked the same question, what fell off, and why?

The last run is the last one that had finished when this one began, with the same preset, question and sources
(`memory.question_of`). Whoever was on its shortlist is ranked again in this run, beside what is new.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..core.candidate import Candidate
from ..export.run_summary import Change, Since
from . import memory
from .run import Run

LONGEST_REASON = 160


def since_last(run: Run, ranking: Sequence[str], top: int) -> Since | None:
    """The changes; `None` if no run of the question had finished before.

    Args:
        run: The run.
        ranking: Everyone it ranked, best first.
        top: Length of its shortlist.
    """
    previous = memory.remembered(run).previous
    if previous is None:
        return None
    before = run.store.done_before(run.run_id, "export", [previous])[-1].payload["shortlist"]
    was = {identifier: i for i, identifier in enumerate(before, 1)}
    now = {identifier: i for i, identifier in enumerate(ranking[:top], 1)}
    everyone = [*now, *(i for i in before if i not in now)]
    candidates = {c.candidate_id: c for c in run.store.get_many(everyone)}

    def change(identifier: str, reason: str = "") -> Change:
        formula = candidates[identifier].formula
        return Change(identifier, formula, was.get(identifier), now.get(identifier), reason)

    came, left = _Came(run), _Left(run, ranking)
    return Since(
        run_id=previous,
        finished=run.store.get_run(previous).finished or "",
        new=tuple(change(i, came.why(candidates[i])) for i in now if i not in was),
        fell_off=tuple(change(i, left.why(candidates[i])) for i in before if i not in now),
        moved=tuple(change(i) for i in now if i in was and was[i] != now[i]),
        stayed=tuple(change(i) for i in now if was.get(i) == now[i]),
    )


class _Came:
    """Why somebody is on the shortlist who was not."""

    def __init__(self, run: Run) -> None:
        known = memory.remembered(run)
        self._backlog = set(known.backlog)
        ranked = run.store.done_before(run.run_id, "rank", [known.previous or ""])
        self._places = {i: place for piece in ranked for place, i in enumerate(piece.payload["ids"], 1)}
        self._standing = set(known.standing)
        payloads = run.done("relax").values()
        self._relaxed = {i for payload in payloads for i in payload["ids"]}
        self._reused = {i for payload in payloads for i in payload.get("reused", ())}

    def why(self, candidate: Candidate) -> str:
        identifier = candidate.candidate_id
        if identifier in self._reused:
            return "relaxed by another run, judged in this one"
        if identifier in self._relaxed and identifier in self._backlog:
            return "proposed by an earlier run, relaxed in this one"
        if identifier in self._relaxed:
            return "proposed and relaxed in this run"
        if identifier in self._standing and identifier in self._places:
            return f"stood at place {self._places[identifier]} of the last ranking, beyond its shortlist"
        if identifier in self._standing:
            return "ranked by another run, which went on beside the last one"
        return "a known material that the last ranking did not hold"


class _Left:
    """Why somebody is not on the shortlist who was."""

    def __init__(self, run: Run, ranking: Sequence[str]) -> None:
        self._places = {identifier: i for i, identifier in enumerate(ranking, 1)}
        self._screened = {i for payload in run.done("screen").values() for i in payload["ids"]}
        self._potential = run.settings.potential.name

    def why(self, candidate: Candidate) -> str:
        identifier = candidate.candidate_id
        if identifier in self._places:
            return f"outranked, now number {self._places[identifier]}"
        if identifier not in self._screened:
            return f"not relaxed with {self._potential} as it is now, so not ranked"
        refused = [v for v in candidate.verdicts if not v.passed]
        if not refused:
            return "passes no screen of a device any more"
        first = next((v for v in refused if v.screen == "novelty"), refused[0])
        return f"{first.screen}: {first.reason}"[:LONGEST_REASON]
