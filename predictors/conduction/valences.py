"""What valence does each element of a compound carry, nominally?

Nominal valences answer for fractional formulas and for metals too, where statistics of known compounds have no answer: anions
close their shell, cations other than transition metals take their usual valence, and what is left is shared by the
transition metals. It is a count of electrons, not a charge density.

- Pnictogens bond among themselves where there are two or more per transition metal (skutterudites): valence -1 each. Likewise
  chalcogens in dichalcogenides of groups 7 to 11 without another cation (pyrites).
- Without a transition metal a single cation carries what balances the anions (Sn 2+ in SnO).
- Ce, Th and U count as 4+. Eu and Yb count as 3+ beside O and halogens and as 2+ elsewhere.
- Of several transition metals Ag is 1+, Cu 2+ in oxides and halides (1+ where the others would fall below 3+) and 1+ elsewhere;
  metals that like to lose all d electrons (Ti, Zr, Hf 4+, Nb, Ta 5+, W 6+) do so where the others keep 2+ or more; 3d metals of
  groups 6 to 9 beside 4d or 5d ones are 3+ in oxides and halides; the rest share equally.
"""

from __future__ import annotations

from functools import lru_cache

from .families import Ions

USUAL = {
    **dict.fromkeys(("Ce", "Th", "U", "Sn", "Si", "Ge", "C", "Se", "Te"), 4.0),
    **dict.fromkeys(("Al", "Ga", "In", "Tl", "B", "Bi"), 3.0),
    **dict.fromkeys(("Zn", "Cd", "Hg", "Pb"), 2.0),
    **dict.fromkeys(("P", "As", "Sb", "N"), 5.0),
    "S": 6.0,
    "H": 1.0,
}
"""Of cations that are no transition metal; others follow their group: 1, 2, and 3 for group 3 and the lanthanides."""
TO_EMPTY = {"Ti": 4.0, "Zr": 4.0, "Hf": 4.0, "Nb": 5.0, "Ta": 5.0, "W": 6.0}
CLOSED_SHELL = 18
PAIRED_PNICTOGENS = 2.0
PAIRED_CHALCOGENS = 1.9
"""Anions per transition metal from which on they bond among themselves."""


def nominal_valences(ions: Ions) -> dict[str, float]:
    """The valence of each element, positive for cations; of a mixed-valence metal the mean."""
    strong = ions.anion_class in ("oxide", "halide")
    valences = {symbol: _usual(symbol, strong) for symbol in ions.others}
    valences |= _anion_valences(ions)
    if ions.metals:
        left = -sum(ions.amounts[symbol] * valence for symbol, valence in valences.items())
        return valences | _shared(ions, left, strong)
    if len(ions.others) == 1:
        (cation,) = ions.others
        left = -sum(ions.amounts[symbol] * valences[symbol] for symbol in ions.anions)
        return valences | {cation: left / ions.amounts[cation]}
    return valences


def _usual(symbol: str, strong: bool) -> float:
    if symbol in ("Eu", "Yb"):
        return 3.0 if strong else 2.0
    return USUAL[symbol] if symbol in USUAL else float(min(group(symbol), 3))


def _anion_valences(ions: Ions) -> dict[str, float]:
    anions, metals, _ = ions.counts
    valences = {symbol: float(group(symbol) - CLOSED_SHELL) for symbol in ions.anions}
    per_metal = anions / metals if metals else 0.0
    pyrite = not ions.others and all(group(symbol) >= 7 for symbol in ions.metals)
    if (ions.anion_class == "pnictide" and per_metal >= PAIRED_PNICTOGENS) or (
        ions.anion_class == "chalcogenide" and per_metal >= PAIRED_CHALCOGENS and pyrite
    ):
        valences = dict.fromkeys(valences, -1.0)
    return valences


def _shared(ions: Ions, left: float, strong: bool) -> dict[str, float]:
    """Valences of the transition metals, from the positive charge that is left for them."""
    amounts, open_ = ions.amounts, sorted(ions.metals)
    given: dict[str, float] = {}

    def of_the_rest(symbol: str, valence: float) -> float:
        """Mean valence of the other metals if this one takes so much."""
        return (left - valence * amounts[symbol]) / sum(amounts[s] for s in open_ if s != symbol)

    def give(symbol: str, valence: float) -> None:
        nonlocal left
        given[symbol] = valence
        left -= valence * amounts[symbol]
        open_.remove(symbol)

    if "Ag" in open_ and len(open_) > 1:
        give("Ag", 1.0)
    if "Cu" in open_ and len(open_) > 1:
        give("Cu", 2.0 if strong and of_the_rest("Cu", 2.0) >= 3 else 1.0)
    for symbol, valence in TO_EMPTY.items():
        if symbol in open_ and len(open_) > 1 and of_the_rest(symbol, valence) >= 2:
            give(symbol, valence)
    heavy = any(row(symbol) > 4 for symbol in open_)
    for symbol in [s for s in open_ if row(s) == 4 and 6 <= group(s) <= 9]:
        if strong and heavy and len(open_) > 1:
            give(symbol, 3.0)
    total = sum(amounts[symbol] for symbol in open_)
    return given | dict.fromkeys(open_, left / total)


@lru_cache(maxsize=128)
def group(symbol: str) -> int:
    """Of the periodic table; the lanthanides and actinides count as 3."""
    from pymatgen.core import Element

    return int(Element(symbol).group)


@lru_cache(maxsize=128)
def row(symbol: str) -> int:
    """Of the periodic table: 4 holds the 3d metals."""
    from pymatgen.core import Element

    return int(Element(symbol).row)
