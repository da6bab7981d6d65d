"""Are OC20 and OMat24 read as they were written, and is what is poisoned or damaged refused?

No genuine file of either is at hand. So files in their formats are written by the public tools (ASE, lzma,
torch_geometric, LMDB, ase-db-backends, orjson) and read back; each number must come back bit by bit. The baseline of
speed is the tool that wrote the file, reading it in the same run. Poisoned pickles are given to Python's own reader as
well, in a process of its own: those that run a program there show that they are poison.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..predictors.datasets.formats import open_frames
from ..predictors.datasets.oc20.pyg_objects import graph_fields
from ..predictors.datasets.records import Frame
from . import readers_samples as write
from .readers_damage import damaged_files
from .readers_poison import other_pickles, running_pickles
from .readers_samples import Sample

FIDELITY = "omat24"
"""For the formats that do not say whose energies they hold."""

_RUN_THEM_ALL = """
import pathlib, pickle, sys
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        pickle.loads(path.read_bytes())
    except Exception:
        pass
"""


@dataclass(frozen=True)
class Written:
    """Files of one format with what they hold.

    Attributes:
        format: As `open_frames` names it.
        write: Writes them into an empty folder, and says what is to be opened.
        fields: What of a sample the format holds.
        single: Whether arrays are in single precision.
        baseline: Reads the frames with the tool that wrote them.
    """

    format: str
    write: Callable[[Path, Sequence[Sample]], Path]
    fields: tuple[str, ...]
    single: bool
    baseline: Callable[[Path], Iterable[Any]]


def run(frames: int = 400, seed: int = 0) -> dict[str, Any]:
    """Measure it.

    Args:
        frames: Of each format.
        seed: Of the drawn numbers.

    Raises:
        MissingDataError: ase-db-backends is not installed.
    """
    samples = write.make_samples(frames, seed)
    with tempfile.TemporaryDirectory(prefix="hysteron-readers-") as folder:
        formats = {
            name: _read_back(kind, samples, Path(folder) / name) for name, kind in written_formats().items()
        }
        poison = measure_poison(Path(folder) / "poison")
        damage = measure_damage(samples[:6], Path(folder) / "damage")
    return {
        "n": frames,
        "seed": seed,
        "formats": formats,
        "frames_read": sum(f["frames"] for f in formats.values()),
        "frames_bit_equal": sum(f["bit_equal"] for f in formats.values()),
        **poison,
        **damage,
    }


def written_formats() -> dict[str, Written]:
    """Every format that is written and read back, by a name of its own."""
    slab = ("numbers", "positions", "lattice", "energy", "forces", "tags", "fixed")
    start = (
        "numbers",
        "positions",
        "lattice",
        "energy",
        "tags",
        "fixed",
        "relaxed_positions",
        "relaxed_energy",
    )
    return {
        "oc20-s2ef-extxyz": Written(
            "oc20-s2ef-extxyz", _s2ef, (*slab, "reference_energy"), False, _ase_extxyz
        ),
        "oc20-trajectories": Written("oc20-trajectories", _trajectories, slab, False, _ase_extxyz),
        "oc20-s2ef-lmdb": Written("oc20-s2ef-lmdb", _lmdb(), slab, True, _pickles),
        "oc20-s2ef-lmdb, graphs before 2.0": Written(
            "oc20-s2ef-lmdb", _lmdb(old=True), slab, True, lambda _: ()
        ),
        "oc20-is2re-lmdb": Written("oc20-is2re-lmdb", _lmdb(is2re=True), start, True, _pickles),
        "oc20-is2re-lmdb, graphs before 2.0": Written(
            "oc20-is2re-lmdb", _lmdb(is2re=True, old=True), start, True, lambda _: ()
        ),
        "aselmdb, __ndarray__": Written("aselmdb", _aselmdb, (*slab, "stress"), False, _ase_rows),
        "aselmdb, lists": Written("aselmdb", _aselmdb_plain, (*slab, "stress"), False, _ase_rows),
        "aselmdb, both": Written("aselmdb", _aselmdb_both, (*slab, "stress"), False, _ase_rows),
    }


def same(frame: Frame, sample: Sample, fields: Iterable[str]) -> bool:
    """Whether a frame holds, bit by bit, what was written."""
    return all(np.array_equal(_read(frame, name), np.asarray(getattr(sample, name))) for name in fields)


def measure_poison(folder: Path) -> dict[str, int]:
    """How many poisoned pickles there are, run something with Python's reader, and are refused by ours."""
    marks, pickles = folder / "marks", folder / "pickles"
    for path in (marks, pickles):
        path.mkdir(parents=True)
    running = running_pickles(marks)
    poison = running | other_pickles()
    refused = sum(_refused(raw) for raw in poison.values())
    executed = len(list(marks.iterdir()))
    for name, raw in running.items():
        (pickles / name).write_bytes(raw)
    subprocess.run([sys.executable, "-c", _RUN_THEM_ALL, str(pickles)], check=True, capture_output=True)  # noqa: S603
    return {
        "poisoned": len(poison),
        "poisoned_refused": refused,
        "poisoned_executed": executed,
        "poisoned_executed_by_pickle": len(list(marks.iterdir())),
    }


def measure_damage(samples: Sequence[Sample], folder: Path) -> dict[str, Any]:
    """How many damaged files there are, and how many are told of in a sentence."""
    told = {name: told_of(name, samples, folder / str(i)) for i, name in enumerate(damaged_files())}
    return {
        "damaged": len(told),
        "damaged_told": sum(sentence is not None for sentence in told.values()),
        "damaged_missed": [name for name, sentence in told.items() if sentence is None],
    }


def told_of(name: str, samples: Sequence[Sample], folder: Path) -> str | None:
    """What is said of a damaged file; `None` if it is read as if it were sound."""
    format_name, spoiled = damaged_files()[name]
    folder.mkdir(parents=True)
    try:
        for _ in open_frames(spoiled(folder, samples), format_name, _fidelity(format_name)):
            pass
    except InputError as error:
        return str(error)
    return None


def _read_back(kind: Written, samples: Sequence[Sample], folder: Path) -> dict[str, Any]:
    folder.mkdir(parents=True)
    path = kind.write(folder, samples)
    expected = [write.in_single_precision(s) for s in samples] if kind.single else samples
    ours, seconds = _timed(open_frames(path, kind.format, _fidelity(kind.format)))
    theirs, baseline = _timed(kind.baseline(path))
    equal = sum(same(f, s, kind.fields) for f, s in zip(ours, expected, strict=False))
    return {
        "frames": len(ours),
        "bit_equal": equal if len(ours) == len(samples) else 0,
        "frames_per_second": len(ours) / seconds,
        "baseline_frames_per_second": len(theirs) / baseline if theirs else None,
    }


def _timed(frames: Iterable[Any]) -> tuple[list[Any], float]:
    start = time.perf_counter()
    found = list(iter(frames))
    return found, time.perf_counter() - start


def _read(frame: Frame, name: str) -> Any:
    return getattr(frame.cell, name) if name in ("numbers", "positions", "lattice") else getattr(frame, name)


def _refused(raw: bytes) -> bool:
    try:
        graph_fields(raw)
    except InputError:
        return True
    return False


def _fidelity(format_name: str) -> str | None:
    return None if format_name.startswith("oc20-") else FIDELITY


def _s2ef(folder: Path, samples: Sequence[Sample]) -> Path:
    write.write_s2ef(folder, samples, max(1, -(-len(samples) // 3)))
    return folder


def _trajectories(folder: Path, samples: Sequence[Sample]) -> Path:
    """One file, so that frames keep their order."""
    write.write_trajectories(folder, samples, len(samples))
    return folder


def _lmdb(is2re: bool = False, old: bool = False) -> Callable[[Path, Sequence[Sample]], Path]:
    def written(folder: Path, samples: Sequence[Sample]) -> Path:
        half = len(samples) // 2
        write.write_oc20_lmdb(folder / "data.0000.lmdb", samples[:half], is2re, old)
        write.write_oc20_lmdb(folder / "data.0001.lmdb", samples[half:], is2re, old)
        return folder

    return written


def _aselmdb(folder: Path, samples: Sequence[Sample]) -> Path:
    write.write_aselmdb(folder / "data.0000.aselmdb", samples)
    return folder


def _aselmdb_plain(folder: Path, samples: Sequence[Sample]) -> Path:
    write.write_aselmdb_plain(folder / "data.0000.aselmdb", samples)
    return folder


def _aselmdb_both(folder: Path, samples: Sequence[Sample]) -> Path:
    """Both encodings in one file."""
    half = len(samples) // 2
    write.write_aselmdb(folder / "data.0000.aselmdb", samples[:half])
    write.write_aselmdb_plain(folder / "data.0000.aselmdb", samples[half:], first=half + 1)
    return folder


def _ase_extxyz(folder: Path) -> Iterable[Any]:
    """By ASE, decompressed in memory first: on the compressed file itself it starts over for each frame."""
    import lzma
    from io import StringIO

    from ase.io import read

    for path in sorted(folder.glob("*.extxyz.xz")):
        yield from read(StringIO(lzma.decompress(path.read_bytes()).decode()), index=":", format="extxyz")


def _pickles(folder: Path) -> Iterable[Any]:
    """The graphs that these very files hold, by LMDB and Python's own reader."""
    import pickle

    import lmdb

    for path in sorted(folder.glob("*.lmdb")):
        with (
            lmdb.open(str(path), subdir=False, readonly=True, lock=False) as file,
            file.begin() as transaction,
        ):
            for key, value in transaction.cursor():
                if bytes(key) != b"length":
                    yield pickle.loads(value)  # noqa: S301 - written on the spot


def _ase_rows(folder: Path) -> Iterable[Any]:
    from ase.db import connect

    for path in sorted(folder.glob("*.aselmdb")):
        opened: Any = connect(str(path), type="aselmdb", readonly=True, use_lock_file=False)
        with opened as database:
            for row in database.select():
                yield row.toatoms()
