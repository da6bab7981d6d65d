"""Crystals packed one after the other: cut out, joined, stored, and always the same."""

from dataclasses import fields

import materials
import pytest
import torch
from hysteron.predictors.gnn.packed import Packed
from property_toys import packed
from pymatgen.core import Lattice, Structure


def crystals() -> list[Structure]:
    gas = Structure(Lattice.cubic(100.0), ["Ar"], [[0, 0, 0]])
    return [materials.silicon(), gas, materials.hafnia_polar(), materials.iron_one_atom()]


@pytest.fixture(scope="module")
def four() -> Packed:
    return packed(*crystals())


def assert_same(one: Packed, other: Packed) -> None:
    for f in fields(Packed):
        mine, theirs = getattr(one, f.name), getattr(other, f.name)
        assert mine.dtype == theirs.dtype, f.name
        assert torch.equal(mine, theirs), f.name


def chosen(*indices: int) -> torch.Tensor:
    return torch.tensor(indices, dtype=torch.long)


def test_sizes(four):
    assert len(four) == 4
    assert four.atom_starts.tolist() == [0, 2, 3, 15, 16]
    assert four.edge_starts.diff()[chosen(0, 1, 3)].tolist() == [32, 0, 14]
    assert four.numbers.tolist() == [14, 14, 18, *[72] * 4, *[8] * 8, 26]


def test_a_batch_says_which_atom_belongs_to_which_crystal(four):
    batch = four.batch(chosen(3, 0))
    assert batch.numbers.tolist() == [26, 14, 14]
    assert batch.batch.tolist() == [0, 1, 1]
    assert batch.sizes.tolist() == [1, 2]
    assert batch.num_nodes == 3
    assert batch.features.dtype == batch.distances.dtype == torch.float32
    assert torch.equal(batch.energies, four.energies[chosen(3, 0)])


def test_edges_of_a_batch_stay_inside_their_crystal(four):
    batch = four.batch(chosen(2, 0, 1, 3))
    source, target = batch.edge_index
    assert torch.equal(batch.batch[source], batch.batch[target])
    assert (target.diff() >= 0).all()
    degrees = torch.bincount(target, minlength=batch.num_nodes)
    assert torch.equal(batch.targets_pointer.diff(), degrees)
    assert int(batch.targets_pointer[-1]) == len(batch.distances) == len(source)


def test_a_batch_of_many_is_the_batches_of_one(four):
    order = (2, 1, 0, 3, 0)
    many = four.batch(chosen(*order))
    shift = 0
    source, target, distances, features = [], [], [], []
    for i in order:
        one = four.batch(chosen(i))
        source.append(one.edge_index[0] + shift)
        target.append(one.edge_index[1] + shift)
        distances.append(one.distances)
        features.append(one.features)
        shift += one.num_nodes
    assert torch.equal(many.edge_index, torch.stack([torch.cat(source), torch.cat(target)]))
    assert torch.equal(many.distances, torch.cat(distances))
    assert torch.equal(many.features, torch.cat(features))


def test_a_selection_gives_the_same_batch(four):
    order = chosen(3, 2, 1)
    wanted, found = four.batch(order), four.select(order).batch(chosen(0, 1, 2))
    assert sorted(wanted.keys()) == sorted(found.keys())
    for key in wanted.keys():  # noqa: SIM118  # a Data is no mapping
        assert torch.equal(torch.as_tensor(wanted[key]), torch.as_tensor(found[key])), key


def test_selecting_all_in_order_changes_nothing(four):
    assert_same(four.select(torch.arange(4)), four)


def test_nothing_can_be_selected(four):
    empty = four.select(chosen())
    assert len(empty) == 0
    assert empty.batch(chosen()).num_nodes == 0


def test_joined_parts_are_the_whole(four):
    parts = [four.select(chosen(0, 1)), four.select(chosen(2)), four.select(chosen()), four.select(chosen(3))]
    assert_same(Packed.join(parts), four)
    assert_same(Packed.join([four]), four)


def test_packing_alone_and_together_is_the_same(four):
    assert_same(Packed.join([packed(crystal) for crystal in crystals()]), four)


def test_it_is_stored_and_read_without_loss(four, tmp_path):
    four.save(tmp_path / "four.safetensors")
    assert_same(Packed.load(tmp_path / "four.safetensors"), four)
    assert [path.name for path in tmp_path.iterdir()] == ["four.safetensors"], "no half file is left"


def test_another_device_has_the_same(four):
    assert_same(four.to("cpu"), four)
