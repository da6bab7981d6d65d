"""The files of a hull computation, and the lists of ids that say what is relaxed next."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

SINGLE_POINTS = "single_points.jsonl"
RELAXED = "relaxed.jsonl"
ELEMENTS, PRIORITY, VERTICES, NEAR_HULL = "elements.txt", "priority_ids.txt", "vertices.txt", "near_hull.txt"
REST = "rest.txt"
QUEUES = ((ELEMENTS,), (PRIORITY,), (VERTICES, NEAR_HULL), (REST,))
"""Lists of ids to be relaxed, in this order; lists that stand together are mixed."""


def read_ids(path: Path) -> list[str]:
    """Ids of a queue file, one per line; nothing if there is no file."""
    return list(dict.fromkeys(path.read_text(encoding="utf-8").split())) if path.exists() else []


def write_ids(path: Path, ids: Iterable[str]) -> None:
    """Replace a queue file at once."""
    draft = path.with_suffix(".part")
    draft.write_text("".join(f"{i}\n" for i in ids), encoding="utf-8")
    draft.replace(path)
