"""What is known of runs: their rows, their members, and which work of theirs is done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, case, func, insert, select, update

from ..core.errors import InputError, NotFoundError, nearest
from .rows import to_json
from .schema import candidates, run_candidates, runs, work
from .writing import upsert_rows, utc_now

STATUSES = ("created", "running", "finished", "failed", "interrupted", "crashed")
"""`crashed`: the process was gone before it could say how the run ended; `interrupted`: it was told to stop."""
LAST = "last"
NAMED_IN_MESSAGES = 10


@dataclass(frozen=True)
class RunRow:
    """A run as the store holds it.

    Attributes:
        run_id: Its name.
        status: One of `STATUSES`.
        created: ISO 8601, UTC; so are `started` and `finished` (its end, however it ended).
        seed: Of its random streams.
        config: The resolved settings.
        versions: Of what can change a result.
        budget: Wall time or amount of work.
        summary: What the run reported when it finished.
        candidates: How many belong to it.
        seeds: How many of these came in as known materials.
        proposed: How many of these are new crystals.
    """

    run_id: str
    status: str
    created: str
    started: str | None
    finished: str | None
    seed: int
    config: dict[str, Any]
    versions: dict[str, Any]
    budget: Any
    summary: dict[str, Any] | None
    candidates: int
    seeds: int
    proposed: int


def create_run(
    connection: Connection, run_id: str, seed: int, config: Any, versions: Any, budget: Any
) -> None:
    """Write the row of a new run.

    Raises:
        InputError: the name is taken, or is no name.
    """
    if not run_id or run_id == LAST or not run_id.isprintable():
        raise InputError(f"{run_id!r} cannot be the name of a run.")
    if _exists(connection, run_id):
        raise InputError(f"There is a run {run_id!r} already. Resume it, or choose another name.")
    what = f"The run {run_id}"
    row = {
        "run_id": run_id,
        "status": "created",
        "created": utc_now(),
        "seed": str(int(seed)),
        "config": to_json(config, what),
        "versions": to_json(versions, what),
        "budget": to_json(budget, what),
    }
    connection.execute(insert(runs).values(row))


def set_status(connection: Connection, run_id: str, status: str, summary: Any = None) -> None:
    """Note how a run stands; its times follow.

    Raises:
        NotFoundError: no such run.
    """
    if status not in STATUSES:
        raise InputError(f"A run is never {status!r}. Known: {', '.join(STATUSES)}.")
    require(connection, run_id)
    now = utc_now()
    values: dict[str, Any] = {"status": status}
    if status == "running":
        values |= {"started": func.coalesce(runs.c.started, now), "finished": None}
    elif status != "created":
        values["finished"] = now
    if summary is not None:
        values["summary"] = to_json(summary, f"The run {run_id}")
    connection.execute(update(runs).where(runs.c.run_id == run_id).values(values))


def get_run(connection: Connection, run_id: str) -> RunRow:
    """One run; `last` is the one created last.

    Raises:
        NotFoundError: no such run; the message proposes the nearest names.
    """
    if run_id != LAST:
        require(connection, run_id)
        return _rows(connection, run_id)[0]
    newest = _rows(connection, limit=1)
    if not newest:
        raise _not_found(connection, run_id)
    return newest[0]


def next_seed(connection: Connection, at_least: int) -> int:
    """A seed that no run of the store had: at least the one given, and greater than all of them."""
    return max([at_least, *(int(seed) + 1 for seed in connection.scalars(select(runs.c.seed)))])


def list_runs(connection: Connection, limit: int | None = None) -> list[RunRow]:
    """Runs, the newest first."""
    return _rows(connection, limit=limit)


def require(connection: Connection, run_id: str) -> None:
    """See that a run is there.

    Raises:
        NotFoundError: no such run.
    """
    if not _exists(connection, run_id):
        raise _not_found(connection, run_id)


def _exists(connection: Connection, run_id: str) -> bool:
    found = run_id.isprintable() and connection.scalar(select(runs.c.run_id).where(runs.c.run_id == run_id))
    return bool(found)


def _not_found(connection: Connection, run_id: str) -> NotFoundError:
    newest = select(runs.c.run_id).order_by(runs.c.created.desc(), runs.c.run_id.desc())
    names = list(connection.scalars(newest.limit(NAMED_IN_MESSAGES)))
    if not names:
        return NotFoundError(
            f"There is no run {run_id!r}: the store has no runs yet. 'hysteron discover' makes one."
        )
    return NotFoundError(f"There is no run {run_id!r}. {nearest(run_id, names)}")


def _rows(connection: Connection, run_id: str | None = None, limit: int | None = None) -> list[RunRow]:
    statement = select(runs).order_by(runs.c.created.desc(), runs.c.run_id.desc()).limit(limit)
    if run_id is not None:
        statement = statement.where(runs.c.run_id == run_id)
    rows = connection.execute(statement).all()
    counts = _counts(connection, [row.run_id for row in rows])
    return [_run_row(row, counts.get(row.run_id, (0, 0, 0))) for row in rows]


def _counts(connection: Connection, run_ids: list[str]) -> dict[str, tuple[int, int, int]]:
    role = run_candidates.c.role
    counted = [func.count(), *(func.sum(case((role == name, 1), else_=0)) for name in ("seed", "proposed"))]
    statement = select(run_candidates.c.run_id, *counted).group_by(run_candidates.c.run_id)
    statement = statement.where(run_candidates.c.run_id.in_(run_ids))
    return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in connection.execute(statement)}


def _run_row(row: Row, counts: tuple[int, int, int]) -> RunRow:
    fields: dict[str, Any] = dict(row._mapping) | {"seed": int(row.seed)}
    for name in ("config", "versions", "budget", "summary"):
        fields[name] = None if fields[name] is None else json.loads(fields[name])
    everyone, seeds, proposed = counts
    return RunRow(**fields, candidates=everyone, seeds=seeds, proposed=proposed)


def members(connection: Connection, run_id: str, role: str | None = None) -> list[str]:
    """Ids of a run's candidates, by chunk and id."""
    require(connection, run_id)
    statement = select(candidates.c.candidate_id).join(
        run_candidates, run_candidates.c.key == candidates.c.key
    )
    statement = statement.where(run_candidates.c.run_id == run_id)
    if role is not None:
        statement = statement.where(run_candidates.c.role == role)
    order = (run_candidates.c.chunk.asc().nulls_last(), candidates.c.candidate_id)
    return list(connection.scalars(statement.order_by(*order)))


def set_ranking(connection: Connection, run_id: str, positions: Sequence[tuple[int, int]]) -> None:
    """Replace a run's ranking.

    Args:
        connection: In a writing transaction.
        run_id: The run.
        positions: Key of a candidate, and its position from 1.
    """
    require(connection, run_id)
    connection.execute(update(run_candidates).where(run_candidates.c.run_id == run_id).values(position=None))
    rows = [{"run_id": run_id, "key": key, "position": position} for key, position in positions]
    upsert_rows(connection, run_candidates, rows)


def ranking(connection: Connection, run_id: str) -> list[tuple[str, int]]:
    """(candidate_id, position) of a run's ranking, the best first."""
    require(connection, run_id)
    statement = select(candidates.c.candidate_id, run_candidates.c.position)
    statement = statement.join(run_candidates, run_candidates.c.key == candidates.c.key)
    statement = statement.where(run_candidates.c.run_id == run_id, run_candidates.c.position.is_not(None))
    order = (run_candidates.c.position, candidates.c.candidate_id)
    return [(row[0], row[1]) for row in connection.execute(statement.order_by(*order))]


def write_work(
    connection: Connection, run_id: str, stage: str, chunk: int, payload: Any, status: str
) -> None:
    """Note a chunk of work as `planned` or `done`; what is done is not planned again, and keeps its place in the order."""
    require(connection, run_id)
    row = {"run_id": run_id, "stage": stage, "chunk": chunk, "status": status}
    row["payload"] = to_json(payload, f"The work {stage} {chunk} of run {run_id}")
    done = _order_of(connection, run_id, stage, chunk)
    if status == "planned" and done is not None:
        return
    if done is None:
        done = (connection.scalar(select(func.max(work.c.seq))) or 0) + 1
    upsert_rows(connection, work, [row | {"seq": done}])


def _order_of(connection: Connection, run_id: str, stage: str, chunk: int) -> int | None:
    """When a chunk of work was done, in the order of all work; `None` if it is not."""
    this = (work.c.run_id == run_id, work.c.stage == stage, work.c.chunk == chunk, work.c.status == "done")
    row = connection.execute(select(func.coalesce(work.c.seq, 0)).where(*this)).one_or_none()
    return None if row is None else row[0]


def read_work(
    connection: Connection, run_id: str, stage: str, status: str, chunk: int | None = None
) -> dict[int, Any]:
    """Payloads by chunk, in the order of chunks; of one chunk alone if it is named."""
    statement = select(work.c.chunk, work.c.payload).order_by(work.c.chunk)
    statement = statement.where(work.c.run_id == run_id, work.c.stage == stage, work.c.status == status)
    if chunk is not None:
        statement = statement.where(work.c.chunk == chunk)
    return {row.chunk: json.loads(row.payload) for row in connection.execute(statement)}
