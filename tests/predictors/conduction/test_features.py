"""Features: what they say of known compounds, and that nothing but the composition enters."""

import numpy as np
import pytest
from hysteron.core.errors import InputError
from hysteron.predictors.conduction.features import FEATURES, features, has_open_shell, repulsion
from pymatgen.core import Composition, Element


def of(formula):
    return dict(zip(FEATURES, features(Composition(formula)), strict=True))


@pytest.mark.parametrize(
    ("formula", "electrons"),
    [("SrVO3", 1), ("LaCoO3", 6), ("NdNiO3", 7), ("NaOsO3", 3), ("CuO", 9), ("Ti4O7", 0.5)],
)
def test_d_electrons_of_known_compounds(formula, electrons):
    assert of(formula)["d_electrons"] == pytest.approx(electrons)


@pytest.mark.parametrize("formula", ["SrTiO3", "WO3", "Cu2O", "MgO", "HfO2"])
def test_closed_shells_are_told_from_open_ones(formula):
    assert not has_open_shell(Composition(formula))
    assert has_open_shell(Composition("VO2"))


def test_the_active_metal_is_the_one_that_takes_electrons_most_easily():
    """Iron of valence 4 and not copper of valence 2; ionisation energies of NIST: Fe 3+ to 4+ 54.9 eV, Cu 1+ to 2+ 20.3 eV."""
    found = of("CaCu3Fe4O12")
    assert found["valence"] == pytest.approx(4)
    assert found["electron_affinity"] == pytest.approx(54.9, abs=0.2)


def test_half_filled_iron_repels_more_than_its_neighbours():
    """Why LaFeO3 is the widest-gapped of its row: the fifth electron pairs (ionisation energies of NIST)."""
    assert repulsion("Fe", 3) > max(repulsion("Mn", 3), repulsion("Co", 3)) + 3


def test_a_multiple_of_a_formula_has_the_same_features():
    for formula in ("NdNiO3", "V6O11", "MgO", "LaFe4P12"):
        assert np.allclose(features(Composition(formula) * 7), features(Composition(formula)))


def test_features_are_finite_for_every_metal_with_every_kind_of_anion():
    for number in (*range(3, 6), *range(11, 14), *range(19, 32), *range(37, 51), *range(55, 84), 90, 92):
        cation = Element.from_Z(number).symbol
        for anion in ("O", "S", "F", "N", "P", "Si"):
            assert np.isfinite(features(Composition(f"{cation}2{anion}3"))).all()


def test_the_order_of_elements_in_a_formula_does_not_matter():
    assert np.array_equal(features(Composition("O3NiNd")), features(Composition("NdNiO3")))


def test_an_alloy_has_no_features():
    with pytest.raises(InputError, match="no anion"):
        features(Composition("NiAl"))


@pytest.mark.filterwarnings("ignore:No Pauling electronegativity")
def test_an_element_without_data_is_told():
    with pytest.raises(InputError, match="Ne"):
        features(Composition("NaNeO2"))
