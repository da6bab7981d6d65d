"""The table of elements: units, sources, and what other tables say of the same."""

import csv
from importlib import resources

import pytest
from hysteron.screening.supply.elements import TABLE, element_facts
from hysteron.screening.supply.screen import FACTORS, WHY_CONTAMINATES
from pymatgen.core import Element

ROWS = list(
    csv.DictReader(resources.files("hysteron.data").joinpath(TABLE).read_text(encoding="utf-8").splitlines())
)


def test_each_element_stands_once_in_the_order_of_its_number():
    assert [row["element"] for row in ROWS] == [Element.from_Z(z).symbol for z in range(1, 97)]


def test_what_is_told_names_its_source():
    for row in ROWS:
        assert bool(row["crustal_abundance_ppm"]) == bool(row["abundance_source"]), row
        assert bool(row["toxicity"]) == bool(row["toxicity_source"]), row
        assert bool(row["contamination"]) == bool(row["contamination_source"]), row


def test_the_words_are_those_the_screen_knows():
    assert {row["toxicity"] for row in ROWS} - {""} <= FACTORS.keys()
    assert {row["contamination"] for row in ROWS} - {""} == WHY_CONTAMINATES.keys()


def test_the_stable_ones_are_those_of_pymatgen():
    wrong = [row["element"] for row in ROWS if element_facts()[row["element"]].stable == radioactive(row)]
    assert not wrong


def radioactive(row) -> bool:
    return Element(row["element"]).is_radioactive


def test_the_abundances_add_up_to_a_crust():
    total = sum(facts.abundance or 0.0 for facts in element_facts().values())
    assert total == pytest.approx(1e6, rel=0.02)  # ppm by mass


@pytest.mark.parametrize(
    ("symbol", "order"),
    [("O", "Si"), ("Si", "Al"), ("Fe", "Ti"), ("Ti", "Zr"), ("Hf", "Ta"), ("Ge", "In"), ("Ag", "Te")],
)
def test_the_order_of_plenty(symbol, order):
    facts = element_facts()
    assert (facts[symbol].abundance or 0) > (facts[order].abundance or 0) > 0


def test_the_abundances_agree_with_another_table_of_the_same_handbook():
    """SMACT's, from the 92nd edition; its S, Nb, Lu differ by powers of ten from every edition, and its Ru is empty."""
    from smact import Element as Other

    for symbol, facts in element_facts().items():
        other = Other(symbol).crustal_abundance
        if other is not None and facts.abundance is not None and symbol not in ("S", "Nb", "Lu"):
            assert facts.abundance == pytest.approx(other), symbol
