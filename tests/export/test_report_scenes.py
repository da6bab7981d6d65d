"""Drawn crystals: atoms on the faces are completed, bonds are sensible, and nothing leaves the frame."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter

import materials
import numpy as np
import pytest
import switching_samples
from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.export.report_drawings import arrows_symbol, symbol
from hysteron.export.report_scenes import (
    LONGEST_ARROW_ANGSTROM,
    MOST_ATOMS,
    SMALLER_BALLS,
    color,
    drawn_radius,
    scene,
)
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


# Displacements


def moved(candidate: Candidate, moves: np.ndarray) -> Candidate:
    """The candidate with other displacements, and the parent's row with them."""
    told = switching_samples.details() | {"displacements": moves.tolist()}
    return dataclasses.replace(
        candidate, verdicts=(dataclasses.replace(candidate.verdicts[0], details=told),)
    )


def test_every_copy_of_an_atom_moves_as_its_site():
    candidate = switching_samples.candidate()
    drawn = scene(candidate)
    told = np.array(switching_samples.details()["displacements"])
    assert len(drawn.sites) > len(told)
    assert np.allclose(drawn.moves.vectors, told[drawn.sites])
    assert drawn.moves.origin == "the nonpolar parent Pm-3m"


@pytest.mark.parametrize("size", [0.004, 0.03, 0.11, 0.4, 1.3])
def test_arrows_are_long_enough_to_be_seen_and_do_not_meet(size):
    candidate = switching_samples.candidate()
    moves = np.array(switching_samples.details()["displacements"])
    moves *= size / np.linalg.norm(moves, axis=1).max()
    drawn = scene(moved(candidate, moves))
    longest = drawn.moves.factor * drawn.moves.lengths.max()
    assert drawn.moves.factor == 1 or longest <= LONGEST_ARROW_ANGSTROM + 1e-9
    assert longest >= 0.2
    # Ti and the O above it move toward each other.
    for i, j in drawn.bonds if drawn.moves.factor > 1 else ():
        apart = drawn.positions[j] - drawn.positions[i]
        radii = sum(SMALLER_BALLS * drawn_radius(drawn.elements[drawn.kinds[n]]) for n in (i, j))
        approach = (drawn.moves.vectors[i] - drawn.moves.vectors[j]) @ apart / np.linalg.norm(apart)
        assert drawn.moves.factor * approach <= np.linalg.norm(apart) - radii + 1e-9


def test_atoms_that_stay_show_no_arrow():
    assert scene(moved(switching_samples.candidate(), np.zeros((5, 3)))).moves is None
    moves = np.zeros((5, 3))
    moves[1, 2], moves[2, 2] = 0.1, -0.001
    drawn = scene(moved(switching_samples.candidate(), moves))
    assert {drawn.elements[drawn.kinds[n]] for n in np.flatnonzero(drawn.moves.shown)} == {"Ti"}
    vectors = drawn.to_json()["moves"]["vectors"]
    assert [v for v in vectors if v is not None] == [[0.0, 0.0, 0.1]]


@pytest.mark.parametrize("seed", range(3))
def test_arrows_turn_with_the_crystal(seed):
    candidate = switching_samples.hafnia()
    structure, moves = candidate.structure, np.array(candidate.verdicts[0].details["displacements"])
    rotation = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    turned = Structure(structure.lattice.matrix @ rotation, structure.species, structure.frac_coords)
    other = moved(candidate.with_structure(turned, 29), moves @ rotation)
    one, two = scene(moved(candidate, moves)), scene(other)
    assert one.moves.factor == two.moves.factor
    assert np.allclose(one.moves.vectors @ one.view.T, two.moves.vectors @ two.view.T, atol=1e-6)
    assert str(arrows_symbol(one, "m")) == str(arrows_symbol(two, "m"))


def test_a_drawn_arrow_points_where_its_atom_went():
    """Ti moves up, seen from nearly the side; its arrow ends above where it begins, one factor longer."""
    drawn = scene(switching_samples.candidate())
    arrows = re.findall(
        r'class="move" d="M([\d.-]+) ([\d.-]+)L([\d.-]+) ([\d.-]+)M([\d.-]+) ([\d.-]+)',
        str(arrows_symbol(drawn, "m")),
    )
    assert len(arrows) == int(drawn.moves.shown.sum())
    lengths = np.array([np.hypot(float(a[4]) - float(a[0]), float(a[5]) - float(a[1])) for a in arrows])
    upward = np.array([float(a[1]) - float(a[5]) for a in arrows])
    order = np.argsort((drawn.positions @ drawn.view.T)[:, 2])
    seen = (drawn.moves.vectors @ drawn.view.T)[order]
    assert np.array_equal(np.sign(upward), np.sign(seen[:, 1]))
    ratio = lengths / np.linalg.norm(seen[:, :2], axis=1)
    assert ratio == pytest.approx(
        ratio.mean(), rel=0.2
    )  # a tenth of a hundredth of the drawing, on the shortest
    assert str(arrows_symbol(scene(Candidate("x", materials.silicon())), "m")) == ""
