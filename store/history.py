"""What had been done before a run began? Read from the work that other runs have noted.

The order of work is that of its writing (`work.seq`), and writers of a store come one after the other. A run's first piece
of work is written with its row, so what has a smaller number was there before it, and whatever concurrent runs add later
is not: a resumed run is told what the undisturbed one was told.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from .schema import runs, work
from .writing import batches


@dataclass(frozen=True)
class PastWork:
    """A piece of work of another run that was done before.

    Attributes:
        run_id: Whose.
        chunk: Its number.
        payload: What was noted of it.
    """

    run_id: str
    chunk: int
    payload: Any


def done_before(
    connection: Connection, run_id: str, stage: str, of_runs: Collection[str] | None = None
) -> list[PastWork]:
    """Finished pieces of a stage that other runs had done when a run began, in the order of their writing.

    Args:
        connection: In a transaction.
        run_id: The run that begins.
        stage: Whose pieces.
        of_runs: Only of these runs.
    """
    statement = select(work.c.run_id, work.c.chunk, work.c.payload).where(
        work.c.stage == stage, work.c.status == "done", *_earlier(connection, run_id)
    )
    statement = statement.order_by(func.coalesce(work.c.seq, 0), work.c.run_id, work.c.chunk)
    rows = connection.execute(statement)
    return [
        PastWork(row.run_id, row.chunk, json.loads(row.payload))
        for row in rows
        if of_runs is None or row.run_id in of_runs
    ]


def earlier_configs(connection: Connection, run_id: str) -> dict[str, Any]:
    """Resolved settings of the runs that had begun before a run did, by run id, in the order of their creation."""
    earlier = select(work.c.run_id).where(*_earlier(connection, run_id))
    statement = select(runs.c.run_id, runs.c.config).where(runs.c.run_id.in_(earlier))
    rows = connection.execute(statement.order_by(runs.c.created, runs.c.run_id))
    return {row.run_id: json.loads(row.config) for row in rows}


def work_of(
    connection: Connection, run_ids: Iterable[str], stages: Collection[str]
) -> dict[str, dict[str, list[Any]]]:
    """Payloads of the finished work of several runs: by run id and stage, in the order of chunks."""
    found: dict[str, dict[str, list[Any]]] = {}
    for batch in batches(list(run_ids)):
        statement = select(work.c.run_id, work.c.stage, work.c.payload).where(
            work.c.run_id.in_(batch), work.c.stage.in_(stages), work.c.status == "done"
        )
        for row in connection.execute(statement.order_by(work.c.run_id, work.c.stage, work.c.chunk)):
            found.setdefault(row.run_id, {}).setdefault(row.stage, []).append(json.loads(row.payload))
    return found


def _earlier(connection: Connection, run_id: str) -> list[Any]:
    """Conditions on a piece of work: another run's, and older than the first one of this run."""
    first = connection.scalar(select(func.min(work.c.seq)).where(work.c.run_id == run_id))
    others = [work.c.run_id != run_id]
    return others if first is None else [*others, func.coalesce(work.c.seq, 0) < first]
