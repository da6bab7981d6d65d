"""How many atoms of each element does a formula count?

Reads what pymatgen writes as a reduced formula, `Mg(OH)2` or `Li0.5CoO2`, three times faster than its
`Composition`; a table of competing phases has some 63,000 of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from ...core.errors import InputError

TOKEN = re.compile(r"([A-Z][a-z]?|\(|\))(\d*\.?\d*)")


def atomic_fractions(amounts: Mapping[str, float]) -> dict[str, float]:
    """The share of each element in the atoms; elements with no atoms are left out.

    Raises:
        InputError: there are no atoms at all, or a negative number of them.
    """
    total = sum(amounts.values())
    if not total > 0 or min(amounts.values()) < 0:
        raise InputError(f"{dict(amounts)} is no composition; it needs a positive number of atoms.")
    return {element: amount / total for element, amount in amounts.items() if amount > 0}


@lru_cache(maxsize=100_000)
def formula_fractions(formula: str) -> tuple[tuple[str, float], ...]:
    """(element, share of the atoms) of a formula, by symbol.

    Raises:
        InputError: the formula cannot be read.
    """
    return tuple(sorted(atomic_fractions(amounts(formula)).items()))


def amounts(formula: str) -> dict[str, float]:
    """Atoms of each element in one formula unit.

    Raises:
        InputError: the formula cannot be read, such as `Mg(OH` or `2H`.
    """
    opened: list[dict[str, float]] = [{}]
    end = 0
    for token in TOKEN.finditer(formula):
        symbol, number = token.groups()
        if token.start() != end or number == "." or (symbol == "(" and number):
            break
        end = token.end()
        if symbol == "(":
            opened.append({})
            continue
        if symbol == ")" and len(opened) == 1:
            break
        inner = opened.pop() if symbol == ")" else {symbol: 1.0}
        factor = float(number) if number else 1.0
        outer = opened[-1]
        for element, amount in inner.items():
            outer[element] = outer.get(element, 0.0) + factor * amount
    else:
        if end == len(formula) and len(opened) == 1 and formula:
            return opened[0]
    raise InputError(f"The formula {formula!r} cannot be read; write it as Mg(OH)2.")
