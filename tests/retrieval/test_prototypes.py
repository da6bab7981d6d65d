"""Every structure type is recognised in a real material, whatever its setting."""

from __future__ import annotations

from functools import cache

import materials
import numpy as np
import pytest
import spglib
from hysteron.retrieval import prototypes
from hysteron.retrieval.prototypes import prototype_of
from pymatgen.core import Lattice, Structure

CUBIC, HEXAGONAL, TETRAGONAL = Lattice.cubic, Lattice.hexagonal, Lattice.tetragonal


def crystal(group: str, lattice: Lattice, sites: dict[str, list[list[float]]]) -> Structure:
    species = [element for element, coords in sites.items() for _ in coords]
    return Structure.from_spacegroup(
        group, lattice, species, [c for coords in sites.values() for c in coords]
    )


# Lattice parameters and free coordinates rounded from R. W. G. Wyckoff, Crystal Structures (1963-1968),
# where no other source is given.
MATERIALS = {
    "perovskite": [
        materials.strontium_titanate,
        materials.barium_titanate_tetragonal,
        materials.barium_titanate_rhombohedral,
        materials.lithium_niobate,
        # KNbO3, Amm2: Hewat, J. Phys. C 6, 2559 (1973)
        lambda: crystal(
            "Amm2",
            Lattice.orthorhombic(3.973, 5.695, 5.721),
            {"K": [[0, 0, 0]], "Nb": [[0.5, 0, 0.5138]], "O": [[0, 0, 0.5364], [0.5, 0.2480, 0.2844]]},
        ),
        # LaAlO3, R-3c
        lambda: crystal(
            "R-3c",
            HEXAGONAL(5.364, 13.11),
            {"La": [[0, 0, 0.25]], "Al": [[0, 0, 0]], "O": [[0.475, 0, 0.25]]},
        ),
        # CaTiO3, Pnma: Sasaki, Prewitt, Bass, Schulze, Acta Cryst. C 43, 1668 (1987)
        lambda: crystal(
            "Pnma",
            Lattice.orthorhombic(5.442, 7.640, 5.380),
            {
                "Ca": [[0.0360, 0.25, 0.9934]],
                "Ti": [[0, 0, 0.5]],
                "O": [[0.4841, 0.25, 0.0702], [0.2890, 0.0373, 0.7112]],
            },
        ),
        # SrTiO3 below 105 K, I4/mcm
        lambda: crystal(
            "I4/mcm",
            TETRAGONAL(5.507, 7.796),
            {"Sr": [[0, 0.5, 0.25]], "Ti": [[0, 0, 0]], "O": [[0, 0, 0.25], [0.2448, 0.7448, 0]]},
        ),
        # CsPbBr3, P4/mbm: Hirotsu et al., J. Phys. Soc. Jpn. 37, 1393 (1974)
        lambda: crystal(
            "P4/mbm",
            TETRAGONAL(8.259, 5.897),
            {"Cs": [[0, 0.5, 0.5]], "Pb": [[0, 0, 0]], "Br": [[0, 0, 0.5], [0.207, 0.293, 0]]},
        ),
    ],
    "double perovskite": [
        lambda: crystal(
            "Fm-3m",
            CUBIC(7.89),
            {"Sr": [[0.25] * 3], "Fe": [[0, 0, 0]], "Mo": [[0.5, 0, 0]], "O": [[0.25, 0, 0]]},
        )
    ],
    "antifluorite-derived A2BX6": [
        lambda: crystal("Fm-3m", CUBIC(9.755), {"K": [[0.25] * 3], "Pt": [[0, 0, 0]], "Cl": [[0.24, 0, 0]]})
    ],
    "ilmenite": [
        lambda: crystal(
            "R-3",
            HEXAGONAL(5.088, 14.08),
            {"Fe": [[0, 0, 0.355]], "Ti": [[0, 0, 0.146]], "O": [[0.317, 0.023, 0.245]]},
        )
    ],
    "corundum": [
        lambda: crystal("R-3c", HEXAGONAL(4.759, 12.99), {"Al": [[0, 0, 0.352]], "O": [[0.306, 0, 0.25]]})
    ],
    "rutile": [materials.titania_rutile, materials.vanadia_rutile],
    "baddeleyite or M1": [materials.hafnia_monoclinic],
    "anatase": [
        lambda: crystal("I4_1/amd", TETRAGONAL(3.785, 9.514), {"Ti": [[0, 0, 0]], "O": [[0, 0, 0.2081]]})
    ],
    "fluorite": [lambda: crystal("Fm-3m", CUBIC(5.411), {"Ce": [[0, 0, 0]], "O": [[0.25] * 3]})],
    "polar fluorite": [materials.hafnia_polar],
    "wurtzite": [materials.zinc_oxide],
    "zinc blende": [lambda: crystal("F-43m", CUBIC(5.409), {"Zn": [[0, 0, 0]], "S": [[0.25] * 3]})],
    "rock salt": [materials.sodium_chloride, materials.magnesium_oxide],
    "caesium chloride": [lambda: crystal("Pm-3m", CUBIC(4.123), {"Cs": [[0, 0, 0]], "Cl": [[0.5] * 3]})],
    "polar GeTe": [materials.germanium_telluride],
    "tetradymite": [
        lambda: crystal(
            "R-3m", HEXAGONAL(4.384, 30.49), {"Bi": [[0, 0, 0.4]], "Te": [[0, 0, 0], [0, 0, 0.2095]]}
        )
    ],
    "spinel": [
        lambda: crystal("Fd-3m", CUBIC(8.083), {"Mg": [[0, 0, 0]], "Al": [[0.625] * 3], "O": [[0.3874] * 3]}),
    ],
    "Ruddlesden-Popper": [
        lambda: crystal(
            "I4/mmm",
            TETRAGONAL(3.886, 12.59),
            {"Ti": [[0, 0, 0]], "Sr": [[0, 0, 0.355]], "O": [[0.5, 0, 0], [0, 0, 0.152]]},
        ),
        # Sr3Ti2O7: Ruddlesden and Popper, Acta Cryst. 11, 54 (1958)
        lambda: crystal(
            "I4/mmm",
            TETRAGONAL(3.90, 20.38),
            {
                "Sr": [[0, 0, 0.5], [0, 0, 0.312]],
                "Ti": [[0, 0, 0.094]],
                "O": [[0, 0, 0], [0, 0, 0.188], [0, 0.5, 0.094]],
            },
        ),
    ],
    "delafossite": [
        materials.lithium_cobaltate,
        # 2H-CuAlO2: Koehler and Jansen, Z. Kristallogr. 165, 313 (1983)
        lambda: crystal(
            "P6_3/mmc",
            HEXAGONAL(2.863, 11.314),
            {"Cu": [[1 / 3, 2 / 3, 0.25]], "Al": [[0, 0, 0]], "O": [[1 / 3, 2 / 3, 0.0851]]},
        ),
    ],
    "chalcopyrite": [
        lambda: crystal(
            "I-42d",
            TETRAGONAL(5.289, 10.423),
            {"Cu": [[0, 0, 0]], "Fe": [[0, 0, 0.5]], "S": [[0.2574, 0.25, 0.125]]},
        )
    ],
    "CdI2 layers": [
        lambda: crystal("P-3m1", HEXAGONAL(3.407, 5.695), {"Ti": [[0, 0, 0]], "S": [[1 / 3, 2 / 3, 0.25]]})
    ],
    "CdCl2 layers": [
        lambda: crystal("R-3m", HEXAGONAL(3.854, 17.457), {"Cd": [[0, 0, 0]], "Cl": [[0, 0, 0.25]]})
    ],
    "MoS2 layers": [
        lambda: crystal(
            "P6_3/mmc", HEXAGONAL(3.160, 12.294), {"Mo": [[1 / 3, 2 / 3, 0.25]], "S": [[1 / 3, 2 / 3, 0.621]]}
        )
    ],
}
MATERIALS = {name: [cache(make) for make in makes] for name, makes in MATERIALS.items()}
CASES = [(name, make) for name, makes in MATERIALS.items() for make in makes]
ONE_EACH = [(name, makes[0]) for name, makes in MATERIALS.items()]


def key_of(structure: Structure) -> tuple[str, int, list[str]]:
    cell = (structure.lattice.matrix, structure.frac_coords, [site.specie.Z for site in structure])
    data = spglib.get_symmetry_dataset(cell, symprec=0.01)
    letters = dict(zip(data.crystallographic_orbits, data.wyckoffs, strict=True))
    return structure.composition.anonymized_formula, int(data.number), list(letters.values())


@pytest.mark.parametrize(("name", "make"), CASES)
def test_real_materials_have_their_type(name, make):
    assert prototype_of(*key_of(make())) == name


@pytest.mark.parametrize(("name", "make"), ONE_EACH)
def test_the_type_does_not_depend_on_the_setting(name, make):
    rng = np.random.default_rng(0)
    moved = make().get_primitive_structure()
    moved.translate_sites(list(range(len(moved))), rng.random(3))
    shuffled = Structure.from_sites([moved[i] for i in rng.permutation(len(moved))])
    assert prototype_of(*key_of(shuffled)) == name


def test_every_entry_of_the_table_is_met_by_a_material():
    met = set()
    for _, make in CASES:
        formula, number, letters = key_of(make())
        met.add((formula, number, prototypes._letters(number, letters)))
    assert met == set(prototypes._table())


def test_other_crystals_have_none():
    assert prototype_of(*key_of(materials.silicon())) is None
    assert prototype_of("ABC3", 221, ["a", "b", "e"]) is None
