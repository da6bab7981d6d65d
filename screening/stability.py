"""Is a crystal likely to hold against decomposition into other phases?

Its energy above the hull of competing phases, candidate and competitors on the energy scale of one
potential. The window is wide by default: half of the metastable inorganic crystals that have been made lie
within 15 meV/atom, nine tenths within 70 (Sun et al., Sci. Adv. 2, e1600225 (2016)), and the potential has
an error of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from ..core.candidate import Candidate, PropertyValue, Verdict
from ..core.contracts import Hull, HullDistance, Potential, Tools
from ..core.errors import HullError
from ..core.settings import Settings
from .batch import calculate_each
from .criteria import Criterion, decide
from .measurement import findings_of, forget, why_missing, with_measurement

NAME = "stability"
GIVEN_GEOMETRY = "single point of the geometry given"


class StabilityConfig(Settings):
    """The window of the stability screen.

    Attributes:
        energy_above_hull_max: eV/atom; a candidate must lie below.
    """

    energy_above_hull_max: float = Field(default=0.1, gt=0)


class Stability:
    """Energy above the hull against a window; implements `Screen`."""

    name = NAME
    config_model = StabilityConfig

    def __init__(self, config: StabilityConfig | None = None) -> None:
        self.config = config or StabilityConfig()

    def measure(self, candidates: Sequence[Candidate], tools: Tools) -> list[Candidate]:
        """Adds `energy_above_hull` (eV/atom), and `energy_per_atom` where the hull's potential is at hand."""
        fresh = [forget(candidate, NAME) for candidate in candidates]
        return [
            with_measurement(candidate, NAME, self.config, found, findings, failures)
            for candidate, (found, findings, failures) in zip(
                fresh, hull_distances(fresh, tools), strict=True
            )
        ]

    def judge(self, candidate: Candidate) -> Verdict:
        """Passes below `energy_above_hull_max`."""
        findings = findings_of(candidate, NAME) or {}
        criterion = judge_energy_above_hull(candidate, self.config.energy_above_hull_max, NAME)
        details = {k: findings[k] for k in ("hull", "decomposition") if k in findings}
        probability = _probability_below(candidate, self.config.energy_above_hull_max)
        if probability is not None:
            details["probability_below_threshold"] = probability
        return decide(NAME, [criterion], [criterion.name], criterion.name, details)


def judge_energy_above_hull(candidate: Candidate, highest: float, screen: str) -> Criterion:
    """The criterion on the energy above hull, for this screen and those that build on it.

    Args:
        candidate: With or without `energy_above_hull`.
        highest: eV/atom; it must lie below.
        screen: Whose failures say why the value is missing.
    """
    found = candidate.get("energy_above_hull")
    if found is None:
        sentence = f"energy above hull is missing: {why_missing(candidate, screen)}"
        return Criterion("energy_above_hull", "missing", sentence, None, highest, "eV/atom")
    value = float(found.value)  # type: ignore[arg-type]
    below = value < highest
    spread = f" +- {found.uncertainty:.3f}" if found.uncertainty is not None else ""
    against = f", hull {found.source}" if found.source else ""
    return Criterion(
        name="energy_above_hull",
        status="passed" if below else "failed",
        sentence=f"energy above hull {value:.3f}{spread} eV/atom ({found.method}{against}) is "
        f"{'below' if below else 'not below'} {highest:g} eV/atom",
        value=value,
        threshold=highest,
        units="eV/atom",
        method=found.method,
        score=min(1.0, math.exp(-value / highest)),
    )


Found = tuple[list[PropertyValue], dict[str, Any], list[str]]


def hull_distances(candidates: Sequence[Candidate], tools: Tools) -> list[Found]:
    """For each candidate the values found, the findings for `judge`, and what could not be computed.

    A candidate that has no energy by the hull's potential gets one at its present geometry, all in one
    batch, if that potential is at hand.
    """
    hull = tools.hull
    if hull is None:
        return [([], {}, ["No hull was handed in, so energy_above_hull is not known."]) for _ in candidates]
    missing = [c for c in candidates if c.get("energy_per_atom", hull.potential_name) is None]
    computed = dict(zip(map(id, missing), _energies(missing, hull, tools), strict=True))
    energies = [computed.get(id(c)) or c.get("energy_per_atom", hull.potential_name) for c in candidates]
    known = [i for i, energy in enumerate(energies) if isinstance(energy, PropertyValue)]
    queries = [
        (candidates[i].structure.composition, float(energies[i].value), ())  # type: ignore[union-attr,arg-type]
        for i in known
    ]
    distances = dict(zip(known, hull.distances(queries), strict=True))
    return [
        _found(computed.get(id(candidate)), distances.get(i), hull) for i, candidate in enumerate(candidates)
    ]


def _energies(candidates: Sequence[Candidate], hull: Hull, tools: Tools) -> list[PropertyValue | str]:
    """An energy per atom for each candidate, or a sentence why there is none."""
    potential = tools.potential
    if potential is None or potential.name != hull.potential_name:
        return [_no_energy(hull, potential)] * len(candidates)
    results = calculate_each(potential, [c.structure for c in candidates])
    return [
        result
        if isinstance(result, str)
        else PropertyValue(
            "energy_per_atom",
            result.energy / len(c.structure),
            "eV/atom",
            potential.name,
            source=GIVEN_GEOMETRY,
        )
        for c, result in zip(candidates, results, strict=True)
    ]


def _no_energy(hull: Hull, potential: Potential | None) -> str:
    made_of = f"There is no energy_per_atom by {hull.potential_name}, which the hull {hull.name} is made of"
    if potential is None:
        return f"{made_of}."
    return f"{made_of}; energies of {potential.name} are another model's and are not compared with it."


def _found(
    computed: PropertyValue | str | None, distance: HullDistance | HullError | None, hull: Hull
) -> Found:
    if isinstance(computed, str):
        return [], {}, [computed]
    new = [computed] if computed else []
    if not isinstance(distance, HullDistance):
        return new, {}, [str(distance)]
    return [*new, distance.as_property(hull)], _findings(distance, hull), []


def _findings(distance: HullDistance, hull: Hull) -> dict[str, Any]:
    products = [{"id": i, "formula": f, "fraction": x} for i, f, x in distance.decomposition]
    return {"hull": hull.name, "decomposition": products}


def _probability_below(candidate: Candidate, highest: float) -> float | None:
    """That the true value lies below the threshold, if the error is normal with the stated deviation."""
    found = candidate.get("energy_above_hull")
    if found is None or not found.uncertainty:
        return None
    deviations = (highest - float(found.value)) / found.uncertainty  # type: ignore[arg-type]
    return 0.5 * (1 + math.erf(deviations / math.sqrt(2)))
