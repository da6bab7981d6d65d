"""The first look at hops: passable ones before blocked ones."""

from __future__ import annotations

import materials
import numpy as np
import pytest
from hysteron.screening.defects.bond_valence import first_looks, ionic_radius
from hysteron.screening.defects.hops import HopConfig, hops_of
from pymatgen.core import Lattice, Structure

MAGNESIA = materials.magnesium_oxide()
FACE_CENTRED = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2
CERIA = Structure(Lattice(5.411 * FACE_CENTRED), ["Ce", "O", "O"], [[0, 0, 0], [0.25] * 3, [0.75] * 3])
FAR = HopConfig(reach=1.45)
"""Takes in the second shells of perovskite, fluorite and rock salt."""


def _looks(crystal, config=None):
    hops = hops_of(crystal, "O", config)
    return list(zip(hops.classes, first_looks(hops), strict=True))


@pytest.mark.parametrize("crystal", [materials.strontium_titanate(), CERIA], ids=["SrTiO3", "CeO2"])
def test_a_known_hop_comes_before_those_through_a_cation(crystal):
    (near, look), *further = _looks(crystal, FAR)
    blocked = [other for _, other in further if other.bottleneck_angstrom < 0]
    assert look.bottleneck_angstrom > 0.5
    assert look.mismatch is not None
    assert look.mismatch < 1.5
    assert all(look.bottleneck_angstrom > other.bottleneck_angstrom for _, other in further)
    assert near.length_angstrom == min(hop.length_angstrom for hop, _ in _looks(crystal, FAR))
    if "Ti" in crystal.symbol_set:  # straight through titanium
        assert blocked
        assert blocked[0].by == "Ti"
        assert blocked[0].at == pytest.approx(0.5)


def test_the_bottleneck_of_rock_salt_is_halfway_between_two_cations():
    ((_, look),) = _looks(MAGNESIA)
    half_edge = 4.2112 / (2 * np.sqrt(2))  # A, from the middle of a face's diagonal hop to magnesium
    assert look.bottleneck_angstrom == pytest.approx(half_edge - ionic_radius("Mg", 2.0), abs=1e-3)
    assert (look.by, look.at) == ("Mg", 0.5)


def test_an_open_lattice_leaves_more_room():
    ((_, small),) = _looks(MAGNESIA)
    larger = MAGNESIA.copy()
    larger.scale_lattice(1.2 * larger.volume)
    ((_, wide),) = _looks(larger)
    assert wide.bottleneck_angstrom > small.bottleneck_angstrom


def test_supercell_and_order_do_not_matter():
    crystal = materials.titania_rutile()
    doubled = crystal * [1, 2, 1]
    doubled = Structure.from_sites(sorted(doubled, key=lambda site: tuple(site.frac_coords[::-1])))
    for (hop, look), (other, again) in zip(_looks(crystal), _looks(doubled), strict=True):
        assert hop.length_angstrom == pytest.approx(other.length_angstrom, abs=1e-3)
        assert look.bottleneck_angstrom == pytest.approx(again.bottleneck_angstrom, abs=1e-3)
        assert look.mismatch == pytest.approx(again.mismatch, rel=1e-3)


def test_cations_are_looked_at_too():
    hops = hops_of(materials.lithium_cobaltate(), "Li")
    (look,) = first_looks(hops)
    assert look.bottleneck_angstrom > 0
    assert look.mismatch is not None


def test_an_element_without_parameters_leaves_the_mismatch_unknown():
    strange = Structure(Lattice(5.0 * FACE_CENTRED), ["Kr", "O"], [[0, 0, 0], [0.5] * 3])
    ((_, look),) = _looks(strange)
    assert look.mismatch is None


def test_radii_are_shannons():
    """Mean over coordinations: Ti4+ 0.42 to 0.74, O2- 1.21 to 1.28 (crystal radii less 0.14; pymatgen's ionic ones)."""
    assert ionic_radius("Ti", 4.0) == pytest.approx(0.745)
    assert ionic_radius("O", -2.0) == pytest.approx(1.26)
    assert ionic_radius("Ce", 4.0) > ionic_radius("Zr", 4.0) > ionic_radius("Ti", 4.0)
