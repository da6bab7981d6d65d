"""Can a material be bought, handled and brought into a fab?

Concentration of supply, toxicity, contamination of silicon and radioactivity, from the composition alone.
Only radioactivity and the elements that the settings forbid reject; all else is a flag that lowers the
score. Prices are not known to this screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field, field_validator

from ..core.candidate import Candidate, PropertyValue, Verdict
from ..core.contracts import Tools
from ..core.settings import Settings
from .criteria import Criterion, decide
from .measurement import findings_of, forget, with_measurement

NAME = "supply"
HHI_METHOD = "production 2011, weighted by mass"
HHI_SOURCE = "Gaultois et al., Chem. Mater. 25, 2911 (2013), as tabulated by pymatgen"
ROHS = "RoHS, Directive 2011/65/EU, annex II"
IARC = "IARC Monographs 100C (2012), group 1"
CLP = "Regulation (EC) 1272/2008, annex VI, acute toxicity 2"


@dataclass(frozen=True)
class Hazard:
    """Why an element is flagged: severity `restricted`, `high` or `moderate`, and who says so."""

    severity: str
    source: str


TOXIC = {
    "Pb": Hazard("restricted", f"{ROHS}: 0.1% by weight"),
    "Hg": Hazard("restricted", f"{ROHS}: 0.1% by weight"),
    "Cd": Hazard("restricted", f"{ROHS}: 0.01% by weight"),
    "As": Hazard("high", f"{IARC}: arsenic and its inorganic compounds"),
    "Be": Hazard("high", f"{IARC}: beryllium and its compounds"),
    "Tl": Hazard("high", f"{CLP}: thallium compounds"),
    "Ni": Hazard("moderate", f"{IARC}: nickel compounds, as dust"),
    "Cr": Hazard("moderate", f"{IARC}: hexavalent chromium; other states are not meant"),
}
MOBILE_IONS = frozenset(["Li", "Na", "K", "Rb", "Cs"])
FAST_DIFFUSERS = frozenset(["Cu", "Fe", "Ni", "Co", "Au", "Ag", "Pd", "Pt", "Cr", "Mn", "Zn"])
"""Deep levels that diffuse fast in silicon. Source of both lists: ITRS 2011, Front End Processes, surface
metals; Graff, Metal Impurities in Silicon-Device Fabrication (Springer 2000)."""
FACTORS = {
    "restricted": 0.5,
    "high": 0.5,
    "moderate": 0.8,
    "contamination": 0.8,
    "concentrated": 0.8,
    "unknown": 0.9,
}
"""Each kind of flag multiplies the score by its factor, once. Ours, 2026."""


class SupplyConfig(Settings):
    """What the supply screen rejects and flags.

    Attributes:
        forbid: Elements that reject a candidate.
        allow_radioactive: Whether an element without a stable isotope is only a flag.
        hhi_flag: A production index above is flagged; 2500 is the US Department of Justice's `highly concentrated`
            (Horizontal Merger Guidelines 2010).
    """

    forbid: tuple[str, ...] = ()
    allow_radioactive: bool = False
    hhi_flag: float = Field(default=2500, gt=0)

    @field_validator("forbid")
    @classmethod
    def _elements(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        from pymatgen.core import Element

        wrong = [symbol for symbol in symbols if not Element.is_valid_symbol(symbol)]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: not the symbol of an element")
        return symbols


class Supply:
    """Supply, toxicity, contamination, radioactivity; implements `Screen`."""

    name = NAME
    config_model = SupplyConfig

    def __init__(self, config: SupplyConfig | None = None) -> None:
        self.config = config or SupplyConfig()

    def measure(self, candidates: Sequence[Candidate], tools: Tools) -> list[Candidate]:
        """Adds `supply_hhi` of production; that of reserves goes to the verdict's details."""
        return [self._measured(candidate) for candidate in candidates]

    def judge(self, candidate: Candidate) -> Verdict:
        """Passes unless an element is radioactive or forbidden; the flags are in `details.flags`."""
        findings = findings_of(candidate, NAME) or {}
        fractions = _mass_fractions(candidate)
        flags = [*_toxic(fractions), *_contaminating(fractions), *self._concentration(candidate)]
        radioactive = _judge_radioactive(fractions, self.config.allow_radioactive)
        if radioactive.flagged:
            flags.append({"kind": "restricted", "flag": radioactive.sentence})
        score = 1.0
        for kind in {flag["kind"] for flag in flags}:
            score *= FACTORS[kind]
        criteria = [
            radioactive,
            _judge_forbidden(fractions, self.config.forbid),
            Criterion("flags", "passed", _summary(flags), score=score),
        ]
        details = {"flags": flags} | {k: findings[k] for k in ("hhi_reserve",) if k in findings}
        return decide(NAME, criteria, [c.name for c in criteria], "flags", details)

    def _measured(self, candidate: Candidate) -> Candidate:
        fresh = forget(candidate, NAME)
        symbols = sorted({element.symbol for element in fresh.structure.composition.elements})
        table = _hhi_table()
        unknown = [symbol for symbol in symbols if symbol not in table]
        if unknown:
            reason = f"supply_hhi needs the production of {', '.join(unknown)}, which the table lacks."
            return with_measurement(fresh, NAME, self.config, [], {}, [reason])
        fractions = _mass_fractions(fresh)
        production, reserve = (sum(table[s][i] * x for s, x in fractions.items()) for i in (0, 1))
        found = PropertyValue("supply_hhi", float(production), "1", HHI_METHOD, source=HHI_SOURCE)
        return with_measurement(fresh, NAME, self.config, [found], {"hhi_reserve": float(reserve)})

    def _concentration(self, candidate: Candidate) -> list[dict[str, Any]]:
        found = candidate.get("supply_hhi")
        if found is None:
            return [{"kind": "unknown", "flag": "concentration of supply unknown"}]
        value = float(found.value)  # type: ignore[arg-type]
        if value <= self.config.hhi_flag:
            return []
        sentence = (
            f"supply is concentrated: HHI {value:.0f} ({found.method}) is above {self.config.hhi_flag:g}"
        )
        return [{"kind": "concentrated", "flag": sentence, "value": value, "threshold": self.config.hhi_flag}]


def _mass_fractions(candidate: Candidate) -> dict[str, float]:
    composition = candidate.structure.composition.element_composition
    return {str(element): float(composition.get_wt_fraction(element)) for element in sorted(composition)}


def _hhi_table() -> dict[str, tuple[float, float]]:
    """By element: Herfindahl-Hirschman index of production and of reserves, 0 to 10,000."""
    from pymatgen.analysis.hhi import HHIModel

    return HHIModel().symbol_hhip_hhir


def _toxic(fractions: dict[str, float]) -> list[dict[str, Any]]:
    return [
        {
            "kind": TOXIC[symbol].severity,
            "flag": f"{symbol} is toxic ({TOXIC[symbol].severity}): {100 * share:.1f}% by weight",
            "element": symbol,
            "source": TOXIC[symbol].source,
        }
        for symbol, share in fractions.items()
        if symbol in TOXIC
    ]


def _contaminating(fractions: dict[str, float]) -> list[dict[str, Any]]:
    why = dict.fromkeys(MOBILE_IONS, "a mobile ion in gate oxides") | dict.fromkeys(
        FAST_DIFFUSERS, "a fast diffuser with deep levels in silicon"
    )
    return [
        {"kind": "contamination", "flag": f"{symbol} contaminates CMOS: {why[symbol]}", "element": symbol}
        for symbol in fractions
        if symbol in why
    ]


def _judge_radioactive(fractions: dict[str, float], allowed: bool) -> Criterion:
    from pymatgen.core import Element

    found = [symbol for symbol in fractions if Element(symbol).is_radioactive]
    if not found:
        return Criterion("radioactive", "passed", "no radioactive element")
    sentence = f"{', '.join(found)} without a stable isotope"
    return Criterion("radioactive", "passed" if allowed else "failed", sentence, flagged=allowed)


def _judge_forbidden(fractions: dict[str, float], forbidden: Sequence[str]) -> Criterion:
    found = [symbol for symbol in fractions if symbol in forbidden]
    if found:
        return Criterion("forbidden", "failed", f"{', '.join(found)} forbidden by the settings")
    return Criterion("forbidden", "passed", "no forbidden element" if forbidden else "")


def _summary(flags: Sequence[dict[str, Any]]) -> str:
    return "; ".join(flag["flag"] for flag in flags) or "no flags"
