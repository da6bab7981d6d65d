"""To which family of `data/process_temperatures.csv` does a formula belong, where the table does not name it?

Rules of chemistry on the formula alone, each as narrow as its row of the table; the first that holds counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pymatgen.core import Composition

Amounts = dict[str, float]


def _symbols(text: str) -> frozenset[str]:
    return frozenset(text.split())


HALOGENS = frozenset({"F", "Cl", "Br", "I"})
CHALCOGENS = frozenset({"S", "Se", "Te"})
ANIONS = HALOGENS | CHALCOGENS | {"O", "N"}
NOT_IN_COMPLEX_OXIDES = ANIONS - {"O", "Te"} | {"H", "C"}
IONIC_CATIONS = _symbols("Li Na K Rb Cs Be Mg Ca Sr Ba Sc Y La Ce Pr Nd Sm Eu Gd Tb Dy Ho Er Tm Yb Lu")
OXIDES_BY_ALD = IONIC_CATIONS - _symbols("Na K Rb Cs Be") | _symbols(
    "B Al Ga In Si Ge Sn Pb Sb Bi Ti Zr Hf V Nb Ta Cr Mo W Mn Fe Co Ni Cu Zn Cd Ru Rh Ir Pt Pd Te"
)
"""Metals and semimetals whose oxides have grown by atomic layer deposition (Miikkulainen et al., J. Appl. Phys. 113,
021301 (2013), doi:10.1063/1.4757907), from memory."""
NITRIDES_BY_PLASMA = _symbols("B Al Ga In Si Ti Zr Hf V Nb Ta Mo W")
TRIHALIDE_FORMERS = _symbols("B Al Ga In P As Sb Bi")
CHALCOGENIDE_FORMERS = _symbols("Ge Sn Pb As Sb Bi In Ga Zn Cd Cu Ag")
DICHALCOGENIDE_FORMERS = _symbols("Ti Zr Hf V Nb Ta Mo W Re")
MOST_CHALCOGEN = 3.0
"""More atoms of S or Se than this for each other atom, and some are held by one another alone."""


def process_family(composition: Composition) -> str | None:
    """The family's name as the table writes it, or `None`."""
    amounts = {str(element): float(n) for element, n in composition.element_composition.items()}
    return next((name for name, holds in FAMILIES.items() if holds(amounts)), None)


def _hydrogen_compound(amounts: Amounts) -> bool:
    """Hydrogen beside a nonmetal: hydroxides, hydrates, ammonium salts, organic crystals; not metal hydrides."""
    return "H" in amounts and bool(amounts.keys() & {"C", "N", "O", "P", *HALOGENS, *CHALCOGENS})


def _nitrate(amounts: Amounts) -> bool:
    return amounts.get("N", 0) > 0 and amounts.get("O", 0) >= 2 * amounts["N"] and len(amounts) == 3


def _azide(amounts: Amounts) -> bool:
    return _binary_with(amounts, "N") and _ratio(amounts, "N") >= 3


def _volatile_halide(amounts: Amounts) -> bool:
    halogen = _only(amounts, HALOGENS)
    if halogen is None or len(amounts) != 2:
        return False
    ratio, (metal,) = _ratio(amounts, halogen), amounts.keys() - {halogen}
    if halogen == "F":
        return ratio >= 5
    return ratio >= 4 or (ratio >= 3 and metal in TRIHALIDE_FORMERS)


def _excess_chalcogen(amounts: Amounts) -> bool:
    chalcogen = _only(amounts, CHALCOGENS)
    return chalcogen in ("S", "Se") and len(amounts) > 1 and _ratio(amounts, chalcogen) > MOST_CHALCOGEN


def _ionic_halide(amounts: Amounts) -> bool:
    halogen = _only(amounts, HALOGENS)
    return halogen is not None and len(amounts) == 2 and amounts.keys() - {halogen} <= IONIC_CATIONS


def _binary_oxide(amounts: Amounts) -> bool:
    return _binary_with(amounts, "O") and amounts.keys() - {"O"} <= OXIDES_BY_ALD


def _complex_oxide(amounts: Amounts) -> bool:
    """Two or more elements beside oxygen, none of them another anion."""
    return "O" in amounts and len(amounts) > 2 and not amounts.keys() & NOT_IN_COMPLEX_OXIDES


def _binary_nitride(amounts: Amounts) -> bool:
    return _binary_with(amounts, "N") and amounts.keys() - {"N"} <= NITRIDES_BY_PLASMA


def _main_group_chalcogenide(amounts: Amounts) -> bool:
    others = amounts.keys() - CHALCOGENS
    return bool(others) and others <= CHALCOGENIDE_FORMERS and len(others) < len(amounts)


def _layered_dichalcogenide(amounts: Amounts) -> bool:
    chalcogen = _only(amounts, CHALCOGENS)
    return (
        chalcogen is not None
        and len(amounts) == 2
        and _ratio(amounts, chalcogen) == 2
        and amounts.keys() - {chalcogen} <= DICHALCOGENIDE_FORMERS
    )


FAMILIES: dict[str, Callable[[Amounts], bool]] = {
    "hydrogen compound": _hydrogen_compound,
    "nitrate": _nitrate,
    "azide": _azide,
    "volatile halide": _volatile_halide,
    "excess chalcogen": _excess_chalcogen,
    "ionic halide": _ionic_halide,
    "binary oxide": _binary_oxide,
    "complex oxide": _complex_oxide,
    "binary nitride": _binary_nitride,
    "main-group chalcogenide": _main_group_chalcogenide,
    "layered dichalcogenide": _layered_dichalcogenide,
}


def _binary_with(amounts: Amounts, anion: str) -> bool:
    return len(amounts) == 2 and anion in amounts


def _only(amounts: Amounts, anions: frozenset[str]) -> str | None:
    """The one element of a set that a formula holds, if it holds exactly one and no other anion."""
    found = sorted(amounts.keys() & ANIONS)
    return found[0] if len(found) == 1 and found[0] in anions else None


def _ratio(amounts: Amounts, anion: str) -> float:
    """Atoms of the anion for each atom of the other elements."""
    return amounts[anion] / sum(n for element, n in amounts.items() if element != anion)
