"""A crystal, and what the diffusion makes of its numbers, is always a crystal of its space group."""

from typing import Any

import numpy as np
import pytest
import spglib
import torch
from diffusion_toys import ALL_GROUPS, CRYSTALS, crystal, general_crystal, misses, random_crystal
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.generators.diffusion.entries import crystal_of, plain_entry, plain_entry_of, symmetric_entry
from hysteron.generators.diffusion.lattices import cells_of
from hysteron.generators.diffusion.network import MIDDLE, SCALES
from hysteron.generators.diffusion.table import Batch, Entry, padded
from hysteron.generators.wyckoff.decode import cell_of, decode
from hysteron.generators.wyckoff.positions import space_group
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Element, Lattice, Structure

SINGLE_PRECISION = 3e-6
"""Fractional coordinates and relative metrics of numbers near 1."""
SAME = 1e-9
seeds = st.integers(0, 2**32 - 1)


def sites_of(entry: Entry) -> np.ndarray:
    return (np.einsum("nij,nj->ni", entry.freedom, entry.free) + entry.offsets) % 1.0


def vectors_of(entry: Entry) -> np.ndarray:
    told = (torch.tensor(np.array(v, float))[None] for v in (entry.lattice, entry.frame, entry.natoms))
    return cells_of(*told)[0].numpy()


def structure_of(entry: Entry) -> Structure:
    return Structure(Lattice(vectors_of(entry)), [Element.from_Z(z) for z in entry.types], sites_of(entry))


def apart(one: np.ndarray, other: np.ndarray) -> float:
    away = one - other
    return float(np.abs(away - np.round(away)).max(initial=0))


def shaken(batch: Batch, rng: np.random.Generator, lattice_noise: float = 1.0) -> Batch:
    """Other free coordinates and another lattice; atoms of one orbit share them."""
    free = torch.tensor(rng.random(batch.free.shape), dtype=torch.float32)
    free = free.gather(1, batch.orbits[..., None].expand_as(free)) * batch.movable
    lattice = np.array(MIDDLE) + lattice_noise * rng.normal(size=(len(batch), 6)) * SCALES[1]
    lattice = torch.tensor(lattice, dtype=torch.float32)
    return batch.but(free=free, lattice=(batch.allowed @ lattice[..., None])[..., 0])


def arrays(batch: Batch, i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Types, sites and lattice vectors of a crystal."""
    natoms = int(batch.natoms[i])
    cells = cells_of(batch.lattice.double(), batch.frames.double(), batch.natoms.double())
    return batch.types[i, :natoms].numpy(), batch.sites[i, :natoms].double().numpy(), cells[i].numpy()


# With symmetry


@pytest.mark.parametrize("name", CRYSTALS)
def test_a_real_crystal_is_said_as_decode_says_it(name):
    entry, (vectors, symbols, sites) = symmetric_entry(crystal(name)), cell_of(crystal(name))
    assert [Element.from_Z(z).symbol for z in entry.types] == symbols
    assert entry.natoms == crystal(name).natoms
    assert apart(sites_of(entry), sites) < SAME
    found = vectors_of(entry)
    assert found @ found.T == pytest.approx(vectors @ vectors.T, rel=1e-9, abs=1e-9)
    assert entry.symmetric


def test_every_position_of_every_group_is_said_as_decode_says_it():
    for number in ALL_GROUPS:
        one = random_crystal(number, np.random.default_rng(number))
        entry, (vectors, symbols, sites) = symmetric_entry(one), cell_of(one)
        assert [Element.from_Z(z).symbol for z in entry.types] == symbols
        assert apart(sites_of(entry), sites) < SAME, number
        found = vectors_of(entry)
        assert found @ found.T == pytest.approx(vectors @ vectors.T, rel=1e-9, abs=1e-9), number


def test_orbits_are_named_after_their_first_atom():
    entry = symmetric_entry(crystal("hafnia_polar"))
    assert entry.orbits.tolist() == [0] * 4 + [4] * 4 + [8] * 4
    for i, first in enumerate(entry.orbits):
        assert entry.types[i] == entry.types[first]
        assert (entry.free[i] == entry.free[first]).all()


def test_the_origin_is_free_along_polar_axes():
    """P4mm, Pca2_1 and R3m along z; R3c as well; P2_1/c and cubic groups nowhere."""
    for name, wanted in (
        ("barium_titanate_tetragonal", [0, 0, 1]),
        ("hafnia_polar", [0, 0, 1]),
        ("lithium_niobate", [0, 0, 1]),
        ("hafnia_monoclinic", [0, 0, 0]),
        ("strontium_titanate", [0, 0, 0]),
    ):
        assert symmetric_entry(crystal(name)).polar.tolist() == wanted


@settings(deadline=None, max_examples=15)
@given(seeds)
def test_random_numbers_keep_the_space_group_of_real_crystals(seed):
    """Held against the operations of the group, and spglib finds it or one that contains it."""
    batch = shaken(padded([symmetric_entry(crystal(name)) for name in CRYSTALS]), np.random.default_rng(seed))
    for i, name in enumerate(CRYSTALS):
        number = crystal(name).spacegroup_number
        off, strain = misses(number, *arrays(batch, i))
        assert off < SINGLE_PRECISION, name
        assert strain < SINGLE_PRECISION, name


def test_random_numbers_keep_every_space_group():
    for number in ALL_GROUPS:
        rng = np.random.default_rng(number)
        letters = rng.permutation(list(space_group(number).positions))[:3]
        batch = shaken(padded([symmetric_entry(random_crystal(number, rng, "".join(letters)))]), rng)
        off, strain = misses(number, *arrays(batch, 0))
        assert off < SINGLE_PRECISION, number
        assert strain < SINGLE_PRECISION, number


@pytest.mark.parametrize(
    "number", [1, 2, 5, 9, 14, 29, 43, 62, 88, 99, 122, 148, 161, 166, 186, 198, 205, 230]
)
def test_spglib_finds_the_group_of_random_numbers(number):
    """Two elements on general positions leave no room for more symmetry."""
    rng = np.random.default_rng(number)
    batch = shaken(padded([symmetric_entry(general_crystal(number, rng))]), rng, 0.5)
    types, sites, vectors = arrays(batch, 0)
    cell: Any = (vectors, sites, types)
    found = spglib.get_symmetry_dataset(cell, symprec=1e-4)
    assert found is not None
    assert found.number == number


# Back to the words of the space group


@pytest.mark.parametrize("name", CRYSTALS)
def test_a_crystal_comes_back_from_its_numbers(name):
    entry = symmetric_entry(crystal(name))
    back = crystal_of(crystal(name), entry.free, vectors_of(entry))
    assert_same(back, crystal(name))


def test_a_crystal_of_every_group_comes_back_from_its_numbers():
    for number in ALL_GROUPS:
        one = random_crystal(number, np.random.default_rng(number))
        entry = symmetric_entry(one)
        assert_same(crystal_of(one, entry.free, vectors_of(entry)), one)


def assert_same(back, one):
    assert back.spacegroup_number == one.spacegroup_number
    assert [(o.element, o.letter) for o in back.orbits] == [(o.element, o.letter) for o in one.orbits]
    for mine, other in zip(back.orbits, one.orbits, strict=True):
        assert apart(np.array(mine.free), np.array(other.free)) < SAME
    assert back.lattice == pytest.approx(one.lattice, rel=1e-9)


def test_other_numbers_make_another_crystal_of_the_same_kind():
    """What the diffusion found is what the record then says, in single precision."""
    skeleton = crystal("lithium_niobate")
    batch = shaken(padded([symmetric_entry(skeleton)]), np.random.default_rng(3))
    types, sites, vectors = arrays(batch, 0)
    found = crystal_of(skeleton, batch.free[0].numpy(), vectors)
    assert found.wyckoff == skeleton.wyckoff
    again, symbols, places = cell_of(found)
    assert [Element(s).Z for s in symbols] == types.tolist()
    assert apart(places, sites) < SINGLE_PRECISION
    assert again @ again.T == pytest.approx(vectors @ vectors.T, rel=1e-5, abs=1e-4)


# Without symmetry


@pytest.mark.parametrize("name", CRYSTALS)
def test_without_symmetry_it_is_the_same_crystal_in_a_reduced_cell(name):
    entry, matcher = (
        plain_entry(crystal(name)),
        StructureMatcher(ltol=0.01, stol=0.01, angle_tol=0.1, scale=False),
    )
    assert matcher.fit(structure_of(entry), decode(crystal(name)))
    assert entry.natoms == crystal(name).natoms, "the cell is primitive"
    assert not entry.symmetric
    assert np.linalg.det(vectors_of(entry)) > 0
    assert_reduced(vectors_of(entry))


@settings(deadline=None, max_examples=20)
@given(seeds, st.sampled_from([1, 2, 5, 8, 12, 15, 166]))
def test_oblique_cells_are_reduced(seed, number):
    one = random_crystal(number, np.random.default_rng(seed), "a")
    vectors = vectors_of(plain_entry(one))
    assert np.linalg.det(vectors) == pytest.approx(np.linalg.det(cell_of(one)[0]))
    assert_reduced(vectors)


def assert_reduced(vectors: np.ndarray):
    """Niggli: no sum or difference of two vectors is shorter than the longer of them, and a <= b <= c."""
    metric = vectors @ vectors.T
    slack = 1e-4 * metric.max()
    assert (np.diff(np.diagonal(metric)) > -slack).all()
    for i in range(3):
        for j in range(i + 1, 3):
            assert 2 * abs(metric[i, j]) < metric[i, i] + slack


def test_every_atom_is_on_its_own():
    sites = np.array([[0.1, 0.2, 0.3], [0.6, 0.7, 0.8]])
    entry = plain_entry_of(np.array([11, 17]), sites, np.diag([4.0, 5.0, 6.0]))
    assert apart(sites_of(entry), sites) == 0
    assert entry.orbits.tolist() == [0, 1]
    assert entry.polar.tolist() == [1, 1, 1]
    assert np.trace(entry.allowed) == 6
    assert vectors_of(entry) == pytest.approx(np.diag([4.0, 5.0, 6.0]), abs=1e-9)


def test_groups_without_a_polar_axis_have_atoms_that_cannot_move():
    """Rock salt, Fm-3m: nothing is free but the volume."""
    entry = symmetric_entry(crystal("sodium_chloride"))
    assert not entry.freedom.any()
    assert np.trace(entry.allowed) == pytest.approx(1)
    assert entry.natoms == 2
    assert space_group(225).polar_axes == ()
