"""Nominal valences: textbook ones, neutral in sum, and the rules for several metals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hysteron.predictors.conduction.families import ions_of
from hysteron.predictors.conduction.valences import nominal_valences
from pymatgen.core import Composition

TOLERANCE = 1e-9


def valences(formula):
    return nominal_valences(ions_of(Composition(formula)))


@pytest.mark.parametrize(
    ("formula", "symbol", "expected"),
    [
        ("SrTiO3", "Ti", 4),
        ("LaNiO3", "Ni", 3),
        ("Fe3O4", "Fe", 8 / 3),
        ("V6O11", "V", 22 / 6),
        ("Ca2RuO4", "Ru", 4),
        ("Tl2Ru2O7", "Ru", 4),
        ("FeS2", "Fe", 2),  # pyrite: pairs of sulphur
        ("TiS2", "Ti", 4),  # no pairs
        ("CoSb3", "Co", 3),
        ("LaFe4P12", "Fe", 2.25),
        ("CeFe4P12", "Fe", 2),
        ("CuIr2S4", "Ir", 3.5),
        ("CuRhO2", "Cu", 1),  # delafossite
        ("CaCu3Fe4O12", "Cu", 2),
        ("CaCu3Fe4O12", "Fe", 4),
        ("Sr2FeNbO6", "Nb", 5),
        ("Sr2FeIrO6", "Ir", 5),
        ("SnO", "Sn", 2),
        ("PrO2", "Pr", 4),
        ("EuO", "Eu", 2),
    ],
)
def test_valences_known_from_textbooks(formula, symbol, expected):
    assert valences(formula)[symbol] == pytest.approx(expected)


@given(
    st.sampled_from(["La", "Sr", "K", "Ce", "Bi"]),
    st.lists(
        st.sampled_from(["Ti", "V", "Fe", "Cu", "Ag", "Nb", "Ir", "Ni", "W"]),
        min_size=1,
        max_size=3,
        unique=True,
    ),
    st.sampled_from(["O", "S", "P", "F"]),
    st.integers(1, 4),
    st.integers(2, 12),
)
def test_with_a_transition_metal_every_compound_is_neutral(cation, metals, anion, amount, count):
    formula = cation + "".join(f"{m}{amount}" for m in metals) + f"{anion}{count}"
    composition = Composition(formula)
    total = sum(composition[symbol] * v for symbol, v in valences(formula).items())
    assert abs(total) < TOLERANCE * composition.num_atoms + 1e-9


def test_fractional_formulas_have_valences():
    assert 3 < valences("Sr0.66La3.34Mn4O12")["Mn"] < 3.5
