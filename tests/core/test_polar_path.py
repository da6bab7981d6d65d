"""The path between a nonpolar parent and a polar crystal."""

from __future__ import annotations

import materials
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.errors import StructureError
from hysteron.core.polar_path import displacements_between, images_at, polar_path
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

SAME_POSITION = 1e-9
"""A: only floating-point noise lies between an image and what it should be."""


def separations(a: Structure, b: Structure) -> np.ndarray:
    """Distance of each atom of `a` to the same atom of `b`, A, in the cell of `a`."""
    return np.array(
        [a.lattice.get_distance_and_image(x, y)[0] for x, y in zip(a.frac_coords, b.frac_coords, strict=True)]
    )


def test_the_ends_are_the_parent_and_the_polar_crystal():
    nonpolar, polar = materials.barium_titanate_cubic(), materials.barium_titanate_tetragonal()
    path = polar_path(nonpolar, polar, 7)
    assert len(path) == 7
    assert np.allclose(path[0].lattice.matrix, nonpolar.lattice.matrix, atol=SAME_POSITION)
    assert np.allclose(path[-1].lattice.matrix, polar.lattice.matrix, atol=SAME_POSITION)
    assert separations(path[0], nonpolar).max() < SAME_POSITION
    assert separations(path[-1], polar).max() < SAME_POSITION
    assert all([s.specie for s in image] == [s.specie for s in polar] for image in path)


def test_the_middle_image_goes_the_shortest_way_through_the_boundary():
    # The apical oxygen moves from z = 0 to z = -0.0244, written here as 0.9756: through the face of
    # the cell, not across the whole of it.
    nonpolar, polar = materials.barium_titanate_cubic(), materials.barium_titanate_tetragonal()
    polar.translate_sites([2], [0, 0, 1], to_unit_cell=True)
    assert polar[2].frac_coords[2] == pytest.approx(0.9756)
    middle = polar_path(nonpolar, polar, 3)[1]
    assert (middle[2].frac_coords[2] + 0.5) % 1 - 0.5 == pytest.approx(-0.0122)
    assert middle[1].frac_coords[2] == pytest.approx(0.5112)
    assert middle.lattice.c == pytest.approx((4.0119 + 4.0335) / 2)


def test_steps_are_equal():
    path = polar_path(materials.barium_titanate_cubic(), materials.barium_titanate_tetragonal(), 9)
    heights = [image[1].frac_coords[2] for image in path]
    assert np.allclose(np.diff(heights), 0.0224 / 8)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_turning_the_parent_as_a_whole_changes_nothing(seed):
    nonpolar, polar = materials.barium_titanate_cubic(), materials.barium_titanate_tetragonal()
    rotation = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    turned = Structure(Lattice(nonpolar.lattice.matrix @ rotation), nonpolar.species, nonpolar.frac_coords)
    for image, expected in zip(polar_path(turned, polar, 4), polar_path(nonpolar, polar, 4), strict=True):
        assert np.allclose(image.lattice.matrix, expected.lattice.matrix, atol=1e-8)
        assert np.allclose(image.frac_coords, expected.frac_coords, atol=1e-8)


def test_permuted_ends_give_the_permuted_path():
    order = [4, 2, 0, 1, 3]
    nonpolar, polar = materials.barium_titanate_cubic(), materials.barium_titanate_tetragonal()
    path = polar_path(nonpolar, polar, 3)
    permuted = polar_path(*(Structure.from_sites([end[i] for i in order]) for end in (nonpolar, polar)), 3)
    for image, other in zip(path, permuted, strict=True):
        assert np.allclose(image.frac_coords[order], other.frac_coords)


def test_ends_that_do_not_correspond_are_refused():
    polar = materials.barium_titanate_tetragonal()
    with pytest.raises(StructureError, match="same atoms in the same order"):
        polar_path(materials.strontium_titanate(), polar)
    with pytest.raises(StructureError, match="same atoms in the same order"):
        polar_path(materials.barium_titanate_cubic() * [1, 1, 2], polar)
    cubic = materials.barium_titanate_cubic()
    doubled = Structure(Lattice.cubic(8.0), cubic.species, cubic.frac_coords)
    with pytest.raises(StructureError, match="stretched"):
        polar_path(doubled, polar)
    mirrored = Structure(Lattice(np.diag([4.0, 4.0, -4.0])), cubic.species, cubic.frac_coords)
    with pytest.raises(StructureError, match="mirrored"):
        polar_path(mirrored, polar)
    with pytest.raises(StructureError, match="at least its 2 ends"):
        polar_path(materials.barium_titanate_cubic(), polar, 1)


def test_atoms_that_were_not_matched_are_refused():
    nonpolar, polar = (
        Structure(Lattice.cubic(8), ["Si", "Si"], [[0, 0, 0], x]) for x in ([0.5] * 3, [0, 0, 0.4])
    )
    with pytest.raises(StructureError, match="site 1"):
        polar_path(nonpolar, polar)


def test_images_may_lie_anywhere_on_the_way():
    ends = materials.barium_titanate_cubic(), materials.barium_titanate_tetragonal()
    quarter, half = images_at(*ends, [0.25, 0.5])
    path = polar_path(*ends, 5)
    for image, expected in ((quarter, path[1]), (half, path[2])):
        assert np.allclose(image.lattice.matrix, expected.lattice.matrix)
        assert np.allclose(image.frac_coords, expected.frac_coords)


def test_displacements_have_no_drift_and_turn_around_with_the_ends():
    cubic, polar = materials.barium_titanate_cubic(), materials.barium_titanate_tetragonal()
    shifted = cubic.copy().translate_sites(range(5), [0.05, 0.9, 0.02], to_unit_cell=True)
    forth = displacements_between(shifted, polar)
    assert np.allclose(forth.mean(axis=0), 0, atol=SAME_POSITION)
    assert np.allclose(forth, displacements_between(cubic, polar), atol=SAME_POSITION)
    # Harada et al. 1970: z of Ti against Ba 0.0224 c, of the apical O -0.0244 c.
    assert forth[1, 2] - forth[0, 2] == pytest.approx(0.0224 * 4.0335)
    back = displacements_between(polar, shifted) / shifted.lattice.abc
    assert np.allclose(back, -forth / polar.lattice.abc, atol=SAME_POSITION)
