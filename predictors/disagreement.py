"""What does a second potential say of a crystal's distance from the hull, and how much less sure does that make us?

Energies are compared on one scale only (`core.energy_scales`), that of the first potential and its hull:

- a second potential on that scale as it is;
- one of raw Materials Project energies (SevenNet-0) after the MP2020 corrections;
- one whose corrected formation energies may be compared (OMat24), through them, if its own elemental
  references are at hand;
- any other is refused with a sentence: a difference between scales is no uncertainty.

The second potential's energy is a single point at the geometry at hand, or relaxed if a relaxer is given,
held against the hull of the first. So both distances share the error of that hull, and their difference is
the spread of the two potentials on the crystal alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..core.candidate import Candidate, Failure, PropertyValue, Step
from ..core.contracts import Hull, HullDistance, Potential, Relaxer
from ..core.energy_scales import corrected_scale, formation_energies_meet, require_one_scale
from ..core.errors import EnergyScaleError, HysteronError
from ..core.formation import elemental_energy, reference_energies
from .potentials.references import ElementalReferences, formation_energy_per_atom, on_scale

if TYPE_CHECKING:
    from pymatgen.core import Structure

NAME = "second-opinion"
SPREAD_FACTOR = 0.5
"""Of the spread in the widened error; fitted once on single points of CHGNet 0.3.0 and SevenNet-0.

Of 0, 0.25, 0.5, 0.75, 1, 1.5, 2 it gives the highest (Laplace) likelihood of CHGNet's residuals against the
Materials Project on 1,358 formulas of `train`. On 1,358 others the spread goes with the error (Spearman 0.31,
90% interval 0.27 to 0.35); the quarter with the largest spreads lay inside the 90% interval for 73% without
widening and for 87% with it, all together for 88% and 92%.
"""


@dataclass(frozen=True)
class _Energy:
    """On the first potential's scale, eV/atom, with words how it came there."""

    per_atom: float
    method: str


class SecondOpinion:
    """A second `energy_above_hull`, and the first one's uncertainty widened; implements `Predictor`.

    The first potential's standard deviation becomes `sqrt(sigma^2 + (SPREAD_FACTOR * spread)^2)`, with
    sigma the calibrated error of the hull and spread the second distance less the first; the interval
    grows by the same factor. Asking twice widens once.
    """

    name = NAME

    def __init__(
        self,
        first: Potential,
        second: Potential,
        hull: Hull,
        relaxer: Relaxer | None = None,
        references: ElementalReferences | None = None,
    ) -> None:
        """Take what is needed.

        Args:
            first: The potential that candidates were relaxed with.
            second: Another one.
            hull: On the energies of `first`.
            relaxer: Of `second`; without it, energies at the geometry at hand.
            references: Of `second`, where energies meet at the formation energy alone.

        Raises:
            EnergyScaleError: `hull` is not made of `first`.
        """
        if hull.potential_name != first.name:
            raise EnergyScaleError(
                f"The hull {hull.name} is made of {hull.potential_name}; the first potential is {first.name}."
            )
        self.first, self.second, self.hull = first, second, hull
        self.relaxer, self.references = relaxer, references

    def refusal(self) -> str | None:
        """Why the two potentials cannot be compared, or `None` if they can."""
        ours, theirs = self.first.energy_scale, self.second.energy_scale
        if ours in (theirs, corrected_scale(theirs)):
            return None
        pair = f"{self.first.name} and {self.second.name}"
        if not formation_energies_meet([ours, corrected_scale(theirs)]):
            try:
                require_one_scale([ours, theirs], f"The energies of {pair}")
            except EnergyScaleError as error:
                return f"{error} Their difference is no uncertainty."
        if self.references is None:
            return (
                f"The energies of {pair} meet at the formation energy alone ({ours}; {theirs}), and no "
                f"elemental references of {self.second.name} are at hand."
            )
        return None

    def predict(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Candidates with a second distance; a failure says why one has none."""
        reason = self.refusal()
        if reason is not None:
            return [self._failed(c, reason) for c in candidates]
        asked = [c for c in candidates if c.get("energy_per_atom", self.first.name) is not None]
        energies = iter(self._energies([c.structure for c in asked]))
        missing = f"There is no energy_per_atom by {self.first.name} to compare with."
        known = set(map(id, asked))
        return [
            self._with_opinion(c, next(energies)) if id(c) in known else self._failed(c, missing)
            for c in candidates
        ]

    def _energies(self, structures: Sequence[Structure]) -> list[_Energy | str]:
        """Of the second potential on the first one's scale, or a sentence why there is none."""
        found = self._relaxed(structures) if self.relaxer else self._single_points(structures)
        return [e if isinstance(e, str) else self._brought(e, s) for e, s in found]

    def _single_points(self, structures: Sequence[Structure]) -> list[tuple[float | str, Structure]]:
        """All at once; one by one only if something among them is refused."""
        try:
            results = self.second.calculate(structures)
        except HysteronError as error:
            if len(structures) == 1:
                return [(str(error), structures[0])]
            return [pair for structure in structures for pair in self._single_points([structure])]
        return [(r.energy / len(s), s) for r, s in zip(results, structures, strict=True)]

    def _relaxed(self, structures: Sequence[Structure]) -> list[tuple[float | str, Structure]]:
        assert self.relaxer is not None
        return [
            (r.energy_per_atom, r.structure)
            if r.converged and r.energy_per_atom is not None and r.structure is not None
            else (r.failure or f"Not converged after {r.steps} steps.", s)
            for r, s in zip(self.relaxer.relax(structures), structures, strict=True)
        ]

    def _brought(self, energy_per_atom: float, structure: Structure) -> _Energy | str:
        ours, theirs = self.first.energy_scale, self.second.energy_scale
        try:
            if ours == theirs:
                return _Energy(energy_per_atom, self.second.name)
            if corrected_scale(theirs) == ours:
                return _Energy(
                    on_scale(energy_per_atom, structure, theirs, ours), f"{self.second.name}, {ours}"
                )
            assert self.references is not None
            formation = formation_energy_per_atom(
                energy_per_atom, structure, self.second.name, theirs, self.references
            )
            symbols = structure.composition.get_el_amt_dict()
            elements = elemental_energy(structure.composition, reference_energies(self.hull, symbols))
            return _Energy(
                formation + elements, f"{self.second.name}, formation energy {corrected_scale(theirs)}"
            )
        except HysteronError as error:
            return str(error)

    def _with_opinion(self, candidate: Candidate, energy: _Energy | str) -> Candidate:
        if isinstance(energy, str):
            return self._failed(candidate, energy)
        own = float(candidate.value("energy_per_atom", self.first.name))
        composition = candidate.structure.composition
        try:
            ours = self.hull.distance(composition, own)
            theirs = self.hull.distance(composition, energy.per_atom)
        except HysteronError as error:
            return self._failed(candidate, str(error))
        spread = theirs.energy_above_hull - ours.energy_above_hull
        step = Step(
            "predict",
            NAME,
            f"{self.second.name}; weights {self.second.model_hash}",
            details={
                "spread": spread,
                "spread_factor": SPREAD_FACTOR,
                "geometry": f"relaxed by {self.second.name}" if self.relaxer else "single point",
            },
        )
        asked = candidate if step in candidate.provenance else candidate.with_step(step)
        return asked.with_property(
            # how wrong the second one tends to be was not measured against this hull
            _property(
                replace(theirs, uncertainty=None, interval=None, coverage=None), energy.method, self.hull
            ),
            # the first potential's value last: among methods of equal rank the newest is the best
            _property(widened(ours, spread), self.first.name, self.hull),
        )

    def _failed(self, candidate: Candidate, reason: str) -> Candidate:
        return candidate.with_failure(Failure("predict", f"{NAME} {self.second.name}", reason))


def widened(distance: HullDistance, spread: float) -> HullDistance:
    """A distance with the spread of two potentials joined to its error, in quadrature.

    A distance without a calibrated error stays without one: the spread alone knows nothing of what both
    potentials have learnt wrong together.
    """
    if not distance.uncertainty:
        return distance
    sigma = math.hypot(distance.uncertainty, SPREAD_FACTOR * spread)
    factor = sigma / distance.uncertainty
    middle, interval = distance.energy_above_hull, distance.interval
    if interval is not None:
        interval = (middle - factor * (middle - interval[0]), middle + factor * (interval[1] - middle))
    return replace(distance, uncertainty=sigma, interval=interval)


def _property(distance: HullDistance, method: str, hull: Hull) -> PropertyValue:
    return PropertyValue(
        "energy_above_hull",
        distance.energy_above_hull,
        "eV/atom",
        method,
        distance.uncertainty,
        hull.name,
        distance.interval,
        distance.coverage,
    )
