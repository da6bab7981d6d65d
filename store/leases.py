"""Who carries a run out now? A row that the process at work renews as long as it lives.

The row says how often it was renewed and not when: whoever wonders whether its holder lives watches that number for
a while, by a clock of their own. So neither clocks of two machines nor a step of one can make a living run look
dead.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from .rows import to_json
from .runs import require
from .schema import leases, runs
from .writing import utc_now


@dataclass(frozen=True)
class Lease:
    """A run in somebody's hands.

    Attributes:
        run_id: The run.
        holder: Drawn anew by every process that takes it.
        beat: How often it was renewed.
        attempts: How many processes have taken the run so far, this one included.
        place: Where the holder runs, in its own words.
    """

    run_id: str
    holder: str
    beat: int
    attempts: int
    place: dict[str, Any]


def take(connection: Connection, run_id: str, holder: str, place: Any, instead_of: Lease | None) -> bool:
    """Take a run that nobody holds, or that `instead_of` still holds as it was seen. Returns whether it is ours.

    Raises:
        NotFoundError: no such run.
    """
    require(connection, run_id)
    there = find(connection, run_id)
    if there is not None and there.holder and there != instead_of:
        return False
    values = {"holder": holder, "beat": 0, "place": to_json(place, f"The lease of run {run_id}")}
    if there is None:
        connection.execute(insert(leases).values(run_id=run_id, attempts=1, **values))
    else:
        values["attempts"] = there.attempts + 1
        connection.execute(update(leases).where(leases.c.run_id == run_id).values(values))
    return True


def renew(connection: Connection, run_id: str, holder: str) -> bool:
    """Say that the holder lives. Returns whether the run is still in its hands."""
    ours = (leases.c.run_id == run_id) & (leases.c.holder == holder)
    return connection.execute(update(leases).where(ours).values(beat=leases.c.beat + 1)).rowcount == 1


def release(connection: Connection, run_id: str, holder: str) -> bool:
    """Give the run out of one's hands; the number of attempts stays. Returns whether it was in them."""
    ours = (leases.c.run_id == run_id) & (leases.c.holder == holder)
    return connection.execute(update(leases).where(ours).values(holder="")).rowcount == 1


def find(connection: Connection, run_id: str) -> Lease | None:
    """The lease of a run, also one that was given back (its holder is empty)."""
    row = connection.execute(select(leases).where(leases.c.run_id == run_id)).one_or_none()
    return None if row is None else _lease(row)


def held(connection: Connection) -> list[Lease]:
    """Runs in somebody's hands, by name."""
    statement = select(leases).where(leases.c.holder != "").order_by(leases.c.run_id)
    return [_lease(row) for row in connection.execute(statement)]


def crash(connection: Connection, seen: Lease) -> bool:
    """Say of a run that its process died, unless the lease is another one than was seen. Returns whether that was said."""
    if find(connection, seen.run_id) != seen:
        return False
    release(connection, seen.run_id, seen.holder)
    # `created`: it died before it could say that it runs.
    alive = (runs.c.run_id == seen.run_id) & runs.c.status.in_(("created", "running"))
    values = {"status": "crashed", "finished": utc_now()}
    return connection.execute(update(runs).where(alive).values(values)).rowcount == 1


def _lease(row: Row) -> Lease:
    fields: dict[str, Any] = dict(row._mapping)
    return Lease(**fields | {"place": json.loads(fields["place"])})
