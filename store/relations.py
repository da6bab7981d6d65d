"""Who descends from whom, what turned out to be the same, and which runs know a candidate?"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from ..core.candidate import Step
from .reading import keys_of
from .rows import parents as parents_of
from .schema import candidates, records, run_candidates
from .schema import same_as as same_as_table
from .writing import batches, insert_for


@dataclass(frozen=True)
class Ancestor:
    """A candidate in the lineage of another one.

    Attributes:
        candidate_id: Its id.
        distance: 0 is the candidate itself, 1 what it was made from.
        parents: What it was made from itself.
        formula: `None` if the store does not hold it; then it has no steps either.
        steps: Its provenance.
    """

    candidate_id: str
    distance: int
    parents: tuple[str, ...]
    formula: str | None
    steps: tuple[Step, ...]


def ancestors(connection: Connection, candidate_id: str) -> list[Ancestor]:
    """The candidate and all it descends from, by distance and id; a loop is walked once.

    Raises:
        NotFoundError: it is not in the store.
    """
    keys_of(connection, [candidate_id])
    found: dict[str, Ancestor] = {}
    level, distance = [candidate_id], 0
    while level:
        generation = _generation(connection, level, distance)
        found |= {one.candidate_id: one for one in generation}
        level = sorted({parent for one in generation for parent in one.parents} - found.keys())
        distance += 1
    return list(found.values())


def _generation(connection: Connection, ids: Sequence[str], distance: int) -> list[Ancestor]:
    stored: dict[str, dict] = {}
    for batch in batches(ids):
        statement = select(candidates.c.candidate_id, records.c.record)
        statement = statement.join(records, records.c.key == candidates.c.key)
        for row in connection.execute(statement.where(candidates.c.candidate_id.in_(batch))):
            stored[row.candidate_id] = json.loads(row.record)
    return [_ancestor(identifier, distance, stored.get(identifier)) for identifier in ids]


def _ancestor(identifier: str, distance: int, record: dict | None) -> Ancestor:
    if record is None:
        return Ancestor(identifier, distance, (), None, ())
    steps = tuple(Step(**fields) for fields in record["provenance"])
    return Ancestor(identifier, distance, tuple(parents_of(record)), record["formula"], steps)


def add_same_as(connection: Connection, pairs: Sequence[tuple[str, str]]) -> None:
    """Note pairs of ids that are one crystal."""
    rows = [{"candidate_id": min(pair), "other_id": max(pair)} for pair in set(pairs) if pair[0] != pair[1]]
    if rows:
        connection.execute(insert_for(connection, same_as_table).on_conflict_do_nothing(), rows)


def same_as(connection: Connection, candidate_id: str) -> list[str]:
    """Ids joined to this one, directly or by way of others; sorted, without itself."""
    left, right = same_as_table.c.candidate_id, same_as_table.c.other_id
    found, fresh = {candidate_id}, {candidate_id}
    while fresh:
        near: set[str] = set()
        for batch in batches(sorted(fresh)):
            pairs = select(left, right).where(or_(left.in_(batch), right.in_(batch)))
            near.update(identifier for pair in connection.execute(pairs) for identifier in pair)
        fresh = near - found
        found |= fresh
    return sorted(found - {candidate_id})


def run_ids_of(connection: Connection, candidate_id: str, stages: Collection[str] | None = None) -> list[str]:
    """The runs that know a candidate, sorted; only those in which it has reached one of these stages, if any are named.

    Raises:
        NotFoundError: it is not in the store.
    """
    key = keys_of(connection, [candidate_id])[candidate_id]
    statement = select(run_candidates.c.run_id).where(run_candidates.c.key == key)
    if stages is not None:
        statement = statement.where(run_candidates.c.stage.in_(stages))
    return list(connection.scalars(statement.order_by(run_candidates.c.run_id)))
