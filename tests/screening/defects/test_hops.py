"""Hops of crystals whose neighbours are known, and the same crystals written otherwise."""

from __future__ import annotations

import materials
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.errors import InputError
from hysteron.screening.defects.hops import HopConfig, hops_of
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

MAGNESIA = materials.magnesium_oxide()
HALF = 5.411 / 2 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
CERIA = Structure(Lattice(HALF), ["Ce", "O", "O"], [[0, 0, 0], [0.25] * 3, [0.75] * 3])
"""CeO2, Fm-3m; a = 5.411 A (Kuemmerle and Heger, J. Solid State Chem. 147, 485 (1999))."""


@pytest.mark.parametrize(
    ("crystal", "lengths", "multiplicities", "swapped"),
    [
        (materials.strontium_titanate(), [2.76], [12], [True]),  # 3 O with 8 neighbours each, 12 edges
        (MAGNESIA, [2.98], [6], [True]),
        (CERIA, [2.71], [6], [True]),
        (materials.titania_rutile(), [2.54, 2.78, 2.96], [2, 16, 4], [True, False, True]),
        (materials.zinc_oxide(), [3.21, 3.25], [6, 6], [False, True]),
    ],
    ids=["SrTiO3", "MgO", "CeO2", "TiO2", "ZnO"],
)
def test_classes_of_oxides(crystal, lengths, multiplicities, swapped):
    hops = hops_of(crystal, "O")
    assert [round(hop.length_angstrom, 2) for hop in hops.classes] == lengths
    assert [hop.multiplicity for hop in hops.classes] == multiplicities
    assert [hop.swap is not None for hop in hops.classes] == swapped
    assert hops.note == ""


def test_monoclinic_hafnia_has_two_oxygens_and_hops_between_them():
    hops = hops_of(materials.hafnia_monoclinic(), "O")
    assert len(set(hops.site_class.values())) == 2
    assert {hop.name.split()[0] for hop in hops.classes} == {"O1-O1", "O1-O2", "O2-O2"}
    assert all(hop.swap is None for hop in hops.classes if hop.name.startswith("O1-O2"))


def test_every_neighbour_pair_is_in_one_class_once():
    """Both directions together, the members of all classes are the pairs within reach."""
    hops = hops_of(materials.titania_rutile(), "O")
    members = [member for hop in hops.classes for member in hop.members]
    both = {(i, j, t) for i, j, t in members} | {(j, i, tuple(-x for x in t)) for i, j, t in members}
    assert len(both) == 2 * len(members)
    oxygen = hops.primitive.copy()
    oxygen.remove_species(["Ti"])
    assert len(both) == len(oxygen.get_neighbor_list(1.3 * 2.5362)[0])


def test_members_of_a_class_have_one_length():
    hops = hops_of(materials.hafnia_monoclinic(), "O")
    for hop in hops.classes:
        places = hops.primitive.frac_coords
        for start, end, cell in hop.members:
            vector = (places[end] + cell - places[start]) @ hops.primitive.lattice.matrix
            assert np.linalg.norm(vector) == pytest.approx(hop.length_angstrom, abs=1e-3)


@pytest.mark.parametrize("name", ["strontium_titanate", "titania_rutile", "hafnia_monoclinic"])
def test_the_swap_exchanges_the_ends_and_keeps_the_crystal(name):
    hops = hops_of(getattr(materials, name)(), "O")
    primitive = hops.primitive
    for hop in hops.classes:
        if hop.swap is None:
            continue
        start = primitive.frac_coords[hop.start]
        end = primitive.frac_coords[hop.end] + hop.translation
        assert hop.swap.of(start) == pytest.approx(end, abs=1e-4)
        assert hop.swap.of(end) == pytest.approx(start, abs=1e-4)
        assert hop.swap.of((start + end) / 2) == pytest.approx((start + end) / 2, abs=1e-4)
        for site in primitive:
            gaps = primitive.frac_coords - hop.swap.of(site.frac_coords)
            nearest = np.abs(gaps - np.round(gaps)).max(axis=1).argmin()
            assert primitive[nearest].specie == site.specie


def _signature(structure, element="O", config=None):
    classes = hops_of(structure, element, config).classes
    return sorted((round(hop.length_angstrom, 2), hop.multiplicity, hop.swap is not None) for hop in classes)


@pytest.mark.parametrize("name", ["strontium_titanate", "titania_rutile", "hafnia_monoclinic"])
@pytest.mark.parametrize("matrix", [[2, 1, 1], [[1, 1, 0], [0, 1, 0], [0, 1, 2]]], ids=["2x1x1", "skewed"])
def test_a_supercell_has_the_same_classes(name, matrix):
    crystal = getattr(materials, name)()
    assert _signature(crystal * matrix) == _signature(crystal)


@given(st.randoms(use_true_random=False), st.integers(0, 2**31 - 1))
@settings(max_examples=8, deadline=None)
def test_rotation_origin_and_order_do_not_matter(random, seed):
    crystal = materials.hafnia_monoclinic()
    rng = np.random.default_rng(seed)
    order = list(range(len(crystal)))
    random.shuffle(order)
    turn = Rotation.random(rng=rng).as_matrix()
    places = crystal.frac_coords[order] + rng.random(3)
    changed = Structure(crystal.lattice.matrix @ turn, [crystal[i].specie for i in order], places)
    assert _signature(changed) == _signature(crystal)


def test_a_network_that_falls_apart_gets_longer_hops():
    """Oxygen pairs 1.3 A long, 4 A apart: hops inside the pair alone lead nowhere."""
    pairs = Structure(
        Lattice.cubic(4.0), ["Ba", "O", "O"], [[0, 0, 0], [0.5, 0.5, 0.3375], [0.5, 0.5, 0.6625]]
    )
    assert [round(hop.length_angstrom, 2) for hop in hops_of(pairs, "O").classes] == [1.3, 2.7, 4.0, 4.0]
    short = hops_of(pairs, "O", HopConfig(longest_angstrom=3.0))
    assert [round(hop.length_angstrom, 2) for hop in short.classes] == [1.3, 2.7]
    assert short.note == "Hops of up to 3 A connect the sites in 1 of 3 dimensions."


def test_what_cannot_hop_is_said():
    with pytest.raises(InputError, match="MgO has no N"):
        hops_of(MAGNESIA, "N")
    with pytest.raises(InputError, match="no vacancy can hop; raise 'longest_angstrom'"):
        hops_of(MAGNESIA, "O", HopConfig(longest_angstrom=2.0))
