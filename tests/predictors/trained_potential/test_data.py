"""Neighbours against a plain count; parts on disk; what of a frame is learned."""

import numpy as np
import pytest
import torch
from alloy_frames import FIDELITY, alloys, slabs, write_extxyz
from hysteron.core.errors import InputError, StructureError
from hysteron.predictors.cell import Cell
from hysteron.predictors.datasets.extxyz import frame_of_atoms
from hysteron.predictors.datasets.formats import open_frames
from hysteron.predictors.datasets.frames import IndexedFrames
from hysteron.predictors.datasets.records import Frame
from hysteron.predictors.trained_potential import data
from hysteron.predictors.trained_potential.data import Recipe, neighbours_within, pack_frames, prepare
from hysteron.predictors.trained_potential.packed_frames import PackedFrames


def counted(cell, periodic, cutoff):
    """Every pair within the cutoff, by looking at all images that could be."""
    ranges = [range(-4, 5) if axis else (0,) for axis in periodic]
    found = set()
    for image in np.array(np.meshgrid(*ranges)).reshape(3, -1).T:
        steps = cell.positions[None] + image @ cell.lattice - cell.positions[:, None]
        lengths = np.linalg.norm(steps, axis=-1)
        found |= {
            (i, j, *image) for i, j in zip(*np.nonzero((lengths < cutoff) & (lengths > 1e-8)), strict=True)
        }
    return found


@pytest.mark.parametrize("periodic", [(1, 1, 1), (1, 1, 0), (0, 1, 0), (0, 0, 0)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_neighbours_are_those_within_the_cutoff(periodic, seed):
    rng = np.random.default_rng(seed)
    lattice = np.diag(rng.uniform(3, 6, 3)) + rng.uniform(-0.8, 0.8, (3, 3))
    positions = rng.uniform(-0.5, 1.5, (6, 3)) @ lattice
    if seed == 2:
        lattice[~np.array(periodic, dtype=bool)] = 0.0  # as ASE writes a molecule
    cell = Cell(np.full(6, 8), positions, lattice)
    targets, sources, images = neighbours_within(cell, np.array(periodic), 4.5)
    assert set(zip(targets, sources, *images.T, strict=True)) == counted(cell, periodic, 4.5)
    assert (np.diff(targets) >= 0).all()


def test_an_atom_sees_its_own_images():
    cell = Cell(np.array([26]), np.zeros((1, 3)), np.eye(3) * 2.8)
    targets, sources, _ = neighbours_within(cell, np.ones(3), 3.0)
    assert len(targets) == 6
    assert not sources.any()


def test_two_atoms_on_one_place_are_refused():
    cell = Cell(np.array([8, 8]), np.array([[0, 0, 0], [0, 0, 1e-5]]), np.eye(3) * 5)
    with pytest.raises(StructureError, match="same place"):
        neighbours_within(cell, np.ones(3), 3.0)


def test_what_is_learned_of_a_slab():
    frame = frame_of_atoms(slabs(1)[0], "s", FIDELITY, reference_energy=1.5)
    packed = pack_frames([frame], Recipe(5.0, "adsorption"))
    assert packed.energies.tolist() == [frame.energy - 1.5]
    assert packed.tags.tolist() == [0] * 4 + [1] * 4 + [2]
    fixed = Frame(**{**vars(frame), "fixed": np.arange(9) < 4})
    learned = pack_frames([fixed], Recipe(5.0)).forces
    assert torch.isnan(learned[:4]).all()
    assert torch.isfinite(learned[4:]).all()
    relaxed = Frame(**{**vars(frame), "relaxed_energy": -2.0})
    direct = pack_frames([relaxed], Recipe(5.0, "relaxed"))
    assert direct.energies.tolist() == [-2.0]
    assert torch.isnan(direct.forces).all()
    assert torch.isnan(direct.stresses).all()


def test_a_frame_without_the_energy_is_told():
    frame = frame_of_atoms(slabs(1)[0], "s", FIDELITY)
    with pytest.raises(InputError, match="no adsorption energy"):
        pack_frames([frame], Recipe(5.0, "adsorption"))


def test_a_batch_holds_the_frames_in_the_order_asked_for():
    frames = [frame_of_atoms(a, "x", FIDELITY) for a in [*alloys(3), *slabs(2)]]
    packed = pack_frames(frames, Recipe(4.0))
    data = packed.batch(torch.tensor([4, 1]))
    assert data.sizes.tolist() == [9, 4]
    assert data.positions[9:].numpy() == pytest.approx(frames[1].cell.positions, abs=1e-5)
    alone = pack_frames([frames[4], frames[1]], Recipe(4.0)).batch(torch.arange(2))
    assert torch.equal(data.edge_index, alone.edge_index)
    assert torch.equal(data.images, alone.images)
    joined = PackedFrames.join([pack_frames([f], Recipe(4.0)) for f in frames])
    assert all(torch.equal(getattr(joined, k), v) for k, v in vars(packed).items())


class Sick(IndexedFrames):
    """Alloys of which every fifth cannot be read."""

    def __init__(self, frames):
        self.frames, self.reads = frames, 0

    def __len__(self):
        return len(self.frames)

    def __getitem__(self, index):
        self.reads += 1
        if index % 5 == 3:
            raise InputError(f"frame {index} is broken.")
        return self.frames[index]


def test_an_interrupted_preparation_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "FRAMES_PER_PART", 4)
    frames = [frame_of_atoms(a, str(i), FIDELITY) for i, a in enumerate(alloys(11))]
    told, done = [], []
    whole = prepare(Sick(frames), Recipe(4.0), tmp_path / "a", on_done=done.append, on_error=told.append)
    assert len(whole) == 9
    assert sum(done) == 11
    assert told == ["frame 3 is broken.", "frame 8 is broken."]
    sick = Sick(frames)
    (tmp_path / "a" / "000002.safetensors").unlink()
    again = prepare(sick, Recipe(4.0), tmp_path / "a", on_error=told.append)
    assert sick.reads == 3, "what is there is not read again"
    assert torch.equal(again.positions, whole.positions)


def test_frames_that_cannot_be_used_are_told_and_the_rest_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "FRAMES_PER_PART", 2)
    frames = [frame_of_atoms(a, f"f{i}", FIDELITY) for i, a in enumerate(alloys(5))]
    frames[2] = frames[3] = Frame(**{**vars(frames[2]), "energy": None})
    told = []
    assert len(prepare(Sick(frames[:3]), Recipe(4.0), tmp_path / "a", on_error=told.append)) == 2
    assert told == ["f2 is left out: it has no total energy."]
    with pytest.raises(InputError, match="None of 1 frames"):
        prepare(Sick(frames[2:3]), Recipe(4.0), tmp_path / "b")


def test_some_are_drawn_where_there_are_more(tmp_path):
    path = write_extxyz(tmp_path / "many.extxyz", alloys(30))
    frames = open_frames(path, "extxyz", FIDELITY)
    some = prepare(frames, Recipe(4.0), tmp_path / "some", limit=7)
    whole = prepare(frames, Recipe(4.0), tmp_path / "all", limit=70)
    assert (len(some), len(whole)) == (7, 30)
    assert set(some.energies.tolist()) < set(whole.energies.tolist())
