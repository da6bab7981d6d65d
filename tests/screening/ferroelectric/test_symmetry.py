"""Polar or not, for real crystals, at both tolerances."""

import itertools

import materials
import numpy as np
import pytest
from hysteron.core.errors import StructureError
from hysteron.screening.ferroelectric.symmetry import POLAR_POINT_GROUPS, find_symmetry
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.groups import PointGroup

POLAR = {
    "barium_titanate_tetragonal": 99,
    "barium_titanate_rhombohedral": 160,
    "lead_titanate": 99,
    "lithium_niobate": 161,
    "hafnia_polar": 29,
    "zinc_oxide": 186,
    "germanium_telluride": 160,
}
NOT_POLAR = {
    "barium_titanate_cubic": 221,
    "strontium_titanate": 221,
    "silicon": 227,
    "skewed_silicon": 227,
    "sodium_chloride": 225,
    "hafnia_monoclinic": 14,
    "titania_rutile": 136,
    "iron_one_atom": 229,
}


@pytest.mark.parametrize("symprec", [0.01, 0.05])
@pytest.mark.parametrize(("name", "number"), [*POLAR.items(), *NOT_POLAR.items()])
def test_real_crystals(name, number, symprec):
    found = find_symmetry(getattr(materials, name)(), symprec)
    assert found.spacegroup_number == number
    assert found.polar is (name in POLAR)


def test_the_ten_groups_are_those_that_leave_a_direction_alone():
    """A group is polar if the mean of its operations, which projects on the invariant directions, is not zero."""
    symbols = [
        "1",
        "-1",
        "2",
        "m",
        "2/m",
        "222",
        "mm2",
        "mmm",
        "4",
        "-4",
        "4/m",
        "422",
        "4mm",
        "-42m",
        "4/mmm",
    ]
    symbols += ["3", "-3", "32", "3m", "-3m", "6", "-6", "6/m", "622", "6mm", "-6m2", "6/mmm"]
    symbols += ["23", "m-3", "432", "-43m", "m-3m"]
    assert len(symbols) == 32
    polar = {
        s
        for s in symbols
        if np.abs(np.mean([op.rotation_matrix for op in PointGroup(s).symmetry_ops], axis=0)).max() > 1e-6
    }
    assert polar == POLAR_POINT_GROUPS


def test_a_shift_within_the_noise_is_polar_at_the_tight_tolerance_only():
    structure = materials.strontium_titanate()
    structure.translate_sites([1], [0, 0, 0.02 / 3.905])
    assert find_symmetry(structure, 0.01).polar
    assert not find_symmetry(structure, 0.05).polar


def test_what_has_no_symmetry_to_read_is_refused():
    with pytest.raises(StructureError, match="partially occupied"):
        find_symmetry(materials.disordered_alloy(), 0.01)
    doubled = Structure(Lattice.cubic(4.0), ["Si", "Si"], [[0, 0, 0], [0, 0, 0]])
    with pytest.raises(StructureError, match="overlap"):
        find_symmetry(doubled, 0.01)


def test_the_setting_does_not_matter():
    for axes in itertools.permutations(np.eye(3, dtype=int)):
        if np.linalg.det(axes) > 0:
            assert find_symmetry(materials.hafnia_polar() * np.array(axes), 0.01).spacegroup_number == 29
