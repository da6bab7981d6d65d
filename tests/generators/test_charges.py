"""Which formulas are neutral, held against SMACT itself."""

import itertools
import math

import pytest
from hysteron.generators.charges import NEUTRAL_ATOM, TABLE, ions, neutral_states
from hysteron.generators.tokens.amounts import shares_table
from hysteron.generators.tokens.formulas import Formulas
from hysteron.generators.tokens.request import in_order
from pymatgen.core import Composition
from smact import Element
from smact.screening import pauling_test, smact_validity
from smact.utils.oxidation import ICSD24OxStatesFilter

MOST_ATOMS = 7
SYSTEMS = ("Ba-Ti-O", "Pb-Te-W", "H-B-Pb", "Au-Te-Se", "Cu-Si-Te", "K-Rb-Au", "Hg-Si-Ge")
"""Among them elements whose order SMACT and pymatgen do not agree on, and equals (K and Rb, Cu and Si)."""


def smact_finds_ions(amounts):
    return smact_validity(Composition(amounts), include_alloys=False, oxidation_states_set=TABLE)


def every_formula(symbols, most_atoms):
    for counts in itertools.product(range(1, most_atoms + 1), repeat=len(symbols)):
        if sum(counts) <= most_atoms and math.gcd(*counts) == 1:
            yield dict(zip(symbols, counts, strict=True))


def formulas_of(system, **options):
    chosen = {symbol: ions()[symbol] for symbol in in_order(system.split("-"))}
    return Formulas(chosen, shares_table(MOST_ATOMS), **options)


def written(formulas):
    """All formulas that can be written step by step, shares free."""
    found = []

    def extend(amounts, charges, first, left):
        if amounts and formulas.is_finished(charges):
            found.append(amounts)
        for element in range(first, len(formulas.symbols)):
            for count in range(1, left + 1):
                after = formulas.take(charges, element, count)
                if after:
                    extend({**amounts, formulas.symbols[element]: count}, after, element + 1, left - count)

    extend({}, formulas.start, 0, MOST_ATOMS)
    return [amounts for amounts in found if math.gcd(*amounts.values()) == 1]


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_programme_writes_what_smact_calls_valid_and_nothing_else(system):
    symbols = in_order(system.split("-"))
    subsets = [s for size in (2, 3) for s in itertools.combinations(symbols, size)]
    wanted = [a for s in subsets for a in every_formula(s, MOST_ATOMS) if smact_finds_ions(a)]
    assert sorted(map(str, written(formulas_of(system)))) == sorted(map(str, wanted))
    assert all(neutral_states(amounts) for amounts in wanted)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_tables_agree_with_what_can_be_written(system):
    formulas = formulas_of(system)
    shares = {tuple(sorted(amounts.values(), reverse=True)) for amounts in written(formulas)}
    found = {formulas.shares.rows[row] for row in formulas.is_writable.nonzero()[0]}
    assert found == shares


def test_required_elements_and_counts():
    formulas = formulas_of("Ba-Ti-O", required={"Ti", "O"}, counts={"Ba": 1})
    found = written(formulas)
    assert {"Ti": 1, "O": 2} in found
    assert {"Ba": 1, "Ti": 1, "O": 3} in found
    assert all("Ti" in amounts and "O" in amounts for amounts in found)
    assert all(amounts.get("Ba", 1) == 1 for amounts in found)
    rows = [formulas.shares.rows[row] for row in formulas.is_writable.nonzero()[0]]
    assert (3, 1, 1) in rows
    assert (3, 2, 1) in rows  # BaTi2O3
    assert all(1 in shares for shares in rows if len(shares) == 3)


@pytest.mark.parametrize(
    "amounts", [{"Ba": 1, "Ti": 1, "O": 3}, {"Pb": 1, "Te": 1}, {"W": 1, "Te": 2}, {"Ge": 1, "Te": 1}]
)
def test_states_are_neutral_and_in_order(amounts):
    states = neutral_states(amounts)
    assert states is not None
    assert sum(amounts[symbol] * state for symbol, state in states.items()) == 0
    assert all(state in Element(symbol).oxidation_states_icsd24 for symbol, state in states.items())
    assert pauling_test(list(states.values()), [Element(symbol).pauling_eneg for symbol in states])


def test_the_table_is_part_of_the_larger_one():
    larger = ICSD24OxStatesFilter().filter(consensus=3).set_index("element")["oxidation_state"]
    for symbol, ion in ions().items():
        assert {*ion.positive, *ion.negative} <= set(map(int, larger[symbol].split())), symbol


@pytest.mark.parametrize(
    "amounts", [{"Fe": 3, "O": 4}, {"Si": 1}, {"Ni": 3, "Al": 1}, {"Ar": 1, "O": 2}, {"K": 1, "Rb": 1}]
)
def test_what_has_no_neutral_states(amounts):
    assert neutral_states(amounts) is None


def test_neutral_atoms_make_any_formula():
    formulas = Formulas(dict.fromkeys(("Al", "Ni"), NEUTRAL_ATOM), shares_table(4))
    assert formulas.is_writable.sum() == 4  # (1,), (1, 1), (2, 1), (3, 1)
