"""Tools for the screens' tests: a potential and a hull that are small, exact and deterministic."""

from __future__ import annotations

import materials
import numpy as np
from hysteron.core.candidate import Candidate
from hysteron.core.contracts import Calculation, ChemicalPotentials, HullDistance
from hysteron.core.errors import HullError, InputError


class ToyPotential:
    """Minus a sum of Gaussians over neighbours, so that energy depends on the geometry; refuses xenon."""

    name = "Toy 1.0"
    energy_scale = "toy"
    model_hash = "toy"

    def __init__(self) -> None:
        self.batches: list[int] = []

    def calculate(self, structures):
        self.batches.append(len(structures))
        if any("Xe" in structure.symbol_set for structure in structures):
            raise InputError("Toy 1.0 does not know xenon.")
        return [Calculation(energy_of(s), np.zeros((len(s), 3)), np.zeros((3, 3))) for s in structures]


def energy_of(structure) -> float:
    """eV per cell; lower when atoms come closer than in a regular arrangement."""
    _, _, _, distances = structure.get_neighbor_list(5.0)
    return float(-np.sum(np.exp(-((distances - 1.6) ** 2))))


class ConstantPotential(ToyPotential):
    """The same energy per atom for every crystal."""

    name = "Constant 1.0"

    def calculate(self, structures):
        return [Calculation(-5.0 * len(s), np.zeros((len(s), 3)), np.zeros((3, 3))) for s in structures]


class ToyHull:
    """Distance from one number; knows no gold."""

    name = "toy-hull-2026"
    potential_name = "Toy 1.0"

    def __init__(self, lowest: float = -8.0, uncertainty: float | None = 0.05) -> None:
        self.lowest, self.uncertainty = lowest, uncertainty

    def distance(self, composition, energy_per_atom, leave_out=()):
        if "Au" in composition:
            raise HullError(
                "energy_above_hull needs Au reference entries; the hull 'toy-hull-2026' has none."
            )
        products = (("toy-1", "BaO", 0.4), ("toy-2", "TiO2", 0.6))
        return HullDistance(energy_per_atom - self.lowest, self.uncertainty, products)

    def distances(self, items):
        found = []
        for item in items:
            try:
                found.append(self.distance(*item))
            except HullError as error:
                found.append(error)
        return found

    def chemical_potentials(self, composition, energy_per_atom, element):
        self.distance(composition, energy_per_atom)
        return ChemicalPotentials(self.lowest, self.lowest, self.lowest - 3.0, True)

    def lowest_energy(self, composition):
        self.distance(composition, 0.0)
        return self.lowest


def candidate(name: str, spacegroup_number: int | None = None) -> Candidate:
    """A real material as a candidate of its own name."""
    return Candidate(name, getattr(materials, name)(), spacegroup_number=spacegroup_number)
