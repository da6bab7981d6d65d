"""A crystal told in Wyckoff positions is the same crystal, and told the same way whoever tells it."""

import json
import os
from pathlib import Path

import materials
import numpy as np
import pytest
import spglib
from hysteron.core.crystals import read_crystals
from hysteron.core.errors import StructureError
from hysteron.core.identity import bucket_of
from hysteron.generators.wyckoff.crystal import Orbit, WyckoffCrystal
from hysteron.generators.wyckoff.decode import cell_of, decode
from hysteron.generators.wyckoff.encode import encode
from hysteron.generators.wyckoff.lattice import crystal_system, free_parameters
from hysteron.generators.wyckoff.normaliser import changes, changes_of_oblique_axes
from hysteron.generators.wyckoff.positions import space_group
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import DummySpecies, Lattice, Structure

GROUPS = {
    "barium_titanate_tetragonal": 99,
    "barium_titanate_cubic": 221,
    "barium_titanate_rhombohedral": 160,
    "strontium_titanate": 221,
    "hafnia_polar": 29,
    "hafnia_monoclinic": 14,
    "vanadia_rutile": 136,
    "titania_rutile": 136,
    "germanium_telluride": 160,
    "lithium_niobate": 161,
    "lithium_cobaltate": 166,
    "zinc_oxide": 186,
    "silicon": 227,
    "skewed_silicon": 227,
    "sodium_chloride": 225,
    "magnesium_oxide": 225,
    "iron_one_atom": 229,
}
SAME_COORDINATE, SAME_LENGTH = 1e-4, 1e-3
"""Fractional, and A or degrees: the tolerances within which the encoding calls two descriptions equal."""

ATOMS_APART = 0.3
"""A; enough for spglib to tell sites from one another."""


def strict_matcher():
    return StructureMatcher(ltol=0.05, stol=0.1, angle_tol=3, scale=False, primitive_cell=True)


def detected_group(structure):
    cell = (structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers)
    return spglib.get_symmetry_dataset(cell, symprec=0.01).number


def assert_same(one, other):
    """Two records are equal but for rounding."""
    assert one.spacegroup_number == other.spacegroup_number
    assert [(o.element, o.letter) for o in one.orbits] == [(o.element, o.letter) for o in other.orbits]
    assert one.lattice == pytest.approx(other.lattice, abs=SAME_LENGTH)
    offsets = np.concatenate([o.free for o in one.orbits]) - np.concatenate([o.free for o in other.orbits])
    assert np.abs(offsets - np.round(offsets)).max(initial=0) < SAME_COORDINATE


def changed(structure, rng):
    """The same crystal in another cell, orientation, origin and order of sites."""
    while abs(round(np.linalg.det(cell := rng.integers(-1, 2, (3, 3))))) not in (1, 2):
        pass
    other = structure.make_supercell(cell.tolist(), in_place=False)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    order = rng.permutation(len(other))
    sites = other.frac_coords[order] + rng.random(3)
    return Structure(Lattice(other.lattice.matrix @ turn), [other[i].specie for i in order], sites)


def under(change, crystal):
    """The crystal in the axes and origin that a change of setting leads to."""
    vectors, symbols, sites = cell_of(crystal, primitive=False)
    return Structure(np.linalg.inv(change.rotation).T @ vectors, symbols, change.sites(sites))


def made_up(number, rng):
    """A crystal of the group: its most special position, and general ones that keep it from more symmetry."""
    group = space_group(number)
    elements = ["Ti", "O"] if group.general.primitive_multiplicity > 8 else ["Ti", "O", "Na", "Cl"]
    special = next(iter(group.positions.values()))
    places = [("Fe", special), *((element, group.general) for element in elements)]
    length = (15.0 * sum(position.multiplicity for _, position in places)) ** (1 / 3)
    shape = {"a": 1.0, "b": 1.13, "c": 1.29, "alpha": 81.0, "beta": 99.0, "gamma": 77.0}
    lattice = [shape[name] * (length if name in "abc" else 1) for name in free_parameters(number)]
    while True:
        orbits = [Orbit(element, p.letter, tuple(rng.random(len(p.free)))) for element, p in places]
        crystal = WyckoffCrystal(number, tuple(orbits), tuple(lattice))
        if decode(crystal).is_valid(tol=ATOMS_APART):
            return crystal


@pytest.mark.parametrize(("name", "number"), GROUPS.items())
def test_real_crystals_come_back(name, number):
    structure = getattr(materials, name)()
    crystal = encode(structure)
    assert crystal.spacegroup_number == number
    assert crystal.wyckoff == bucket_of(structure).wyckoff, "the sequence that core.identity makes"
    for primitive in (True, False):
        again = decode(crystal, primitive)
        assert strict_matcher().fit(structure, again)
        assert detected_group(again) == number
    assert len(decode(crystal)) == crystal.natoms == len(structure.get_primitive_structure())
    assert_same(encode(decode(crystal)), crystal)


def test_known_crystals_in_words():
    """P4mm BaTiO3: Harada et al. 1970, with the origin on barium. Rutile: u of Burdett et al. 1987."""
    barium_titanate = encode(materials.barium_titanate_tetragonal())
    assert [(o.element, o.letter) for o in barium_titanate.orbits] == [
        *(("Ba", "a"), ("Ti", "b"), ("O", "b"), ("O", "c")),
    ]
    free = [x for orbit in barium_titanate.orbits for x in orbit.free]
    assert free == pytest.approx([0.0, 1 - 0.5224, 0.0244, 1 - 0.4895]), "the domain that points down"
    assert barium_titanate.lattice == pytest.approx((3.9945, 4.0335))
    rutile = encode(materials.titania_rutile())
    assert [(o.element, o.letter, o.free) for o in rutile.orbits] == [
        ("Ti", "a", ()),
        ("O", "f", pytest.approx((0.3048,))),
    ]
    rhombohedral = encode(materials.germanium_telluride())
    assert rhombohedral.lattice == pytest.approx((4.1656, 10.674)), "hexagonal axes"


@pytest.mark.parametrize("name", GROUPS)
def test_cell_origin_orientation_and_order_do_not_matter(name):
    structure = getattr(materials, name)()
    rng = np.random.default_rng(6)
    crystal = encode(structure)
    for _ in range(2):
        assert_same(encode(changed(structure, rng)), crystal)


@pytest.mark.parametrize("name", GROUPS)
def test_the_normaliser_does_not_matter(name):
    crystal = encode(getattr(materials, name)())
    for change in changes(crystal.spacegroup_number):
        assert_same(encode(under(change, crystal)), crystal)


def test_oblique_axes_do_not_matter():
    rng = np.random.default_rng(6)
    for crystal in (encode(materials.hafnia_monoclinic()), encode(decode(made_up(2, rng)))):
        steps = changes_of_oblique_axes(crystal.spacegroup_number)
        for i in rng.integers(len(steps), size=20):
            assert_same(encode(under(steps[i], crystal)), crystal)


def test_both_signs_of_the_polarization_are_one_crystal():
    structure = materials.barium_titanate_tetragonal()
    turned = Structure(structure.lattice, structure.species, -structure.frac_coords)
    assert_same(encode(turned), encode(structure))


def test_a_polar_crystal_has_its_first_orbit_at_the_origin():
    rng = np.random.default_rng(6)
    for number in (1, 4, 9, 29, 76, 146, 161, 186):
        group = space_group(number)
        crystal = encode(decode(made_up(number, rng)), most_atoms=200)
        position = group.position(crystal.orbits[0].letter)
        along = [
            x for i, x in zip(position.free, crystal.orbits[0].free, strict=True) if i in group.polar_axes
        ]
        assert along == pytest.approx([0.0] * len(group.polar_axes), abs=SAME_COORDINATE)


def test_decorations_of_sites_are_left_out():
    structure = materials.barium_titanate_tetragonal()
    decorated = structure.copy()
    decorated.add_oxidation_state_by_element({"Ba": 2, "Ti": 4, "O": -2})
    assert encode(decorated) == encode(structure)
    heavy = Structure(Lattice.cubic(4.0), ["Li", "D"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert encode(heavy).formula == "LiH"


@pytest.mark.parametrize("number", range(1, 231))
def test_made_up_crystals_of_every_group(number):
    rng = np.random.default_rng(number)
    crystal = made_up(number, rng)
    group = space_group(number)
    structure = decode(crystal)
    expected = sum(group.position(orbit.letter).multiplicity for orbit in crystal.orbits)
    assert len(structure) == crystal.natoms
    assert len(decode(crystal, primitive=False)) == expected
    assert detected_group(structure) == number
    again = encode(structure, most_atoms=500)
    assert again.spacegroup_number == number
    assert crystal_system(number) == crystal_system(again.spacegroup_number)
    assert again.wyckoff == bucket_of(structure).wyckoff
    assert WyckoffCrystal.from_dict(json.loads(json.dumps(again.to_dict()))) == again
    assert_same(encode(changed(structure, rng), most_atoms=500), again)


def test_refusals():
    with pytest.raises(StructureError, match="no sites"):
        encode(Structure(Lattice.cubic(4.0), [], []))
    with pytest.raises(StructureError, match="partially occupied"):
        encode(materials.disordered_alloy())
    with pytest.raises(StructureError, match="12 atoms in its primitive cell; the sequence takes 6"):
        encode(materials.hafnia_polar(), most_atoms=6)
    with pytest.raises(StructureError, match="not an element"):
        encode(Structure(Lattice.cubic(4.0), [DummySpecies("X")], [[0, 0, 0]]))
    with pytest.raises(StructureError, match="cannot be written"):
        encode(Structure(Lattice.cubic(4.0), ["Na", "Cl"], [[0, 0, 0], [0, 0, 1e-6]]))


@pytest.mark.skipif("HYSTERON_DATA_DIR" not in os.environ, reason="HYSTERON_DATA_DIR names no data folder")
def test_crystals_of_the_data_folder_come_back():
    """The first 100 of at most 20 atoms, held to the strict matcher."""
    folder = Path(os.environ["HYSTERON_DATA_DIR"]) / "crystals"
    small = (record for record in read_crystals(folder, ("val",)) if len(record.species) <= 20)
    matcher = strict_matcher()
    for record, _ in zip(small, range(100), strict=False):
        structure = record.structure()
        crystal = encode(structure)
        again = decode(crystal)
        assert matcher.fit(structure, again), record.material_id
        assert detected_group(again) == crystal.spacegroup_number, record.material_id


def test_a_record_may_describe_more_symmetry_than_its_group():
    """Coordinates without the polar distortion: the cell is that of P4mm, the crystal is cubic."""
    orbits = (
        Orbit("Ba", "a", (0.0,)),
        Orbit("Ti", "b", (0.5,)),
        Orbit("O", "b", (0.0,)),
        Orbit("O", "c", (0.5,)),
    )
    ideal = decode(WyckoffCrystal(99, orbits, (4.0119, 4.0119)))
    assert detected_group(ideal) == 221
    assert_same(encode(ideal), encode(materials.barium_titanate_cubic()))
