"""Formulas read here count the same atoms as pymatgen counts."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hysteron.core.errors import InputError
from hysteron.predictors.hull.formula import amounts, atomic_fractions, formula_fractions
from hysteron.predictors.hull.table import PhaseTable
from pymatgen.core import Composition

ELEMENTS = ["H", "O", "Na", "N", "Cl", "C", "Co", "Cs", "U"]
flat = st.lists(
    st.tuples(st.sampled_from(ELEMENTS), st.sampled_from(["", "2", "3", "12", "0.5", "1.25"])),
    min_size=1,
    max_size=4,
).map(lambda parts: "".join(symbol + number for symbol, number in parts))
nested = st.recursive(
    flat,
    lambda inner: st.tuples(inner, st.sampled_from(["", "2", "4"]), flat).map(
        lambda t: f"{t[2]}({t[0]}){t[1]}"
    ),
)


@given(nested)
def test_any_formula_is_read_as_pymatgen_reads_it(formula):
    assert amounts(formula) == pytest.approx(Composition(formula).get_el_amt_dict())


def test_the_formulas_of_the_shipped_table_are_read_as_pymatgen_reads_them():
    formulas = sorted({phase.formula for phase in PhaseTable.load().phases})
    bracketed = [formula for formula in formulas if "(" in formula]
    for formula in random.Random(0).sample(formulas, 500) + random.Random(1).sample(bracketed, 500):
        shares = Composition(formula).fractional_composition.get_el_amt_dict()
        assert dict(formula_fractions(formula)) == pytest.approx(shares)


@pytest.mark.parametrize("formula", ["", "Mg(OH", "Mg)OH(", "2H", "NaCl?", "na", "H.", "(2H)", "H 2"])
def test_what_is_no_formula_is_refused(formula):
    with pytest.raises(InputError, match="cannot be read"):
        amounts(formula)


def test_fractions_need_atoms():
    assert atomic_fractions({"Na": 2, "Cl": 2, "O": 0}) == {"Na": 0.5, "Cl": 0.5}
    for nothing in ({}, {"Na": 0.0}, {"Na": 2, "Cl": -1}):
        with pytest.raises(InputError, match="no composition"):
            atomic_fractions(nothing)
