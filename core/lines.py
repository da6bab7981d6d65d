"""How do results survive a kill? As lines of JSON, appended to a file as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


def append_lines(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    """Write whole lines at once; half a line that a kill left behind is closed first."""
    import orjson

    with path.open("ab+") as out:
        if out.tell():
            out.seek(-1, 2)
            if out.read(1) != b"\n":
                out.write(b"\n")
        out.write(b"".join(orjson.dumps(line) + b"\n" for line in lines))


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """All whole lines of a file; nothing if there is no file."""
    for _, line in placed_lines(path):
        yield line


def placed_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """All whole lines of a file, each with the byte where it begins; nothing if there is no file."""
    import orjson

    if not path.exists():
        return
    begin = 0
    with path.open("rb") as lines:
        for line in lines:
            try:
                found = orjson.loads(line)
            except orjson.JSONDecodeError:
                found = None  # cut off by a kill
            if isinstance(found, dict):
                yield begin, found
            begin += len(line)


def line_at(path: Path, begin: int) -> dict[str, Any]:
    """The line that begins at a byte, as `placed_lines` gave it."""
    import orjson

    with path.open("rb") as lines:
        lines.seek(begin)
        return orjson.loads(lines.readline())
