"""Which ions make up a compound, and to which family of conductors does it belong?

The rule of families was written before anything was fitted, and is what "families left out" means in the card:

- The class of the anion: oxide, halide, chalcogenide (S, Se, Te), pnictide (P, As, Sb), tetrelide (C, Si, Ge), nitride; that of
  the most electronegative nonmetal.
- The set of transition metals (groups 4 to 11).
- All other cations (alkali and alkaline earth metals, lanthanides, Bi, Pb ...) are one: A. The two ratios of A and of anions to
  transition metals, each rounded to the nearest half, stand for the prototype. A compound without A is `binary`, whatever
  its ratio: all oxides of vanadium are one family, and so are the Magneli phases of titanium with TiO and TiO2. A compound
  without a transition metal is known by its anions per cation.
- Perovskites with copper on three of four A sites, A Cu3 B4 X12, are one family, whatever B.

Lanthanides are thereby never told apart: all RNiO3 are one family, all RCoO3 another. `kind` is coarser, for comparison: anion
class and transition metals alone.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from ...core.errors import InputError

if TYPE_CHECKING:
    from pymatgen.core import Composition

KNOWN_FAMILIES = "metal_insulator_families.csv"
ANION_CLASSES = {
    **dict.fromkeys(("O",), "oxide"),
    **dict.fromkeys(("F", "Cl", "Br", "I"), "halide"),
    **dict.fromkeys(("S", "Se", "Te"), "chalcogenide"),
    **dict.fromkeys(("P", "As", "Sb"), "pnictide"),
    **dict.fromkeys(("C", "Si", "Ge"), "tetrelide"),
    "N": "nitride",
}
SECOND_ANIONS = frozenset(["S", "Se", "Te", "Cl", "Br", "I", "N"])
"""Anions beside a more electronegative one, unless that surrounds them as in a sulphate, chlorate or nitrate."""
OXOANION_RATIO = 3.0
"""From so many of the more electronegative anion per atom on, it surrounds them."""
TRANSITION_GROUPS = range(4, 12)
QUADRUPLE_TOLERANCE = 0.1
"""Relative, for the ratios of A Cu3 B4 X12."""


@dataclass(frozen=True)
class Ions:
    """The elements of a compound by the part they play.

    Attributes:
        amounts: Of each element, as in the formula.
        anions: Symbols.
        metals: Transition metals.
        others: All other cations.
        anion_class: `oxide`, `pnictide` ...
    """

    amounts: Mapping[str, float]
    anions: frozenset[str]
    metals: frozenset[str]
    others: frozenset[str]
    anion_class: str

    @cached_property
    def counts(self) -> tuple[float, float, float]:
        """How many anions, transition metals and other cations a formula has."""
        groups = (self.anions, self.metals, self.others)
        anions, metals, others = (sum(self.amounts[s] for s in group) for group in groups)
        return anions, metals, others


def ions_of(composition: Composition) -> Ions:
    """The parts that the elements play.

    Raises:
        InputError: it has no anion, or no cation.
    """
    amounts = composition.element_composition.get_el_amt_dict()
    nonmetals = [symbol for symbol in amounts if symbol in ANION_CLASSES]
    formula = composition.reduced_formula
    if not nonmetals:
        known = ", ".join(ANION_CLASSES)
        raise InputError(f"{formula} holds no anion that the classes of conduction know ({known}).")
    first = max(nonmetals, key=lambda symbol: (_electronegativity(symbol), symbol))
    alike = {symbol for symbol in nonmetals if ANION_CLASSES[symbol] == ANION_CLASSES[first]}
    second = {
        symbol
        for symbol in nonmetals
        if symbol in SECOND_ANIONS and amounts[first] < OXOANION_RATIO * amounts[symbol]
    }
    anions = frozenset(alike | second)
    cations = frozenset(amounts) - anions
    if not cations:
        raise InputError(f"{formula} holds anions alone, so its conduction is not classified.")
    metals = frozenset(symbol for symbol in cations if _group(symbol) in TRANSITION_GROUPS)
    return Ions(amounts, anions, metals, cations - metals, ANION_CLASSES[first])


def family(composition: Composition) -> str:
    """By the rule above: `Ni oxide A/M=1 X/M=3`.

    Raises:
        InputError: it has no anion, or no cation.
    """
    ions = ions_of(composition)
    anions, metals, others = ions.counts
    if _is_quadruple_perovskite(ions):
        return f"ACu3B4X12 {ions.anion_class}"
    if not ions.metals:
        return f"no transition metal, {ions.anion_class} X/A={_to_half(anions / others):g}"
    if not ions.others:
        return f"{_named(ions)} binary"
    return f"{_named(ions)} A/M={_to_half(others / metals):g} X/M={_to_half(anions / metals):g}"


def kind(composition: Composition) -> str:
    """Coarser than `family`: transition metals and class of the anion.

    Raises:
        InputError: it has no anion, or no cation.
    """
    ions = ions_of(composition)
    return f"ACu3B4X12 {ions.anion_class}" if _is_quadruple_perovskite(ions) else _named(ions)


def known_family(composition: Composition) -> str | None:
    """The known family of transition compounds that lists this formula; `None` if none does."""
    row = known_transitions().get(composition.element_composition.reduced_formula)
    return row["family"] if row else None


@lru_cache(maxsize=1)
def known_transitions() -> dict[str, dict[str, str]]:
    """Rows of the shipped table by reduced formula; its card tells the columns."""
    from pymatgen.core import Composition

    text = resources.files("hysteron.data").joinpath(KNOWN_FAMILIES).read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {Composition(row["formula"]).reduced_formula: row for row in rows}


def _named(ions: Ions) -> str:
    return f"{'-'.join(sorted(ions.metals)) or 'no transition metal,'} {ions.anion_class}"


def _is_quadruple_perovskite(ions: Ions) -> bool:
    anions, metals, others = ions.counts
    copper = ions.amounts.get("Cu", 0.0)
    if not others or not copper:
        return False
    ratios = ((copper, 3), (metals - copper, 4), (anions, 12))
    return all(abs(amount / others - wanted) <= QUADRUPLE_TOLERANCE * wanted for amount, wanted in ratios)


def _to_half(ratio: float) -> float:
    return math.floor(2 * ratio + 0.5) / 2


@lru_cache(maxsize=128)
def _electronegativity(symbol: str) -> float:
    from pymatgen.core import Element

    return float(Element(symbol).X)


@lru_cache(maxsize=128)
def _group(symbol: str) -> int:
    from pymatgen.core import Element

    return int(Element(symbol).group)
