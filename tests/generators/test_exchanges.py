"""Exchanges are neutral, ranked, and follow the rules."""

import numpy as np
import pytest
from hysteron.generators.exchanges import ExchangeRules, best_exchanges
from hysteron.generators.ion_pairs import Ion, ion_pairs

BARIUM_TITANATE = {Ion("Ba", 2): 1, Ion("Ti", 4): 1, Ion("O", -2): 3}
MAGNETITE = {Ion("Fe", 2): 1, Ion("Fe", 3): 2, Ion("O", -2): 4}


def exchanges(amounts, count=200, **rules):
    return best_exchanges(amounts, ExchangeRules(**rules), count)


def charge_after(amounts, exchange):
    new = dict(exchange.pairs)
    return sum(number * new.get(ion, ion).charge for ion, number in amounts.items())


@pytest.mark.parametrize("amounts", [BARIUM_TITANATE, MAGNETITE])
def test_every_exchange_is_neutral_and_they_fall_in_probability(amounts):
    found = exchanges(amounts, 500)
    assert len(found) == 500
    assert all(charge_after(amounts, e) == 0 for e in found)
    scores = [e.log_probability for e in found]
    assert scores == sorted(scores, reverse=True)
    assert len({e.pairs for e in found}) == len(found)


def test_strontium_lead_and_zirconium_are_among_the_most_probable_in_barium_titanate():
    top = [str(e) for e in exchanges(BARIUM_TITANATE, 20)]
    for expected in ("Ba2+ -> Sr2+", "Ba2+ -> Pb2+", "Ti4+ -> Zr4+"):
        assert expected in top


def test_the_probability_is_the_product_over_all_ions():
    found = {str(e): e for e in exchanges(BARIUM_TITANATE)}["Ti4+ -> Zr4+"]
    pairs = ion_pairs()
    stay = [Ion("Ba", 2), Ion("O", -2)]
    expected = pairs.log_probability(Ion("Ti", 4), Ion("Zr", 4)) + sum(
        pairs.log_probability(i, i) for i in stay
    )
    assert found.log_probability == pytest.approx(expected)


def test_coupled_exchanges_balance_two_and_three_ions():
    found = {str(e) for e in exchanges(BARIUM_TITANATE, 3000)}
    assert "Ba2+ -> K+, Ti4+ -> Nb5+" in found
    assert any(e.count("->") == 3 and "O2- -> F-" in e for e in found)
    uncoupled = exchanges(BARIUM_TITANATE, 3000, coupled=False)
    assert all(old.charge == new.charge for e in uncoupled for old, new in e.pairs)


def test_the_best_are_found_though_the_search_is_cut():
    """Against plain enumeration of all pairs of ions at once."""
    pairs, base = ion_pairs(), ion_pairs().log_probability(Ion("O", -2), Ion("O", -2))
    a_row, b_row = (pairs.log_conditional[pairs.index(Ion(*i))] for i in (("Ba", 2), ("Ti", 4)))
    best = max(
        a_row[i] + b_row[j] + base
        for i, x in enumerate(pairs.ions)
        for j, y in enumerate(pairs.ions)
        if x.charge + y.charge == 6 and min(x.charge, y.charge) > 0 and x.symbol not in ("Ba", "O")
        if y.symbol not in ("Ti", "O", x.symbol) and x != y and y.symbol != x.symbol
    )
    doubles = [e for e in exchanges(BARIUM_TITANATE, 3000) if [o.symbol for o, _ in e.pairs] == ["Ba", "Ti"]]
    assert doubles[0].log_probability == pytest.approx(best)


def test_elements_are_shared_only_where_they_were():
    for exchange in exchanges(BARIUM_TITANATE, 2000):
        new = [dict(exchange.pairs).get(ion, ion).symbol for ion in BARIUM_TITANATE]
        assert len(set(new)) == 3
    assert "Fe2+ -> Mn2+, Fe3+ -> Mn3+" in {str(e) for e in exchanges(MAGNETITE, 2000)}


def test_rules_hold():
    assert all("Pb" not in str(e) for e in exchanges(BARIUM_TITANATE, 2000, excluded=frozenset({"Pb"})))
    allowed = frozenset({"Sr", "Ti", "Zr", "O"})
    found = exchanges(BARIUM_TITANATE, allowed=allowed)
    assert {str(e) for e in found} >= {"Ba2+ -> Sr2+", "Ba2+ -> Sr2+, Ti4+ -> Zr4+"}
    assert all("Ba2+ ->" in str(e) for e in found), "barium is not allowed, so it leaves"
    assert len(exchanges(BARIUM_TITANATE, most_exchanged=1, excluded=frozenset())) > 0
    assert all(len(e.pairs) == 1 for e in exchanges(BARIUM_TITANATE, most_exchanged=1))


def test_a_chemical_system_is_filled():
    system = frozenset({"K", "Nb", "O"})
    found = exchanges(BARIUM_TITANATE, allowed=system, complete=True)
    assert "Ba2+ -> K+, Ti4+ -> Nb5+" in {str(e) for e in found}
    for exchange in found:
        assert {dict(exchange.pairs).get(ion, ion).symbol for ion in BARIUM_TITANATE} == system


def test_what_may_only_stay_does_not_come_in():
    hydrogen_phosphate = {Ion("K", 1): 1, Ion("H", 1): 2, Ion("P", 5): 1, Ion("O", -2): 4}
    found = exchanges(hydrogen_phosphate, stay_only=frozenset({"H"}))
    assert "P5+ -> As5+" in {str(e) for e in found}
    assert not any(
        new.symbol == "H"
        for e in exchanges({Ion("Li", 1): 1, Ion("Cl", -1): 1}, stay_only=frozenset({"H"}))
        for _, new in e.pairs
    )


def test_an_excluded_element_that_cannot_leave_gives_nothing():
    azide = {Ion("Na", 1): 1, Ion("N", -1): 1}
    assert exchanges(azide, excluded=frozenset({"N"})) == ()
    assert np.isfinite([e.log_probability for e in exchanges(azide)]).all()
