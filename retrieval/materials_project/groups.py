"""Which records can be the same crystal, and so are treated together?

Those of one composition. They may stand on pages far apart: what has to wait for others of its composition waits
on disk, so that memory does not grow with the answer.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import orjson

from .cache import Page, Query
from .pages import Gathered

MEMORY_BYTES = 8 * 1024**2
"""Of waiting records; more go to a temporary file."""


class Index:
    """Which records there are, from pages as they come in."""

    def __init__(self) -> None:
        self._pages: dict[tuple[int, int], list[tuple[str, str]]] = {}

    def look(self, query: Query, page: Page) -> None:
        """Note a page; the same one again takes the place of the earlier."""
        self._pages[id(query), page.skip] = [_named(raw) for raw in page.documents]

    def sizes(self) -> Counter[str]:
        """How many records each composition has; a record that came twice counts once."""
        named: dict[str, str] = {}
        nameless: Counter[str] = Counter()
        for identifier, key in (row for page in self._pages.values() for row in page):
            if identifier:
                named.setdefault(identifier, key)
            else:
                nameless[key] += 1
        return nameless + Counter(named.values())


def grouped(gathered: Gathered, sizes: Counter[str]) -> Iterator[tuple[list[Any], str]]:
    """Records of one composition at a time, each record once, and when the last of them was fetched.

    Args:
        gathered: Whose pages are read.
        sizes: How many records each composition has. A composition of which fewer come is given at the end.
    """
    fetched = ""
    with SpooledTemporaryFile(max_size=MEMORY_BYTES) as file:
        waiting = _Waiting(file)
        for raw, key, fetched in _distinct(gathered):
            if sizes[key] == 1:
                yield [raw], fetched
            elif waiting.add(key, raw) == sizes[key]:
                yield waiting.pop(key), fetched
        for key in waiting.left():
            yield waiting.pop(key), fetched


class _Waiting:
    """Records that wait for others, as JSON in a file; only their places are held in memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._places: dict[str, list[tuple[int, int]]] = {}

    def add(self, key: str, raw: Any) -> int:
        """Let a record wait; how many of its composition wait now."""
        text = orjson.dumps(raw)
        places = self._places.setdefault(key, [])
        places.append((self._file.seek(0, 2), len(text)))
        self._file.write(text)
        return len(places)

    def pop(self, key: str) -> list[Any]:
        """All that wait of a composition, in the order in which they came."""
        found = []
        for start, length in self._places.pop(key):
            self._file.seek(start)
            found.append(orjson.loads(self._file.read(length)))
        return found

    def left(self) -> list[str]:
        """Compositions that wait."""
        return list(self._places)


def _distinct(gathered: Gathered) -> Iterator[tuple[Any, str, str]]:
    """Every record once, with its composition and when it came; two questions may have the same answer."""
    seen: set[str] = set()
    for page in gathered.pages():
        for raw in page.documents:
            identifier, key = _named(raw)
            if identifier in seen:
                continue
            if identifier:
                seen.add(identifier)
            yield raw, key, page.fetched


def _named(raw: Any) -> tuple[str, str]:
    """Id and composition of a record; empty if it has none."""
    if not isinstance(raw, dict):
        return "", ""
    identifier = raw.get("material_id")
    return identifier if isinstance(identifier, str) else "", composition_key(raw)


def composition_key(raw: dict[str, Any]) -> str:
    """The same for all records that can be the same crystal, from the sites and not from what the record says."""
    try:
        counts = Counter(
            str(kind["element"]) for site in raw["structure"]["sites"] for kind in site["species"]
        )
        divisor = math.gcd(*counts.values()) or 1
    except (KeyError, TypeError):
        return ""
    return " ".join(f"{element}{count // divisor}" for element, count in sorted(counts.items()))
