"""Can a material be bought, handled and brought into a fab?

Concentration of supply, abundance, toxicity, radioactivity, contamination of silicon and the thermal budget of the back end
of line, from the composition alone. What speaks against a material is a flag that lowers the score; a kind of flag
rejects only if the settings say so, as do the elements that they forbid. Prices are not known to this screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from pydantic import Field, field_validator

from ...core.candidate import Candidate, PropertyValue, Verdict
from ...core.contracts import Tools
from ...core.settings import Settings
from ..criteria import Criterion, decide
from ..measurement import findings_of, forget, with_measurement
from .elements import element_facts
from .thermal_budget import judge_thermal_budget

NAME = "supply"
HHI_METHOD = "production 2011, weighted by mass"
HHI_SOURCE = "Gaultois et al., Chem. Mater. 25, 2911 (2013), as tabulated by pymatgen"
Kind = Literal[
    "restricted",
    "toxic",
    "harmful",
    "radioactive",
    "contamination",
    "concentrated",
    "scarce",
    "heat_sensitive",
    "high_process_temperature",
    "process_unknown",
    "supply_unknown",
]
FACTORS: dict[Kind, float] = {
    "restricted": 0.5,
    "toxic": 0.5,
    "harmful": 0.8,
    "radioactive": 0.1,
    "contamination": 0.8,
    "concentrated": 0.8,
    "scarce": 0.8,
    "heat_sensitive": 0.5,
    "high_process_temperature": 0.8,
    "process_unknown": 0.95,
    "supply_unknown": 0.9,
}
"""Each kind of flag multiplies the score by its factor, once. Ours, 2026: 0.1 for what no fab would take in, 0.5 for what
needs a permit or another process, 0.8 for what costs effort, near 1 for what is merely not known."""
WHY_CONTAMINATES = {
    "mobile ion": "a mobile ion in gate oxides",
    "fast diffuser": "a fast diffuser with deep levels in silicon",
}
Flag = dict[str, Any]


class SupplyConfig(Settings):
    """What the supply screen flags, and what of it rejects.

    Attributes:
        forbid: Elements that reject a candidate.
        reject: Kinds of flag that reject a candidate: `["restricted", "radioactive"]`; none by default.
        hhi_flag: A production index above is flagged; 2500 is the US Department of Justice's `highly concentrated`
            (Horizontal Merger Guidelines 2010).
        scarce_ppm: Abundance in the Earth's crust, ppm by mass; a scarcest element below is flagged. 0.1 leaves out Sb and
            Cd, and takes in Hg, Ag, Se, Bi, Te and the precious metals. Ours, 2026.
        back_end_celsius: C; what the wiring of a chip bears while a layer is made above it. 400 is customary
            (WS2 films, PubMed 40489994, calls it the limit of back-end-of-line integration).
    """

    forbid: tuple[str, ...] = ()
    reject: tuple[Kind, ...] = ()
    hhi_flag: float = Field(default=2500, gt=0)
    scarce_ppm: float = Field(default=0.1, gt=0)
    back_end_celsius: float = Field(default=400, gt=0)

    @field_validator("forbid")
    @classmethod
    def _elements(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        from pymatgen.core import Element

        wrong = [symbol for symbol in symbols if not Element.is_valid_symbol(symbol)]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: not the symbol of an element")
        return symbols


class Supply:
    """Supply, toxicity, contamination, radioactivity and heat; implements `Screen`."""

    name = NAME
    config_model = SupplyConfig

    def __init__(self, config: SupplyConfig | None = None) -> None:
        self.config = config or SupplyConfig()

    def measure(self, candidates: Sequence[Candidate], tools: Tools) -> list[Candidate]:
        """Adds `supply_hhi` of production; that of reserves goes to the verdict's details."""
        return [self._measured(candidate) for candidate in candidates]

    def judge(self, candidate: Candidate) -> Verdict:
        """Passes unless an element or a kind of flag is one that the settings reject; the flags are in `details.flags`."""
        findings = findings_of(candidate, NAME) or {}
        fractions = _mass_fractions(candidate)
        budget = judge_thermal_budget(candidate.structure.composition, self.config.back_end_celsius)
        flags = [
            *_by_element(fractions),
            *_concentrated(candidate, self.config.hhi_flag),
            *_scarce(fractions, self.config.scarce_ppm),
        ]
        if budget.outcome != "fits":
            row = budget.deciding
            told = {"value": row.celsius, "source": row.source, "verified": row.verified} if row else {}
            flags.append({"kind": budget.outcome, "flag": budget.sentence, **told})
        score = 1.0
        for kind in {flag["kind"] for flag in flags}:
            score *= FACTORS[kind]
        criteria = [
            _judge_forbidden(fractions, self.config.forbid),
            *(_judge_kind(kind, flags) for kind in self.config.reject),
            Criterion("flags", "passed", _summary(flags), score=score),
        ]
        details = {"flags": flags, "process": budget.record()}
        details |= {k: findings[k] for k in ("hhi_reserve",) if k in findings}
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


def _mass_fractions(candidate: Candidate) -> dict[str, float]:
    composition = candidate.structure.composition.element_composition
    return {str(element): float(composition.get_wt_fraction(element)) for element in sorted(composition)}


@lru_cache(maxsize=1)
def _hhi_table() -> dict[str, tuple[float, float]]:
    """By element: Herfindahl-Hirschman index of production and of reserves, 0 to 10,000."""
    from pymatgen.analysis.hhi import HHIModel

    return HHIModel().symbol_hhip_hhir


def _by_element(fractions: dict[str, float]) -> list[Flag]:
    """Toxicity, radioactivity and contamination."""
    flags: list[Flag] = []
    for symbol, share in fractions.items():
        facts = element_facts().get(symbol)
        if facts is None or not facts.stable:
            flags.append(_flag("radioactive", f"{symbol} is without a stable isotope", symbol))
        if facts and facts.toxicity:
            sentence = f"{symbol} is {facts.toxicity}: {100 * share:.1f}% by weight"
            flags.append(_flag(facts.toxicity, sentence, symbol, facts.toxicity_source))
        if facts and facts.contamination:
            sentence = f"{symbol} contaminates CMOS: {WHY_CONTAMINATES[facts.contamination]}"
            flags.append(_flag("contamination", sentence, symbol, facts.contamination_source))
    return flags


def _flag(kind: str, sentence: str, element: str, source: str = "") -> Flag:
    flag = {"kind": kind, "flag": sentence, "element": element}
    return flag | ({"source": source} if source else {})


def _concentrated(candidate: Candidate, highest: float) -> list[Flag]:
    found = candidate.get("supply_hhi")
    if found is None:
        return [{"kind": "supply_unknown", "flag": "concentration of supply unknown"}]
    value = float(found.value)  # type: ignore[arg-type]
    if value <= highest:
        return []
    sentence = f"supply is concentrated: HHI {value:.0f} ({found.method}) is above {highest:g}"
    return [{"kind": "concentrated", "flag": sentence, "value": value, "threshold": highest}]


def _scarce(fractions: dict[str, float], lowest: float) -> list[Flag]:
    """By the scarcest element; one of unknown abundance may be scarcer still."""
    found = {symbol: facts.abundance for symbol, facts in element_facts().items() if symbol in fractions}
    unknown = [symbol for symbol in fractions if found.get(symbol) is None]
    flags: list[Flag] = []
    if unknown:
        flags.append(
            {"kind": "supply_unknown", "flag": f"abundance of {', '.join(unknown)} in the crust unknown"}
        )
    known = {symbol: value for symbol, value in found.items() if value is not None}
    symbol = min(known, key=lambda one: known[one], default=None)
    if symbol is not None and known[symbol] < lowest:
        sentence = f"{symbol} is scarce: {known[symbol]:g} ppm of the crust is below {lowest:g} ppm"
        flags.append(
            _flag("scarce", sentence, symbol) | {"value": known[symbol], "threshold": lowest, "units": "ppm"}
        )
    return flags


def _judge_forbidden(fractions: dict[str, float], forbidden: Sequence[str]) -> Criterion:
    found = [symbol for symbol in fractions if symbol in forbidden]
    if found:
        return Criterion("forbidden", "failed", f"{', '.join(found)} forbidden by the settings")
    return Criterion("forbidden", "passed", "no forbidden element" if forbidden else "")


def _judge_kind(kind: Kind, flags: Sequence[Flag]) -> Criterion:
    found = [flag["flag"] for flag in flags if flag["kind"] == kind]
    if found:
        return Criterion(kind, "failed", f"rejected by the settings as {kind}: {'; '.join(found)}")
    return Criterion(kind, "passed", "")


def _summary(flags: Sequence[Flag]) -> str:
    return "; ".join(flag["flag"] for flag in flags) or "no flags"
