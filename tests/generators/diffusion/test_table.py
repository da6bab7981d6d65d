"""Crystals side by side: orbits move as one, padding is nothing, and what was saved comes back."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from diffusion_toys import ALL_GROUPS, CRYSTALS, batch_of, crystal, random_crystal
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.generators.diffusion.entries import plain_entry, symmetric_entry
from hysteron.generators.diffusion.table import PER_ATOM, Batch, Table, padded
from hysteron.generators.wyckoff.positions import space_group

SINGLE_PRECISION = 1e-5
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def every_group() -> Batch:
    """A crystal of every space group with up to three of its positions, the most special ones first."""
    entries = []
    for number in ALL_GROUPS:
        letters = "".join(list(space_group(number).positions)[:3])
        entries.append(symmetric_entry(random_crystal(number, np.random.default_rng(number), letters)))
    return padded(entries)


@pytest.fixture(scope="module")
def table() -> Table:
    known = torch.arange(len(CRYSTALS), dtype=torch.float32)
    training = torch.arange(len(CRYSTALS)) % 3 > 0
    return Table(batch_of(True), batch_of(False), {"band_gap": known}, training)


def drawn(shape, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def by_first(batch: Batch, values: torch.Tensor) -> torch.Tensor:
    """Every atom's values replaced by those of the first of its orbit, one atom at a time."""
    found = values.clone()
    for i in range(len(batch)):
        for j in range(int(batch.natoms[i])):
            found[i, j] = values[i, batch.orbits[i, j]]
    return found


def assert_equal(one: Batch, other: Batch):
    for f in fields(Batch):
        assert torch.equal(getattr(one, f.name), getattr(other, f.name)), f.name


# Orbits


@settings(deadline=None, max_examples=5)
@given(seeds)
def test_motions_of_orbits_come_back_from_motions_of_atoms(every_group, seed):
    motions = by_first(every_group, drawn(every_group.free.shape, seed)) * every_group.movable
    of_atoms = (every_group.freedom @ motions[..., None])[..., 0]
    torch.testing.assert_close(every_group.to_orbits(of_atoms), motions, rtol=0, atol=SINGLE_PRECISION)


@settings(deadline=None, max_examples=5)
@given(seeds)
def test_motions_that_no_orbit_can_make_are_projected(every_group, seed):
    """Least squares: what is left over is at right angles to whatever an orbit could do, and projecting again changes nothing."""
    vectors = drawn(every_group.free.shape, seed)
    found = every_group.to_orbits(vectors)
    made = (every_group.freedom @ found[..., None])[..., 0]
    torch.testing.assert_close(every_group.to_orbits(made), found, rtol=0, atol=3e-5)
    left = (every_group.freedom.transpose(-1, -2) @ (vectors - made)[..., None])[..., 0]
    pull = every_group.over_orbits(left)
    torch.testing.assert_close(pull, torch.zeros_like(pull), rtol=0, atol=3e-5)


def test_a_mean_over_an_orbit_is_its_atoms(every_group):
    values = drawn((*every_group.types.shape, 4), 3)
    found = every_group.over_orbits(values)
    for i in range(0, len(every_group), 7):
        natoms, orbits = int(every_group.natoms[i]), every_group.orbits[i]
        for j in range(natoms):
            members = [k for k in range(natoms) if orbits[k] == orbits[j]]
            torch.testing.assert_close(found[i, j], values[i, members].mean(0), rtol=0, atol=SINGLE_PRECISION)
        assert (found[i, natoms:] == 0).all(), "a place without an atom has no mean"


def test_what_is_movable_is_what_the_position_leaves_free(every_group):
    for i, number in enumerate(ALL_GROUPS):
        group = space_group(number)
        letters = list(group.positions)[:3]
        free = [
            f
            for letter in letters
            for f in [group.positions[letter].free] * group.positions[letter].primitive_multiplicity
        ]
        for movable, axes in zip(every_group.movable[i], free, strict=False):
            assert movable.nonzero()[:, 0].tolist() == list(axes)
        assert not every_group.movable[i, len(free) :].any()


def test_atoms_without_symmetry_are_orbits_of_their_own():
    batch = batch_of(False)
    values = drawn(batch.free.shape, 0) * batch.present[..., None]
    torch.testing.assert_close(batch.over_orbits(values), values)
    torch.testing.assert_close(batch.to_orbits(values), values)
    assert torch.equal(batch.movable.any(-1), batch.present)


def test_orbits_of_different_crystals_do_not_meet():
    same = batch_of(True).same_orbit
    assert torch.equal(same, same.transpose(1, 2))
    assert same.sum().item() == sum(
        count**2
        for name in CRYSTALS
        for count in np.unique(symmetric_entry(crystal(name)).orbits, return_counts=True)[1]
    )


# Padding


@pytest.mark.parametrize("entry", [symmetric_entry, plain_entry])
def test_padding_changes_nothing(entry):
    """Alone, or beside a crystal of 12 atoms."""
    small, large = entry(crystal("strontium_titanate")), entry(crystal("hafnia_polar"))
    alone, beside = padded([small]), padded([large, small])[1:2]
    assert beside.types.shape == (1, 12)
    for name in (*PER_ATOM, "sites", "movable"):
        assert torch.equal(getattr(beside, name)[:, :5], getattr(alone, name)), name
    assert not beside.present[:, 5:].any()
    assert beside.natoms.tolist() == [5]
    assert not beside.same_orbit[:, 5:].any()
    values = drawn((1, 12, 3), 1)
    for name in ("over_orbits", "to_orbits"):
        found, wanted = getattr(beside, name)(values), getattr(alone, name)(values[:, :5])
        torch.testing.assert_close(found[:, :5], wanted)
        assert (found[:, 5:] == 0).all()


def test_a_batch_is_cut_and_changed_without_touching_it():
    batch = batch_of(True)
    part = batch[torch.tensor([2, 0])]
    assert len(part) == 2
    assert torch.equal(part.types[1], batch.types[0])
    other = part.but(free=part.free + 0.1)
    assert torch.equal(part.free[0], batch.free[2])
    assert not torch.equal(other.free, part.free)
    assert_equal(batch.to("cpu"), batch)


# The table of a training


def test_a_table_comes_back_from_its_file(table, tmp_path):
    table.save(tmp_path / "table.safetensors")
    again = Table.load(tmp_path / "table.safetensors")
    assert_equal(again.symmetric, table.symmetric)
    assert_equal(again.plain, table.plain)
    assert list(again.properties) == ["band_gap"]
    assert torch.equal(again.properties["band_gap"], table.properties["band_gap"])
    assert torch.equal(again.training, table.training)
    assert again.symmetric.types.dtype == torch.long
    moved = again.to("cpu")
    assert_equal(moved.plain, table.plain)


def test_a_batch_mixes_crystals_with_their_symmetry_and_without(table):
    rows = torch.tensor([CRYSTALS.index(name) for name in ("silicon", "strontium_titanate", "zinc_oxide")])
    wanted = torch.tensor([True, False, True])
    batch = table.batch(rows, wanted)
    assert batch.symmetric.tolist() == wanted.tolist()
    assert batch.types.shape == (3, 5), "as many places as the largest of them needs"
    for i, row in enumerate(rows):
        source = (table.symmetric if wanted[i] else table.plain)[row : row + 1]
        for f in fields(Batch):
            found, kept = getattr(batch, f.name)[i], getattr(source, f.name)[0]
            assert torch.equal(found, kept[:5] if f.name in PER_ATOM else kept), f.name


def test_both_descriptions_hold_the_same_atoms(table):
    assert torch.equal(table.symmetric.natoms, table.plain.natoms)
    assert torch.equal(table.symmetric.types.sort(1).values, table.plain.types.sort(1).values)
    volumes = (table.symmetric.lattice[:, 0], table.plain.lattice[:, 0])
    torch.testing.assert_close(*volumes, rtol=0, atol=SINGLE_PRECISION)
