"""OC20's relaxation trajectories: a file a system, and their reference energies."""

import pytest
from hysteron.benchmarks import readers
from hysteron.benchmarks.readers_samples import make_samples, write_trajectories
from hysteron.core.errors import InputError
from hysteron.predictors.datasets.formats import open_frames
from hysteron.predictors.datasets.oc20.trajectories import read_references

SAMPLES = make_samples(10, 2, least=4, most=9)
FIELDS = ("numbers", "positions", "lattice", "energy", "forces", "tags", "fixed")


@pytest.mark.parametrize("beside", [False, True])
def test_every_frame_has_the_reference_of_its_system(tmp_path, beside):
    folder = tmp_path / "trajectories"
    write_trajectories(folder, SAMPLES, per_file=4)
    if beside:
        (folder / "system.txt").rename(tmp_path / "system.txt")
    frames = open_frames(folder, "oc20-trajectories")
    assert len(frames) == 10
    found = {frame.key: frame for frame in frames}
    for first in (0, 4, 8):
        for step, sample in enumerate(SAMPLES[first : first + 4]):
            frame = found[f"random{SAMPLES[first].sid},frame{step}"]
            assert readers.same(frame, sample, FIELDS)
            assert frame.reference_energy == SAMPLES[first].reference_energy


def test_a_walk_resumes(tmp_path):
    write_trajectories(tmp_path, SAMPLES, per_file=4)
    whole = [frame.key for frame in open_frames(tmp_path, "oc20-trajectories")]
    for start in (0, 3, 4, 9, 10):
        frames = open_frames(tmp_path, "oc20-trajectories")
        assert [frame.key for _, frame in frames.read(start)] == whole[start:]


@pytest.mark.parametrize(
    "text", ["random1\n", ",1.0\n", "random1,much\n", "random1,inf\n", "random1,1\nrandom1,2\n"]
)
def test_references_that_cannot_be_read(tmp_path, text):
    (tmp_path / "system.txt").write_text("random0,-1.0\n\n" + text)
    with pytest.raises(InputError, match=r"system\.txt, line [34]"):
        read_references(tmp_path / "system.txt")


def test_references_are_read(tmp_path):
    (tmp_path / "system.txt").write_text("random1,-305.5\nrandom2, 0\nrandom1,-305.5\n")
    assert read_references(tmp_path / "system.txt") == {"random1": -305.5, "random2": 0.0}
