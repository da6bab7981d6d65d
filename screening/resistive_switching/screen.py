"""Could this crystal switch its resistance? One file per mechanism; this one asks them.

So far the valence change mechanism alone is judged; a verdict says that of the others nothing is known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ...core.candidate import Candidate, Verdict
from ...core.contracts import Tools
from ...core.errors import HysteronError
from ...core.oxidation import oxidation_states
from ..criteria import decide
from ..measurement import findings_of, forget, with_measurement
from ..stability import Found, hull_distances
from .valence_change import (
    UNCOMPUTED_FACTOR,
    ValenceChangeConfig,
    judge_valence_change,
    mechanism_details,
    uncomputed,
)

NAME = "resistive-switching"
NOT_JUDGED = ("ECM", "PCM", "MIT", "ECRAM", "halide")


class ResistiveSwitchingConfig(ValenceChangeConfig):
    """Windows of the resistive-switching screen: those of the one mechanism it judges so far."""


class ResistiveSwitching:
    """Whether a crystal can host the valence change mechanism; implements `Screen`."""

    name = NAME
    config_model = ResistiveSwitchingConfig

    def __init__(self, config: ResistiveSwitchingConfig | None = None) -> None:
        self.config = config or ResistiveSwitchingConfig()

    def measure(self, candidates: Sequence[Candidate], tools: Tools) -> list[Candidate]:
        """Assigns oxidation states, and adds `energy_above_hull` (eV/atom) where no screen before has."""
        fresh = [forget(candidate, NAME) for candidate in candidates]
        unknown = [candidate for candidate in fresh if candidate.get("energy_above_hull") is None]
        distances = dict(zip(map(id, unknown), hull_distances(unknown, tools), strict=True))
        return [self._measured(candidate, distances.get(id(candidate), ([], {}, []))) for candidate in fresh]

    def judge(self, candidate: Candidate) -> Verdict:
        """Passes a host that meets every required criterion; says which energies were not computed."""
        findings = findings_of(candidate, NAME) or {}
        criteria = judge_valence_change(candidate, findings.get("charges"), self.config, NAME)
        details = mechanism_details(criteria) | {"mechanisms_not_judged": list(NOT_JUDGED)}
        verdict = decide(NAME, criteria, self.config.required, "insulator", details)
        if not verdict.score:
            return verdict
        return dataclasses.replace(
            verdict, score=verdict.score * UNCOMPUTED_FACTOR ** len(uncomputed(criteria))
        )

    def _measured(self, candidate: Candidate, distance: Found) -> Candidate:
        properties, findings, failures = distance
        failures = list(failures)
        try:
            charges = oxidation_states(candidate.structure)
        except (HysteronError, ValueError) as error:
            charges = None
            failures.append(str(error))
        told = dict(findings) | ({"charges": list(charges)} if charges is not None else {})
        return with_measurement(candidate, NAME, self.config, properties, told, failures)
