"""Which damaged files must be told of in a sentence?

Each takes a file that a public tool wrote and spoils it in one way: cut off, bytes changed, a key or a line missing, a
number that is none.
"""

from __future__ import annotations

import dataclasses
import lzma
import pickle
import sqlite3
import zlib
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from . import readers_samples as write
from .readers_samples import Sample

Spoiled = Callable[[Path, Sequence[Sample]], Path]
"""Writes into an empty folder, and says what is to be opened."""


def damaged_files() -> dict[str, tuple[str, Spoiled]]:
    """Format and writer of each, by a name that says what is wrong."""
    return {
        **{f"s2ef: {name}": ("oc20-s2ef-extxyz", spoiled) for name, spoiled in _S2EF.items()},
        **{
            f"trajectories: {name}": ("oc20-trajectories", spoiled) for name, spoiled in _TRAJECTORIES.items()
        },
        **{f"s2ef lmdb: {name}": ("oc20-s2ef-lmdb", spoiled) for name, spoiled in _LMDB.items()},
        **{f"is2re lmdb: {name}": ("oc20-is2re-lmdb", spoiled) for name, spoiled in _IS2RE.items()},
        **{f"aselmdb: {name}": ("aselmdb", spoiled) for name, spoiled in _ASELMDB.items()},
        **{f"ase-db: {name}": ("ase-db", spoiled) for name, spoiled in _ASE_DB.items()},
        **{f"traj: {name}": ("traj", spoiled) for name, spoiled in _TRAJ.items()},
    }


def _s2ef(name: str, spoil: Callable[[bytes], bytes | None]) -> Spoiled:
    """One of a pair is changed, or goes if nothing is left."""

    def written(folder: Path, samples: Sequence[Sample]) -> Path:
        write.write_s2ef(folder, samples, len(samples))
        _replace(folder / name, spoil)
        return folder

    return written


def _replace(path: Path, spoil: Callable[[bytes], bytes | None]) -> None:
    changed = spoil(path.read_bytes())
    if changed is None:
        path.unlink()
    else:
        path.write_bytes(changed)


def _text(change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    return lambda raw: lzma.compress(change(lzma.decompress(raw).decode()).encode())


def _flipped(raw: bytes) -> bytes:
    middle = len(raw) // 2
    return raw[:middle] + bytes(b ^ 0xFF for b in raw[middle : middle + 8]) + raw[middle + 8 :]


def _half(raw: bytes) -> bytes:
    return raw[: len(raw) // 2]


def _last_word(text: str, word: str) -> str:
    """The last word of the last line becomes another."""
    return " ".join([*text.rstrip("\n").rsplit(None, 1)[:-1], word]) + "\n"


_FRAMES, _LINES = "0.extxyz.xz", "0.txt.xz"

_S2EF: dict[str, Spoiled] = {
    "cut off": _s2ef(_FRAMES, _half),
    "emptied": _s2ef(_FRAMES, lambda _: b""),
    "bytes changed": _s2ef(_FRAMES, _flipped),
    "not compressed": _s2ef(_FRAMES, lzma.decompress),
    "text cut off": _s2ef(_LINES, _half),
    "text missing": _s2ef(_LINES, lambda _: None),
    "a line too few": _s2ef(_LINES, _text(lambda t: "".join(t.splitlines(True)[:-1]))),
    "a line too many": _s2ef(_LINES, _text(lambda t: t + "random1,frame1,0.0\n")),
    "a line without commas": _s2ef(_LINES, _text(lambda t: t.replace(",", " "))),
    "a reference that is no number": _s2ef(_LINES, _text(lambda t: _last_word(t.replace(",", ", "), "much"))),
    "a reference that is not finite": _s2ef(_LINES, _text(lambda t: _last_word(t.replace(",", ", "), "nan"))),
    "frames end within one": _s2ef(_FRAMES, _text(lambda t: "".join(t.splitlines(True)[:-3]))),
    "a force that is no number": _s2ef(_FRAMES, _text(lambda t: _last_word(t, "strong"))),
    "a force that is not finite": _s2ef(_FRAMES, _text(lambda t: _last_word(t, "nan"))),
    "an energy that is not finite": _s2ef(
        _FRAMES, _text(lambda t: t.replace(" energy=", " energy=nan was=", 1))
    ),
    "a number of atoms that is none": _s2ef(_FRAMES, _text(lambda t: "many\n" + t)),
    "a number of atoms of millions": _s2ef(_FRAMES, _text(lambda t: "99999999\n" + t)),
}


def _trajectories(change: Callable[[str], str]) -> Spoiled:
    def written(folder: Path, samples: Sequence[Sample]) -> Path:
        write.write_trajectories(folder, samples, 2)
        text = folder / "system.txt"
        text.write_text(change(text.read_text()))
        return folder

    return written


def _without_references(folder: Path, samples: Sequence[Sample]) -> Path:
    write.write_trajectories(folder, samples, 2)
    (folder / "system.txt").unlink()
    return folder


_TRAJECTORIES: dict[str, Spoiled] = {
    "no references": _without_references,
    "a system without reference": _trajectories(lambda t: "".join(t.splitlines(True)[1:])),
    "a system with two references": _trajectories(lambda t: t + t.splitlines()[0].split(",")[0] + ",1.0\n"),
}


def _lmdb(change: Callable[[dict[str, bytes], Sequence[Sample]], object], is2re: bool = False) -> Spoiled:
    """The entries of a file are changed before they are written."""

    def written(folder: Path, samples: Sequence[Sample]) -> Path:
        entries = {str(i): write.pickled_graph(s, is2re) for i, s in enumerate(samples)}
        entries["length"] = pickle.dumps(len(samples), protocol=-1)
        change(entries, samples)
        write.write_lmdb(folder / "data.0000.lmdb", entries)
        return folder

    return written


def _bytes(spoil: Callable[[bytes], bytes], ending: str = "lmdb") -> Spoiled:
    """The bytes of a sound file are changed."""

    def written(folder: Path, samples: Sequence[Sample]) -> Path:
        path = folder / f"data.0000.{ending}"
        if ending == "lmdb":
            write.write_oc20_lmdb(path, samples)
        else:
            write.write_aselmdb_plain(path, samples)
        _replace(path, spoil)
        return folder

    return written


def _graph(sample: Sample, **changes: Any) -> bytes:
    return write.pickled_graph(dataclasses.replace(sample, **changes))


_LMDB: dict[str, Spoiled] = {
    "cut off": _bytes(_half),
    "cut off by a byte": _bytes(lambda raw: raw[:-1]),
    "a text": _bytes(lambda raw: b"no database\n" * 1000),
    "emptied": _bytes(lambda _: b""),
    "no length": _lmdb(lambda e, _: e.pop("length")),
    "length no number": _lmdb(lambda e, _: e.update(length=pickle.dumps("many"))),
    "length too large": _lmdb(lambda e, _: e.update(length=pickle.dumps(10**9))),
    "a key missing": _lmdb(lambda e, _: e.update(other=e.pop("1"))),
    "an entry cut off": _lmdb(lambda e, _: e.update({"1": e["1"][:-40]})),
    "an entry of other bytes": _lmdb(lambda e, _: e.update({"1": b"\xff" * 300})),
    "forces of another shape": _lmdb(lambda e, s: e.update({"1": _graph(s[1], forces=s[1].forces[:-1])})),
    "an energy that is not finite": _lmdb(lambda e, s: e.update({"1": _graph(s[1], energy=float("nan"))})),
    "an atom that is none": _lmdb(lambda e, s: e.update({"1": _graph(s[1], numbers=s[1].numbers * 0 + 200)})),
    "a graph without positions": _lmdb(lambda e, _: e.update({"1": write.new_graph({"natoms": 1})})),
}

_IS2RE: dict[str, Spoiled] = {
    "a relaxed energy that is not finite": _lmdb(
        lambda e, s: e.update(
            {"1": write.pickled_graph(dataclasses.replace(s[1], relaxed_energy=float("inf")), is2re=True)}
        ),
        is2re=True,
    ),
}


def _rows(change: Callable[[dict[str, bytes], Sequence[Sample]], object]) -> Spoiled:
    """The entries of an .aselmdb are changed before they are written."""

    def written(folder: Path, samples: Sequence[Sample]) -> Path:
        entries = write.aselmdb_entries(samples)
        change(entries, samples)
        write.write_lmdb(folder / "data.0000.aselmdb", entries)
        return folder

    return written


def _row(**changes: Any) -> Spoiled:
    """The second row has another field."""
    return _rows(lambda e, s: e.update({"2": write.zipped(write.plain_row(s[1]) | changes)}))


_ASELMDB: dict[str, Spoiled] = {
    "cut off": _bytes(_half, "aselmdb"),
    "a text": _bytes(lambda raw: b"no database\n" * 1000, "aselmdb"),
    "no next id": _rows(lambda e, _: e.pop("nextid")),
    "a next id that is none": _rows(lambda e, _: e.update(nextid=write.zipped("many"))),
    "an id missing": _rows(lambda e, _: e.pop("2")),
    "deleted ids that never were": _rows(lambda e, _: e.update(deleted_ids=write.zipped([10**6]))),
    "a row not compressed": _rows(lambda e, _: e.update({"2": zlib.decompress(e["2"])})),
    "a row cut off": _rows(lambda e, _: e.update({"2": _half(e["2"])})),
    "a row with bytes changed": _rows(lambda e, _: e.update({"2": _flipped(e["2"])})),
    "a row that is no JSON": _rows(lambda e, _: e.update({"2": zlib.compress(b"{'numbers': [1]}")})),
    "a row that is a list": _rows(lambda e, _: e.update({"2": write.zipped([1, 2])})),
    "a row of gigabytes": _rows(lambda e, _: e.update({"2": zlib.compress(b" " * 2**27, 9)})),
    "a row without positions": _row(positions=None),
    "forces of another shape": _row(forces=np.zeros((3, 2))),
    "forces in rows of different lengths": _row(forces=[[1, 2, 3], [1, 2]]),
    "a stress of five numbers": _row(stress=[0.0] * 5),
    "an energy that is a word": _row(energy="low"),
    "an energy that is not finite": _rows(
        lambda e, _: e.update(
            {"2": zlib.compress(zlib.decompress(e["2"]).replace(b'"energy":', b'"energy":NaN,"was":'))}
        )
    ),
    "an array that is larger than it is": _row(forces={"__ndarray__": [[10**9, 3], "float64", [0.0]]}),
    "an array of objects": _row(forces={"__ndarray__": [[1], "object", [None]]}),
    "an array of complex numbers": _row(forces={"__complex_ndarray__": [[0.0], [1.0]]}),
    "an object of ASE": _row(cell={"__ase_objtype__": "cell", "array": np.eye(3)}),
    "a fixed atom that is not there": _row(
        constraints=[{"name": "FixAtoms", "kwargs": {"indices": [10**6]}}]
    ),
    "a flat cell": _row(cell=np.zeros((3, 3))),
}


def _ase_db(spoil: Callable[[bytes], bytes]) -> Spoiled:
    def written(folder: Path, samples: Sequence[Sample]) -> Path:
        from ase.db import connect

        path = folder / "frames.db"
        opened: Any = connect(str(path), type="db", use_lock_file=False)
        with opened as database:
            for sample in samples:
                database.write(write.atoms_of(sample))
        _replace(path, spoil)
        return path

    return written


def _other_sqlite(folder: Path, samples: Sequence[Sample]) -> Path:
    path = folder / "other.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE other (id INTEGER)")
    return path


_ASE_DB: dict[str, Spoiled] = {
    "cut off": _ase_db(_half),
    "a text": _ase_db(lambda raw: b"no database\n" * 1000),
    "another database": _other_sqlite,
}


def _traj(spoil: Callable[[bytes], bytes]) -> Spoiled:
    def written(folder: Path, samples: Sequence[Sample]) -> Path:
        from ase.io import write as ase_write

        path = folder / "frames.traj"
        ase_write(str(path), [write.atoms_of(s) for s in samples], format="traj")
        _replace(path, spoil)
        return path

    return written


_TRAJ: dict[str, Spoiled] = {
    "cut off": _traj(_half),
    "a text": _traj(lambda raw: b"no trajectory\n" * 100),
}
