"""How much energy does a crystal hold at the geometry given?

Adds `energy_per_atom` and, from the hull's elemental phases on the same scale, `formation_energy_per_atom`.
Nothing is relaxed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..core.candidate import Candidate, Failure, PropertyValue, Step
from ..core.contracts import Calculation, Hull, Potential, Tools
from ..core.errors import HullError, InputError
from ..core.formation import elemental_energy, reference_energies


class Energies:
    """Energies of a potential; implements `Predictor`."""

    name = "chgnet"

    def __init__(self, tools: Tools) -> None:
        if tools.potential is None:
            raise InputError("The predictor 'chgnet' needs a potential among its tools.")
        self.potential: Potential = tools.potential
        self.hull: Hull | None = tools.hull

    def predict(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Candidates with energies; one that the potential does not know comes back with a failure."""
        calculations = self._calculate(candidates)
        references = self._references(candidates)
        return [self._with_energy(c, r, references) for c, r in zip(candidates, calculations, strict=True)]

    def _references(self, candidates: Sequence[Candidate]) -> dict[str, float | HullError]:
        """Energy of each element in its reference phase, eV/atom, or why there is none."""
        if self.hull is None:
            return {}
        elements = sorted({el for c in candidates for el in c.structure.composition.get_el_amt_dict()})
        if self.hull.potential_name != self.potential.name:
            refusal = HullError(
                f"The hull {self.hull.name} holds energies of {self.hull.potential_name}; formation "
                f"energies by {self.potential.name} cannot be taken from it."
            )
            return dict.fromkeys(elements, refusal)
        return reference_energies(self.hull, elements)

    def _calculate(self, candidates: Sequence[Candidate]) -> list[Calculation | InputError]:
        """All at once; one by one only if something among them is refused."""
        structures = [c.structure for c in candidates]
        try:
            return list(self.potential.calculate(structures))
        except InputError:
            return [self._calculate_one(structure) for structure in structures]

    def _calculate_one(self, structure) -> Calculation | InputError:
        try:
            return self.potential.calculate([structure])[0]
        except InputError as error:
            return error

    def _with_energy(
        self,
        candidate: Candidate,
        result: Calculation | InputError,
        references: Mapping[str, float | HullError],
    ) -> Candidate:
        name = self.potential.name
        if isinstance(result, InputError):
            return candidate.with_failure(Failure("predict", name, str(result)))
        scale = f"{self.potential.energy_scale} scale"
        energy = result.energy / len(candidate.structure)
        step = Step("predict", name, f"weights {self.potential.model_hash}")
        found = candidate.with_step(step).with_property(
            PropertyValue("energy_per_atom", energy, "eV/atom", name, None, scale)
        )
        if self.hull is None:
            return found
        try:
            formation = energy - elemental_energy(candidate.structure.composition, references)
        except HullError as error:
            return found.with_failure(Failure("predict", self.hull.name, str(error)))
        source = f"elemental phases of {self.hull.name}"
        return found.with_property(
            PropertyValue("formation_energy_per_atom", formation, "eV/atom", name, None, source)
        )
