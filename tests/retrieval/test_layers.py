"""In how many directions does a bonded piece repeat?"""

import materials
import numpy as np
import pytest
from hysteron.retrieval.layers import dimensionality
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
