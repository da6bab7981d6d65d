"""What has each run found, and what has it cost? Read from the work that runs note, so it holds for unfinished ones too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..store.runs import RunRow
    from ..store.store import CandidateStore

STAGES = ("generate", "relax", "screen", "refine", "rank")


@dataclass(frozen=True)
class Account:
    """Yield and cost of one run.

    Attributes:
        proposed: Different new crystals.
        relaxed: That were relaxed in it.
        reused: That it took over from another run's relaxations.
        converged: Of both.
        measured_before: Measurements of screens that it took over.
        passed: Crystals that passed each screen, known ones included.
        found: Relaxed or taken over, new, and ranked; `None` before the ranking.
        shortlist: Its length; `None` before the end.
        new_since_last: Who was not on the shortlist of the run before; `None` if there was none.
        seconds: Wall time, s: what the run spent, without the time it lay killed; of a run that failed or was interrupted,
            from its start to its end. `None` where it is not known: under way, or crashed nobody knows when.
        seconds_per_relaxation: Of what it relaxed itself, s; `None` if that is nothing.
    """

    proposed: int
    relaxed: int
    reused: int
    converged: int
    measured_before: int
    passed: dict[str, int]
    found: int | None
    shortlist: int | None
    new_since_last: int | None
    seconds: float | None
    seconds_per_relaxation: float | None

    def to_record(self) -> dict[str, Any]:
        """As JSON: `yield` and `cost`."""
        fields = asdict(self)
        cost = {name: fields.pop(name) for name in ("seconds", "relaxed", "reused", "seconds_per_relaxation")}
        return {"yield": fields, "cost": cost}


def accounts(store: CandidateStore, rows: Sequence[RunRow]) -> list[Account]:
    """The account of each run, in order."""
    work = store.work_of([row.run_id for row in rows], STAGES)
    return [_account(row, work.get(row.run_id, {})) for row in rows]


def _account(row: RunRow, work: Mapping[str, Sequence[Any]]) -> Account:
    relaxations, screened = work.get("relax", []), work.get("screen", [])
    ids = [i for payload in relaxations for i in payload["ids"]]
    reused = sum(len(payload.get("reused", ())) for payload in relaxations)
    ranked = {i for payload in work.get("rank", []) for i in payload["ids"]}
    summary = row.summary or {}
    relaxed = len(ids) - reused
    spent = sum(payload["seconds"] for payload in relaxations)
    since = summary.get("since")
    return Account(
        proposed=len({i for payload in work.get("generate", []) for i in payload["ids"]}),
        relaxed=relaxed,
        reused=reused,
        converged=sum(payload["converged"] for payload in relaxations),
        measured_before=sum(sum(payload.get("reused", {}).values()) for payload in screened),
        passed=summary.get("passed") or _passed(screened),
        found=len(ranked & set(ids)) if "rank" in work else None,
        shortlist=summary.get("counts", {}).get("shortlist"),
        new_since_last=len(since["new"]) if since else None,
        seconds=summary.get("seconds") or _wall_seconds(row),
        seconds_per_relaxation=spent / relaxed if relaxed else None,
    )


def _passed(screened: Sequence[Any]) -> dict[str, int]:
    """By screen, as far as a run has come."""
    total: Counter[str] = Counter()
    for payload in screened:
        total.update(payload.get("passed", {}))
    return dict(total)


def _wall_seconds(row: RunRow) -> float | None:
    if not row.started or not row.finished or row.status == "crashed":
        return None  # a crash is noted when somebody finds it
    return (datetime.fromisoformat(row.finished) - datetime.fromisoformat(row.started)).total_seconds()
