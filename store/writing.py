"""How does a chunk of candidates get into the tables? Inside one writing transaction, merged with what is there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, delete, func, select

from .. import __version__
from ..core.candidate import Candidate
from .merge import merge
from .rows import Record, Row, rows_of, to_json
from .schema import DERIVED, candidates, records, run_candidates

IDS_A_STATEMENT = 500
"""Well below the number of parameters that either database takes."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Prepared:
    """A candidate as the store writes it, made before the database is locked."""

    record: Record
    text: str

    @property
    def candidate_id(self) -> str:
        return self.record["candidate_id"]


@dataclass(frozen=True)
class Membership:
    """How candidates belong to a run; `None` leaves what is known as it is."""

    run_id: str
    role: str | None = None
    stage: str | None = None
    chunk: int | None = None


@dataclass(frozen=True)
class _Stored:
    key: int
    text: str
    first_structure: str | None


def utc_now() -> str:
    """ISO 8601, UTC; sorts as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def prepare(candidate: Candidate) -> Prepared:
    """Turn a candidate to JSON.

    Raises:
        InputError: it holds something that JSON cannot say.
    """
    text = to_json(candidate.to_record(), candidate.candidate_id)
    return Prepared(json.loads(text), text)


def write_candidates(connection: Connection, incoming: Sequence[Prepared]) -> dict[str, int]:
    """Insert or merge candidates.

    Returns:
        The key of each candidate by its id.
    """
    together = _merged_among_themselves(incoming)
    stored = _stored(connection, list(together))
    next_key = (connection.scalar(select(func.max(candidates.c.key))) or 0) + 1
    keys, fresh, changed = {}, [], []
    for identifier, item in together.items():
        old = stored.get(identifier)
        keys[identifier] = old.key if old else next_key + len(fresh)
        if old is None:
            fresh.append((keys[identifier], item, None))
        elif (update := _update(old, item)) is not None:
            changed.append(update)
    _delete_derived(connection, [key for key, _, _ in changed])
    write_rows(connection, fresh + changed)
    return keys


def _merged_among_themselves(incoming: Sequence[Prepared]) -> dict[str, Prepared]:
    """By id and in the order of ids; a crystal that comes twice in one chunk is one."""
    together: dict[str, Prepared] = {}
    for item in incoming:
        before = together.get(item.candidate_id)
        together[item.candidate_id] = _merged(before, item) if before else item
    return dict(sorted(together.items()))


def _merged(before: Prepared, item: Prepared) -> Prepared:
    record = merge(before.record, item.record)
    return Prepared(record, to_json(record, item.candidate_id))


def _update(old: _Stored, item: Prepared) -> tuple[int, Prepared, str | None] | None:
    """What is to be written for a candidate that is stored already; `None` if nothing changes."""
    if item.text == old.text:
        return None
    before = Prepared(json.loads(old.text), old.text)
    after = _merged(before, item)
    if after.text == before.text:
        return None
    first = old.first_structure
    if first is None and after.record["structure"] != before.record["structure"]:
        first = to_json(before.record["structure"], item.candidate_id)
    return old.key, after, first


def write_rows(connection: Connection, items: Sequence[tuple[int, Prepared, str | None]]) -> None:
    """Write candidates whose derived rows are not there (any more).

    Args:
        connection: In a writing transaction.
        items: Key, candidate, and its first structure as JSON if that is another one.
    """
    if not items:
        return
    stamp = {"first_seen": utc_now(), "written_by": __version__}
    heads, bodies = [], []
    derived: dict[str, list[Row]] = {table.name: [] for table in DERIVED}
    for key, item, first in items:
        head, rest = rows_of(key, item.record)
        heads.append(head | stamp)
        bodies.append({"key": key, "record": item.text, "first_structure": first})
        for name, rows in rest.items():
            derived[name].extend(rows)
    upsert_rows(connection, candidates, heads, keep=("first_seen",))
    upsert_rows(connection, records, bodies)
    for table in DERIVED:
        if derived[table.name]:
            connection.execute(table.insert(), derived[table.name])


def _delete_derived(connection: Connection, keys: list[int]) -> None:
    for batch in batches(keys):
        for table in DERIVED:
            connection.execute(delete(table).where(table.c.key.in_(batch)))


def _stored(connection: Connection, ids: list[str]) -> dict[str, _Stored]:
    joined = select(candidates.c.candidate_id, candidates.c.key, records.c.record, records.c.first_structure)
    joined = joined.join(records, records.c.key == candidates.c.key)
    found = {}
    for batch in batches(ids):
        for row in connection.execute(joined.where(candidates.c.candidate_id.in_(batch))):
            found[row.candidate_id] = _Stored(row.key, row.record, row.first_structure)
    return found


def write_membership(connection: Connection, keys: Iterable[int], member: Membership) -> None:
    """Note that candidates belong to a run: the first role and chunk stay, the stage is the newest."""
    rows = [
        {
            "run_id": member.run_id,
            "key": key,
            "role": member.role,
            "stage": member.stage,
            "chunk": member.chunk,
        }
        for key in keys
    ]
    if not rows:
        return
    insert = insert_for(connection, run_candidates)
    old, new = run_candidates.c, insert.excluded
    statement = insert.on_conflict_do_update(
        index_elements=["run_id", "key"],
        set_={
            "role": func.coalesce(old.role, new.role),
            "chunk": func.coalesce(old.chunk, new.chunk),
            "stage": func.coalesce(new.stage, old.stage),
        },
    )
    connection.execute(statement, rows)


def upsert_rows(connection: Connection, table: Table, rows: Sequence[Row], keep: Sequence[str] = ()) -> None:
    """Insert rows; where the primary key is there already, replace the rest but what `keep` names."""
    if not rows:
        return
    insert = insert_for(connection, table)
    identity = [column.name for column in table.primary_key]
    replaced = {name: insert.excluded[name] for name in rows[0] if name not in (*identity, *keep)}
    connection.execute(insert.on_conflict_do_update(index_elements=identity, set_=replaced), rows)


def insert_for(connection: Connection, table: Table) -> Any:
    """The database's own INSERT, which knows ON CONFLICT."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert
    return insert(table)


def batches(items: Sequence[Item], size: int = IDS_A_STATEMENT) -> Iterator[Sequence[Item]]:
    """Slices of a list, none longer than one statement takes."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
