"""Formal charges of known crystals, as every chemist would write them."""

import itertools

import materials
import numpy as np
import pytest
from hysteron.core.charge_balance import is_charge_balanced, is_ionic
from hysteron.core.errors import StructureError
from hysteron.core.oxidation import (
    BOND_VALENCE_METHOD,
    COMPOSITION_METHOD,
    ELEMENT_METHOD,
    assign_oxidation_states,
    guess_from_composition,
    oxidation_states,
)
from pymatgen.core import Composition, Lattice, Structure
from pymatgen.core.operations import SymmOp

KNOWN = {
    "strontium_titanate": {"Sr": 2, "Ti": 4, "O": -2},
    "barium_titanate_tetragonal": {"Ba": 2, "Ti": 4, "O": -2},
    "lead_titanate": {"Pb": 2, "Ti": 4, "O": -2},
    "lithium_niobate": {"Li": 1, "Nb": 5, "O": -2},
    "hafnia_polar": {"Hf": 4, "O": -2},
    "titania_rutile": {"Ti": 4, "O": -2},
    "vanadia_rutile": {"V": 4, "O": -2},
    "germanium_telluride": {"Ge": 2, "Te": -2},
    "zinc_oxide": {"Zn": 2, "O": -2},
    "lithium_cobaltate": {"Li": 1, "Co": 3, "O": -2},
    "sodium_chloride": {"Na": 1, "Cl": -1},
    "magnesium_oxide": {"Mg": 2, "O": -2},
}


def by_element(structure):
    charges = oxidation_states(structure)
    return {site.specie.symbol: charge for site, charge in zip(structure, charges, strict=True)}


@pytest.mark.parametrize("name", KNOWN)
def test_known_charges(name):
    structure = getattr(materials, name)()
    assert by_element(structure) == KNOWN[name]
    assert sum(oxidation_states(structure)) == 0
    assert assign_oxidation_states(structure).method == BOND_VALENCE_METHOD


@pytest.mark.parametrize("name", KNOWN)
def test_pymatgens_analyzer_agrees(name):
    from pymatgen.analysis.bond_valence import BVAnalyzer

    structure = getattr(materials, name)()
    assert list(oxidation_states(structure)) == BVAnalyzer().get_valences(structure)


def magnetite() -> Structure:
    """Fe3O4, Fd-3m; a = 8.396 A, u = 0.2549 (Fleet, Acta Cryst. B 37, 917 (1981)); primitive cell."""
    cell = Structure.from_spacegroup(
        "Fd-3m:2", Lattice.cubic(8.396), ["Fe", "Fe", "O"], [[1 / 8] * 3, [1 / 2] * 3, [0.2549] * 3]
    )
    return cell.get_primitive_structure()


def test_mixed_valence_is_told_site_by_site_or_as_an_average():
    structure = magnetite()
    charges = oxidation_states(structure)
    iron = [c for site, c in zip(structure, charges, strict=True) if site.specie.symbol == "Fe"]
    assert sum(charges) == pytest.approx(0)
    assert np.mean(iron) == pytest.approx(8 / 3)


def test_rotation_origin_order_and_supercell_change_nothing():
    for structure in (materials.lithium_niobate(), magnetite()):
        expected = sorted(zip([s.specie.symbol for s in structure], oxidation_states(structure), strict=True))
        turned = structure.copy()
        turned.apply_operation(SymmOp.from_axis_angle_and_translation([1, 2, 3], 37.0))
        turned.translate_sites(range(len(turned)), [0.21, 0.4, 0.77])
        turned = Structure.from_sites(list(reversed(turned.sites)))
        found = sorted(zip([s.specie.symbol for s in turned], oxidation_states(turned), strict=True))
        assert found == expected
        double = structure * (2, 1, 1)
        found = sorted(zip([s.specie.symbol for s in double], oxidation_states(double), strict=True))
        assert found == sorted(itertools.chain(expected, expected))


def test_the_input_is_untouched_and_decorations_are_not_read():
    structure = materials.zinc_oxide()
    before = structure.as_dict()
    oxidation_states(structure)
    assert structure.as_dict() == before
    structure.add_oxidation_state_by_element({"Zn": 1, "O": -1})
    assert by_element(structure) == {"Zn": 2, "O": -2}


def test_an_element_is_neutral_and_an_alloy_has_no_charges():
    assert assign_oxidation_states(materials.silicon()).method == ELEMENT_METHOD
    assert oxidation_states(materials.iron_one_atom()) == (0.0,)
    alloy = Structure.from_spacegroup("Pm-3m", Lattice.cubic(3.57), ["Ni", "Fe"], [[0, 0, 0], [0.5, 0.5, 0]])
    assert oxidation_states(alloy) is None


def test_the_composition_answers_where_an_element_has_no_bond_parameters():
    platinum_dioxide = materials.titania_rutile()
    platinum_dioxide.replace_species({"Ti": "Pt"})
    assigned = assign_oxidation_states(platinum_dioxide)
    assert assigned.method == COMPOSITION_METHOD
    assert assigned.are_whole
    assert by_element(platinum_dioxide) == {"Pt": 4, "O": -2}


def test_composition_alone():
    assert guess_from_composition(Composition("Ba2Ti2O6")) == {"Ba": 2, "Ti": 4, "O": -2}
    assert guess_from_composition(Composition("Fe3O4"))["Fe"] == pytest.approx(8 / 3)
    assert guess_from_composition(Composition("Fe2Ni")) is None
    assert guess_from_composition(Composition("Fe")) == {"Fe": 0.0}


def test_disordered_and_empty_are_refused():
    with pytest.raises(StructureError, match="partially occupied"):
        oxidation_states(materials.disordered_alloy())
    with pytest.raises(StructureError, match="no sites"):
        oxidation_states(Structure(Lattice.cubic(4), [], []))


def test_smact_decides_on_balance():
    assert all(is_charge_balanced(f) for f in ("SrTiO3", "HfO2", "GeTe", "CsPbI3", "CaTaNO2", "Fe3O4"))
    assert not is_charge_balanced("Fe3O4", mixed_valence=False)
    assert not any(is_charge_balanced(f) for f in ("Fe2Ni", "NaCl2", "LiF3"))


def test_compounds_of_ions_and_others():
    assert is_ionic([("Ba", 2), ("Ti", 4), ("O", -2)])
    assert is_ionic([("Pb", 2), ("Te", -2)]), "lead is the more electronegative one, by 0.23"
    assert not is_ionic([("Cu", 1), ("Au", -1)]), "a metal is no anion"
    assert not is_ionic([("O", 2), ("S", -2)])
