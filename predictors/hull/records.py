"""The files of a hull computation: lines appended as results come, readable after a kill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

SINGLE_POINTS = "single_points.jsonl"
RELAXED = "relaxed.jsonl"
ELEMENTS, PRIORITY, VERTICES, NEAR_HULL = "elements.txt", "priority_ids.txt", "vertices.txt", "near_hull.txt"
QUEUES = ((ELEMENTS,), (PRIORITY,), (VERTICES, NEAR_HULL))
"""Lists of ids to be relaxed, in this order; lists that stand together are mixed."""


def append_lines(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    """Write whole lines at once; half a line that a kill left behind is closed first."""
    with path.open("ab+") as out:
        if out.tell():
            out.seek(-1, 2)
            if out.read(1) != b"\n":
                out.write(b"\n")
        out.write(b"".join(orjson.dumps(line) + b"\n" for line in lines))


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """All whole lines of a file; nothing if there is no file."""
    if not path.exists():
        return
    with path.open("rb") as lines:
        for line in lines:
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError:
                continue  # cut off by a kill


def read_ids(path: Path) -> list[str]:
    """Ids of a queue file, one per line; nothing if there is no file."""
    return list(dict.fromkeys(path.read_text(encoding="utf-8").split())) if path.exists() else []


def write_ids(path: Path, ids: Iterable[str]) -> None:
    """Replace a queue file at once."""
    draft = path.with_suffix(".part")
    draft.write_text("".join(f"{i}\n" for i in ids), encoding="utf-8")
    draft.replace(path)
