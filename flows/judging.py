"""What do the screens say of candidates that became richer? They judge again, and measure nothing.

A screen keeps the windows of the run that judged the candidate last; where no run of the store did, its defaults hold. What it
has measured stays: the distance from the hull, the search for parents. A verdict that changes leaves its former self in the
provenance, in a step `screen`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from .. import __version__
from ..core.candidate import Candidate, Step, Verdict
from ..core.clock import utc_now
from ..core.contracts import Screen
from ..core.errors import HysteronError
from ..core.registry import names
from ..screening import SCREENS
from ..store.runs import RunRow
from ..store.store import CandidateStore
from . import toolbox
from .run_settings import ScreenTable

STEP = "judged again"
JUDGED = ("screen", "rank")
"""Stages of a run in which a candidate has been judged."""
DEFAULTS = "default windows"


@dataclass(frozen=True)
class Change:
    """A verdict that another one has replaced.

    Attributes:
        before: As it was.
        after: As it is.
        windows: Whose: `windows of run X` or `default windows`.
    """

    before: Verdict
    after: Verdict
    windows: str

    @property
    def turned(self) -> bool:
        """Whether the candidate passes now and did not, or the other way round."""
        return self.before.passed != self.after.passed

    @property
    def news(self) -> tuple[str, ...]:
        """What the criteria say now that they did not say before, a clause each; of a verdict without criteria nothing."""
        old = {_clause(criterion) for criterion in _criteria(self.before)}
        return tuple(clause for clause in map(_clause, _criteria(self.after)) if clause not in old)


def _criteria(verdict: Verdict) -> list[Any]:
    found = verdict.details.get("criteria")
    return list(found) if isinstance(found, list | tuple) else []


def _clause(criterion: Any) -> str:
    return str(criterion.get("sentence", "")) if isinstance(criterion, dict) else ""


@dataclass
class Judges:
    """The screens of a store's runs, each made once.

    Attributes:
        store: Whose runs.
    """

    store: CandidateStore
    _made: dict[str, Screen] = field(default_factory=dict)
    _rows: dict[str, RunRow] = field(default_factory=dict)

    def judge_again(self, candidate: Candidate) -> tuple[Candidate, list[Change], list[str]]:
        """A candidate with the verdicts that follow from its present values.

        Args:
            candidate: In the store. Without a measurement of any screen its verdicts stand.

        Returns:
            The candidate, what changed, and sentences on verdicts that no screen could look at again.
        """
        if not any(step.stage == "screen" for step in candidate.provenance):
            return candidate, [], []
        runs = self._runs_that_judged(candidate)
        changes: list[Change] = []
        remarks: list[str] = []
        for name in _in_order(candidate):
            before = candidate.verdict(name)
            assert before is not None
            table, windows = _settings(runs, name)
            try:
                after = _as_stored(self._screen(table).judge(candidate))
            except HysteronError as error:
                remarks.append(f"The {name} verdict of {candidate.candidate_id} stands as it was: {error}")
                continue
            if after != _as_stored(before):
                candidate = candidate.with_verdict(after)
                changes.append(Change(before, after, windows))
        return (candidate.with_step(_step(changes)) if changes else candidate), changes, remarks

    def _runs_that_judged(self, candidate: Candidate) -> list[RunRow]:
        """The newest first."""
        for identifier in self.store.run_ids_of(candidate.candidate_id, JUDGED):
            self._rows.setdefault(identifier, self.store.get_run(identifier))
        rows = [self._rows[i] for i in self.store.run_ids_of(candidate.candidate_id, JUDGED)]
        return sorted(rows, key=lambda row: (row.created, row.run_id), reverse=True)

    def _screen(self, table: ScreenTable) -> Screen:
        key = orjson.dumps(table.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS).decode()
        if key not in self._made:
            self._made[key] = toolbox.screen(table)
        return self._made[key]


def _in_order(candidate: Candidate) -> list[str]:
    """Its verdicts' screens, those that read what others say after these."""
    known = names(SCREENS, "hysteron.screens")
    asked = [verdict.screen for verdict in candidate.verdicts if verdict.screen in known]
    return sorted(asked, key=lambda name: list(SCREENS).index(name) if name in SCREENS else len(SCREENS))


def _settings(runs: Sequence[RunRow], screen: str) -> tuple[ScreenTable, str]:
    """A screen with the settings of the newest run that asked it, and whose these are."""
    for run in runs:
        for table in run.config.get("screen", ()):
            if table.get("name") == screen:
                return ScreenTable(
                    name=screen, settings=table.get("settings", {})
                ), f"windows of run {run.run_id}"
    return ScreenTable(name=screen), DEFAULTS


def _as_stored(verdict: Verdict) -> Verdict:
    """Without the difference between tuples and lists, which JSON does not know."""
    record: dict[str, Any] = orjson.loads(
        orjson.dumps(dataclasses.asdict(verdict), option=orjson.OPT_SERIALIZE_NUMPY)
    )
    return Verdict(**record)


def _step(changes: Sequence[Change]) -> Step:
    before = [dataclasses.asdict(change.before) for change in changes]
    windows = {change.before.screen: change.windows for change in changes}
    return Step(
        "screen", STEP, __version__, time=utc_now(), details={"verdicts_before": before, "windows": windows}
    )
