"""OC20's LMDB files, written by torch_geometric and the LMDB library, old graphs and new ones."""

import multiprocessing
import pickle

import numpy as np
import pytest
import torch
from hysteron.benchmarks import readers
from hysteron.benchmarks.readers_samples import (
    in_single_precision,
    make_samples,
    new_graph,
    write_lmdb,
    write_oc20_lmdb,
)
from hysteron.core.errors import InputError, NotFoundError
from hysteron.predictors.datasets.formats import open_frames
from hysteron.predictors.datasets.frames import IndexedFrames

SAMPLES = make_samples(9, 3, least=4, most=12)
SINGLE = [in_single_precision(sample) for sample in SAMPLES]
ATOMS = ("numbers", "positions", "lattice", "energy", "tags", "fixed")


def written(folder, is2re=False, old=False):
    write_oc20_lmdb(folder / "data.0000.lmdb", SAMPLES[:4], is2re, old)
    write_oc20_lmdb(folder / "data.0001.lmdb", SAMPLES[4:], is2re, old)
    return folder


@pytest.mark.parametrize("old", [False, True])
def test_s2ef_comes_back_bit_by_bit(tmp_path, old):
    frames = open_frames(written(tmp_path, old=old), "oc20-s2ef-lmdb")
    assert len(frames) == 9
    for frame, sample in zip(frames, SINGLE, strict=True):
        assert readers.same(frame, sample, (*ATOMS, "forces"))
        assert frame.key == f"random{sample.sid},frame{sample.fid}"
        assert frame.info == {"sid": sample.sid, "fid": sample.fid}
        assert (frame.fidelity, frame.adsorption_energy) == ("oc20-rpbe-adsorption", sample.energy)


@pytest.mark.parametrize("old", [False, True])
def test_is2re_comes_back_bit_by_bit(tmp_path, old):
    """Old files have no `length`."""
    frames = open_frames(written(tmp_path, is2re=True, old=old), "oc20-is2re-lmdb")
    assert len(frames) == 9
    for frame, sample in zip(frames, SINGLE, strict=True):
        assert readers.same(frame, sample, (*ATOMS, "relaxed_positions", "relaxed_energy"))
        assert (frame.key, frame.forces) == (f"random{sample.sid}", None)


def test_totals_are_told_apart_from_adsorption_energies(tmp_path):
    frames = open_frames(written(tmp_path), "oc20-s2ef-lmdb", fidelity="oc20-rpbe")
    assert {(f.fidelity, f.reference_energy, f.adsorption_energy) for f in frames} == {
        ("oc20-rpbe", None, None)
    }


def test_any_frame_is_reached(tmp_path):
    frames = open_frames(written(tmp_path), "oc20-s2ef-lmdb")
    assert isinstance(frames, IndexedFrames)
    for i in (8, 0, 4, 3):
        assert frames[i].energy == SAMPLES[i].energy
    for outside in (-1, 9):
        with pytest.raises(IndexError):
            frames[outside]


def energies(frames):
    return [frame.energy for frame in frames]


def test_other_processes_read_the_same_files(tmp_path):
    frames = open_frames(written(tmp_path), "oc20-s2ef-lmdb")
    expected = energies(frames)
    assert energies(pickle.loads(pickle.dumps(frames))) == expected
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(energies, [frames, frames]) == [expected, expected]


def test_atom_counts_stand_beside(tmp_path):
    counts = np.array([len(sample.numbers) for sample in SAMPLES])
    np.savez(written(tmp_path) / "metadata.npz", natoms=counts)
    assert open_frames(tmp_path, "oc20-s2ef-lmdb").natoms.tolist() == counts.tolist()


def test_a_test_set_has_neither_energy_nor_forces(tmp_path):
    fields = {
        "pos": torch.rand(2, 3),
        "cell": torch.eye(3)[None] * 9,
        "atomic_numbers": torch.tensor([1.0, 8.0]),
    }
    write_lmdb(tmp_path / "a.lmdb", {"0": new_graph(fields), "length": pickle.dumps(1)})
    (frame,) = open_frames(tmp_path / "a.lmdb", "oc20-s2ef-lmdb")
    assert (frame.key, frame.energy, frame.reference_energy, frame.forces) == ("a.lmdb#0", None, None, None)


def test_a_bad_entry_is_told_and_the_rest_go_on(tmp_path):
    good = new_graph(
        {"pos": torch.rand(1, 3), "cell": torch.eye(3)[None] * 9, "atomic_numbers": torch.tensor([1])}
    )
    entries = {str(i): good for i in range(5)} | {"2": pickle.dumps(print), "length": pickle.dumps(5)}
    write_lmdb(tmp_path / "a.lmdb", entries)
    frames, told = open_frames(tmp_path / "a.lmdb", "oc20-s2ef-lmdb"), []
    assert [place for place, _ in frames.read(on_error=told.append)] == [0, 1, 3, 4]
    assert [line.partition(": ")[2] for line in told] == [
        "The pickle asks for builtins.print, which is no plain data; it is not read."
    ]
    with pytest.raises(InputError, match="entry 2"):
        list(frames.read())


def test_a_poisoned_length_is_refused(tmp_path):
    write_lmdb(tmp_path / "a.lmdb", {"length": pickle.dumps(print)})
    with pytest.raises(InputError, match=r"key 'length': The pickle asks for builtins\.print"):
        len(open_frames(tmp_path / "a.lmdb", "oc20-s2ef-lmdb"))


def test_nothing_there(tmp_path):
    with pytest.raises(NotFoundError, match=r"holds no \.lmdb"):
        open_frames(tmp_path, "oc20-s2ef-lmdb")
    with pytest.raises(NotFoundError, match="no file or folder"):
        open_frames(tmp_path / "none", "oc20-s2ef-lmdb")
