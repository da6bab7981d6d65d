"""Which frames does a folder of .aselmdb files hold?

OMat24, sAlex and OMC25 are published as folders of LMDB files that the package ase-db-backends writes: ids from 1, keys
`1`, `2`, ..., and `nextid`, `deleted_ids`, `metadata`. Their energies are the total energies that VASP gave, eV.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from ....core.errors import InputError
from ..ase_rows import frame_of_row
from ..frames import IndexedFrames, atom_counts
from ..lmdb_file import LmdbFile
from ..oc20.lmdb import lmdb_paths
from ..records import Frame
from .rows import read_entry


class AseLmdbFile:
    """One .aselmdb file: its live ids in order.

    Args:
        path: Of the file.
    """

    def __init__(self, path: Path) -> None:
        self.file = LmdbFile(path)

    def __len__(self) -> int:
        return self._next_id - 1 - len(self._deleted)

    def row(self, index: int) -> tuple[int, dict[str, Any]]:
        """Id and fields of the row of this number; deleted ids are passed over.

        Raises:
            InputError: it is missing, or cannot be read.
        """
        row_id = self.row_id(index)
        found = self._entry(str(row_id))
        if found is None:
            raise InputError(f"{self.file.path}, id {row_id}: the file has no such key.")
        if not isinstance(found, dict):
            raise InputError(f"{self.file.path}, id {row_id}: it is no row of a database.")
        return row_id, found

    def row_id(self, index: int) -> int:
        """The id of the row of this number."""
        live_before = self._deleted - np.arange(len(self._deleted)) - 1
        return index + 1 + int(np.searchsorted(live_before, index, side="right"))

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """What the file says of itself.

        Raises:
            InputError: it cannot be read.
        """
        found = self._entry("metadata")
        return found if isinstance(found, dict) else {}

    @cached_property
    def _next_id(self) -> int:
        found = self._entry("nextid")
        if found is None:
            raise InputError(f"{self.file.path} has no key 'nextid'; it is no .aselmdb, or was not finished.")
        if type(found) is not int or found < 1:
            raise InputError(
                f"{self.file.path} has the next id {str(found)[:40]!r}, expected a whole number."
            )
        return found

    @cached_property
    def _deleted(self) -> np.ndarray:
        found = self._entry("deleted_ids") or []
        whole = isinstance(found, list) and all(type(i) is int and 0 < i < self._next_id for i in found)
        if not whole:
            raise InputError(f"{self.file.path} has deleted ids that are not among 1 to {self._next_id - 1}.")
        return np.unique(np.array(found, dtype=np.int64))

    def _entry(self, key: str) -> Any:
        raw = self.file.get(key)
        try:
            return None if raw is None else read_entry(raw)
        except InputError as error:
            what = f"id {key}" if key.isdigit() else f"key {key!r}"
            raise InputError(f"{self.file.path}, {what}: {error}") from None


class AseLmdbFrames(IndexedFrames):
    """Frames of one .aselmdb file or of a folder of them, by number.

    Args:
        path: File or folder.
        fidelity: Of the energies.

    Raises:
        NotFoundError: there is nothing, or no .aselmdb file in the folder.
    """

    def __init__(self, path: Path, fidelity: str) -> None:
        self.path, self.fidelity = path, fidelity
        self.files = [AseLmdbFile(found) for found in lmdb_paths(path, ".aselmdb")]

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> Frame:
        if not 0 <= index < len(self):
            raise IndexError(index)
        which = bisect_right(self._ends, index)
        database = self.files[which]
        row_id, row = database.row(index - (self._ends[which - 1] if which else 0))
        place = database.file.path
        try:
            return frame_of_row(row, f"{place.name}#{row_id}", self.fidelity)
        except InputError as error:
            raise InputError(f"{place}, id {row_id}: {error}") from None

    @cached_property
    def natoms(self) -> np.ndarray | None:
        """Atoms of each frame where `metadata.npz` tells them."""
        return atom_counts(self.path if self.path.is_dir() else self.path.parent, len(self))

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(map(len, self.files)))
