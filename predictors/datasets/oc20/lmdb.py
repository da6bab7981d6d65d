"""Which frames do OC20's LMDB files hold?

Single files `data.0000.lmdb`, ..., keys `0`, `1`, ... and `length`, values pickled graphs. For S2EF they are made from
the download by the public scripts, which count energies from the reference where `--ref-energy` was given, as OC20's
instructions do: fidelity `oc20-rpbe-adsorption`, reference energy 0. Files made without it hold totals: name the
fidelity `oc20-rpbe`. Files for IS2RE are published ready-made, and old ones have no `length`; their energies are always
counted from the reference.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from ....core.errors import InputError, NotFoundError
from ..checked import checked_frame
from ..fidelities import OC20_ADSORPTION
from ..frames import IndexedFrames, atom_counts
from ..lmdb_file import LmdbFile
from ..records import Frame
from .pyg_objects import graph_fields, plain_pickle

S2EF_ENERGY, S2EF_FORCES = ("energy", "y"), ("forces", "force")
"""Names of a field, newer ones first."""


class Oc20LmdbFrames(IndexedFrames):
    """Frames of one LMDB file or of a folder of them, by number.

    Args:
        path: File or folder.
        fidelity: Of the energies.

    Raises:
        NotFoundError: there is nothing, or no .lmdb file in the folder.
    """

    needs_length = True

    def __init__(self, path: Path, fidelity: str = OC20_ADSORPTION) -> None:
        self.path, self.fidelity = path, fidelity
        self.files = [LmdbFile(found) for found in lmdb_paths(path, ".lmdb")]

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> Frame:
        if not 0 <= index < len(self):
            raise IndexError(index)
        which = bisect_right(self._ends, index)
        entry = index - (self._ends[which - 1] if which else 0)
        file = self.files[which]
        raw = file.get(str(entry))
        try:
            if raw is None:
                raise InputError("the file has no such key.")
            return self._frame(graph_fields(raw), f"{file.path.name}#{entry}")
        except InputError as error:
            raise InputError(f"{file.path}, entry {entry}: {error}") from None

    @cached_property
    def natoms(self) -> np.ndarray | None:
        """Atoms of each frame where `metadata.npz` tells them."""
        return atom_counts(self.path if self.path.is_dir() else self.path.parent, len(self))

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(self._length(file) for file in self.files))

    def _length(self, file: LmdbFile) -> int:
        raw = file.get("length")
        if raw is None and not self.needs_length:
            count: object = len(file)
        elif raw is None:
            raise InputError(f"{file.path} has no key 'length'; it is no LMDB of OC20, or was not finished.")
        else:
            try:
                count = plain_pickle(raw)
            except InputError as error:
                raise InputError(f"{file.path}, key 'length': {error}") from None
        if type(count) is not int or not 0 <= count <= len(file):
            raise InputError(f"{file.path} says its length is {str(count)[:40]!r} and has {len(file)} keys.")
        return count

    def _frame(self, fields: Mapping[str, Any], place: str) -> Frame:
        """A frame of S2EF."""
        return _checked(fields, _key(fields, place), self.fidelity, _first(fields, S2EF_ENERGY), {})


class Is2reFrames(Oc20LmdbFrames):
    """Initial structures with the energy and the positions at the end of their relaxation."""

    needs_length = False

    def _frame(self, fields: Mapping[str, Any], place: str) -> Frame:
        end = {
            "relaxed_positions": fields.get("pos_relaxed"),
            "relaxed_energy": fields.get("y_relaxed"),
        }
        return _checked(fields, _key(fields, place), self.fidelity, fields.get("y_init"), end)


def lmdb_paths(path: Path, ending: str) -> list[Path]:
    """A file itself, or those of this ending in a folder, sorted by name.

    Raises:
        NotFoundError: there are none.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise NotFoundError(f"There is no file or folder {path}.")
    found = sorted(p for p in path.iterdir() if p.name.endswith(ending) and p.is_file())
    if not found:
        raise NotFoundError(f"The folder {path} holds no {ending} file.")
    return found


def _checked(
    fields: Mapping[str, Any], key: str, fidelity: str, energy: object, end: Mapping[str, Any]
) -> Frame:
    missing = [name for name in ("pos", "atomic_numbers", "cell") if name not in fields]
    if missing:
        raise InputError(
            f"the graph lacks {', '.join(missing)}; it has {', '.join(sorted(fields)) or 'nothing'}."
        )
    frame = checked_frame(
        key,
        fidelity,
        fields["atomic_numbers"],
        fields["pos"],
        np.asarray(fields["cell"]).reshape(-1, 3),
        energy=energy,
        reference_energy=0.0 if energy is not None and fidelity == OC20_ADSORPTION else None,
        forces=_first(fields, S2EF_FORCES),
        tags=fields.get("tags"),
        fixed=fields.get("fixed"),
        info={name: _plain(fields[name]) for name in ("sid", "fid") if name in fields},
        **end,
    )
    told = fields.get("natoms", len(frame.cell.numbers))
    if _plain(told) != len(frame.cell.numbers):
        raise InputError(f"natoms is {_plain(told)}, and there are {len(frame.cell.numbers)} atoms.")
    return frame


def _key(fields: Mapping[str, Any], place: str) -> str:
    """`random1234,frame5`, or where the frame stands if it does not say."""
    sid, fid = (_plain(fields.get(name)) for name in ("sid", "fid"))
    if sid is None:
        return place
    system = sid if isinstance(sid, str) else f"random{sid}"
    return system if fid is None else f"{system},frame{fid}"


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((fields[name] for name in names if name in fields), None)


def _plain(value: Any) -> Any:
    """A number or text out of a field of one number."""
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0].item() if value.size == 1 else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int | str) else None
