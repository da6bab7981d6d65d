"""How is a table in pandas' split form read without holding it in memory?

`{"index": [...], "columns": ["structure", "e_form"], "data": [[{...}, 1.2], ...]}`, as matminer and matbench publish it.
Values are plain JSON: nothing in them is turned into an object here.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from ...core.errors import InputError

CHUNK_CHARACTERS = 1 << 20
MOST_CHARACTERS = 50_000_000
"""Of one row; the largest crystal of matbench takes some 300,000."""


def json_rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows by the names of their columns, each with its place in words, one row in memory at a time.

    Args:
        path: The file, gzipped or not.
        needed: Columns that have to be there.

    Raises:
        InputError: the file is cut off, is not in the split form, or lacks a column.
    """
    for number, (columns, values) in enumerate(_rows(path), start=1):
        where = f"{path.name} row {number}"
        if missing := [name for name in needed if name not in columns]:
            raise InputError(
                f"{path.name} lacks the columns {', '.join(missing)}; it has {', '.join(columns)}."
            )
        if not isinstance(values, list) or len(values) != len(columns):
            raise InputError(f"{where} does not have the columns {', '.join(columns)}.")
        yield where, dict(zip(columns, values, strict=True))


def _rows(path: Path) -> Iterator[tuple[list[str], Any]]:
    """Names of the columns with each row of `data`."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        text = _Text(file, path.name)
        columns: list[str] = []
        text.expect("{")
        while not text.skip("}"):
            name = text.value()
            text.expect(":")
            if name == "data":
                if not columns:
                    raise InputError(
                        f"{path.name} has its 'columns' after its 'data'; they must come before."
                    )
                for row in text.items():
                    yield columns, row
            elif name == "columns":
                columns = [str(column) for column in text.value()]
            else:
                for _ in text.items():
                    pass
            text.skip(",")


class _Text:
    """JSON text that is read as far as the next value needs."""

    def __init__(self, file: TextIO, name: str) -> None:
        self.file, self.name = file, name
        self.buffer, self.place = "", 0
        self.decoder = json.JSONDecoder()

    def more(self) -> bool:
        """Read on; false at the end of the file."""
        if len(self.buffer) - self.place > MOST_CHARACTERS:
            raise InputError(f"{self.name} has a row of more than {MOST_CHARACTERS} characters.")
        try:
            read = self.file.read(max(CHUNK_CHARACTERS, len(self.buffer) - self.place))
        except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
            raise InputError(f"{self.name} cannot be read: {error}.") from None
        self.buffer, self.place = self.buffer[self.place :] + read, 0
        return bool(read)

    def next_character(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            while self.place < len(self.buffer) and self.buffer[self.place].isspace():
                self.place += 1
            if self.place < len(self.buffer):
                return self.buffer[self.place]
            if not self.more():
                return ""

    def skip(self, character: str) -> bool:
        """Step over a character if it comes next."""
        if found := self.next_character() == character:
            self.place += 1
        return found

    def expect(self, character: str) -> None:
        """Step over a character that has to come next."""
        if not self.skip(character):
            found = self.next_character() or "the end of the file"
            raise InputError(
                f"{self.name} is not in pandas' split form: {character!r} expected, {found!r} found."
            )

    def value(self) -> Any:
        """The next value, whole."""
        self.next_character()
        while True:
            try:
                value, end = self.decoder.raw_decode(self.buffer, self.place)
            except json.JSONDecodeError as error:
                if not self.more():
                    raise InputError(f"{self.name} is cut off or no JSON: {error}.") from None
                continue
            except RecursionError:
                raise InputError(f"{self.name} is nested too deeply.") from None
            if end < len(self.buffer):
                self.place = end
                return value
            length = end - self.place
            if not self.more():
                self.place = length
                return value

    def items(self) -> Iterator[Any]:
        """The elements of the next array, one at a time."""
        self.expect("[")
        while not self.skip("]"):
            yield self.value()
            if not self.skip(",") and self.next_character() != "]":
                raise InputError(f"{self.name} is cut off or no JSON inside its array.")
