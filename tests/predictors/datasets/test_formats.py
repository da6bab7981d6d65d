"""Formats are named; genuine files of the smaller ones are read as ASE reads them."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hysteron.core.errors import InputError, NotFoundError
from hysteron.predictors.datasets.formats import FORMATS, open_frames

DATA = os.environ.get("HYSTERON_DATA_DIR")
FILES = [  # ../shared/data, section 5
    ("orb_10_mptraj_systems.db", "ase-db", 10),
    ("orb_10_thin_mptraj_systems.db", "ase-db", 11),
    ("orb_phonondb_sample.db", "ase-db", 4),
    ("fairchem_oxides.db", "ase-db", 295),
    ("fairchem_oc_27998_all.traj", "traj", 1),
    ("fairchem_oc20neb_sample.traj", "traj", 10),
    ("fairchem_toy_c3h8_relax.extxyz", "extxyz", 101),
    ("sevennet_hfo2.extxyz", "extxyz", 2),
]


@pytest.mark.parametrize("name", ["oc20-s2ef", "lmdb", "aselmdb ", "OC20", ""])
def test_an_unknown_format_is_answered_with_the_nearest(name, tmp_path):
    with pytest.raises(InputError, match=r"No format .* Known: ase-db, aselmdb, extxyz"):
        open_frames(tmp_path, name)


def test_a_near_miss_is_answered_with_what_was_meant(tmp_path):
    with pytest.raises(InputError, match="Did you mean 'oc20-is2re-lmdb'"):
        open_frames(tmp_path, "oc20-is2re-lmbd")


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_at_the_path(name, tmp_path):
    with pytest.raises(NotFoundError, match="There is no"):
        open_frames(tmp_path / "none", name, "x")


@pytest.mark.skipif(not DATA, reason="needs genuine frames: set HYSTERON_DATA_DIR")
@pytest.mark.parametrize(("name", "format_name", "count"), FILES)
def test_genuine_files_are_read_as_ase_reads_them(name, format_name, count):
    from ase.io import read

    path = Path(str(DATA)) / "ml_potentials" / name
    frames = open_frames(path, format_name, "test")
    theirs = read(path, index=":", format={"ase-db": "db"}.get(format_name, format_name))
    assert len(frames) == len(theirs) == count
    for frame, atoms in zip(frames, theirs, strict=True):
        assert np.array_equal(frame.cell.numbers, atoms.numbers)
        assert np.array_equal(frame.cell.positions, atoms.positions)
        assert np.array_equal(frame.cell.lattice, np.asarray(atoms.cell))
        assert np.array_equal(frame.periodic, atoms.pbc)
        results = {} if atoms.calc is None else atoms.calc.results
        assert frame.energy == results.get("energy")
        if "forces" in results:
            assert np.array_equal(frame.forces, results["forces"])
        if "stress" in results:
            assert np.array_equal(frame.stress, atoms.get_stress(voigt=False))
        if atoms.constraints:
            assert frame.fixed.sum() == len(atoms.constraints[0].get_indices())


@pytest.mark.skipif(not DATA, reason="needs genuine frames: set HYSTERON_DATA_DIR")
@pytest.mark.parametrize("name", ["fairchem_oxides.db", "fairchem_oc20neb_sample.traj"])
def test_a_reader_goes_to_another_process(name):
    frames = open_frames(
        Path(str(DATA)) / "ml_potentials" / name, "ase-db" if name.endswith("db") else "traj", "x"
    )
    again = pickle.loads(pickle.dumps(frames))
    assert [f.key for _, f in again.shuffled(0, 0)] == [f.key for _, f in frames.shuffled(0, 0)]


def test_an_ase_database_is_not_touched(tmp_path):
    """ASE itself would write its tables into a file of another kind."""
    import sqlite3

    path = tmp_path / "other.db"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE other (id INTEGER)")
    database.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match="no such table: systems"):
        list(open_frames(path, "ase-db", "x"))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["other.db"]
