"""Could a crystal switch by the valence change mechanism (VCM)?

A filament of anion vacancies forms and dissolves in an insulator whose cations take up the electrons the
anions leave behind (Waser et al., Adv. Mater. 21, 2632 (2009), doi:10.1002/adma.200900375). The host must be an
insulator with a reducible cation, an anion that leaves, and be stable. How well it switches is told by the energy of
a vacancy, the barrier of its hops and the phase that the filament may turn into; where they have not been computed
the verdict says so, and its score is lowered. Charged vacancies are out of reach of a potential: all are neutral.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from ...core.candidate import Candidate
from ...core.settings import Settings
from ..criteria import Criterion
from ..gap import NONMETALS, GapWindow, judge_insulator
from ..stability import judge_energy_above_hull
from ..window import Window, judge_property
from .reducibility import OXIDATION_STATE_TABLE, judge_carriers, judge_lower_phase, reducible_share
from .retention import memory_score

MECHANISM = "VCM"
VACANCY_ANIONS = ("O", "F", "S", "Se", "N", "Cl", "Br", "I")
WELL_REDUCIBLE_SHARE = 0.1
"""A share of lower states from which on the criterion scores 1. Ti4+ has 0.08, Ce4+ 0.64, Al3+ 0.0002."""
UNCOMPUTED_FACTOR = 0.7
"""The score is multiplied by this for each energy that was not computed. Ours, 2026."""
OUTSIDE_FACTOR = 0.4
"""And by this for each that lies outside its window. Ours, 2026."""
LEAST_SCORE_OF_A_PASS = 0.5
"""Of a barrier in its window that is no good compromise between keeping and writing; the best one scores 1. Ours, 2026."""
ENERGIES = ("vacancy_formation_energy", "migration_barrier")

CriterionName = Literal[
    "insulator",
    "reducible_cation",
    "anion_host",
    "energy_above_hull",
    "vacancy_formation_energy",
    "migration_barrier",
    "lower_phase",
]


class ValenceChangeConfig(Settings):
    """Windows of the valence change mechanism.

    Attributes:
        gap_windows: By method; a gap of another method is not judged. PBE gaps are small: SrTiO3 1.8, WO3 1.15 eV.
        reducible_share_min: Least share of lower positive oxidation states among the ICSD entries of a cation in
            this or a lower state. 0.02 keeps Hf, Zr, Ta, Ni and leaves out La, Y, Al, Zn, Mg.
        energy_above_hull_max: eV/atom; the host must lie below.
        vacancy_formation_energy: eV, neutral, anion-rich: cheap vacancies leak, dear ones do not form.
        migration_barrier: eV; below, the state is lost at once, above, no field moves the vacancy.
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
    vacancy_formation_energy: Window = Window(low=2.5, high=6.5)
    migration_barrier: Window = Window(low=0.3, high=1.2)
    required: tuple[CriterionName, ...] = ("insulator", "reducible_cation", "anion_host", "energy_above_hull")


def judge_valence_change(
    candidate: Candidate, findings: Mapping[str, Any], config: ValenceChangeConfig, screen: str
) -> list[Criterion]:
    """Every criterion of the mechanism, those without a value included.

    Args:
        candidate: With its gap, energy above hull, vacancy energy and barrier, where known.
        findings: What the screen has measured: `charges` (e, one per site) and `lower_phase`.
        config: The windows.
        screen: Whose failures say why a value is missing.
    """
    charges = findings.get("charges")
    barrier = candidate.get("migration_barrier")
    hop = judge_property(barrier, "migration_barrier", config.migration_barrier, "eV")
    if barrier is not None and hop.passed:
        memory = memory_score(float(barrier.value), barrier.uncertainty)  # type: ignore[arg-type]
        hop = dataclasses.replace(hop, score=LEAST_SCORE_OF_A_PASS + (1 - LEAST_SCORE_OF_A_PASS) * memory)
    return [
        judge_insulator(candidate, config.gap_windows, charges),
        _judge_cation(candidate, charges, config.reducible_share_min),
        _judge_anion(candidate, charges),
        judge_energy_above_hull(candidate, config.energy_above_hull_max, screen),
        judge_property(
            candidate.get("vacancy_formation_energy"),
            "vacancy_formation_energy",
            config.vacancy_formation_energy,
            "eV",
        ),
        hop,
        judge_lower_phase(findings.get("lower_phase")),
        judge_carriers(candidate.structure, charges),
    ]


def vacancy_anions(candidate: Candidate, charges: Sequence[float] | None) -> list[str]:
    """Anions that may leave vacancies, the most abundant first."""
    if charges is None:
        return []
    anions = {s.specie.symbol for s, q in zip(candidate.structure, charges, strict=True) if q < 0}
    amounts = candidate.structure.composition.get_el_amt_dict()
    return sorted(
        anions & set(VACANCY_ANIONS), key=lambda symbol: (-amounts[symbol], VACANCY_ANIONS.index(symbol))
    )


def weighed(score: float, criteria: Sequence[Criterion]) -> float:
    """The score of a host after what is known, and not known, of its vacancies."""
    for criterion in criteria:
        if criterion.name in ENERGIES:
            if criterion.status == "not computed":
                score *= UNCOMPUTED_FACTOR
            elif not criterion.passed:
                score *= OUTSIDE_FACTOR
            elif criterion.score is not None:
                score *= UNCOMPUTED_FACTOR + (1 - UNCOMPUTED_FACTOR) * criterion.score
    return score


def uncomputed(criteria: Sequence[Criterion]) -> list[str]:
    """Names of the criteria that were not computed."""
    return [criterion.name for criterion in criteria if criterion.status == "not computed"]


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


def _judge_anion(candidate: Candidate, charges: Sequence[float] | None) -> Criterion:
    if charges is None:
        return Criterion(
            "anion_host", "missing", "no charge-balanced oxidation states, so its anions are not known"
        )
    hosts = vacancy_anions(candidate, charges)
    if not hosts:
        anions = sorted({s.specie.symbol for s, q in zip(candidate.structure, charges, strict=True) if q < 0})
        known = ", ".join(sorted(VACANCY_ANIONS))
        return Criterion(
            "anion_host", "failed", f"its anions ({', '.join(anions) or 'none'}) are none of {known}"
        )
    return Criterion("anion_host", "passed", f"vacancies may form on {', '.join(sorted(hosts))}")
