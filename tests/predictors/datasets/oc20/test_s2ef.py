"""OC20's S2EF download: pairs of files, written by ASE and lzma, against ASE's own reading."""

import lzma

import numpy as np
import pytest
from ase.constraints import FixAtoms
from ase.io import read
from hysteron.benchmarks import readers
from hysteron.benchmarks.readers_samples import extxyz_of, make_samples, write_s2ef
from hysteron.core.errors import InputError, NotFoundError
from hysteron.predictors.datasets.formats import open_frames
from hysteron.predictors.datasets.oc20.s2ef import extxyz_files

SAMPLES = make_samples(23, 1, least=4, most=12)
FIELDS = ("numbers", "positions", "lattice", "energy", "forces", "tags", "fixed", "reference_energy")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s2ef")
    write_s2ef(folder, SAMPLES, per_file=2)  # twelve pairs: 10 comes after 9
    return folder


def opened(folder):
    return open_frames(folder, "oc20-s2ef-extxyz")


def test_every_number_comes_back(folder):
    frames = list(opened(folder))
    assert len(frames) == len(opened(folder)) == 23
    for frame, sample in zip(frames, SAMPLES, strict=True):
        assert readers.same(frame, sample, FIELDS)
        assert frame.key == f"random{sample.sid},frame{sample.fid}"
        assert frame.adsorption_energy == sample.energy - sample.reference_energy
        assert frame.fidelity == "oc20-rpbe"
        assert frame.info == {"free_energy": sample.energy}


def test_ase_reads_the_same(folder):
    for path, first in ((folder / "0.extxyz.xz", 0), (folder / "10.extxyz.xz", 20)):
        with lzma.open(path, "rt") as text:
            theirs = read(text, index=":", format="extxyz")
        ours = [frame for _, frame in opened(folder).read(first)]
        for atoms, frame in zip(theirs, ours, strict=False):
            assert np.array_equal(atoms.positions, frame.cell.positions)
            assert np.array_equal(atoms.get_forces(apply_constraint=False), frame.forces)
            (constraint,) = (c for c in atoms.constraints if isinstance(c, FixAtoms))
            assert np.array_equal(np.flatnonzero(frame.fixed), np.sort(constraint.get_indices()))


def test_files_in_the_order_of_their_numbers(folder):
    assert [path.name.split(".")[0] for path in extxyz_files(folder)] == [str(i) for i in range(12)]


def test_a_walk_resumes_in_the_middle_of_a_file(folder):
    whole = [(place, frame.key) for place, frame in opened(folder).read()]
    shuffled = [(place, frame.key) for place, frame in opened(folder).shuffled(0, 0)]
    assert sorted(key for _, key in shuffled) == sorted(key for _, key in whole)
    for start in (0, 5, 22, 23):
        assert [(place, frame.key) for place, frame in opened(folder).read(start)] == whole[start:]
        resumed = [(place, frame.key) for place, frame in opened(folder).shuffled(0, 0, start)]
        assert resumed == shuffled[start:]


def test_decompressed_pairs_are_read_as_well(tmp_path):
    (tmp_path / "0.extxyz").write_text(extxyz_of(SAMPLES[:1]))
    (tmp_path / "0.txt").write_text(f"random{SAMPLES[0].sid},frame3,-1.5\n")
    (frame,) = opened(tmp_path)
    assert readers.same(frame, SAMPLES[0], FIELDS[:-1])
    assert frame.reference_energy == -1.5


def test_lines_of_a_test_set_have_no_reference(tmp_path):
    (tmp_path / "0.extxyz").write_text(extxyz_of(SAMPLES[:1]))
    (tmp_path / "0.txt").write_text("random7,frame3\n")
    (frame,) = opened(tmp_path)
    assert (frame.key, frame.reference_energy, frame.adsorption_energy) == ("random7,frame3", None, None)


def test_a_bad_frame_is_told_and_the_rest_go_on(tmp_path):
    write_s2ef(tmp_path, SAMPLES[:6], per_file=3)
    path = tmp_path / "0.extxyz.xz"
    lines = lzma.decompress(path.read_bytes()).decode().splitlines()
    lines[2] = lines[2].replace(lines[2].split()[-1], "strong")
    path.write_bytes(lzma.compress("\n".join(lines).encode()))
    told = []
    assert [place for place, _ in opened(tmp_path).read(on_error=told.append)] == [1, 2, 3, 4, 5]
    assert len(told) == 1
    assert "0.extxyz.xz, frame 0: It is no extended XYZ" in told[0]
    with pytest.raises(InputError, match="frame 0"):
        list(opened(tmp_path))


def test_a_file_that_is_cut_off_is_told_and_the_next_go_on(tmp_path):
    write_s2ef(tmp_path, SAMPLES[:9], per_file=3)
    path = tmp_path / "1.extxyz.xz"
    path.write_bytes(path.read_bytes()[:-30])
    told = []
    places = [place for place, _ in opened(tmp_path).read(on_error=told.append)]
    assert set(places) >= {0, 1, 2, 6, 7, 8}
    assert len(told) == 1
    assert "1.extxyz.xz is cut off" in told[0]


def test_no_folder_and_an_empty_one(tmp_path):
    with pytest.raises(NotFoundError, match="no folder"):
        opened(tmp_path / "none")
    with pytest.raises(NotFoundError, match=r"holds no \.extxyz\.xz"):
        opened(tmp_path)
