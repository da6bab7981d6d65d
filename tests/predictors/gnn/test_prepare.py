"""From a crystal to what the network reads, with the real CHGNet."""

import materials
import numpy as np
import pytest
import torch
from hysteron.core.errors import StructureError
from hysteron.predictors.cell import Cell
from hysteron.predictors.chgnet.potential import CHGNetPotential
from hysteron.predictors.gnn import prepare
from hysteron.predictors.gnn.packed import FEATURE_WIDTH, Packed
from property_toys import without_chgnet
from pymatgen.core import Lattice, Structure

HALF_PRECISION_FEATURES = 2e-3  # relative to the largest; float16 has 11 bits
SINGLE_PRECISION_ENERGY = 1e-5  # eV/atom


@pytest.fixture(scope="module")
def structures() -> list[Structure]:
    return [materials.silicon(), materials.strontium_titanate(), materials.iron_one_atom()]


@pytest.fixture(scope="module")
def ready(structures) -> Packed:
    return prepare.pack([Cell.from_structure(s) for s in structures])


def test_features_and_energies_are_chgnets(structures, ready):
    potential = CHGNetPotential()
    wanted = np.concatenate(potential.features(structures))
    assert ready.features.shape == (8, FEATURE_WIDTH)
    assert np.allclose(ready.features.numpy(), wanted, atol=HALF_PRECISION_FEATURES * np.abs(wanted).max())
    energies = potential.energies(structures) / [2, 5, 1]
    assert np.allclose(ready.energies.numpy(), energies, atol=SINGLE_PRECISION_ENERGY)


def test_energies_and_features_come_from_one_pass(structures):
    features, energies = CHGNetPotential().describe_cells([Cell.from_structure(s) for s in structures])
    assert [f.shape for f in features] == [(2, 64), (5, 64), (1, 64)]
    assert energies.shape == (3,)
    assert CHGNetPotential().describe_cells([])[1].shape == (0,)


def test_numbers_and_degrees(ready):
    assert ready.numbers.tolist() == [14, 14, 38, 22, 8, 8, 8, 26]
    assert ready.degrees.tolist() == [16, 16, 12, 14, 14, 14, 14, 14]


def test_coinciding_atoms_are_refused():
    twice = Structure(Lattice.cubic(4.0), ["H", "H"], [[0, 0, 0], [0, 0, 0]])
    with pytest.raises(StructureError, match="same place"):
        prepare.pack([Cell.from_structure(twice)])


def test_many_are_packed_in_order_whatever_the_size_of_a_task(structures, monkeypatch):
    cells = [Cell.from_structure(s) for s in structures] * 2
    told: list[int] = []
    with without_chgnet():
        wanted = prepare.pack(cells)
        monkeypatch.setattr(prepare, "CELLS_PER_TASK", 4)
        found = prepare.pack_many(iter(cells), workers=1, on_done=told.append)
    assert told == [4, 2]
    for name, tensor in vars(wanted).items():
        assert torch.equal(getattr(found, name), tensor), name
