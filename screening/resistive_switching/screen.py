"""Could this crystal switch its resistance, and by which mechanism? One file per mechanism; this one asks them.

What is cheap is asked of every crystal: oxidation states, reactions on the hull, bonding, a classifier. Vacancies, hops and
inserted ions take minutes and are asked of few, by `refine`; until then the mechanisms that require them are not judged.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ...core.candidate import Candidate, PropertyValue, Verdict
from ...core.contracts import Tools
from ...core.errors import HysteronError
from ...core.oxidation import oxidation_states
from ..defects.barriers import MigrationConfig
from ..gap import judge_insulator
from ..measurement import findings_of, forget, with_measurement, with_more
from ..stability import Found, hull_distances
from . import halide, ionic, metallization, phase_change, transition, valence_change
from .halide import HalideConfig, cheap_halide, costly_halide, judge_halide
from .ionic import OWN_IONS, IonicConfig, cheap_ionic, costly_ionic, judge_ionic
from .metallization import (
    MetallizationConfig,
    cheap_metallization,
    costly_metallization,
    judge_metallization,
)
from .phase_change import PhaseChangeConfig, judge_phase_change
from .reducibility import lower_phase
from .retention import RetentionConfig, retention_of
from .transition import TransitionConfig, judge_transition, transition_findings
from .vacancy_physics import at_rest, vacancy_physics
from .valence_change import ValenceChangeConfig, judge_valence_change, vacancy_anions, weighed
from .verdict import Judged, joined, judged
from .wall_times import unhurried

if TYPE_CHECKING:
    from pymatgen.core import Structure

NAME = "resistive-switching"
VCM, ECM, PCM = valence_change.MECHANISM, metallization.MECHANISM, phase_change.MECHANISM
MIT, ECRAM, HALIDE = transition.MECHANISM, ionic.MECHANISM, halide.MECHANISM
MECHANISMS = (VCM, ECM, PCM, MIT, ECRAM, HALIDE)
REFINED = "refined"
UNJUDGED_PROMISE = 0.5
"""What the refinement of a mechanism that is not judged yet promises, beside the score of a host that passes already."""

Mechanism = Literal["VCM", "ECM", "PCM", "MIT", "ECRAM", "halide"]


class ResistiveSwitchingConfig(ValenceChangeConfig):
    """Windows of the resistive-switching screen: those of the valence change mechanism, and of each other one a table.

    Attributes:
        mechanisms: That are asked.
        vacancy_hops: How the vacancies of a VCM host are followed.
        retention: How a barrier is read as a retention.
        ecm: Electrochemical metallization.
        pcm: Phase change.
        mit: Metal-insulator transition.
        ecram: Ion-gated memory.
        halide: Halide and layered hosts.
    """

    mechanisms: tuple[Mechanism, ...] = MECHANISMS  # type: ignore[assignment]
    vacancy_hops: MigrationConfig = MigrationConfig()
    retention: RetentionConfig = RetentionConfig()
    ecm: MetallizationConfig = MetallizationConfig()
    pcm: PhaseChangeConfig = PhaseChangeConfig()
    mit: TransitionConfig = TransitionConfig()
    ecram: IonicConfig = IonicConfig()
    halide: HalideConfig = HalideConfig()


class ResistiveSwitching:
    """By which mechanisms a crystal may switch its resistance; implements `RefiningScreen`."""

    name = NAME
    config_model = ResistiveSwitchingConfig

    def __init__(self, config: ResistiveSwitchingConfig | None = None) -> None:
        self.config = config or ResistiveSwitchingConfig()

    def measure(self, candidates: Sequence[Candidate], tools: Tools) -> list[Candidate]:
        """Everything that is cheap; adds `energy_above_hull` (eV/atom) where no screen before has, and
        `transition_probability` where there is a classifier."""
        fresh = [forget(candidate, NAME) for candidate in candidates]
        unknown = [candidate for candidate in fresh if candidate.get("energy_above_hull") is None]
        distances = dict(zip(map(id, unknown), hull_distances(unknown, tools), strict=True))
        classes: list[Any] = [None] * len(fresh)
        if MIT in self.config.mechanisms:
            classes = transition_findings([candidate.structure for candidate in fresh], tools)
        return [
            self._measured(candidate, tools, distances.get(id(candidate), ([], {}, [])), found)
            for candidate, found in zip(fresh, classes, strict=True)
        ]

    def judge(self, candidate: Candidate) -> Verdict:
        """Passes what one mechanism lets pass; says of each what was found, and what was not computed."""
        findings = findings_of(candidate, NAME) or {}
        details: dict[str, Any] = {
            "windows": {
                "migration_barrier": [self.config.migration_barrier.low, self.config.migration_barrier.high]
            },
            REFINED: bool(findings.get(REFINED)),
        }
        details |= {key: findings[key] for key in ("vacancies", "migration") if findings.get(key)}
        if (barrier := candidate.get("migration_barrier")) is not None:
            kept = retention_of(
                max(0.0, float(barrier.value)),  # type: ignore[arg-type]
                barrier.uncertainty,
                self.config.retention,
            )
            details["retention"] = kept.record()
        return joined(NAME, self._judged(candidate, findings), details)

    def promise(self, candidate: Candidate) -> float:
        """The score of a VCM host whose energies are not known; less for a mechanism that only they can judge."""
        findings = findings_of(candidate, NAME)
        if findings is None or findings.get(REFINED):
            return 0.0
        by_name = {one.mechanism: one for one in self._judged(candidate, findings)}
        worth = [
            UNJUDGED_PROMISE
            for name in (ECM, HALIDE, ECRAM)
            if name in by_name and by_name[name].status == "not judged" and _only_costly(by_name[name])
            if name != ECRAM or _own_ion(candidate.structure)
        ]
        host = by_name.get(VCM)
        if host is not None and host.status == "passed" and host.not_computed:
            worth.append(host.verdict.score or 0.0)
        return max(worth, default=0.0)

    def refine(self, candidate: Candidate, tools: Tools, seconds: float | None = None) -> Candidate:
        """Vacancies, hops and inserted ions of the mechanisms that they may decide, in minutes.

        Args:
            candidate: Measured by this screen.
            tools: Potential, relaxers and hull.
            seconds: Wall time after which nothing more is begun; `None`: what the settings allow in steps, at any length.
        """
        began = time.monotonic()
        stop_at = None if seconds is None else began + seconds
        config = self.config if seconds is not None else unhurried(self.config)
        host = at_rest(candidate.structure, tools)
        if isinstance(host, str):
            return with_more(candidate, NAME, self.config, [], {REFINED: True}, [host])
        properties, findings, failures = self._costly(candidate, host, tools, config, stop_at)
        told = findings | {REFINED: True, "seconds": round(time.monotonic() - began, 1)}
        return with_more(candidate, NAME, self.config, properties, told, failures)

    def _measured(
        self, candidate: Candidate, tools: Tools, distance: Found, transition_found: Any
    ) -> Candidate:
        properties, told, failures = list(distance[0]), dict(distance[1]), list(distance[2])
        charges = None
        try:
            charges = oxidation_states(candidate.structure)
        except (HysteronError, ValueError) as error:
            failures.append(str(error))
        if charges is not None:
            charges = list(charges)
            told["charges"] = charges
        named = candidate.with_property(*properties)
        told |= self._cheap(named, charges, tools)
        if transition_found is not None:
            told[MIT] = transition_found
            properties += _transition_property(transition_found)
        return with_measurement(candidate, NAME, self.config, properties, told, failures)

    def _cheap(self, candidate: Candidate, charges: Sequence[float] | None, tools: Tools) -> dict[str, Any]:
        asked, told = self.config.mechanisms, {}
        if VCM in asked and charges is not None and tools.hull is not None:
            anions = vacancy_anions(candidate, charges)
            if anions:
                told["lower_phase"] = lower_phase(
                    candidate.structure.composition, anions[0], _by_element(candidate, charges), tools.hull
                )
        insulating = judge_insulator(candidate, self.config.ecm.gap_windows, charges)
        if ECM in asked and insulating.passed:
            told[ECM] = cheap_metallization(candidate, tools, self.config.ecm)
        if ECRAM in asked:
            told[ECRAM] = cheap_ionic(candidate, tools, self.config.ecram)
        if HALIDE in asked:
            told[HALIDE] = cheap_halide(candidate, tools, self.config.halide)
        return told

    def _costly(
        self,
        candidate: Candidate,
        host: Structure,
        tools: Tools,
        config: ResistiveSwitchingConfig,
        stop_at: float | None,
    ) -> tuple[list[PropertyValue], dict[str, Any], list[str]]:
        """What only relaxations tell, of the mechanisms that nothing cheap has refused."""
        findings = findings_of(candidate, NAME) or {}
        open_ = {one.mechanism for one in self._judged(candidate, findings) if one.status != "failed"}
        properties: list[PropertyValue] = []
        told: dict[str, Any] = {}
        failures: list[str] = []
        if VCM in open_:
            anions = vacancy_anions(candidate, findings.get("charges"))
            found = vacancy_physics(host, anions, tools, config.vacancy_hops, stop_at)
            properties, failures = found.properties, found.failures
            told |= {"vacancies": found.vacancies, "migration": found.migration}
        if HALIDE in open_:
            hops = told.get("migration", {})
            more = costly_halide(candidate, tools, config.halide, hops, host, stop_at)
            told[HALIDE] = {**findings.get(HALIDE, {}), **more}
        if ECM in open_:
            known = findings.get(ECM, {})
            more = costly_metallization(candidate, tools, config.ecm, known, host, stop_at)
            told[ECM] = {**known, **more}
        if ECRAM in open_ and (
            _own_ion(candidate.structure) or _takes_electrons(candidate, findings, config)
        ):
            more = costly_ionic(candidate, tools, config.ecram, host, stop_at)
            told[ECRAM] = {**findings.get(ECRAM, {}), **more}
        return properties, told, failures

    def _judged(self, candidate: Candidate, findings: Mapping[str, Any]) -> list[Judged]:
        """Each mechanism that is asked, in the order of `MECHANISMS`."""
        config = self.config
        asked = {
            VCM: lambda: _host(judge_valence_change(candidate, findings, config, NAME), config),
            ECM: lambda: judged(
                ECM,
                judge_metallization(candidate, findings, config.ecm, NAME),
                config.ecm.required,
                "ion_mobility",
            ),
            PCM: lambda: judged(
                PCM,
                judge_phase_change(candidate, findings, config.pcm, NAME),
                config.pcm.required,
                phase_change.HEADLINE,
                phase_change.WEIGHT,
            ),
            MIT: lambda: judged(
                MIT,
                judge_transition(candidate, findings, config.mit, NAME),
                config.mit.required,
                transition.HEADLINE,
            ),
            ECRAM: lambda: judged(
                ECRAM,
                judge_ionic(candidate, findings, config.ecram, NAME),
                config.ecram.required,
                "ion_mobility",
            ),
            HALIDE: lambda: judged(
                HALIDE,
                judge_halide(candidate, findings, config.halide, NAME),
                config.halide.required,
                "migration_barrier",
            ),
        }
        return [asked[name]() for name in MECHANISMS if name in config.mechanisms]


def _host(criteria: list, config: ValenceChangeConfig) -> Judged:
    """The valence change mechanism; its score counts what is known of vacancies."""
    one = judged(VCM, criteria, config.required, "insulator")
    if not one.verdict.score:
        return one
    score = weighed(one.verdict.score, criteria)
    return dataclasses.replace(one, verdict=dataclasses.replace(one.verdict, score=score))


def _only_costly(one: Judged) -> bool:
    """Whether all that is lacking is what a refinement computes."""
    required = set(one.verdict.details["required"])
    return all(c.status in ("passed", "not computed") for c in one.criteria if c.name in required)


def _own_ion(structure: Structure) -> bool:
    return any(ion in structure.symbol_set for ion in OWN_IONS)


def _takes_electrons(
    candidate: Candidate, findings: Mapping[str, Any], config: ResistiveSwitchingConfig
) -> bool:
    """Whether a cation can be reduced by the electrons that come with an inserted ion."""
    criteria = judge_valence_change(candidate, findings, config, NAME)
    return any(one.name == "reducible_cation" and one.passed for one in criteria)


def _by_element(candidate: Candidate, charges: Sequence[float]) -> dict[str, float]:
    """The mean oxidation state of each element, e."""
    sums: dict[str, list[float]] = {}
    for site, charge in zip(candidate.structure, charges, strict=True):
        sums.setdefault(site.specie.symbol, []).append(charge)
    return {symbol: sum(values) / len(values) for symbol, values in sums.items()}


def _transition_property(found: Any) -> list[PropertyValue]:
    if not isinstance(found, Mapping) or "transition" not in found:
        return []
    return [PropertyValue("transition_probability", float(found["transition"]), "1", str(found["method"]))]
