"""Drawn crystals: atoms on the faces are completed, bonds are sensible, and nothing leaves the frame."""

from __future__ import annotations

import re
from collections import Counter

import materials
import numpy as np
import pytest
from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.export.report_drawings import symbol
from hysteron.export.report_scenes import MOST_ATOMS, color, scene
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation


def scene_of(structure: Structure):
    return scene(Candidate("x", structure))


def counts(drawn) -> Counter:
    return Counter(drawn.elements[k] for k in drawn.kinds)


def bond_kinds(drawn) -> Counter:
    return Counter("-".join(sorted(drawn.elements[drawn.kinds[i]] for i in pair)) for pair in drawn.bonds)


def test_a_perovskite_shows_all_corners_and_its_octahedron():
    drawn = scene_of(materials.barium_titanate_tetragonal())
    assert counts(drawn) == {"Ba": 8, "Ti": 1, "O": 6}
    assert bond_kinds(drawn) == {"O-Ti": 6}


def test_rock_salt_shows_its_faces():
    assert counts(scene_of(materials.sodium_chloride())) == {"Na": 14, "Cl": 13}


def test_deuterium_is_drawn_as_hydrogen():
    ice = Structure(Lattice.cubic(3), ["D", "H"], [[0.3] * 3, [0.7] * 3])
    assert color("D") == color("H")
    assert set(scene_of(ice).elements) <= {"D", "H"}


def test_an_element_is_bonded_to_itself():
    assert bond_kinds(scene_of(materials.silicon())).keys() == {"Si-Si"}


def test_every_drawn_atom_is_an_image_of_its_site():
    structure = materials.lithium_niobate()
    drawn = scene_of(structure)
    middle = structure.lattice.matrix.sum(axis=0) / 2
    for site, position in zip(drawn.sites, drawn.positions, strict=True):
        apart = structure.lattice.get_fractional_coords(position + middle) - structure[site].frac_coords
        assert np.allclose(apart, np.round(apart), atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_seen_turns_with_the_crystal(seed):
    structure = materials.hafnia_polar()
    rotation = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    turned = Structure(structure.lattice.matrix @ rotation, structure.species, structure.frac_coords)
    before, after = scene_of(structure), scene_of(turned)
    assert np.allclose(before.positions @ before.view.T, after.positions @ after.view.T, atol=1e-6)
    assert np.array_equal(before.bonds, after.bonds)


def test_the_view_is_a_rotation():
    for structure in (materials.silicon(), materials.skewed_silicon(), materials.iron_one_atom()):
        view = scene_of(structure).view
        assert np.allclose(view @ view.T, np.eye(3))
        assert np.linalg.det(view) == pytest.approx(1)


def test_the_polarization_is_a_direction():
    vector = PropertyValue("polarization_vector", (0.0, 3.0, 4.0), "uC/cm^2", "formal charges")
    drawn = scene(Candidate("x", materials.barium_titanate_tetragonal(), (vector,)))
    assert np.allclose(drawn.polarization, [0, 0.6, 0.8])
    zero = PropertyValue("polarization_vector", (0.0, 0.0, 0.0), "uC/cm^2", "formal charges")
    assert scene(Candidate("x", materials.silicon(), (zero,))).polarization is None


def test_a_drawing_stays_in_its_frame():
    for structure in (materials.lithium_niobate(), materials.iron_one_atom(), materials.skewed_silicon()):
        svg = str(symbol(scene_of(structure), "draw-1"))
        for x, y, r in re.findall(r'cx="([\d.-]+)" cy="([\d.-]+)" r="([\d.]+)"', svg):
            assert float(x) - float(r) >= 0
            assert float(x) + float(r) <= 100
            assert float(y) - float(r) >= 0
            assert float(y) + float(r) <= 100


def test_a_large_cell_is_drawn_with_all_its_atoms_and_few_copies():
    large = materials.sodium_chloride() * [4, 4, 4]
    drawn = scene_of(large)
    assert set(drawn.sites) == set(range(len(large)))
    assert len(drawn.sites) <= max(MOST_ATOMS, len(large))
