"""Which frames does an ASE database (SQLite) hold?

The table is read as it is, read-only. Opening the file with ASE itself would create its tables in any SQLite file that
lacks them, and build the objects that a row names.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from ...core.errors import InputError, NotFoundError
from .ase_rows import frame_of_row
from .frames import IndexedFrames
from .records import Frame

_TABLES = {
    "numbers": ("<i4", (-1,)),
    "positions": ("<f8", (-1, 3)),
    "cell": ("<f8", (3, 3)),
    "tags": ("<i4", (-1,)),
    "forces": ("<f8", (-1, 3)),
    "stress": ("<f8", (-1,)),
}
"""Type and shape of the columns that hold arrays."""

_TEXTS = ("constraints", "key_value_pairs")
_PLAIN = ("unique_id", "pbc", "energy", "free_energy")
_COLUMNS = (*_PLAIN, *_TABLES, *_TEXTS)
_ONE_ROW = f"SELECT {', '.join(_COLUMNS)} FROM systems WHERE id = ?"  # noqa: S608 (the names stand above)


class AseDbFrames(IndexedFrames):
    """Frames of one ASE database, by number.

    Args:
        path: Of the file.
        fidelity: Of the energies.

    Raises:
        NotFoundError: there is no such file.
        InputError: it is no ASE database.
    """

    def __init__(self, path: Path, fidelity: str) -> None:
        self.path, self.fidelity = path, fidelity
        if not path.is_file():
            raise NotFoundError(f"There is no file {path}.")

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index: int) -> Frame:
        if not 0 <= index < len(self):
            raise IndexError(index)
        row_id = int(self._ids[index])
        values = self._select(_ONE_ROW, row_id)
        if not values:
            raise InputError(f"{self.path}, id {row_id}: the row went away while the file was read.")
        try:
            row = _row(dict(zip(_COLUMNS, values[0], strict=True)))
            return frame_of_row(row, f"{self.path.name}#{row_id}", self.fidelity)
        except InputError as error:
            raise InputError(f"{self.path}, id {row_id}: {error}") from None

    @cached_property
    def _ids(self) -> np.ndarray:
        return np.array(
            [row[0] for row in self._select("SELECT id FROM systems ORDER BY id")], dtype=np.int64
        )

    def _select(self, query: str, *arguments: int) -> list[tuple]:
        address = f"{self.path.resolve().as_uri()}?mode=ro&immutable=1"
        try:
            with closing(sqlite3.connect(address, uri=True)) as database:
                return database.execute(query, arguments).fetchall()
        except sqlite3.Error as error:
            raise InputError(f"{self.path} is no ASE database that can be read: {error}.") from None


def _row(values: dict[str, Any]) -> dict[str, Any]:
    """The columns of a row as arrays and plain values."""
    row = dict(values)
    for name, (kind, shape) in _TABLES.items():
        if values[name] is not None:
            row[name] = _table(values[name], kind, shape, name)
    for name in _TEXTS:
        row[name] = _json(values[name], name) if values[name] else None
    pbc = values["pbc"]
    if type(pbc) is not int or not 0 <= pbc < 8:
        raise InputError(f"its pbc is {str(pbc)[:20]!r}, expected three bits.")
    row["pbc"] = [pbc >> k & 1 for k in range(3)]
    return row


def _table(raw: Any, kind: str, shape: tuple[int, ...], name: str) -> np.ndarray:
    try:
        return np.frombuffer(raw, kind).reshape(shape)
    except (ValueError, TypeError):
        raise InputError(f"its {name} are not a table of numbers.") from None


def _json(text: Any, name: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InputError(f"its {name} are no JSON ({error}).") from None
