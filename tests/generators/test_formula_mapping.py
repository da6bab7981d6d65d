"""Prototype mapping gives exactly the formula asked for."""

from hysteron.generators.formula_mapping import mappings
from hysteron.generators.ion_pairs import Ion

BARIUM_TITANATE = {Ion("Ba", 2): 1, Ion("Ti", 4): 1, Ion("O", -2): 3}
MAGNETITE = {Ion("Fe", 2): 2, Ion("Fe", 3): 4, Ion("O", -2): 8}


def test_both_arrangements_of_a_perovskite_are_tried_the_sensible_one_first():
    found = mappings(BARIUM_TITANATE, {"Sr": 1, "Zr": 1, "O": 3}, {"Sr": 2, "Zr": 4, "O": -2})
    assert [str(e) for e in found] == ["Ba2+ -> Sr2+, Ti4+ -> Zr4+", "Ba2+ -> Zr4+, Ti4+ -> Sr2+"]


def test_charges_may_change_with_the_formula():
    found = mappings(BARIUM_TITANATE, {"K": 1, "Nb": 1, "O": 3}, {"K": 1, "Nb": 5, "O": -2})
    assert str(found[0]) == "Ba2+ -> K+, Ti4+ -> Nb5+"


def test_a_mixed_valence_element_splits_or_is_filled():
    spinel = mappings(MAGNETITE, {"Mg": 1, "Al": 2, "O": 4}, {"Mg": 2, "Al": 3, "O": -2})
    assert str(spinel[0]) == "Fe2+ -> Mg2+, Fe3+ -> Al3+"
    cobalt = mappings(MAGNETITE, {"Co": 3, "O": 4}, {"Co": 8 / 3, "O": -2})
    assert [str(e) for e in cobalt] == ["Fe2+ -> Co2+, Fe3+ -> Co3+"]


def test_different_elements_are_not_merged():
    assert (
        mappings({Ion("Li", 1): 1, Ion("Nb", 5): 1, Ion("O", -2): 3}, {"Al": 2, "O": 3}, {"Al": 3, "O": -2})
        == []
    )


def test_nothing_where_numbers_or_signs_do_not_fit():
    assert mappings(BARIUM_TITANATE, {"Ti": 1, "O": 2}, {"Ti": 4, "O": -2}) == []
    anions_outnumbered = {"Na": 3, "O": 1, "Cl": 1}
    assert mappings(BARIUM_TITANATE, anions_outnumbered, {"Na": 1, "O": -2, "Cl": -1}) == []


def test_the_formula_itself_is_only_rearranged():
    found = mappings(BARIUM_TITANATE, {"Ba": 1, "Ti": 1, "O": 3}, {"Ba": 2, "Ti": 4, "O": -2})
    assert [str(e) for e in found] == ["Ba2+ -> Ti4+, Ti4+ -> Ba2+"]
