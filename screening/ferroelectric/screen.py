"""Could this crystal switch its polarization? Measures what `verdict` judges.

Energy differences are the potential's own. Universal potentials tend to be too soft (Deng et al., npj Comput.
Mater. 11, 9 (2025), doi:10.1038/s41524-024-01500-6): energies away from minima too low. For CHGNet along 182
polar paths the slope against DFT is 0.98 (90% interval 0.90 to 1.03), and no scale factor improves paths
that it was not fitted on (`hysteron benchmark softening`); so none is applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...core.candidate import Candidate, PropertyValue, Verdict
from ...core.contracts import Calculation, Potential, Tools
from ...core.errors import HysteronError
from ...core.oxidation import oxidation_states
from ..batch import calculate_each
from ..measurement import forget, with_measurement
from .parents import Parent, find_parents, tolerance_ladder
from .polarization import DFT_RATIO_COVERAGE, METHOD, dft_interval, polarization_from_charges
from .symmetry import find_symmetry
from .verdict import NAME, FerroelectricConfig, judge

PARENT_METHOD = "spglib symprec ladder"
UNRELAXED = "symmetrised parent unrelaxed"


@dataclass
class _Findings:
    """What is gathered of one polar candidate."""

    candidate: Candidate
    parent: Parent | None = None
    properties: list[PropertyValue] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


class Ferroelectric:
    """Polar symmetry, nonpolar parent, polarization, energy difference; implements `Screen`."""

    name = NAME
    config_model = FerroelectricConfig

    def __init__(self, config: FerroelectricConfig | None = None) -> None:
        self.config = config or FerroelectricConfig()

    def measure(self, candidates: Sequence[Candidate], tools: Tools) -> list[Candidate]:
        """Adds to polar candidates `parent_spacegroup_number`, `distortion_max` (A), `polarization` and
        `polarization_vector` (uC/cm^2) and `polar_nonpolar_energy_difference` (meV/atom).

        The parent's energy is that of the symmetrised parent in its own, strain-free cell, not relaxed: an
        upper bound, so the difference is a lower one. Candidates that are not polar cost one symmetry search.
        """
        fresh = [forget(candidate, NAME) for candidate in candidates]
        gathered = [self._gather(candidate) for candidate in fresh]
        _add_energies([g for g in gathered if g is not None and g.parent is not None], tools.potential)
        return [
            candidate
            if found is None
            else with_measurement(
                candidate, NAME, self.config, found.properties, found.details, found.failures
            )
            for candidate, found in zip(fresh, gathered, strict=True)
        ]

    def judge(self, candidate: Candidate) -> Verdict:
        """Polar, insulating, switchable, and with polarization enough, or why not."""
        return judge(candidate, self.config)

    def _gather(self, candidate: Candidate) -> _Findings | None:
        """All but the energies; `None` for a candidate that is not polar."""
        found = _Findings(candidate)
        try:
            if not find_symmetry(candidate.structure, self.config.symprec_tight).polar:
                return None
            _add_charges(found)
            _add_parents(found, self.config)
        except (HysteronError, ValueError) as error:
            found.failures.append(str(error))
        return found


def _add_charges(found: _Findings) -> None:
    charges = oxidation_states(found.candidate.structure)
    if charges is None:
        found.failures.append("No charge-balanced oxidation states, so no polarization from formal charges.")
    else:
        found.details["charges"] = list(charges)


def _add_parents(found: _Findings, config: FerroelectricConfig) -> None:
    structure = found.candidate.structure
    rungs = tolerance_ladder(first=1.2 * config.symprec_tight)
    parents = find_parents(structure, rungs, config.max_parents)
    if not parents:
        found.failures.append(f"The tolerance ladder up to {rungs[-1]:.2f} A reaches no nonpolar parent.")
        return
    first = found.parent = parents[0]
    found.details["parents"] = [parent.record() for parent in parents]
    found.details["reference"] = {"structure": first.structure.as_dict()}
    source = f"parent {first.symmetry}, ladder at symprec {first.symprec:.3f} A"
    found.properties += [
        PropertyValue(
            "parent_spacegroup_number", first.symmetry.spacegroup_number, "1", PARENT_METHOD, source=source
        ),
        PropertyValue("distortion_max", first.distortion_max, "A", PARENT_METHOD, source=source),
    ]
    if "charges" in found.details:
        vector = polarization_from_charges(first.displacements, found.details["charges"], structure.volume)
        found.properties += _polarization_properties(vector, source)


def _polarization_properties(vector: np.ndarray, source: str) -> list[PropertyValue]:
    components = tuple(float(component) for component in vector)
    norm = float(np.linalg.norm(vector))
    interval = dft_interval(norm)
    coverage = DFT_RATIO_COVERAGE if interval else None
    return [
        PropertyValue("polarization", norm, "uC/cm^2", METHOD, None, source, interval, coverage),
        PropertyValue("polarization_vector", components, "uC/cm^2", METHOD, source=source),
    ]


def _add_energies(found: Sequence[_Findings], potential: Potential | None) -> None:
    """Polar minus nonpolar energy of all of them, in one batch."""
    if potential is None:
        for one in found:
            one.failures.append(
                "No potential was handed in, so polar_nonpolar_energy_difference is not known."
            )
        return
    pairs = [(one.candidate.structure, one.parent.structure) for one in found if one.parent is not None]
    results = calculate_each(potential, [structure for pair in pairs for structure in pair])
    for one, polar, parent in zip(found, results[0::2], results[1::2], strict=True):
        refused = [result for result in (polar, parent) if isinstance(result, str)]
        if isinstance(polar, Calculation) and isinstance(parent, Calculation):
            one.properties.append(_energy_difference(one, polar, parent, potential))
        one.failures += refused


def _energy_difference(
    found: _Findings, polar: Calculation, parent: Calculation, potential: Potential
) -> PropertyValue:
    difference = 1000 * (polar.energy - parent.energy) / len(found.candidate.structure)
    assert found.parent is not None
    return PropertyValue(
        "polar_nonpolar_energy_difference",
        float(difference),
        "meV/atom",
        f"{potential.name}, {UNRELAXED}",
        source=f"parent {found.parent.symmetry}",
    )
