"""Voids: the same for every setting of a crystal, and where textbooks put them."""

import materials
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.supercells import primitive_of
from hysteron.screening.defects.voids import (
    PROTON_BOND_ANGSTROM,
    Group,
    charge_of,
    ionic_radius,
    voids_of,
)
from pymatgen.core import Lattice, Structure

FIT = 1e-3  # of distances over radii: the cell's own rounding


def told(structure: Structure, ion: str = "Li") -> list[tuple[int, float, float, str]]:
    return [(v.multiplicity, v.fit, v.radius_angstrom, v.neighbours) for v in voids_of(structure, ion)]


def same(one, other) -> bool:
    return len(one) == len(other) and all(
        a[0] == b[0] and a[3] == b[3] and np.allclose(a[1:3], b[1:3], atol=FIT)
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize(
    "name",
    ["sodium_chloride", "strontium_titanate", "titania_rutile", "hafnia_monoclinic", "zinc_oxide"],
)
def test_neither_supercell_nor_setting_matters(name):
    structure = getattr(materials, name)()
    expected = told(structure)
    assert expected
    assert same(told(structure * [[1, 1, 0], [0, 1, 0], [0, 0, 2]]), expected)
    assert same(told(structure.get_primitive_structure()), expected)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_rotation_origin_and_order_do_not_matter(seed):
    rng = np.random.default_rng(np.random.SeedSequence([seed]))
    structure = materials.titania_rutile()
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    order = rng.permutation(len(structure))
    moved = Structure(
        Lattice(structure.lattice.matrix @ turn),
        [structure[int(i)].specie for i in order],
        structure.frac_coords[order] + rng.random(3),
    )
    assert same(told(moved), told(structure))


def test_rock_salt_has_one_void_at_the_quarter():
    a = 5.6402
    void = voids_of(materials.sodium_chloride(), "Li")[0]
    assert void.multiplicity == 2
    assert void.radius_angstrom == pytest.approx(np.sqrt(3) / 4 * a, abs=1e-3)
    assert void.neighbours == "Cl4Na4"
    assert void.fit == pytest.approx(np.sqrt(3) / 4 * a / (0.90 + 1.67), abs=1e-3)  # Shannon's crystal radii


def test_diamond_has_two_tetrahedral_voids_a_cell():
    voids = voids_of(materials.silicon(), "Li")
    assert (2, pytest.approx(np.sqrt(3) / 4 * 5.431, abs=1e-3)) == (
        voids[0].multiplicity,
        voids[0].radius_angstrom,
    )


def test_iron_has_its_tetrahedral_voids_and_a_proton_finds_no_anion_there():
    voids = voids_of(materials.iron_one_atom(), "H", fit_min=0.1)
    assert voids[0].multiplicity == 6
    assert voids[0].radius_angstrom == pytest.approx(np.sqrt(5) / 4 * 2.8665, abs=1e-3)


def test_all_equals_of_a_void_have_the_same_surroundings():
    structure = materials.hafnia_monoclinic()
    primitive = primitive_of(structure)
    for void in voids_of(structure, "Cu"):
        nearest = [
            primitive.lattice.get_all_distances(p, primitive.frac_coords).min() for p in void.positions
        ]
        assert np.allclose(nearest, void.radius_angstrom, atol=0.02)


def test_protons_sit_on_anions_and_point_away_from_cations():
    structure = materials.titania_rutile()
    primitive = primitive_of(structure)
    oxygens = [site.frac_coords for site in primitive if site.specie.symbol == "O"]
    for void in voids_of(structure, "H"):
        distances = primitive.lattice.get_all_distances(void.positions, np.array(oxygens)).min(axis=1)
        assert np.allclose(distances, PROTON_BOND_ANGSTROM, atol=0.1)
        assert "Ti" not in void.neighbours


def test_a_large_ion_finds_fewer_voids_than_a_small_one():
    structure = materials.hafnia_monoclinic()
    small, large = voids_of(structure, "Li"), voids_of(structure, "Cs")
    assert len(large) < len(small)
    assert not voids_of(structure, "Cs", fit_min=2.0)


def test_voids_keep_apart_and_the_roomiest_come_first():
    structure = materials.hafnia_monoclinic()
    voids = voids_of(structure, "Li", merge_angstrom=0.8)
    fits = [void.fit for void in voids]
    assert fits == sorted(fits, reverse=True)
    group = Group.of(primitive_of(structure))
    for k, void in enumerate(voids):
        for other in voids[k + 1 :]:
            assert group.distances(void.positions[0], other.positions).min() >= 0.8 - 1e-6


@pytest.mark.parametrize(
    ("symbol", "charge", "radius"),
    [("Li", 1, 0.90), ("Ag", 1, 1.29), ("O", -2, 1.26), ("Ti", 4, 0.745), ("H", 1, 0.0)],
)
def test_radii_are_shannons(symbol, charge, radius):
    assert ionic_radius(symbol, charge) == radius


def test_a_charge_without_radius_takes_the_nearest_and_anions_are_anions():
    assert ionic_radius("Ti", 1) == ionic_radius("Ti", 2)
    assert charge_of("O") == -2
    assert charge_of("Ag") == 1


def test_a_record_is_plain():
    record = voids_of(materials.sodium_chloride(), "Li")[0].record()
    assert record["multiplicity"] == 2
    assert len(record["position"]) == 3


def test_a_disordered_crystal_is_refused():
    from hysteron.core.errors import StructureError

    with pytest.raises(StructureError, match="partially occupied"):
        voids_of(materials.disordered_alloy(), "Li")
