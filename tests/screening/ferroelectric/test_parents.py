"""Known parents are found, exactly symmetric and matched atom by atom, however the crystal is written down."""

import dataclasses
import json
from functools import lru_cache

import materials
import numpy as np
import pytest
from ferroelectric_toys import boron_nitride, indium_selenide, moved
from hysteron.screening.ferroelectric.parents import (
    PARENT_SYMPREC_ANGSTROM,
    Parent,
    all_parents,
    find_parents,
    ladder,
    tolerance_ladder,
)
from hysteron.screening.ferroelectric.symmetrise import symmetrise
from hysteron.screening.ferroelectric.symmetry import find_symmetry
from pymatgen.core import Structure

SYMPREC = 0.01
ROUNDING = 1e-6
"""A or relative; coordinates pass through a few matrix products in double precision."""
AVERAGED = 1e-4
"""A; averaging stops where fractional coordinates change by less than 1e-6, and does not start from the same place."""
PARENTS = {
    "barium_titanate_tetragonal": 221,
    "barium_titanate_rhombohedral": 221,
    "lead_titanate": 221,
    "lithium_niobate": 167,
    "hafnia_polar": 225,
    "germanium_telluride": 225,
    "zinc_oxide": 194,
}
SEVERAL = ("barium_titanate_tetragonal", "lithium_niobate", "germanium_telluride", "zinc_oxide")


@lru_cache
def parents_of(name: str) -> list[Parent]:
    return find_parents(getattr(materials, name)(), SYMPREC)


def numbers(parents) -> list[int]:
    return [parent.symmetry.spacegroup_number for parent in parents]


@pytest.mark.parametrize(("name", "number"), PARENTS.items())
def test_known_parents_come_first(name, number):
    assert numbers(parents_of(name))[0] == number


@pytest.mark.parametrize("name", PARENTS)
def test_every_parent_is_exact_nonpolar_and_in_matched_order(name):
    polar = getattr(materials, name)()
    for parent in parents_of(name):
        exact = find_symmetry(parent.structure, PARENT_SYMPREC_ANGSTROM)
        assert exact == parent.symmetry
        assert not exact.polar
        assert parent.structure.species == polar.species
        assert np.abs(parent.displacements.mean(axis=0)).max() < ROUNDING
        rebuilt = parent.structure.frac_coords @ polar.lattice.matrix + parent.displacements
        assert rebuilt == pytest.approx(polar.cart_coords, abs=ROUNDING)


@pytest.mark.parametrize("name", PARENTS)
def test_the_cell_of_a_parent_is_strained_and_not_turned(name):
    matrix = getattr(materials, name)().lattice.matrix
    for parent in parents_of(name):
        deformation = np.linalg.solve(matrix, parent.structure.lattice.matrix)
        assert deformation == pytest.approx(deformation.T, abs=ROUNDING)
        assert np.abs(np.linalg.eigvalsh(deformation) - 1).max() == pytest.approx(parent.strain, abs=ROUNDING)


def test_hafnia_has_fluorite_and_the_tetragonal_phase_among_five():
    """The paths of Pca2_1 HfO2 in the literature lead through P4_2/nmc (Huan et al., PRB 90, 064111 (2014)) or Fm-3m."""
    assert len(parents_of("hafnia_polar")) == 5
    assert {225, 137} <= set(numbers(parents_of("hafnia_polar")))


def test_wurtzite_is_beyond_the_ladder_and_found_all_the_same():
    """By hand: u = 0.3819 goes to 0.5 in layered P6_3/mmc, half of it by Zn, half by O; c = 5.2066 A."""
    zinc_oxide = materials.zinc_oxide()
    assert list(ladder(zinc_oxide, 1.2 * SYMPREC)) == []
    first = parents_of("zinc_oxide")[0]
    assert first.found_by == ("pseudosymmetry",)
    assert first.distortion_max == pytest.approx((0.5 - 0.3819) * 5.2066 / 2, abs=1e-6)
    assert first.strain < ROUNDING
    assert first.index == 2


def test_the_largest_displacement_of_barium_titanate():
    """By hand from Harada et al. 1970, z against Ba, minus the mean shift, c = 4.0335 A: O(1) moves most."""
    shifts = np.array([0, 0.0224, -0.0244, -0.0105, -0.0105]) * 4.0335
    centred = shifts - shifts.mean()
    parent = parents_of("barium_titanate_tetragonal")[0]
    assert parent.distortion_max == pytest.approx(np.abs(centred).max(), abs=1e-5)
    assert parent.distortion_rms == pytest.approx(np.sqrt(np.mean(centred**2)), abs=1e-5)
    assert parent.index == 48 / 8  # m-3m over 4mm
    assert set(parent.found_by) == {"ladder", "pseudosymmetry"}
    # The cubic cell has the mean metric: sqrt((2 a^2 + c^2) / 3).
    assert parent.structure.lattice.abc == pytest.approx([np.sqrt((2 * 3.9945**2 + 4.0335**2) / 3)] * 3)


def test_lithium_niobate_keeps_niobium_in_its_octahedron():
    """Paraelectric LiNbO3: Li goes into the oxygen plane (2a), Nb to the middle of the octahedron (2b)."""
    parent = parents_of("lithium_niobate")[0].structure
    niobium = next(i for i, site in enumerate(parent) if site.specie.symbol == "Nb")
    distances = sorted(
        n.nn_distance for n in parent.get_neighbors(parent[niobium], 3.0) if n.specie.symbol == "O"
    )
    assert len(distances) >= 6
    assert distances[5] - distances[0] < 1e-3


@pytest.mark.parametrize(
    "name", ["barium_titanate_rhombohedral", "lithium_niobate", "hafnia_polar", "zinc_oxide"]
)
def test_halfway_to_the_parent_the_crystal_keeps_its_polar_group(name):
    """So the parent's group holds the polar one, and a path between them loses no symmetry."""
    polar, parent = getattr(materials, name)(), parents_of(name)[0].structure
    half = Structure(
        (polar.lattice.matrix + parent.lattice.matrix) / 2,
        polar.species,
        (polar.frac_coords + parent.frac_coords) / 2,
    )
    assert find_symmetry(half, 0.01).spacegroup_number == find_symmetry(polar, 0.01).spacegroup_number


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", SEVERAL)
def test_orientation_order_and_origin_do_not_matter(name, seed):
    """Scalars stay; displacements turn with the crystal and keep to their atoms."""
    polar, rotation, order = moved(getattr(materials, name)(), seed)
    found = find_parents(polar, SYMPREC)
    _same_parents(found, parents_of(name))
    for one, other in zip(found, parents_of(name), strict=True):
        assert one.displacements == pytest.approx(other.displacements[order] @ rotation.T, abs=AVERAGED)


@pytest.mark.parametrize("name", ["barium_titanate_tetragonal", "lithium_niobate"])
@pytest.mark.parametrize(
    "scaling", [[2, 1, 1], [[1, 1, 0], [-1, 1, 0], [0, 0, 1]], [[1, 0, 0], [2, 1, 0], [0, -1, 1]]]
)
def test_the_cell_does_not_matter(name, scaling):
    """A supercell that breaks the parent's point group (its first two) and a skewed cell give the same parents."""
    polar = getattr(materials, name)() * scaling
    found = find_parents(polar, SYMPREC)
    _same_parents(found, parents_of(name))
    for parent in found:
        assert parent.structure.species == polar.species
        assert np.abs(parent.displacements.mean(axis=0)).max() < ROUNDING


def _same_parents(found, known):
    assert numbers(found) == numbers(known)
    for one, other in zip(found, known, strict=True):
        assert one.distortion_max == pytest.approx(other.distortion_max, abs=AVERAGED)
        assert one.strain == pytest.approx(other.strain, abs=AVERAGED)
        assert one.index == other.index
        assert one.rank == pytest.approx(other.rank, abs=AVERAGED)


def test_the_inverted_domain_has_the_same_parents_and_opposite_displacements():
    polar = materials.lead_titanate()
    inverted = Structure(polar.lattice, polar.species, -polar.frac_coords)
    for one, other in zip(find_parents(inverted, SYMPREC), parents_of("lead_titanate"), strict=True):
        assert one.symmetry == other.symmetry
        assert one.displacements == pytest.approx(-other.displacements, abs=AVERAGED)


def test_half_the_distortion_is_half_the_displacement():
    polar, whole = materials.zinc_oxide(), parents_of("zinc_oxide")[0]
    half = Structure(polar.lattice, polar.species, (polar.frac_coords + whole.structure.frac_coords) / 2)
    assert find_parents(half, SYMPREC)[0].distortion_max == pytest.approx(
        whole.distortion_max / 2, abs=AVERAGED
    )


def test_parents_have_different_groups_ranked_and_the_limit_holds():
    for name in PARENTS:
        parents = parents_of(name)
        assert len(set(numbers(parents))) == len(parents) <= 5
        ranks = [parent.rank for parent in parents]
        assert ranks == sorted(ranks)
    polar = materials.barium_titanate_tetragonal()
    assert numbers(find_parents(polar, SYMPREC, limit=1)) == [221]
    assert set(numbers(all_parents(polar, SYMPREC))) == {221, 123}


def test_symmetry_and_a_frequent_group_outweigh_a_little_displacement():
    """Of Pm-3m and P4/mmm, equally far from tetragonal BaTiO3, the former is meant; far away it is not."""
    cubic, tetragonal = parents_of("barium_titanate_tetragonal")
    assert cubic.distortion_max == pytest.approx(tetragonal.distortion_max, abs=AVERAGED)
    assert cubic.rank < tetragonal.rank
    farther = dataclasses.replace(cubic, displacements=5 * cubic.displacements)
    assert farther.distortion_max == pytest.approx(5 * cubic.distortion_max)
    assert farther.rank > tetragonal.rank
    rarer = dataclasses.replace(cubic, symmetry=dataclasses.replace(cubic.symmetry, spacegroup_number=222))
    assert rarer.rank > cubic.rank
    assert dataclasses.replace(cubic, index=2 * cubic.index).rank < cubic.rank


def test_a_crystal_without_a_parent_has_none():
    """The layers of rhombohedral BN, one in a primitive cell, cannot slide, and B and N do not change places."""
    assert find_parents(boron_nitride(), SYMPREC) == []


def test_the_input_is_not_touched():
    polar = materials.lead_titanate()
    find_parents(polar, SYMPREC)
    assert polar == materials.lead_titanate()
    assert np.array_equal(polar.frac_coords, materials.lead_titanate().frac_coords)


def test_the_record_is_json():
    record = json.loads(json.dumps(parents_of("lithium_niobate")[0].record(), allow_nan=False))
    assert (record["spacegroup_number"], record["symbol"], record["point_group"]) == (167, "R-3c", "-3m")
    assert record["index"] == 2
    assert 0.4 < record["distortion_max"] < 0.6
    assert record["found_by"] == ["ladder", "pseudosymmetry"]


def test_the_ladder_tells_each_group_once_in_the_order_of_the_atoms():
    polar = materials.lithium_niobate()
    steps = list(ladder(polar, 1.2 * SYMPREC))
    found = [find_symmetry(step, PARENT_SYMPREC_ANGSTROM) for step in steps]
    assert 167 in [symmetry.spacegroup_number for symmetry in found]
    assert len({symmetry.spacegroup_number for symmetry in found}) == len(found)
    assert not any(symmetry.polar for symmetry in found)
    assert all(step.species == polar.species for step in steps)


def test_a_symmetric_crystal_is_its_own_symmetrised_form():
    cubic = materials.strontium_titanate()
    ideal = symmetrise(cubic, 0.05)
    assert ideal is not None
    assert ideal.cart_coords == pytest.approx(cubic.cart_coords, abs=ROUNDING)


def test_a_polar_group_is_not_symmetrised():
    assert symmetrise(materials.barium_titanate_tetragonal(), 0.01) is None


def test_the_ladder_climbs_to_its_end():
    rungs = tolerance_ladder(0.02)
    assert sorted(rungs) == rungs
    assert rungs[0] == 0.02
    assert 1.6 < rungs[-1] <= 1.7
    ratios = np.divide(rungs[1:], rungs[:-1])
    assert np.all(np.diff(ratios) < 1e-9)  # ever narrower
    assert sum(1.09 < rung < 1.2 for rung in rungs) >= 2  # where LiNbO3 shows R-3c


@pytest.mark.parametrize("make", [indium_selenide, boron_nitride, materials.barium_titanate_tetragonal])
def test_the_last_digit_of_the_coordinates_changes_nothing(make):
    """Machines round differently; of the layers every tenth had another parent when one half was rounded as it came."""
    crystal, rng = make(), np.random.default_rng(1)
    told = {
        tuple((parent.symmetry.spacegroup_number, round(parent.distortion_max, 3)) for parent in found)
        for found in (
            find_parents(
                Structure(
                    crystal.lattice,
                    crystal.species,
                    crystal.frac_coords + rng.normal(0, 1e-15, (len(crystal), 3)),
                ),
                0.01,
            )
            for _ in range(6)
        )
    }
    assert len(told) == 1
