"""Does a composition make chemical sense as a compound of ions? SMACT decides."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import lru_cache

ELECTRONEGATIVITY_SLACK = 0.3
"""Pauling units by which a cation may be the more electronegative one: PbTe (0.23), WTe2 (0.26)."""


def is_charge_balanced(formula: str, mixed_valence: bool = True) -> bool:
    """Whether SMACT finds oxidation states that are neutral and put charge where electronegativity does.

    An alloy is not let through for being one, though a few pass as ions on paper (CuAu).

    Args:
        formula: Any formula; a reduced one makes best use of the cache.
        mixed_valence: Whether one element may carry two charges (Fe3O4).

    Source: Davies et al., Chem 1, 617 (2016), doi:10.1016/j.chempr.2016.09.010; oxidation states seen at
        least three times in the ICSD (SMACT 4.0.2).
    """
    return _is_charge_balanced(formula, mixed_valence)


@lru_cache(maxsize=65536)
def _is_charge_balanced(formula: str, mixed_valence: bool) -> bool:
    from pymatgen.core import Composition
    from smact.screening import smact_validity

    with warnings.catch_warnings():
        # Told of a composition with too many ways to mix valences; SMACT then counts none of them.
        warnings.filterwarnings("ignore", message="Mixed-valence expansion")
        return bool(smact_validity(Composition(formula), include_alloys=False, mixed_valence=mixed_valence))


def is_ionic(ions: Iterable[tuple[str, int]]) -> bool:
    """Whether charged elements make chemical sense together: no metal is an anion, and no cation is clearly
    more electronegative than an anion.

    Args:
        ions: (element, charge in e), each once.

    Source: metals and the Pauling test are SMACT's.
    """
    from smact import metals
    from smact.screening import pauling_test

    ions = sorted(ions)
    if any(charge < 0 and symbol in metals for symbol, charge in ions):
        return False
    charges = [charge for _, charge in ions]
    electronegativities = [_electronegativity(symbol) for symbol, _ in ions]
    return pauling_test(charges, electronegativities, threshold=ELECTRONEGATIVITY_SLACK)


@lru_cache(maxsize=128)
def _electronegativity(symbol: str) -> float | None:
    """Pauling's; `None` for a noble gas without one."""
    from pymatgen.core import Element

    value = Element(symbol).data.get("X")
    return float(value) if value is not None else None
