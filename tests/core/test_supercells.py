"""Supercells: the smallest that keeps images apart, whatever the setting of the host."""

import itertools

import materials
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.errors import StructureError
from hysteron.core.supercells import hermite_normal_forms, supercell_for
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

SAME_LENGTH = 1e-3  # A, rounding in another setting
HOSTS = ("strontium_titanate", "titania_rutile", "hafnia_monoclinic", "zinc_oxide", "lithium_cobaltate")


def shortest_vector(matrix):
    steps = np.array([v for v in itertools.product(range(-3, 4), repeat=3) if any(v)])
    return float(np.linalg.norm(steps @ matrix, axis=1).min())


def test_superlattices_are_counted_as_in_the_integer_sequence():
    # number of sublattices of index n of the cubic lattice, OEIS A001001
    assert [len(hermite_normal_forms(n)) for n in range(1, 11)] == [1, 7, 13, 35, 31, 91, 57, 155, 130, 217]
    for n in (6, 12):
        determinants = np.linalg.det(hermite_normal_forms(n))
        assert np.allclose(determinants, n)


@pytest.mark.parametrize("name", ["titania_rutile", "hafnia_monoclinic", "lithium_niobate"])
def test_images_are_apart_and_no_smaller_supercell_would_do(name):
    found = supercell_for(getattr(materials, name)())
    assert found.enough
    assert found.images_apart_angstrom >= 8.0
    assert found.images_apart_angstrom == pytest.approx(shortest_vector(found.structure.lattice.matrix))
    assert round(abs(np.linalg.det(found.matrix))) == found.copies
    assert len(found.structure) == found.copies * len(found.primitive)
    primitive = found.primitive.lattice.matrix
    for n in range(1, found.copies):
        longest = max(shortest_vector(form @ primitive) for form in _reduced_forms(n, primitive))
        assert longest < 8.0


def _reduced_forms(n, primitive):
    """Superlattices with reduced bases, so that a small search finds their shortest vectors."""
    for form in hermite_normal_forms(n):
        short = Lattice(form @ primitive).get_lll_reduced_lattice().matrix
        yield np.round(short @ np.linalg.inv(primitive))


def test_a_skewed_supercell_beats_the_diagonal_one():
    found = supercell_for(materials.lithium_niobate())
    lengths = found.primitive.lattice.abc
    diagonal = np.prod(np.ceil(8.0 / np.array(lengths)))
    assert found.copies < diagonal


@settings(max_examples=15, deadline=None)
@given(
    name=st.sampled_from(HOSTS[:3]),
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(-2, 2)), min_size=1, max_size=3
    ),
    angles=st.tuples(*[st.floats(0.0, 6.28)] * 3),
    repeat=st.booleans(),
)
def test_setting_rotation_and_repetition_of_the_host_change_nothing(name, steps, angles, repeat):
    host = getattr(materials, name)()
    basis = np.eye(3, dtype=int)
    for i, j, amount in steps:
        if i != j:
            basis[i] += amount * basis[j]
    other = host * (basis @ np.diag([1, 1, 2 if repeat else 1])).tolist()
    turned = Structure(
        Lattice(other.lattice.matrix @ rotation(angles)), other.species, other.frac_coords + 0.123
    )
    ours, theirs = supercell_for(host), supercell_for(turned)
    assert theirs.copies == ours.copies
    assert theirs.images_apart_angstrom == pytest.approx(ours.images_apart_angstrom, abs=SAME_LENGTH)
    assert theirs.structure.volume == pytest.approx(ours.structure.volume, rel=1e-6)


def rotation(angles):
    a, b, c = angles
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return x @ y @ z


def test_the_supercell_is_the_crystal_and_knows_its_sites():
    host = materials.titania_rutile()
    found = supercell_for(host)
    assert StructureMatcher().fit(found.structure, host)
    origins = found.structure.site_properties["origin"]
    assert [origins.count(i) for i in range(len(found.primitive))] == [found.copies] * len(found.primitive)
    for site, origin in zip(found.structure, origins, strict=True):
        assert site.specie == found.primitive[origin].specie


def test_too_few_atoms_give_the_best_there_is_and_say_so():
    host = materials.hafnia_monoclinic()
    found = supercell_for(host, atoms_max=24)
    assert not found.enough
    assert len(found.structure) == 24
    assert 5.0 < found.images_apart_angstrom < 8.0
    large = supercell_for(host, atoms_max=6)  # its primitive cell has 12 atoms
    assert len(large.structure) == 12


def test_what_has_no_primitive_cell_is_refused():
    with pytest.raises(StructureError, match="partially occupied"):
        supercell_for(materials.disordered_alloy())
    overlapping = Structure(Lattice.cubic(4.0), ["Mg", "Mg"], [[0, 0, 0], [0, 0, 0.0001]])
    with pytest.raises(StructureError, match="overlap"):
        supercell_for(overlapping)
