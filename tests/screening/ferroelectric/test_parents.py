"""The ladder finds known parents, matched atom by atom."""

import materials
import numpy as np
import pytest
from hysteron.screening.ferroelectric.parents import find_parents, tolerance_ladder
from hysteron.screening.ferroelectric.symmetrise import symmetrise
from hysteron.screening.ferroelectric.symmetry import find_symmetry
from pymatgen.core import Structure

LADDER = tolerance_ladder()
ROUNDING = 1e-6
"""A or relative; coordinates pass through a few matrix products in double precision."""
PARENTS = {
    "barium_titanate_tetragonal": 221,
    "barium_titanate_rhombohedral": 221,
    "lead_titanate": 221,
    "lithium_niobate": 167,
    "hafnia_polar": 225,
    "germanium_telluride": 225,
}


def first_parent(structure: Structure):
    return find_parents(structure, LADDER, limit=1)[0]


@pytest.mark.parametrize(("name", "number"), PARENTS.items())
def test_known_parents_in_matched_order(name, number):
    polar = getattr(materials, name)()
    parent = first_parent(polar)
    assert parent.symmetry.spacegroup_number == number
    assert not parent.symmetry.polar
    assert parent.structure.species == polar.species
    assert np.abs(parent.displacements.mean(axis=0)).max() < ROUNDING
    rebuilt = parent.structure.frac_coords @ polar.lattice.matrix + parent.displacements
    assert rebuilt == pytest.approx(polar.cart_coords, abs=ROUNDING)


def test_the_largest_displacement_of_barium_titanate():
    """By hand from Harada et al. 1970, z against Ba, minus the mean shift, c = 4.0335 A: O(1) moves most."""
    shifts = np.array([0, 0.0224, -0.0244, -0.0105, -0.0105]) * 4.0335
    expected = np.abs(shifts - shifts.mean()).max()
    parent = first_parent(materials.barium_titanate_tetragonal())
    assert parent.distortion_max == pytest.approx(expected, abs=1e-5)
    # The cubic cell has the mean metric: sqrt((2 a^2 + c^2) / 3).
    assert parent.structure.lattice.abc == pytest.approx([np.sqrt((2 * 3.9945**2 + 4.0335**2) / 3)] * 3)


def test_lithium_niobate_keeps_niobium_in_its_octahedron():
    """Paraelectric LiNbO3: Li goes into the oxygen plane (2a), Nb to the middle of the octahedron (2b)."""
    parent = first_parent(materials.lithium_niobate()).structure
    niobium = next(i for i, site in enumerate(parent) if site.specie.symbol == "Nb")
    distances = sorted(
        n.nn_distance for n in parent.get_neighbors(parent[niobium], 3.0) if n.specie.symbol == "O"
    )
    assert len(distances) >= 6
    assert distances[5] - distances[0] < 1e-3


def test_wurtzite_is_beyond_the_ladder():
    assert find_parents(materials.zinc_oxide(), LADDER) == []


@pytest.mark.parametrize("name", ["barium_titanate_rhombohedral", "lithium_niobate", "hafnia_polar"])
def test_halfway_to_the_parent_the_crystal_keeps_its_polar_group(name):
    """So the parent's group holds the polar one, and a path between them loses no symmetry."""
    polar = getattr(materials, name)()
    parent = first_parent(polar).structure
    half = Structure(
        (polar.lattice.matrix + parent.lattice.matrix) / 2,
        polar.species,
        (polar.frac_coords + parent.frac_coords) / 2,
    )
    assert find_symmetry(half, 0.01).spacegroup_number == find_symmetry(polar, 0.01).spacegroup_number


@pytest.mark.parametrize(
    "scaling", [[2, 1, 1], [[1, 1, 0], [-1, 1, 0], [0, 0, 1]], [[1, 0, 0], [2, 1, 0], [0, -1, 1]]]
)
def test_the_cell_does_not_matter(scaling):
    """A supercell that breaks the parent's point group (its first two) and a skewed cell give the same parent."""
    polar = materials.barium_titanate_tetragonal()
    parent, other = first_parent(polar), first_parent(polar * scaling)
    assert other.symmetry.spacegroup_number == 221
    assert other.distortion_max == pytest.approx(parent.distortion_max, abs=ROUNDING)
    assert other.strain == pytest.approx(parent.strain, abs=ROUNDING)


def test_several_parents_have_different_groups_and_the_limit_holds():
    polar = materials.lithium_niobate()
    parents = find_parents(polar, LADDER)
    numbers = [parent.symmetry.spacegroup_number for parent in parents]
    assert len(set(numbers)) == len(numbers) >= 2
    assert len(find_parents(polar, LADDER, limit=1)) == 1


def test_a_symmetric_crystal_is_its_own_symmetrised_form():
    cubic = materials.strontium_titanate()
    ideal = symmetrise(cubic, 0.05)
    assert ideal is not None
    assert ideal.cart_coords == pytest.approx(cubic.cart_coords, abs=ROUNDING)


def test_a_polar_group_is_not_symmetrised():
    assert symmetrise(materials.barium_titanate_tetragonal(), 0.01) is None


def test_the_ladder_climbs_to_its_end():
    assert sorted(LADDER) == LADDER
    assert LADDER[0] == 0.012
    assert 1.6 < LADDER[-1] <= 1.7
