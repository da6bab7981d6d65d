"""Which frames are written, by tools that are not ours, to be read back?

Slabs with an adsorbate and crystals with drawn positions, energies and forces: their numbers mean nothing, their shapes
are those of OC20 and OMat24. Every writer here is the public tool of the format: ASE's extended XYZ and Python's lzma,
torch_geometric's pickles in LMDB, ase-db-backends.
"""

from __future__ import annotations

import lzma
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import MissingDataError

if TYPE_CHECKING:
    from ase import Atoms

MAP_BYTES = 1 << 28


@dataclass(frozen=True, eq=False)
class Sample:
    """One frame as it was written; units as in `Frame`."""

    sid: int
    fid: int
    numbers: np.ndarray
    positions: np.ndarray
    lattice: np.ndarray
    energy: float
    reference_energy: float
    forces: np.ndarray
    stress: np.ndarray
    tags: np.ndarray
    fixed: np.ndarray
    relaxed_positions: np.ndarray
    relaxed_energy: float


def make_samples(count: int, seed: int, least: int = 20, most: int = 80) -> list[Sample]:
    """Frames of `least` to `most` atoms; coordinates and forces have 8 decimals, as extended XYZ writes them."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, count]))
    return [_sample(rng, i, int(rng.integers(least, most + 1))) for i in range(count)]


def in_single_precision(sample: Sample) -> Sample:
    """The sample as OC20's LMDB files hold it: arrays rounded to float32."""
    rounded = {
        name: getattr(sample, name).astype(np.float32).astype(np.float64)
        for name in ("positions", "lattice", "forces", "relaxed_positions")
    }
    return Sample(**{**vars(sample), **rounded})


def atoms_of(sample: Sample) -> Atoms:
    """As ASE holds it."""
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.constraints import FixAtoms

    atoms = Atoms(
        sample.numbers, sample.positions, cell=sample.lattice, pbc=True, tags=sample.tags,
        constraint=FixAtoms(mask=sample.fixed),
    )  # fmt: skip
    atoms.calc = SinglePointCalculator(
        atoms,
        energy=sample.energy,
        free_energy=sample.energy,
        forces=sample.forces,
        stress=sample.stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]],
    )
    return atoms


def write_s2ef(folder: Path, samples: Sequence[Sample], per_file: int) -> None:
    """Pairs `N.extxyz.xz` and `N.txt.xz`."""
    folder.mkdir(parents=True, exist_ok=True)
    for shard, first in enumerate(range(0, len(samples), per_file)):
        part = samples[first : first + per_file]
        lines = [f"random{s.sid},frame{s.fid},{s.reference_energy}\n" for s in part]
        (folder / f"{shard}.extxyz.xz").write_bytes(lzma.compress(extxyz_of(part).encode()))
        (folder / f"{shard}.txt.xz").write_bytes(lzma.compress("".join(lines).encode()))


def write_trajectories(folder: Path, samples: Sequence[Sample], per_file: int) -> None:
    """`random1234.extxyz.xz` and `system.txt`; the frames of a file share the reference of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for first in range(0, len(samples), per_file):
        part = samples[first : first + per_file]
        lines.append(f"random{part[0].sid},{part[0].reference_energy}\n")
        (folder / f"random{part[0].sid}.extxyz.xz").write_bytes(lzma.compress(extxyz_of(part).encode()))
    (folder / "system.txt").write_text("".join(lines))


def extxyz_of(samples: Sequence[Sample]) -> str:
    """Extended XYZ as ASE writes it, with tags and the mask of atoms that may move."""
    from ase.io import write

    text = StringIO()
    columns = ["symbols", "positions", "move_mask", "tags", "forces"]
    write(text, [atoms_of(s) for s in samples], format="extxyz", columns=columns)
    return text.getvalue()


def write_oc20_lmdb(path: Path, samples: Sequence[Sample], is2re: bool = False, old: bool = False) -> None:
    """One LMDB file of pickled graphs.

    Args:
        path: Of the file.
        samples: What it holds, in single precision.
        is2re: Initial and relaxed structures in place of energies and forces.
        old: Graphs of torch_geometric before 2.0, field names and number types of that time, and no `length` for
            IS2RE.
    """
    entries = {str(i): pickled_graph(s, is2re, old) for i, s in enumerate(samples)}
    if not (is2re and old):
        entries["length"] = pickle.dumps(len(samples), protocol=-1)
    write_lmdb(path, entries)


def pickled_graph(sample: Sample, is2re: bool = False, old: bool = False) -> bytes:
    """A graph of torch_geometric as the public scripts fill and pickle it."""
    import torch

    fields: dict[str, Any] = {
        "pos": torch.tensor(sample.positions, dtype=torch.float32),
        "cell": torch.tensor(sample.lattice, dtype=torch.float32)[None],
        "atomic_numbers": torch.tensor(sample.numbers, dtype=torch.float32 if old else torch.long),
        "natoms": len(sample.numbers),
        "tags": torch.tensor(sample.tags, dtype=torch.long),
        "fixed": torch.tensor(sample.fixed, dtype=torch.float32),
        "edge_index": torch.tensor(np.stack([np.arange(4), np.arange(4)[::-1]]).copy()),
        "sid": sample.sid,
    }
    if is2re:
        fields |= {
            "y_init": sample.energy,
            "y_relaxed": sample.relaxed_energy,
            "pos_relaxed": torch.tensor(sample.relaxed_positions, dtype=torch.float32),
        }
    else:
        energy, forces = ("y", "force") if old else ("energy", "forces")
        fields |= {
            energy: sample.energy,
            forces: torch.tensor(sample.forces, dtype=torch.float32),
            "fid": sample.fid if old else torch.tensor([sample.fid]),
        }
    return old_graph(fields) if old else new_graph(fields)


def new_graph(fields: dict[str, Any]) -> bytes:
    """Fields as today's torch_geometric pickles them."""
    from torch_geometric.data import Data

    return pickle.dumps(Data(**fields), protocol=-1)


def old_graph(fields: dict[str, Any]) -> bytes:
    """Fields as torch_geometric before 2.0 pickled them.

    Its `Data` was a plain class of the same module and name that kept its fields in `__dict__`, unset ones as `None`;
    pickle writes module, name and `__dict__`. So a class of that kind takes its place while the pickle is written.
    """
    usual = dict.fromkeys(("x", "edge_index", "edge_attr", "y", "pos", "normal", "face"))
    with _old_data() as data:
        graph = data()
        graph.__dict__.update(usual | fields)
        return pickle.dumps(graph, protocol=-1)


@contextmanager
def _old_data() -> Iterator[type]:
    from torch_geometric.data import data as module

    old = type("Data", (), {"__module__": module.__name__})
    new, module.Data = module.Data, old  # type: ignore[misc, assignment]
    try:
        yield old
    finally:
        module.Data = new  # type: ignore[misc]


def write_aselmdb(path: Path, samples: Sequence[Sample], deleted: Sequence[int] = ()) -> None:
    """One .aselmdb as ase-db-backends writes it; arrays are `__ndarray__`.

    Args:
        path: Of the file.
        samples: Its rows.
        deleted: Ids (from 1) that are deleted again.

    Raises:
        MissingDataError: ase-db-backends is not installed.
    """
    if find_spec("ase_db_backends") is None:
        raise MissingDataError("Writing .aselmdb needs ase-db-backends: pip install 'hysteron[test]'.")
    from ase.db import connect

    opened: Any = connect(str(path), type="aselmdb", use_lock_file=False)
    with opened as database:
        for sample in samples:
            database.write(atoms_of(sample), data={"calc_id": f"calc-{sample.sid}"}, source=f"s{sample.sid}")
        if deleted:
            database.delete(list(deleted))
        database.metadata = {"units": "eV"}


def write_aselmdb_plain(path: Path, samples: Sequence[Sample], first: int = 1) -> None:
    """Rows as numpy-aware orjson writes them, arrays as nested lists, from the id `first` on; the file may exist."""
    write_lmdb(path, aselmdb_entries(samples, first))


def aselmdb_entries(samples: Sequence[Sample], first: int = 1) -> dict[str, bytes]:
    """Keys and values of such rows, `nextid` among them."""
    entries = {str(first + i): zipped(plain_row(s)) for i, s in enumerate(samples)}
    return entries | {"nextid": zipped(first + len(samples))}


def plain_row(sample: Sample) -> dict[str, Any]:
    """A row whose arrays are numpy's; the stress is written as nine numbers."""
    return {
        "numbers": sample.numbers,
        "positions": sample.positions,
        "cell": sample.lattice,
        "pbc": np.ones(3, dtype=bool),
        "tags": sample.tags,
        "energy": sample.energy,
        "forces": sample.forces,
        "stress": sample.stress.reshape(-1),
        "unique_id": f"{sample.sid:032x}",
        "ctime": 24.5,
        "mtime": 24.5,
        "constraints": [{"name": "FixAtoms", "kwargs": {"indices": np.flatnonzero(sample.fixed)}}],
        "key_value_pairs": {"source": f"s{sample.sid}"},
        "data": {},
    }


def zipped(value: Any) -> bytes:
    """Compressed JSON."""
    import zlib

    import orjson

    return zlib.compress(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))


def write_lmdb(path: Path, entries: dict[str, bytes]) -> None:
    """One LMDB file by the LMDB library."""
    import lmdb

    options: dict[str, Any] = {"map_size": MAP_BYTES, "subdir": False, "sync": False, "lock": False}
    with lmdb.open(str(path), **options) as file, file.begin(write=True) as transaction:
        for key, value in entries.items():
            transaction.put(key.encode("ascii"), value)


def _sample(rng: np.random.Generator, index: int, count: int) -> Sample:
    lattice = np.diag(rng.uniform(6, 12, 3)) + rng.uniform(-0.5, 0.5, (3, 3))
    positions = _decimals(rng.random((count, 3)) @ lattice)
    stress = rng.normal(0, 0.01, (3, 3))
    tags = rng.integers(0, 3, count)
    return Sample(
        sid=int(rng.integers(1, 2**40)),
        fid=index % 200,
        numbers=rng.integers(1, 90, count),
        positions=positions,
        lattice=lattice,
        energy=float(rng.normal(-300, 100)),
        reference_energy=float(rng.normal(-298, 100)),
        forces=_decimals(rng.normal(0, 1, (count, 3))),
        stress=(stress + stress.T) / 2,
        tags=tags,
        fixed=np.where(np.arange(count) == 0, True, tags == 0),
        relaxed_positions=_decimals(positions + rng.normal(0, 0.1, (count, 3))),
        relaxed_energy=float(rng.normal(-2, 1)),
    )


def _decimals(values: np.ndarray) -> np.ndarray:
    return np.array([[float(f"{x:.8f}") for x in row] for row in values])
