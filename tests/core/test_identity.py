"""The same crystal gives the same id; P4mm and Pm-3m BaTiO3 do not."""

import itertools

import materials
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.errors import StructureError
from hysteron.core.identity import (
    IdentityIndex,
    average_minimum_distances,
    bucket_of,
    candidate_id,
    canonical_wyckoff,
    same_crystal,
)
from pymatgen.core import Lattice, Structure
from pymatgen.core.operations import SymmOp

CRYSTALS = {
    f.__name__: f()
    for f in (
        materials.silicon,
        materials.sodium_chloride,
        materials.strontium_titanate,
        materials.titania_rutile,
        materials.barium_titanate_cubic,
        materials.barium_titanate_tetragonal,
        materials.lithium_niobate,
        materials.hafnia_polar,
        materials.zinc_oxide,
        materials.lithium_cobaltate,
        materials.iron_one_atom,
    )
}
IDS = {name: candidate_id(structure) for name, structure in CRYSTALS.items()}
names = st.sampled_from(sorted(CRYSTALS))
shifts = st.tuples(*[st.sampled_from([0.0, 0.25, 0.5, 1 / 3, 0.137])] * 3)
supercells = st.sampled_from(
    [
        np.diag([2, 1, 1]),
        np.diag([1, 2, 2]),
        np.array([[1, 1, 0], [0, 1, 0], [1, 0, 2]]),
        np.diag([-1, -1, 1]),
    ]
)


@settings(max_examples=60, deadline=None)
@given(names, shifts, supercells, st.randoms(use_true_random=False), st.floats(0, 360))
def test_another_description_of_a_crystal_keeps_its_id(name, shift, supercell, random, angle):
    structure = CRYSTALS[name].copy()
    structure.translate_sites(range(len(structure)), shift)
    structure = structure * supercell
    structure.apply_operation(SymmOp.from_axis_angle_and_translation([1, 2, 3], angle))
    sites = list(structure)
    random.shuffle(sites)
    assert candidate_id(Structure.from_sites(sites)) == IDS[name]


@pytest.mark.parametrize("name", ["strontium_titanate", "titania_rutile", "sodium_chloride"])
def test_a_shift_by_half_a_cell_swaps_letters_and_not_the_id(name):
    shifted = CRYSTALS[name].copy()
    shifted.translate_sites(range(len(shifted)), [0.5, 0.5, 0.5])
    assert bucket_of(shifted) == bucket_of(CRYSTALS[name])


def test_the_crystals_differ():
    assert len(set(IDS.values())) == len(IDS)


def test_tetragonal_and_cubic_barium_titanate_differ_although_a_matcher_would_merge_them():
    from hysteron.core.identity import matcher

    cubic, polar = CRYSTALS["barium_titanate_cubic"], CRYSTALS["barium_titanate_tetragonal"]
    assert matcher().fit(cubic, polar)
    assert not same_crystal(cubic, polar)
    assert IDS["barium_titanate_cubic"] != IDS["barium_titanate_tetragonal"]


def test_opposite_domains_are_one_crystal():
    up = CRYSTALS["lithium_niobate"]
    down = Structure(up.lattice, up.species, -up.frac_coords)
    assert same_crystal(up, down)
    assert candidate_id(down) == IDS["lithium_niobate"]


def test_the_normaliser_of_perovskite_swaps_both_cation_sites():
    assert canonical_wyckoff(221, [("a", "Sr"), ("b", "Ti"), ("c", "O")]) == canonical_wyckoff(
        221, [("b", "Sr"), ("a", "Ti"), ("d", "O")]
    )


def test_average_minimum_distance_of_silicon_is_its_bond():
    assert average_minimum_distances(CRYSTALS["silicon"], (1, 4, 5)) == pytest.approx(
        [2.3517, 2.3517, 3.8403], abs=1e-3
    )


def salt(a: float) -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(a), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_ids_in_one_bucket_do_not_depend_on_the_order():
    crystals = [salt(5.64), salt(5.66), salt(7.5), salt(9.9)]
    seen = set()
    for order in itertools.permutations(range(4)):
        given_ids = IdentityIndex().assign_all([crystals[i] for i in order])
        seen.add(tuple(given_ids[order.index(i)][0] for i in range(4)))
    assert len(seen) == 1
    ids = seen.pop()
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_a_crystal_that_matches_takes_the_known_name():
    index = IdentityIndex([("mine", salt(5.64))])
    assert index.assign(salt(5.70)) == ("mine", 225, False)
    assert index.find(salt(8.0)) is None
    assert len(index) == 1


def test_a_disordered_crystal_is_refused_with_its_sites():
    with pytest.raises(StructureError, match="partially occupied sites"):
        candidate_id(materials.disordered_alloy())
