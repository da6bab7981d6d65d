"""The Wyckoff positions and normalisers of all 230 groups, held against spglib and against core."""

import subprocess
import sys

import numpy as np
import pytest
import spglib
from hysteron.core.errors import InputError
from hysteron.core.identity import _relabellings
from hysteron.core.symmetry import is_polar
from hysteron.generators.wyckoff.normaliser import changes, changes_of_oblique_axes, least_rows
from hysteron.generators.wyckoff.positions import site_symmetry, space_group, spacegroup_number

ALL_GROUPS = range(1, 231)


def operations(rotations, translations):
    """Operations as a set that can be compared; translations in 24ths."""
    return {
        (tuple(np.round(r).astype(int).ravel()), tuple(np.round(24 * t).astype(int) % 24))
        for r, t in zip(rotations, translations, strict=True)
    }


def test_the_setting_is_one_that_spglib_shares():
    """Origin choice 2, hexagonal axes, unique axis b: spglib's operations there are the general position."""
    for number in ALL_GROUPS:
        group = space_group(number)
        theirs = spglib.get_symmetry_from_database(group.hall_number)
        general = group.general
        assert operations(general.rotations, general.translations) == operations(
            theirs["rotations"], theirs["translations"]
        ), group.symbol


def test_multiplicities_count_sites():
    for number in ALL_GROUPS:
        group = space_group(number)
        lattice_points = round(1 / abs(np.linalg.det(group.primitive_vectors)))
        assert list(group.positions) == sorted(group.positions, key=lambda a: (a.isupper(), a))
        for position in group.positions.values():
            assert position.multiplicity == lattice_points * position.primitive_multiplicity
            free = np.array([0.137, 0.271, 0.389])[: len(position.free)]
            sites = position.sites(free)
            found, misses = position.free_coordinates(sites)
            assert misses[0] < 1e-9
            assert found[0] == pytest.approx(free)


def test_positions_of_perovskite_and_rutile():
    """International Tables A: Pm-3m 1a, 1b, 3c; P4_2/mnm 4f is x, x, 0."""
    perovskite = space_group(221)
    assert [perovskite.position(letter).multiplicity for letter in "abcd"] == [1, 1, 3, 3]
    assert perovskite.position("c").free == ()
    rutile = space_group(136).position("f")
    assert rutile.free_names == ("x",)
    assert rutile.sites(np.array([0.3]))[0] == pytest.approx([0.3, 0.3, 0.0])
    assert space_group(227).position("a").primitive_multiplicity == 2
    assert space_group(47).general.letter == "A"
    assert (site_symmetry(221, "a"), site_symmetry(99, "a")) == ("m-3m", "4mm")


def test_polar_axes_are_those_of_the_polar_groups():
    for number in ALL_GROUPS:
        assert bool(space_group(number).polar_axes) == is_polar(number)
    assert space_group(99).polar_axes == (2,)
    assert space_group(8).polar_axes == (0, 2)
    assert space_group(1).polar_axes == (0, 1, 2)


def test_changes_leave_the_group_as_it_is():
    for number in ALL_GROUPS:
        general = space_group(number).general
        for change in (*changes(number), *changes_of_oblique_axes(number)[:20]):
            turned = change.rotation @ general.rotations @ np.linalg.inv(change.rotation)
            moved = change.sites(general.translations) - turned @ change.translation
            assert operations(turned, moved) == operations(general.rotations, general.translations)


def test_letters_change_as_core_says():
    """Found here from the geometry, there from pyxtal's table."""
    for number in ALL_GROUPS:
        here = {tuple(sorted(change.letters.items())) for change in changes(number)}
        assert here == {tuple(sorted(letters.items())) for letters in _relabellings(number)}


def test_changes_can_follow_one_another():
    for first in changes(136):
        for second in changes(136):
            both = first.then(second)
            assert both.letters == {old: second.letters[new] for old, new in first.letters.items()}
            assert both.sites(np.array([0.1, 0.2, 0.3])) == pytest.approx(
                second.sites(first.sites(np.array([0.1, 0.2, 0.3])))
            )


def test_least_rows_overlook_noise():
    rows = np.array([[0.2, 0.1], [0.1 + 1e-6, 0.5], [0.1, 0.9], [0.1, 0.5 + 1e-6]])
    assert least_rows(rows, 1e-4).tolist() == [1, 3]


@pytest.mark.parametrize("name", [0, 231, -1, "231", "P5", "Pmm"])
def test_an_unknown_group_gets_a_sentence(name):
    with pytest.raises(InputError, match="no space group"):
        spacegroup_number(name)


def test_groups_by_name():
    assert [spacegroup_number(name) for name in (99, "99", "P4mm", "Pca2_1", "Pca21", "Fm-3m")] == [
        *(99, 99, 99),
        *(29, 29, 225),
    ]
    with pytest.raises(InputError, match=r"no Wyckoff position 'z'; it has a, b"):
        space_group(99).position("z")


def test_importing_loads_no_tables():
    code = "import sys, hysteron.generators.tokens.tokens, hysteron.generators.wyckoff.encode as e;"
    code += "print({'pyxtal', 'spglib', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
