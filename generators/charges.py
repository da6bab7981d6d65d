"""Which charges may the ions of a crystal have, for the purpose of writing a formula?

One oxidation state for each element, out of the named table; together they are neutral, and every positive
ion is less electronegative than every negative one (two equals may not oppose one another, and an element
without a value is no ion). This is what SMACT asks of a composition, with its electronegativities, so that
SMACT confirms every formula written under it, also with its larger table of ions seen three times or more.

What the rule cannot say: two valences of one element (Fe3O4), an element alone, metals among themselves.
Those need the switch that lifts the rule.

Source: SMACT 4.0.2, `Element.oxidation_states_icsd24`: ions reported more than five times in the ICSD (2024).
Davies et al., Chem 1, 617 (2016), doi:10.1016/j.chempr.2016.09.010.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

TABLE = "icsd24"
"""Name of the table of oxidation states, as SMACT's `oxidation_states_set` has it."""
TABLE_IN_WORDS = f"SMACT's table {TABLE!r}"


@dataclass(frozen=True)
class Ion:
    """What an element may be in a crystal.

    Attributes:
        positive, negative: Its oxidation states in the table, e.
        electronegativity: Pauling's, as SMACT has it.
    """

    positive: tuple[int, ...]
    negative: tuple[int, ...]
    electronegativity: float


NEUTRAL_ATOM = Ion((0,), (), 0.0)
"""What every element is where charges do not count."""


@lru_cache(maxsize=1)
def ions() -> dict[str, Ion]:
    """The elements that have a state in the table and an electronegativity, by symbol."""
    from smact import Element, ordered_elements

    found = {}
    for symbol in ordered_elements(1, 103):
        element = Element(symbol)
        states, electronegativity = element.oxidation_states_icsd24, element.pauling_eneg
        if states and electronegativity is not None:
            positive = tuple(state for state in states if state > 0)
            negative = tuple(state for state in states if state < 0)
            found[symbol] = Ion(positive, negative, float(electronegativity))
    return found


def neutral_states(amounts: Mapping[str, int]) -> dict[str, int] | None:
    """One neutral choice of oxidation states under the rule above, or `None` if there is none.

    Args:
        amounts: Number of atoms of each element.

    Returns:
        A state for each element, e. Of several choices one: it shows that the formula is neutral, not which
        ions the crystal has.
    """
    known = ions()
    if len(amounts) < 2 or not set(amounts) <= set(known):
        return None
    for threshold in sorted({known[symbol].electronegativity for symbol in amounts}):
        found = _neutral_at(amounts, threshold)
        if found is not None:
            return found
    return None


def _neutral_at(amounts: Mapping[str, int], threshold: float) -> dict[str, int] | None:
    """The same, where the elements from this electronegativity on are the negative ones."""
    known = ions()
    totals: dict[int, dict[str, int]] = {0: {}}
    for symbol, amount in amounts.items():
        ion = known[symbol]
        states = ion.negative if ion.electronegativity >= threshold else ion.positive
        totals = {
            total + amount * state: {**chosen, symbol: state}
            for total, chosen in totals.items()
            for state in states
        }
    return totals.get(0)
