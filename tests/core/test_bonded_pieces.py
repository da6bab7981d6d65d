"""In how many directions does a bonded piece repeat?"""

import itertools

import materials
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.bonded_pieces import dimensionality, integer_basis
from pymatgen.core import Lattice, Structure
from pymatgen.core.operations import SymmOp


def molybdenite() -> Structure:
    """2H-MoS2; Bronsema, de Boer, Jellinek, Z. Anorg. Allg. Chem. 540, 15 (1986)."""
    return Structure.from_spacegroup(
        "P6_3/mmc",
        Lattice.hexagonal(3.160, 12.294),
        ["Mo", "S"],
        [[1 / 3, 2 / 3, 0.25], [1 / 3, 2 / 3, 0.621]],
    )


def selenium() -> Structure:
    """Helical chains, P3_121; Cherin and Unger, Inorg. Chem. 6, 1589 (1967)."""
    return Structure.from_spacegroup("P3_121", Lattice.hexagonal(4.366, 4.954), ["Se"], [[0.2254, 0, 1 / 3]])


def iodine() -> Structure:
    """Molecules, Cmce; van Bolhuis, Koster, Migchelsen, Acta Cryst. 23, 90 (1967), 110 K."""
    return Structure.from_spacegroup(
        "Cmce", Lattice.orthorhombic(7.136, 4.686, 9.784), ["I"], [[0, 0.1543, 0.1174]]
    )


CASES = [
    (molybdenite, 2),
    (selenium, 1),
    (iodine, 0),
    (materials.silicon, 3),
    (materials.strontium_titanate, 3),
    (materials.iron_one_atom, 3),
    (materials.sodium_chloride, 3),
]


@pytest.mark.parametrize(("make", "expected"), CASES)
def test_known_crystals(make, expected):
    assert dimensionality(make()) == expected


@pytest.mark.parametrize(("make", "expected"), CASES[:4])
def test_rotation_supercell_and_order_change_nothing(make, expected):
    structure = make() * [[1, 1, 0], [0, 2, 0], [0, 0, 1]]
    structure.apply_operation(SymmOp.from_axis_angle_and_translation([1, 2, 3], 37))
    order = np.random.default_rng(1).permutation(len(structure))
    assert dimensionality(Structure.from_sites([structure[i] for i in order])) == expected


def test_pulled_apart_layers_stay_layers():
    structure = molybdenite()
    coords = structure.cart_coords
    wide = Structure(Lattice.hexagonal(3.160, 30.0), structure.species, coords, coords_are_cartesian=True)
    assert dimensionality(wide) == 2


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.integers(-6, 6)] * 3), min_size=1, max_size=6))
def test_an_integer_basis_spans_the_same_lattice(vectors):
    rows = np.array(vectors)
    basis = integer_basis(rows)
    assert len(basis) == np.linalg.matrix_rank(rows)
    if len(basis):
        parts = np.linalg.lstsq(basis.T.astype(float), rows.T.astype(float), rcond=None)[0]
        assert np.abs(parts - np.round(parts)).max() < 1e-6
        minors = [
            round(abs(np.linalg.det(rows[list(t)][:, :])))
            for t in itertools.combinations(range(len(rows)), 3)
        ]
        if len(basis) == 3:
            assert round(abs(np.linalg.det(basis))) == np.gcd.reduce([m for m in minors if m])
