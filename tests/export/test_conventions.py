"""k-points, magnetic starts and the Hubbard U, the same for every code."""

import materials
import numpy as np
from hysteron.export.conventions import (
    functional,
    hubbard,
    kpoint_mesh,
    may_be_magnetic,
    mesh_of,
    shell,
    takes_electrons,
)
from pymatgen.core import Lattice
from pymatgen.io.vasp.sets import MPRelaxSet


def test_the_mesh_follows_the_cell_and_halves_in_a_supercell():
    cubic = Lattice.cubic(4.0).reciprocal_lattice_crystallographic.matrix
    doubled = Lattice.orthorhombic(4.0, 4.0, 8.0).reciprocal_lattice_crystallographic.matrix
    # 2 pi / 4.0 = 1.571 1/A, over 0.2 1/A: 7.85
    assert kpoint_mesh(cubic, 0.2) == (8, 8, 8)
    assert kpoint_mesh(doubled, 0.2) == (8, 8, 4)
    assert kpoint_mesh(cubic, 2.0) == (1, 1, 1)


def test_equal_lengths_get_equal_divisions():
    # Rounding noise must not give a cubic crystal an uneven mesh: 2 pi / (10 pi) = 0.2 exactly.
    lattice = Lattice.cubic(10 * np.pi / 5)
    mesh = kpoint_mesh(lattice.reciprocal_lattice_crystallographic.matrix, 0.2)
    assert len(set(mesh)) == 1


def test_the_mesh_of_a_crystal_is_that_of_its_reciprocal_vectors():
    assert mesh_of(materials.barium_titanate_tetragonal(), 0.12) == (14, 14, 13)  # 13.11 and 12.98


def test_open_shells_may_be_magnetic_and_empty_ones_take_electrons():
    symbols = ["Ni", "O", "Ti", "Zn", "Gd", "La", "Sr"]
    assert may_be_magnetic(symbols) == ["Gd", "Ni"]
    assert takes_electrons(symbols) == ["La", "Ti"]


def test_the_hubbard_u_is_that_of_the_materials_projects_set():
    for structure in (materials.nickel_oxide(), materials.vanadia_rutile(), materials.titania_rutile()):
        incar = MPRelaxSet(structure).incar
        expected = {u for u in incar.get("LDAUU", []) if u}
        assert set(hubbard(structure).values()) == expected
        assert functional("PBE", hubbard(structure)) == ("PBE+U" if expected else "PBE")
    assert hubbard(materials.iron_one_atom()) == {}


def test_the_shell_that_a_u_acts_on():
    assert [shell(symbol) for symbol in ("Ni", "Mo", "W", "Ce", "U", "O")] == [
        "3d", "4d", "5d", "4f", "5f", "2p",
    ]  # fmt: skip
