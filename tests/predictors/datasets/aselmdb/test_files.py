"""Folders of .aselmdb, written by ase-db-backends and by orjson, against ase-db-backends' own reading."""

import json
import zlib

import numpy as np
import pytest
from ase.db import connect
from hysteron.benchmarks import readers
from hysteron.benchmarks.readers_samples import (
    aselmdb_entries,
    make_samples,
    write_aselmdb,
    write_aselmdb_plain,
    write_lmdb,
    zipped,
)
from hysteron.core.errors import InputError, NotFoundError
from hysteron.predictors.datasets.aselmdb.files import AseLmdbFile
from hysteron.predictors.datasets.formats import open_frames

pytest.importorskip("ase_db_backends", reason="needs ase-db-backends: pip install 'hysteron[test]'")

SAMPLES = make_samples(12, 4, least=3, most=9)
FIELDS = ("numbers", "positions", "lattice", "energy", "forces", "stress", "tags", "fixed")


def opened(path, fidelity="omat24"):
    return open_frames(path, "aselmdb", fidelity)


def both(folder):
    """Two files; the second holds both encodings."""
    write_aselmdb(folder / "data.0000.aselmdb", SAMPLES[:5])
    write_aselmdb(folder / "data.0001.aselmdb", SAMPLES[5:8])
    write_aselmdb_plain(folder / "data.0001.aselmdb", SAMPLES[8:], first=4)
    return folder


def test_both_encodings_come_back_bit_by_bit(tmp_path):
    frames = opened(both(tmp_path))
    assert len(frames) == 12
    for frame, sample in zip(frames, SAMPLES, strict=True):
        assert readers.same(frame, sample, FIELDS)
        assert (frame.fidelity, frame.reference_energy) == ("omat24-pbe", None)
        assert frame.info["source"] == f"s{sample.sid}"
    assert [frame.key for frame in frames][4:6] == ["data.0000.aselmdb#5", "data.0001.aselmdb#1"]


def test_ase_reads_the_same(tmp_path):
    write_aselmdb(tmp_path / "a.aselmdb", SAMPLES, deleted=[1, 2, 5, 12])
    rows = list(
        connect(str(tmp_path / "a.aselmdb"), type="aselmdb", readonly=True, use_lock_file=False).select()
    )
    frames = list(opened(tmp_path / "a.aselmdb"))
    assert len(rows) == len(frames) == 8
    for row, frame in zip(rows, frames, strict=True):
        assert frame.key == f"a.aselmdb#{row.id}"
        assert frame.info["unique_id"] == row.unique_id
        assert frame.info["calc_id"] == row.data["calc_id"]
        assert frame.energy == row.energy
        assert np.array_equal(frame.forces, row.forces)
        assert np.array_equal(frame.cell.positions, row.positions)


@pytest.mark.parametrize("deleted", [[], [1], [12], [1, 2, 3], [4, 6, 8, 7], [12, 11, 1]])
def test_deleted_ids_are_passed_over(tmp_path, deleted):
    write_aselmdb(tmp_path / "a.aselmdb", SAMPLES, deleted)
    file = AseLmdbFile(tmp_path / "a.aselmdb")
    live = [i for i in range(1, 13) if i not in deleted]
    assert [file.row_id(k) for k in range(len(file))] == live
    assert [f.energy for f in opened(tmp_path)] == [SAMPLES[i - 1].energy for i in live]
    assert file.metadata == {"units": "eV"}


def test_single_precision_within_a_row_is_kept(tmp_path):
    forces = np.random.default_rng(0).normal(size=(len(SAMPLES[0].numbers), 3)).astype(np.float32)
    row = {
        "numbers": SAMPLES[0].numbers.tolist(),
        "positions": SAMPLES[0].positions.tolist(),
        "cell": SAMPLES[0].lattice.tolist(),
        "forces": {"__ndarray__": [list(forces.shape), "float32", [float(x) for x in forces.ravel()]]},
    }
    write_lmdb(tmp_path / "a.aselmdb", {"1": zlib.compress(json.dumps(row).encode()), "nextid": zipped(2)})
    (frame,) = opened(tmp_path)
    assert np.array_equal(frame.forces.astype(np.float32), forces)
    assert frame.periodic.all()
    assert (frame.energy, frame.fixed) == (None, None)


def test_a_shuffled_walk_visits_every_file(tmp_path):
    frames = opened(both(tmp_path))
    order = [frame.key for _, frame in frames.shuffled(0, 0)]
    assert sorted(order) == sorted(frame.key for frame in frames) != order
    assert [frame.key for _, frame in frames.shuffled(0, 0, start=7)] == order[7:]


def test_atom_counts_stand_beside(tmp_path):
    np.savez(both(tmp_path) / "metadata.npz", natoms=[len(s.numbers) for s in SAMPLES])
    frames = opened(tmp_path)
    assert [len(frame.cell.numbers) for frame in frames] == frames.natoms.tolist()


def test_a_bad_row_is_told_and_the_rest_go_on(tmp_path):
    entries = aselmdb_entries(SAMPLES[:4]) | {"3": b"no zlib"}
    write_lmdb(tmp_path / "a.aselmdb", entries)
    told = []
    assert [place for place, _ in opened(tmp_path).read(on_error=told.append)] == [0, 1, 3]
    assert len(told) == 1
    assert "a.aselmdb, id 3: it cannot be decompressed" in told[0]
    with pytest.raises(InputError, match="id 3"):
        list(opened(tmp_path).read())


@pytest.mark.parametrize(
    ("name", "fidelity"), [("salex", "alexandria-pbe"), ("omc25", "omc25-pbe-d3"), ("x", "x")]
)
def test_whose_totals_they_are_is_named(tmp_path, name, fidelity):
    assert next(iter(opened(both(tmp_path), name))).fidelity == fidelity


def test_no_fidelity_and_no_file(tmp_path):
    with pytest.raises(InputError, match="name a fidelity, or one of the data sets omat24"):
        opened(both(tmp_path), None)
    with pytest.raises(NotFoundError):
        opened(tmp_path / "none")
