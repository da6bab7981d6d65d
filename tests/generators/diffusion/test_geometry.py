"""What atoms see of one another does not depend on how the crystal is told."""

import math

import materials
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.generators.diffusion.geometry import (
    DIRECTED,
    PAIR_FEATURES,
    SHELL_WIDTHS,
    SHELLS,
    WAVES,
    pair_features,
    shells,
    waves,
)

DOUBLE_PRECISION = 1e-9
NEAR = 2.9
"""A; shells up to it see nothing that 27 images leave out of the cells below."""
SPECIAL = (
    materials.sodium_chloride,
    materials.titania_rutile,
    materials.silicon,
    materials.lithium_cobaltate,
    materials.barium_titanate_tetragonal,
)
"""Rutile's c axis of 2.96 A is the shortest: the image at one and a half of it is within the shells."""
seeds = st.integers(0, 2**32 - 1)


def some_crystal(
    rng: np.random.Generator, natoms: int = 5
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Sites, cell and orbits without a special position, batch of one."""
    sites = rng.random((natoms, 3))
    cell = 4 * np.eye(3) + rng.normal(scale=0.7, size=(3, 3))
    orbits = torch.tensor([0, 0, 2, 2, 4])[:natoms]
    return torch.tensor(sites)[None], torch.tensor(cell)[None], (orbits[:, None] == orbits)[None]


def of_structure(structure) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    alone = torch.eye(len(structure), dtype=torch.bool)[None]
    return (
        torch.tensor(structure.frac_coords)[None],
        torch.tensor(structure.lattice.matrix.copy())[None],
        alone,
    )


def told(structure) -> tuple[torch.Tensor, torch.Tensor]:
    """Counts and directions of a structure, shape `(natoms, natoms, ...)`."""
    features = pair_features(*of_structure(structure))[0]
    start = 6 * len(WAVES)
    near, towards, _ = features[..., start:].split([len(SHELLS), 3 * len(DIRECTED), 2], dim=-1)
    return near, towards


def assert_close(one: torch.Tensor, other: torch.Tensor):
    torch.testing.assert_close(one, other, rtol=0, atol=DOUBLE_PRECISION)


# Invariance


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_a_shift_of_all_sites_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    sites, cells, same = some_crystal(rng)
    assert_close(
        pair_features(sites + torch.tensor(rng.random(3)), cells, same), pair_features(sites, cells, same)
    )


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_a_shift_of_a_site_by_lattice_vectors_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    sites, cells, same = some_crystal(rng)
    moved = sites + torch.tensor(rng.integers(-3, 4, sites.shape))
    assert_close(pair_features(moved, cells, same), pair_features(sites, cells, same))


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_a_rotation_of_the_cell_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    sites, cells, same = some_crystal(rng)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    assert_close(pair_features(sites, cells @ torch.tensor(turn), same), pair_features(sites, cells, same))


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_another_order_of_atoms_is_another_order_of_pairs(seed):
    rng = np.random.default_rng(seed)
    sites, cells, same = some_crystal(rng)
    order = torch.tensor(rng.permutation(sites.shape[1]))
    found = pair_features(sites[:, order], cells, same[:, order][:, :, order])
    assert_close(found, pair_features(sites, cells, same)[:, order][:, :, order])


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_seen_from_the_other_side_directions_turn_round(seed):
    """Counts and cosines are the same, sines and directions change sign."""
    features = pair_features(*some_crystal(np.random.default_rng(seed)))[0]
    back = features.transpose(0, 1)
    phases = features[..., : 6 * len(WAVES)].unflatten(-1, (3, 2, len(WAVES)))
    other = back[..., : 6 * len(WAVES)].unflatten(-1, (3, 2, len(WAVES)))
    assert_close(phases[..., 0, :], -other[..., 0, :])
    assert_close(phases[..., 1, :], other[..., 1, :])
    start = 6 * len(WAVES)
    assert_close(features[..., start : start + len(SHELLS)], back[..., start : start + len(SHELLS)])
    directed = slice(start + len(SHELLS), start + len(SHELLS) + 3 * len(DIRECTED))
    assert_close(features[..., directed], -back[..., directed])


@pytest.mark.parametrize("make", SPECIAL)
@settings(deadline=None, max_examples=4)
@given(seeds)
def test_sites_half_a_lattice_vector_apart_are_no_exception(make, seed):
    """Rounding takes them to either side, as chance has it; whole lattice vectors do so as well."""
    sites, cells, same = of_structure(make())
    rng = np.random.default_rng(seed)
    plain = pair_features(sites, cells, same)
    shifted = (sites + torch.tensor(rng.random(3))) % 1
    torch.testing.assert_close(pair_features(shifted, cells, same), plain, rtol=0, atol=1e-6)
    wrapped = sites + torch.tensor(rng.integers(-2, 3, sites.shape))
    assert_close(pair_features(wrapped, cells, same), plain)


# What is counted


@pytest.mark.parametrize(
    ("make", "middle", "neighbours"),
    [
        (materials.sodium_chloride, 2.8, {"Cl": 6, "Na": 0}),
        (materials.silicon, 2.3, {"Si": 4}),
        (materials.strontium_titanate, 2.8, {"O": 12, "Sr": 0}),
    ],
)
def test_known_neighbours_of_the_first_atom(make, middle, neighbours):
    """Na-Cl 2.82, Si-Si 2.352, Sr-O 2.761 A; each counts a little less than one away from the shell's middle."""
    structure = make()
    near, _ = told(structure)
    counts = near[0, :, SHELLS.index(middle)]
    for symbol, wanted in neighbours.items():
        found = sum(
            float(c) for c, site in zip(counts, structure, strict=True) if site.specie.symbol == symbol
        )
        assert found == pytest.approx(wanted, rel=0.03, abs=0.02)


@pytest.mark.parametrize(
    "make",
    [
        materials.iron_one_atom,
        materials.silicon,
        materials.barium_titanate_tetragonal,
        materials.hafnia_polar,
        materials.titania_rutile,
        materials.zinc_oxide,
    ],
)
def test_counts_are_those_of_pymatgens_neighbours(make):
    """Images of the atom itself among them, its own place not."""
    structure = make()
    near, _ = told(structure)
    for k, (middle, width) in enumerate(zip(SHELLS, SHELL_WIDTHS, strict=True)):
        if middle > NEAR:
            continue
        wanted = np.zeros((len(structure), len(structure)))
        for i, neighbours in enumerate(structure.get_all_neighbors(middle + 6 * width)):
            for neighbour in neighbours:
                wanted[i, neighbour.index] += math.exp(-(((neighbour.nn_distance - middle) / width) ** 2))
        assert near[..., k].numpy() == pytest.approx(wanted, abs=2e-3), middle


def test_an_atom_is_no_neighbour_of_its_own_place():
    """One atom of bcc iron: images at 2.48 and 2.87 A, nothing at the first shell."""
    near, _ = told(materials.iron_one_atom())
    assert float(near[0, 0, 0]) < 1e-6
    assert float(near[0, 0, SHELLS.index(2.8)]) > 6


def test_directions_show_the_way_in_a_polar_crystal():
    """Ti in P4mm BaTiO3 stands nearer to the oxygen above than to the one below; cubic SrTiO3 has no way."""
    _, towards = told(materials.barium_titanate_tetragonal())
    up = towards[1, 2].unflatten(-1, (len(DIRECTED), 3))
    assert float(up[1, 2].abs()) > 0.1
    assert_close(up[:, :2], torch.zeros_like(up[:, :2]))
    _, towards = told(materials.strontium_titanate())
    over_oxygen = towards[1, 2:].sum(0).unflatten(-1, (len(DIRECTED), 3))
    torch.testing.assert_close(over_oxygen[:2], torch.zeros_like(over_oxygen[:2]), rtol=0, atol=1e-6)


def test_the_features_are_as_many_as_said():
    features = pair_features(*of_structure(materials.silicon()))
    assert features.shape == (1, 2, 2, PAIR_FEATURES)
    assert features[0, :, :, -1].tolist() == [[1, 0], [0, 1]]
    assert features[0, :, :, -2].tolist() == [[1, 0], [0, 1]]
    assert waves(torch.zeros(2, 3)).shape == (2, 6 * len(WAVES))


def test_shells_that_see_each_other_twice_as_far_see_less():
    """A cube of 2.8 A has six images of an atom at 2.8 A, one of 5.6 A has none."""
    none, itself = torch.zeros(1, 1, 1, 3), torch.ones(1, 1, 1, dtype=torch.bool)
    k = SHELLS.index(2.8)
    for edge, wanted in ((2.8, 6.0), (5.6, 0.0)):
        near, towards = shells(none, edge * torch.eye(3)[None], itself)
        assert float(near[0, 0, 0, k]) == pytest.approx(wanted, abs=1e-2)
        torch.testing.assert_close(towards, torch.zeros_like(towards), rtol=0, atol=1e-5)
