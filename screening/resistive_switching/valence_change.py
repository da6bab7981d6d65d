"""Could a crystal host the valence change mechanism (VCM)?

A filament of anion vacancies forms and dissolves in an insulator whose cations take up the electrons the
anions leave behind (Waser et al., Adv. Mater. 21, 2632 (2009)). Judged here is the host: insulator, reducible cation,
vacancy-forming anion, stable. Vacancy and migration energies decide how well it switches; where they have
not been computed the verdict says so, and its score is lowered.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

from pydantic import Field, model_validator

from ...core.candidate import Candidate
from ...core.settings import Settings
from ..criteria import Criterion
from ..gap import NONMETALS, GapWindow, judge_insulator
from ..stability import judge_energy_above_hull

MECHANISM = "VCM"
VACANCY_ANIONS = frozenset(["O", "F", "S", "Se", "N", "Cl", "Br", "I"])
OXIDATION_STATE_TABLE = "SMACT 4.0.2, oxidation states reported in the ICSD (2024)"
WELL_REDUCIBLE_SHARE = 0.1
"""A share of lower states from which on the criterion scores 1. Ti4+ has 0.08, Ce4+ 0.64, Al3+ 0.0002."""
UNCOMPUTED_FACTOR = 0.7
"""The score is multiplied by this for each energy that was not computed. Ours, 2026."""

CriterionName = Literal[
    "insulator",
    "reducible_cation",
    "anion_host",
    "energy_above_hull",
    "vacancy_formation_energy",
    "migration_barrier",
]


class EnergyWindow(Settings):
    """Energies from `low` to `high` pass, eV."""

    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> EnergyWindow:
        if self.high <= self.low:
            raise ValueError(f"high ({self.high}) must lie above low ({self.low})")
        return self


class ValenceChangeConfig(Settings):
    """Windows of the valence change mechanism.

    Attributes:
        gap_windows: By method; a gap of another method is not judged. PBE gaps are small: SrTiO3 1.8, WO3 1.15 eV.
        reducible_share_min: Least share of lower positive oxidation states among the ICSD entries of a cation in
            this or a lower state. 0.02 keeps Hf, Zr, Ta, Ni and leaves out La, Y, Al, Zn, Mg.
        energy_above_hull_max: eV/atom; the host must lie below.
        vacancy_formation_energy: eV, anion-rich; judged where it is known.
        migration_barrier: eV; judged where it is known.
        required: Criteria without which nothing passes.
    """

    gap_windows: dict[str, GapWindow] = {
        "pbe": GapWindow(low=0.5, high=5.0),
        "gnn": GapWindow(low=0.5, high=5.0),
        "hse06": GapWindow(low=2.0, high=6.0),
        "experiment": GapWindow(low=2.0, high=6.0),
        "measured": GapWindow(low=2.0, high=6.0),
    }
    reducible_share_min: float = Field(default=0.02, ge=0, le=1)
    energy_above_hull_max: float = Field(default=0.1, gt=0)
    vacancy_formation_energy: EnergyWindow = EnergyWindow(low=2.5, high=6.5)
    migration_barrier: EnergyWindow = EnergyWindow(low=0.3, high=1.2)
    required: tuple[CriterionName, ...] = ("insulator", "reducible_cation", "anion_host", "energy_above_hull")


def judge_valence_change(
    candidate: Candidate, charges: Sequence[float] | None, config: ValenceChangeConfig, screen: str
) -> list[Criterion]:
    """Every criterion of the mechanism, those without a value included.

    Args:
        candidate: With its gap and energy above hull, where known.
        charges: Oxidation states, e, one per site, or `None`.
        config: The windows.
        screen: Whose failures say why a value is missing.
    """
    return [
        judge_insulator(candidate, config.gap_windows, charges),
        _judge_cation(candidate, charges, config.reducible_share_min),
        _judge_anion(candidate, charges),
        judge_energy_above_hull(candidate, config.energy_above_hull_max, screen),
        _judge_energy(candidate, "vacancy_formation_energy", config.vacancy_formation_energy),
        _judge_energy(candidate, "migration_barrier", config.migration_barrier),
    ]


def _judge_cation(candidate: Candidate, charges: Sequence[float] | None, least: float) -> Criterion:
    name = "reducible_cation"
    if charges is None:
        return Criterion(
            name,
            "missing",
            "no charge-balanced oxidation states, so no reducible cation is known",
            None,
            least,
        )
    shares = {
        (site.specie.symbol, charge): reducible_share(site.specie.symbol, charge)
        for site, charge in zip(candidate.structure, charges, strict=True)
        if charge > 0 and site.specie.symbol not in NONMETALS
    }
    if not shares:
        return Criterion(name, "failed", "it has no metal cation", None, least, method=OXIDATION_STATE_TABLE)
    (symbol, charge), share = max(shares.items(), key=lambda item: (item[1], item[0]))
    enough = share >= least
    return Criterion(
        name=name,
        status="passed" if enough else "failed",
        sentence=f"{'reducible cation' if enough else 'no reducible cation; the best is'} {symbol}{charge:g}+: lower states "
        f"are {share:.3f} of its ICSD entries, {'at least' if enough else 'below'} {least:g} ({OXIDATION_STATE_TABLE})",
        value=share,
        threshold=least,
        method=OXIDATION_STATE_TABLE,
        score=min(1.0, share / WELL_REDUCIBLE_SHARE),
    )


def reducible_share(symbol: str, charge: float) -> float:
    """How often a cation is met in a lower positive state: lower over lower and present, in ICSD entries.

    Args:
        symbol: Element.
        charge: Present oxidation state, e, positive; an average counts as the state above it.

    Returns:
        0 to 1; 0 if no lower state is reported.
    """
    counts = _reported_states().get(symbol, {})
    lower = sum(count for state, count in counts.items() if 0 < state < charge)
    present = sum(count for state, count in counts.items() if charge <= state < charge + 1)
    return lower / (lower + present) if lower else 0.0


@lru_cache(maxsize=1)
def _reported_states() -> dict[str, dict[int, int]]:
    """By element and oxidation state: number of ICSD entries. Source: `OXIDATION_STATE_TABLE`."""
    table = resources.files("smact").joinpath("data", "oxidation_states_icsd24_counts.json")
    states: dict[str, dict[int, int]] = {}
    for row in json.loads(table.read_text(encoding="utf-8")):
        if row["results_count"]:
            states.setdefault(row["element"], {})[int(row["oxidation_state"])] = int(row["results_count"])
    return states


def _judge_anion(candidate: Candidate, charges: Sequence[float] | None) -> Criterion:
    if charges is None:
        return Criterion(
            "anion_host", "missing", "no charge-balanced oxidation states, so its anions are not known"
        )
    anions = sorted({s.specie.symbol for s, q in zip(candidate.structure, charges, strict=True) if q < 0})
    hosts = [symbol for symbol in anions if symbol in VACANCY_ANIONS]
    if not hosts:
        known = ", ".join(sorted(VACANCY_ANIONS))
        return Criterion(
            "anion_host", "failed", f"its anions ({', '.join(anions) or 'none'}) are none of {known}"
        )
    return Criterion("anion_host", "passed", f"vacancies may form on {', '.join(hosts)}")


def _judge_energy(candidate: Candidate, name: str, window: EnergyWindow) -> Criterion:
    found = candidate.get(name)
    if found is None:
        return Criterion(name, "not computed", f"{name} not computed", None, window.low, "eV")
    value = float(found.value)  # type: ignore[arg-type]
    inside = window.low <= value <= window.high
    return Criterion(
        name=name,
        status="passed" if inside else "failed",
        sentence=f"{name} {value:.2f} eV ({found.method}) lies {'in' if inside else 'outside'} the window of "
        f"{window.low:g} to {window.high:g} eV",
        value=value,
        threshold=window.high if value > window.high else window.low,
        units="eV",
        method=found.method,
        score=1.0 if inside else 0.0,
    )


def uncomputed(criteria: Sequence[Criterion]) -> list[str]:
    """Names of the criteria that this version did not compute."""
    return [criterion.name for criterion in criteria if criterion.status == "not computed"]


def mechanism_details(criteria: Sequence[Criterion]) -> dict[str, Any]:
    """What the verdict keeps beside the criteria."""
    return {"mechanism": MECHANISM, "not_computed": uncomputed(criteria)}
