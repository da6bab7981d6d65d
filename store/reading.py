"""How do records come out of the tables?"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from ..core.errors import NotFoundError
from .schema import candidates, records
from .writing import batches

GEOMETRIES_A_BATCH = 500
NAMED_IN_MESSAGES = 3


def keys_of(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """The key of each candidate.

    Raises:
        NotFoundError: one is not in the store; the message proposes near ones.
    """
    found: dict[str, int] = {}
    for batch in batches(list(dict.fromkeys(ids))):
        statement = select(candidates.c.candidate_id, candidates.c.key)
        statement = statement.where(candidates.c.candidate_id.in_([i for i in batch if i.isprintable()]))
        found.update((row[0], row[1]) for row in connection.execute(statement))
    missing = next((identifier for identifier in ids if identifier not in found), None)
    if missing is not None:
        raise NotFoundError(f"No candidate {missing!r} in the store. {_near(connection, missing)}")
    return found


def _near(connection: Connection, identifier: str) -> str:
    """Candidates whose id begins alike: the same words up to a hyphen, as many as possible."""
    beginning = identifier
    while beginning and beginning.isprintable():
        column = candidates.c.candidate_id
        statement = (
            select(column).where(column >= beginning, column < beginning + "\U0010ffff").order_by(column)
        )
        near = list(connection.scalars(statement.limit(NAMED_IN_MESSAGES)))
        if near:
            return f"Did you mean {' or '.join(map(repr, near))}?"
        beginning = beginning.rpartition("-")[0]
    return "'hysteron query' lists what is there."


def records_of(connection: Connection, keys: Sequence[int]) -> list[str]:
    """The record of each key as JSON, in order."""
    found: dict[int, str] = {}
    for batch in batches(list(dict.fromkeys(keys))):
        statement = select(records.c.key, records.c.record).where(records.c.key.in_(batch))
        found.update((row[0], row[1]) for row in connection.execute(statement))
    return [found[key] for key in keys]


def first_and_record(connection: Connection, candidate_id: str) -> tuple[str | None, str]:
    """First structure, if it is another one than the present, and record, as JSON."""
    key = keys_of(connection, [candidate_id])[candidate_id]
    statement = select(records.c.first_structure, records.c.record).where(records.c.key == key)
    first, record = connection.execute(statement).one()
    return first, record


def geometries(
    connection: Connection, after: str, formulas: Sequence[str] | None, ids: Sequence[str] | None = None
) -> list[tuple[str, str | None, str]]:
    """The next batch of (candidate_id, first structure, record) after an id, in the order of ids."""
    statement = select(candidates.c.candidate_id, records.c.first_structure, records.c.record)
    statement = statement.join(records, records.c.key == candidates.c.key)
    statement = statement.where(candidates.c.candidate_id > after)
    if formulas is not None:
        statement = statement.where(candidates.c.formula.in_(formulas))
    if ids is not None:
        statement = statement.where(candidates.c.candidate_id.in_(ids))
    statement = statement.order_by(candidates.c.candidate_id).limit(GEOMETRIES_A_BATCH)
    return [(row[0], row[1], row[2]) for row in connection.execute(statement)]


def formulas_of(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The reduced formula of each candidate that is there, by id."""
    found: dict[str, str] = {}
    for batch in batches(list(dict.fromkeys(ids))):
        statement = select(candidates.c.candidate_id, candidates.c.formula)
        statement = statement.where(candidates.c.candidate_id.in_(batch))
        found.update((row[0], row[1]) for row in connection.execute(statement))
    return found
