"""Is a crystal an insulator, by a gap whose method is named, or else by the rule of its ions?

Gaps of different methods are never mixed: PBE gives SrTiO3 1.8 eV where 3.2 eV are measured. So a window
belongs to one method, and a gap of a method without a window decides nothing. Where no gap is known, a
rule on the ions speaks, and what it lets pass is flagged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from ..core.candidate import Candidate, PropertyValue
from ..core.learnt import functional_of
from ..core.properties import method_matches, method_slug
from ..core.settings import Settings
from .criteria import Criterion

if TYPE_CHECKING:
    from pymatgen.core import Structure

NAME = "insulator"
RULE_METHOD = "oxidation-state rule"
ANIONS = frozenset(["H", "C", "N", "O", "F", "P", "S", "Cl", "As", "Se", "Br", "Te", "I"])
"""Elements that close the shell of an insulator's anions; antimonides and germanides are left to a known gap."""
NONMETALS = ANIONS | {"B", "Si"}
"""As cations these sit in bonds: they neither conduct nor are they reduced one by one."""
LOCALISING_ANIONS = frozenset(["O", "F", "Cl", "Br"])
_MOTT_STATES = {
    "Cr": (3,),
    "Mn": (2, 3, 4),
    "Fe": (2, 3),
    "Co": (2, 3),
    "Ni": (2,),
    "Cu": (2,),
    "Rh": (3,),
    "Ir": (3,),
    "Pd": (2,),
    "Pt": (2, 4),
}
MOTT_IONS = frozenset((symbol, charge) for symbol, charges in _MOTT_STATES.items() for charge in charges)
"""Open d shells that mostly give Mott, charge-transfer or low-spin insulators with `LOCALISING_ANIONS`.

Source: Zaanen, Sawatzky, Allen, Phys. Rev. Lett. 55, 418 (1985); Imada, Fujimori, Tokura, Rev. Mod. Phys.
70, 1039 (1998), section I.
"""
SEMILOCAL = ("lda", "pbesol")
"""Functionals whose gaps are as small as PBE's, within some 0.1 eV in most of 40 semiconductors.

Source: Heyd, Peralta, Scuseria, Martin, J. Chem. Phys. 123, 174101 (2005), doi:10.1063/1.2085170 (LSDA beside PBE).
"""
RULE_SCORE = {"closed": 0.6, "mott": 0.4}
PREDICTED_SCORE = {True: 0.8, False: 0.6}
"""How much a pass by rule, or by a predicted gap (whose whole interval lies in the window, or not), weighs against a pass
by a known gap, which weighs 1. Ours, 2026."""


class GapWindow(Settings):
    """Which gaps of one method pass.

    Attributes:
        low: eV; smaller gaps fail.
        high: eV; larger gaps fail; `None`: no upper end.
    """

    low: float = Field(ge=0)
    high: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> GapWindow:
        if self.high is not None and self.high <= self.low:
            raise ValueError(f"high ({self.high}) must lie above low ({self.low})")
        return self

    def holds(self, gap: float) -> bool:
        """Whether a gap, eV, lies inside."""
        return self.low <= gap and (self.high is None or gap <= self.high)

    def __str__(self) -> str:
        return f"at least {self.low:g} eV" if self.high is None else f"{self.low:g} to {self.high:g} eV"


def judge_insulator(
    candidate: Candidate, windows: Mapping[str, GapWindow], charges: Sequence[float] | None
) -> Criterion:
    """Whether the crystal is an insulator in the window of its gap's method, or by rule.

    Args:
        candidate: Its `band_gap`s, if any, are looked at best method first.
        windows: By slug of the method (`pbe`, `hse06`, `experiment`).
        charges: Oxidation states, e, one per site, or `None` if there are none.
    """
    gaps = candidate.all_of("band_gap")
    for gap in gaps:
        window = _window(gap, windows)
        if window is not None:
            return _by_gap(gap, window)
    unjudged = f"; its {gaps[0].method} gap of {gaps[0].value:.2f} eV has no window" if gaps else ""
    return _by_rule(candidate.structure, charges, unjudged)


def _window(gap: PropertyValue, windows: Mapping[str, GapWindow]) -> GapWindow | None:
    """The window of the gap's method; a longer slug is more special and wins.

    A gap that DFT gave for the very crystal, or that DFT's corrected, has that of its functional, and one of `SEMILOCAL`
    that of PBE, unless it has one of its own.
    """
    functional = functional_of(gap.method)
    slugs = [method_slug(name) for name in (gap.method, functional) if name]
    fitting = [name for name in windows if any(method_matches(slug, name) for slug in slugs)]
    if not fitting and "pbe" in windows and any(method_matches(slugs[-1], name) for name in SEMILOCAL):
        return windows["pbe"]
    return windows[max(fitting, key=len)] if fitting else None


def _by_gap(gap: PropertyValue, window: GapWindow) -> Criterion:
    value = float(gap.value)  # type: ignore[arg-type]
    above = window.high is not None and value > window.high
    inside = window.holds(value)
    verb = "lies in" if inside else "lies outside"
    score, predicted = 1.0, ""
    if gap.interval is not None:
        score = PREDICTED_SCORE[all(map(window.holds, gap.interval))]
        predicted = (
            f"predicted, {gap.coverage:.0%} interval {gap.interval[0]:.2f} to {gap.interval[1]:.2f} eV, "
        )
    return Criterion(
        name=NAME,
        status="passed" if inside else "failed",
        sentence=f"band gap {value:.2f} eV ({predicted}{gap.method}) {verb} the {gap.method} window of {window}",
        value=value,
        threshold=window.high if above else window.low,
        units="eV",
        method=gap.method,
        score=score,
        flagged=bool(predicted),
    )


def _by_rule(structure: Structure, charges: Sequence[float] | None, unjudged: str) -> Criterion:
    if charges is None:
        return _unknown(f"band gap unknown and no charge-balanced oxidation states{unjudged}")
    ions = sorted({(site.specie.symbol, float(q)) for site, q in zip(structure, charges, strict=True)})
    anions = {symbol for symbol, charge in ions if charge < 0}
    if not anions or not anions <= ANIONS:
        strange = ", ".join(sorted(anions - ANIONS)) or "none"
        return _unknown(
            f"band gap unknown and the rule knows no insulators with these anions: {strange}{unjudged}"
        )
    open_shell = [
        (symbol, charge) for symbol, charge in ions if charge > 0 and has_open_shell(symbol, charge)
    ]
    doubtful = [ion for ion in open_shell if ion not in MOTT_IONS or not anions <= LOCALISING_ANIONS]
    if doubtful:
        return _unknown(f"band gap unknown and {_names(doubtful)} may be metallic (open shell){unjudged}")
    why = f"open shells of {_names(open_shell)} mostly localise" if open_shell else "closed shells"
    return Criterion(
        name=NAME,
        status="passed",
        sentence=f"gap unknown, insulating by oxidation-state rule ({why}){unjudged}",
        units="eV",
        method=RULE_METHOD,
        score=RULE_SCORE["mott" if open_shell else "closed"],
        flagged=True,
    )


def _unknown(sentence: str) -> Criterion:
    return Criterion(NAME, "missing", sentence, units="eV", method=RULE_METHOD)


def has_open_shell(symbol: str, charge: float) -> bool:
    """Whether a cation has a partly filled shell that could conduct.

    The 4f shell of lanthanides counts as closed: it is localised. Nonmetals count as closed: they sit in
    bonds. A fractional charge is mixed valence and counts as open.
    """
    from pymatgen.core import Element

    element = Element(symbol)
    if symbol in NONMETALS:
        return False
    if abs(charge - round(charge)) > 1e-6:
        return True
    electrons = _valence_electrons(element) - round(charge)
    if element.is_lanthanoid:
        return False
    if element.is_actinoid:
        return electrons != 0
    if element.is_transition_metal or element.group == 12:
        return electrons not in (0, 10)
    return electrons not in (0, 2)


def _valence_electrons(element) -> int:  # pymatgen.core.Element
    """Electrons outside the closed core: s, d and f for the d and f blocks, s and p for the others."""
    if element.is_lanthanoid or element.is_actinoid:
        return element.Z - (54 if element.is_lanthanoid else 86)
    return element.group if element.group <= 12 else element.group - 10


def _names(ions: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{symbol}{charge:g}+" for symbol, charge in ions)
