"""Which lessons were made of DFT results, and which is the newest?

A lesson is never changed and never removed; a later one is another row with a greater number. What a lesson holds is
nothing to the store but JSON, and its version the hash of that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from ..core.errors import InputError, NotFoundError
from ..core.learnt import LEARNABLE
from ..core.settings import config_hash
from .rows import to_json
from .schema import candidates, lessons, properties

LAST = "last"
SHORTEST = 4
"""Characters of a version that must be given at least."""


@dataclass(frozen=True)
class StoredLesson:
    """One row.

    Attributes:
        number: 1 is the first of the store.
        version: Hash of the content.
        made: ISO 8601, UTC.
        content: As it was given.
    """

    number: int
    version: str
    made: str
    content: dict[str, Any]


def add(connection: Connection, content: dict[str, Any], made: str) -> StoredLesson:
    """Keep a lesson as the newest one; if the newest says the same, nothing is written and that one is given.

    Raises:
        InputError: it holds something that JSON cannot say.
    """
    version = config_hash(content)
    last = newest(connection)
    if last is not None and last.version == version:
        return last
    number = (last.number if last else 0) + 1
    text = to_json(content, f"The lesson {version}")
    connection.execute(insert(lessons).values(number=number, version=version, made=made, content=text))
    return StoredLesson(number, version, made, json.loads(text))


def newest(connection: Connection) -> StoredLesson | None:
    """The one that was made last."""
    row = connection.execute(select(lessons).order_by(lessons.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else _lesson(row)


def find(connection: Connection, version: str) -> StoredLesson:
    """The lesson of a version, of which the beginning will do; `last` is the newest.

    Raises:
        NotFoundError: there is none, or the store has no lesson at all.
        InputError: several versions begin like that, or too little of it is given.
    """
    last = newest(connection)
    if last is None:
        raise NotFoundError(
            "The store holds no lesson yet; 'hysteron learn' makes one of ingested DFT results."
        )
    if version == LAST:
        return last
    if len(version) < SHORTEST:
        raise InputError(
            f"Give at least {SHORTEST} characters of a lesson's version, or 'last'; got {version!r}."
        )
    begins = (lessons.c.version >= version, lessons.c.version < version + "~")
    found = {
        row.version: row
        for row in connection.execute(select(lessons).where(*begins).order_by(lessons.c.number))
    }
    if len(found) > 1:
        raise InputError(f"Several lessons begin with {version!r}: {', '.join(found)}.")
    if not found:
        raise NotFoundError(f"No lesson {version!r} in the store; the newest is {last.version}.")
    return _lesson(next(iter(found.values())))


def listed(connection: Connection) -> list[StoredLesson]:
    """All of them, the newest first."""
    return [_lesson(row) for row in connection.execute(select(lessons).order_by(lessons.c.number.desc()))]


def answered(connection: Connection) -> list[str]:
    """Ids of the candidates of which DFT has said something that can be learned from, sorted."""
    # Slugs hold a-z, 0-9 and '_' only, and '`' is the character after '_'.
    by_dft = (properties.c.slug >= "dft_", properties.c.slug < "dft`")
    keys = select(properties.c.key).where(*by_dft, properties.c.name.in_(LEARNABLE))
    statement = select(candidates.c.candidate_id).where(candidates.c.key.in_(keys))
    return list(connection.scalars(statement.order_by(candidates.c.candidate_id)))


def _lesson(row: Row) -> StoredLesson:
    fields: dict[str, Any] = dict(row._mapping)
    return StoredLesson(
        int(fields["number"]), fields["version"], fields["made"], json.loads(fields["content"])
    )
