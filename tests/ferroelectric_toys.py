"""Toys for the tests of the ferroelectric screen: a known double well, relaxers, a calibration, and crystals for it."""

from __future__ import annotations

from functools import lru_cache

import materials
import numpy as np
from hysteron.core.candidate import Candidate, Verdict
from hysteron.core.contracts import Calculation, EnergyDifference, Relaxation, Tools
from hysteron.core.errors import InputError
from hysteron.screening.ferroelectric.parents import find_parents
from hysteron.screening.ferroelectric.screen import Ferroelectric
from hysteron.screening.ferroelectric.verdict import FerroelectricConfig
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation
from screening_toys import ToyPotential, candidate, energy_of

CRITERIA = [
    "polar",
    "nonpolar_parent",
    "assessable",
    "insulator",
    "polarization",
    "distortion_max",
    "polar_end",
    "polar_nonpolar_energy_difference",
    "switching_barrier_per_atom",
]
ANY_ENERGY = {
    "energy_difference_low": -1e6,
    "energy_difference_high": 1e6,
    "barrier_low": 0.0,
    "barrier_high": 1e6,
}
WELL = 20.0
"""meV/atom, of zinc oxide's toy potential."""


def judged(one: Candidate, tools: Tools | None = None, **settings) -> tuple[Candidate, Verdict]:
    """Measured, by default with the toy potential alone, and judged; the windows of energies open unless set."""
    screen = Ferroelectric(FerroelectricConfig(**(ANY_ENERGY | settings)))
    measured = screen.measure([one], tools or Tools(potential=ToyPotential()))[0]
    return measured, screen.judge(measured)


@lru_cache
def plain(name: str, **settings) -> tuple[Candidate, Verdict]:
    """A real material measured and judged with the toy potential alone."""
    return judged(candidate(name), **settings)


def status(verdict: Verdict) -> dict[str, str]:
    """Of each criterion."""
    return {criterion["name"]: criterion["status"] for criterion in verdict.details["criteria"]}


def criterion(verdict: Verdict, name: str) -> dict:
    """One criterion's record."""
    return next(told for told in verdict.details["criteria"] if told["name"] == name)


@lru_cache
def zinc_oxide_well() -> DoubleWell:
    """From the layered parent P6_3/mmc, which has the cell of the wurtzite."""
    polar = materials.zinc_oxide()
    return DoubleWell(polar, find_parents(polar, 0.01, limit=1)[0].displacements, WELL)


class DoubleWell:
    """Energy of a crystal by how far its atoms have gone from a parent to a polar crystal; implements `Potential`.

    `depth * (q^2 - 1)^2` meV/atom along the way, the polar end at q = 1; harmonic across it and in the cell. So the
    straight path is the lowest one, its barrier and the difference of its ends are `depth`, and forces are exact. For a
    parent in the polar crystal's own cell; every crystal is to have its atoms in that order.
    """

    name, energy_scale, model_hash = "Well 1.0", "toy", "well"
    stiffness = 5.0  # eV/A^2

    def __init__(self, polar: Structure, displacements: np.ndarray, depth: float) -> None:
        self.matrix, self.way = np.array(polar.lattice.matrix), displacements
        self.parent = polar.cart_coords - displacements
        self.depth = depth * len(polar) / 1000  # eV
        self.batches: list[int] = []

    def calculate(self, structures):
        self.batches.append(len(structures))
        return [self._of(structure) for structure in structures]

    def _of(self, structure):
        strain = structure.lattice.matrix - self.matrix
        steps = structure.frac_coords - self.parent @ np.linalg.inv(self.matrix)
        steps -= np.round(steps)
        moves = (steps - steps.mean(axis=0)) @ self.matrix
        square = np.sum(self.way**2)
        q = np.sum(moves * self.way) / square
        across = moves - q * self.way
        energy = self.depth * (q**2 - 1) ** 2 + self.stiffness * (np.sum(across**2) + np.sum(strain**2)) / 2
        slope = 4 * self.depth * q * (q**2 - 1) / square * self.way + self.stiffness * across
        deformation = np.linalg.solve(self.matrix, structure.lattice.matrix)
        forces = -np.linalg.solve(deformation, slope.T).T
        stress = structure.lattice.matrix.T @ (self.stiffness * strain) / structure.volume
        return Calculation(float(energy), forces, stress)


class ToyRelaxer:
    """Puts each crystal where `move` says, by default where it is; counts what it is handed."""

    potential, version = None, "toy"

    def __init__(self, move=lambda structure: structure.copy()) -> None:
        self.move = move
        self.batches: list[int] = []

    def relax(self, structures, on_done=None):
        self.batches.append(len(structures))
        return [Relaxation(self.move(structure), -1.0, 0.01, 3, True) for structure in structures]


class ToyPolarDifference:
    """Half of what `energy_of` says, with an error of 2 meV/atom; knows no germanium."""

    method = "toy calibration"

    def differences(self, pairs):
        return [self._of(polar, nonpolar) for polar, nonpolar in pairs]

    @staticmethod
    def _of(polar, nonpolar):
        if "Ge" in polar.symbol_set:
            return InputError("The toy calibration does not know Ge.")
        value = 500 * (energy_of(polar) - energy_of(nonpolar)) / len(polar)
        return EnergyDifference(value, 2.0, (value - 4, value + 4), 0.9, {"toy": value})


def moved(structure: Structure, seed: int) -> tuple[Structure, np.ndarray, np.ndarray]:
    """Turned, reordered, shifted and wrapped into the cell; the rotation, and the old place of each atom."""
    rng = np.random.default_rng(seed)
    rotation = Rotation.random(random_state=seed).as_matrix()
    order = rng.permutation(len(structure))
    places = structure.frac_coords[order] + rng.random(3)
    lattice = Lattice(structure.lattice.matrix @ rotation.T)
    species = [structure[i].specie for i in order]
    return Structure(lattice, species, places, to_unit_cell=True), rotation, order


def boron_nitride() -> Structure:
    """Rhombohedral BN, R3m: layers whose stacking alone is polar; mp-13150, Materials Project (CC BY 4.0), rounded."""
    return Structure(Lattice.rhombohedral(3.93787, 37.19449), ["B", "N"], [[0.999586] * 3, [0.332847] * 3])


def hydrogen_cyanide() -> Structure:
    """HCN, I4mm, rods of molecules along c; a = 4.63, c = 4.34 A (Dulmage and Lipscomb, Acta Cryst. 4, 330 (1951)), with the
    bonds of the free molecule, 1.07 and 1.16 A."""
    heights = [[0, 0, z / 4.34] for z in (-1.07, 0.0, 1.16)]
    cell = Structure.from_spacegroup("I4mm", Lattice.tetragonal(4.63, 4.34), ["H", "C", "N"], heights)
    return cell.get_primitive_structure()


def indium_selenide() -> Structure:
    """One-layer model of alpha-In2Se3, P3m1: Se-In-Se-In-Se, one In in an octahedron and one in a tetrahedron, after Ding et
    al., Nat. Commun. 8, 14956 (2017), a = 4.03 A, bonds of 2.5 to 2.8 A. Its middle Se changes sides when it switches."""
    places = [(0, 0, 0.0), (1 / 3, 2 / 3, 1.40), (2 / 3, 1 / 3, 2.95), (2 / 3, 1 / 3, 5.50), (0, 0, 6.66)]
    coords = [[x, y, height / 9.58] for x, y, height in places]
    return Structure(Lattice.hexagonal(4.03, 9.58), ["Se", "In", "Se", "In", "Se"], coords)
