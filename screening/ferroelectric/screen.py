"""Could this crystal switch its polarization? Measures what `verdict` judges.

In the order of cost: polar symmetry; charges, nonpolar parents, mechanism and polarization, some tenths of a
second; and only for what is still in question the path (`switching`): ends relaxed, an energy profile between them.

Energy differences are the potential's own, or of the calibrated combination that the tools carry. Universal
potentials tend to be too soft (Deng et al., npj Comput. Mater. 11, 9 (2025), doi:10.1038/s41524-024-01500-6).
"""

from __future__ import annotations

from collections.abc import Sequence

from ...core.candidate import Candidate, Verdict
from ...core.contracts import Tools
from ...core.errors import HysteronError
from ...core.oxidation import oxidation_states
from ...core.workers import map_unordered
from ..measurement import forget, with_measurement
from . import estimates, mechanism
from .case import Case
from .charges import EffectiveChargeModel, halved, load_model
from .parents import find_parents
from .reversal import find_reversed
from .switching import follow_paths
from .symmetry import find_symmetry
from .verdict import NAME, FerroelectricConfig, judge

SHARED_FROM = 8
"""From so many candidates on it is worth to ask other processes, which must load what this one has."""


class Ferroelectric:
    """Parent, polarization, path, barrier, verdict; implements `Screen`."""

    name = NAME
    config_model = FerroelectricConfig

    def __init__(
        self, config: FerroelectricConfig | None = None, charge_model: EffectiveChargeModel | None = None
    ) -> None:
        """With settings, and with other effective charges than the shipped ones."""
        self.config = config or FerroelectricConfig()
        self.charge_model = charge_model

    def measure(self, candidates: Sequence[Candidate], tools: Tools) -> list[Candidate]:
        """Adds to polar candidates, as far as each can be found: `parent_spacegroup_number`, `distortion_max` (A),
        `polarization` and `polarization_vector` (uC/cm^2), `polar_nonpolar_energy_difference` (meV/atom),
        `switching_barrier` (eV/f.u.), `switching_barrier_per_atom` (meV/atom), and the proxies `coercive_field`
        (MV/cm) and `transition_temperature` (K).

        The geometry of a candidate stays as it is: what is relaxed for the path are copies. Candidates that are not
        polar cost one symmetry search.
        """
        fresh = [forget(candidate, NAME) for candidate in candidates]
        cases = self._looked_at(fresh, tools.workers)
        follow_paths([case for case in cases if case], tools, self.config)
        for case in cases:
            if case:
                _estimate(case, self.config.symprec_loose)
        return [
            candidate
            if case is None
            else with_measurement(
                candidate, NAME, self.config, case.properties(), case.findings(), case.failures
            )
            for candidate, case in zip(fresh, cases, strict=True)
        ]

    def _looked_at(self, candidates: Sequence[Candidate], workers: int) -> list[Case | None]:
        """What `look` finds of each; searches for parents take milliseconds to seconds, so many are shared among processes."""
        tasks = ((candidate, self.config, self.charge_model) for candidate in candidates)
        enough = len(candidates) >= SHARED_FROM
        found = dict(map_unordered(look, tasks, workers if enough else 1))
        return [found[i] for i in range(len(candidates))]

    def judge(self, candidate: Candidate) -> Verdict:
        """Polar, insulating, switchable, and with polarization enough, or why not."""
        return judge(candidate, self.config)


def look(
    candidate: Candidate, config: FerroelectricConfig, charge_model: EffectiveChargeModel | None = None
) -> Case | None:
    """All that needs no potential; `None` for a candidate that is not polar."""
    case = Case(candidate)
    try:
        if not find_symmetry(candidate.structure, config.symprec_tight).polar:
            return None
        case.charges = oxidation_states(candidate.structure)
        _find_parents(case, config)
        case.mechanism = mechanism.assess(
            case.structure, case.charges, case.displacements, _computed_gap(candidate)
        )
        _polarize(case, charge_model or load_model())
    except (HysteronError, ValueError) as error:
        case.failures.append(str(error))
    return case


def _computed_gap(candidate: Candidate) -> float | None:
    """Gap that was computed or measured, eV; a predicted one makes no metal (the insulator criterion looks at it)."""
    gap = next((found for found in candidate.all_of("band_gap") if found.interval is None), None)
    return None if gap is None else float(gap.value)  # type: ignore[arg-type]


def _find_parents(case: Case, config: FerroelectricConfig) -> None:
    case.parents = find_parents(case.structure, config.symprec_tight, config.max_parents)
    if case.parents:
        return
    states = find_reversed(case.structure, config.symprec_tight, limit=1)
    if states:
        case.reversed = states[0]
    else:
        case.failures.append("Neither a nonpolar parent nor a reversed polar state was found.")


def _polarize(case: Case, model: EffectiveChargeModel) -> None:
    """The polarization, where this method can tell it."""
    if case.charges is None:
        case.failures.append("No charge-balanced oxidation states, so no polarization.")
    elif case.mechanism is None or not case.mechanism.assessable:
        return
    elif case.parents:
        case.polarization = model.polarization(case.structure, case.parents[0].displacements, case.charges)
    elif case.reversed:
        change = model.polarization(case.structure, case.reversed.displacements, case.charges)
        case.polarization = halved(change, case.reversed.directions)


def _estimate(case: Case, symprec: float) -> None:
    if case.mechanism is None:
        return
    try:
        case.estimates = estimates.estimates(
            case.structure,
            case.mechanism,
            case.charges,
            case.displacements,
            None if case.polarization is None else case.polarization.vector,
            None if case.profile is None else case.profile.barrier_per_formula_unit,
            find_symmetry(case.structure, symprec).spacegroup_number,
        )
    except HysteronError as error:
        case.failures.append(str(error))
