"""The band leaves a bad straight path for the saddle, atoms and cell together, and in time."""

from __future__ import annotations

import time

import materials
import numpy as np
import pytest
from hysteron.core.contracts import Calculation, Tools
from hysteron.core.errors import InputError
from hysteron.predictors.chgnet.potential import CHGNetPotential
from hysteron.predictors.relaxation.relaxer import BatchedRelaxer
from hysteron.predictors.relaxation.settings import RelaxerSettings
from hysteron.screening.ferroelectric.ends import relax_ends
from hysteron.screening.ferroelectric.neb import _Frame, climb
from hysteron.screening.ferroelectric.path import linear_profiles
from pymatgen.core import Lattice, Structure

SADDLE = 0.08  # eV above the wells, by construction
WELL = 0.5  # A: half the way between the wells
BEND = 0.3  # A: how far the valley lies off the straight way in the middle
SIDE = 2.0  # eV/A^2: stiffness across the valley
CELL = 1.0  # eV/A^2: of the lattice vectors
SWELL = 0.2  # A: how much longer c would be in the middle
STRAIGHT = SADDLE + SIDE * BEND**2 / 2 + CELL * SWELL**2  # eV: the top of the straight path
CLOSE = 0.003  # eV; what forces of 0.05 eV/A may leave: twice 0.05^2 / (2 SIDE), along the band more


class BentValley:
    """Two wells at z = -WELL and WELL joined by a valley that bends to x = BEND; x, y, z of Ti against Ba.

    In the middle of it the cell would be longer by SWELL than its 6 A. Implements `Potential`.
    """

    name, energy_scale, model_hash = "bent valley", "toy", "1"

    def __init__(self, pause: float = 0.0, allowed: int = 10**9) -> None:
        self.pause, self.allowed = pause, allowed
        self.batches: list[int] = []

    def calculate(self, structures):
        self.batches.append(len(structures))
        time.sleep(self.pause)
        if len(self.batches) > self.allowed:
            raise InputError("enough of it")
        return [self._of(structure) for structure in structures]

    def _of(self, structure):
        apart = structure.cart_coords[1] - structure.cart_coords[0]
        x, y, z = apart - 2.5
        t, slope = 1 - (z / WELL) ** 2, -2 * z / WELL**2
        cell = np.array(structure.lattice.matrix)
        off = x - BEND * t
        excess = cell - np.diag([6, 6, 6 + SWELL * t])
        energy = SADDLE * t**2 + SIDE * (off**2 + y**2) / 2 + CELL * np.sum(excess**2)
        on_t = 2 * SADDLE * t - SIDE * off * BEND - 2 * CELL * SWELL * excess[2, 2]
        gradient = np.array([SIDE * off, SIDE * y, on_t * slope])
        virial = np.outer(apart, gradient) + 2 * CELL * cell.T @ excess
        return Calculation(float(energy), np.array([gradient, -gradient]), virial / structure.volume)


def crystal(z: float, c: float = 6.0) -> Structure:
    """Ti 2.5 A beside and `z + 2.5` A above Ba."""
    places = [[0.6, 0.6, 0.6], [3.1, 3.1, 3.1 + z]]
    return Structure(Lattice.tetragonal(6, c), ["Ba", "Ti"], places, coords_are_cartesian=True)


ENDS = crystal(-WELL), crystal(WELL)


def test_the_band_finds_the_saddle_that_the_straight_path_misses():
    potential = BentValley()
    straight = linear_profiles([ENDS], potential, between_polar_states=[True])[0]
    assert straight.barrier_per_formula_unit == pytest.approx(STRAIGHT)
    assert straight.notes == ()
    band = climb(*ENDS, potential)
    assert band.kind == "NEB"
    assert band.method.endswith("converged")
    assert band.notes == ()
    assert band.barrier_per_formula_unit == pytest.approx(SADDLE, abs=CLOSE)
    assert band.difference == pytest.approx(0, abs=1e-9)
    top = band.structures[int(np.argmax(band.energies))]
    assert top.cart_coords[1, 0] - top.cart_coords[0, 0] - 2.5 == pytest.approx(BEND, abs=0.05)
    assert top.lattice.c == pytest.approx(6 + SWELL, abs=0.05)


def test_all_moving_images_are_asked_for_at_once():
    potential = BentValley()
    climb(*ENDS, potential, images=7)
    assert potential.batches[0] == 7
    assert set(potential.batches[1:]) == {5}


def test_ends_keep_their_cells_and_the_energy_of_these_counts():
    band = climb(crystal(-WELL, c=6.0), crystal(WELL, c=6.2), BentValley())
    assert band.structures[0].lattice.c == pytest.approx(6.0)
    assert band.structures[-1].lattice.c == pytest.approx(6.2)
    assert band.structures[0].frac_coords == pytest.approx(crystal(-WELL).frac_coords)
    assert band.barrier - band.backward_barrier == pytest.approx(-band.difference)
    rise = CELL * 0.2**2  # eV: of the stretched end; the toy's cell contains one formula unit
    assert band.difference_per_formula_unit == pytest.approx(rise)


def test_forces_of_the_band_are_the_slope_of_its_energy():
    """In the coordinates of the band: atoms laid into the cell of reference, and the scaled deformation."""
    potential = BentValley()
    sheared = Lattice([[6.1, 0.2, 0.0], [-0.1, 5.8, 0.3], [0.2, 0.0, 6.4]])
    frame = _Frame(np.diag([6.0, 6.0, 6.6]), ["Ba", "Ti"])
    point = frame.point(Structure(sheared, ["Ba", "Ti"], [[0.1, 0.1, 0.1], [0.48, 0.55, 0.57]]))

    def energy():
        return potential.calculate([frame.crystal(point)])[0].energy

    forces, step = frame.forces(point, potential.calculate([frame.crystal(point)])[0]), 1e-5
    for row in range(5):
        for axis in range(3):
            ends = []
            for sign in (1, -1):
                point.positions[row, axis] += sign * step
                ends.append(energy())
                point.positions[row, axis] -= sign * step
            assert forces[row, axis] == pytest.approx(-(ends[0] - ends[1]) / (2 * step), abs=1e-6)


def test_a_point_of_the_band_is_read_back_as_the_crystal():
    polar = materials.hafnia_polar()
    frame = _Frame(1.1 * np.array(polar.lattice.matrix), [site.specie.symbol for site in polar])
    back = frame.crystal(frame.point(polar))
    assert back.lattice.matrix == pytest.approx(polar.lattice.matrix)
    assert back.frac_coords == pytest.approx(polar.frac_coords)
    assert back.species == polar.species


def test_between_both_states_of_barium_titanate_the_top_is_the_relaxed_parent():
    """Two ways to one number: the band from -P to P with its cell, and the cubic parent relaxed by itself (CHGNet)."""
    potential = CHGNetPotential()
    settings = RelaxerSettings(fmax=0.02, workers=1)
    tools = Tools(
        relaxer=BatchedRelaxer(potential, settings),
        parent_relaxer=BatchedRelaxer(potential, settings.model_copy(update={"symmetry": True})),
    )
    polar = materials.barium_titanate_tetragonal()
    back = Structure(polar.lattice, polar.species, -polar.frac_coords)
    parent, reversed_ = relax_ends([(materials.barium_titanate_cubic(), polar), (back, polar)], tools)
    difference = linear_profiles([(parent.parent, parent.polar)], potential)[0].difference
    straight = linear_profiles([(reversed_.parent, reversed_.polar)], potential)[0]
    band = climb(reversed_.parent, reversed_.polar, potential)
    assert band.barrier == pytest.approx(-difference, abs=1.0)
    assert straight.barrier > band.barrier + 5


def test_the_clock_ends_it_and_it_says_so():
    started = time.monotonic()
    band = climb(*ENDS, BentValley(pause=0.05), seconds=0.2)
    assert time.monotonic() - started < 2
    assert "stopped after 0.2 s" in band.method
    assert "not converged" in band.notes[0]
    assert "upper bound" in band.notes[0]
    assert SADDLE - CLOSE < band.barrier_per_formula_unit <= STRAIGHT


def test_without_a_hill_nothing_climbs_and_the_higher_end_is_the_barrier():
    band = climb(crystal(0), crystal(WELL), BentValley())  # the first end lies beside the valley, uphill
    assert band.barrier_per_formula_unit == pytest.approx(STRAIGHT)
    assert band.highest_at == 0


def test_a_refusal_is_a_sentence():
    assert "enough of it" in climb(*ENDS, BentValley(allowed=3))
    assert "same atoms" in climb(ENDS[0], Structure(Lattice.cubic(6), ["Ba"], [[0, 0, 0]]), BentValley())
    assert "the same crystal" in climb(ENDS[0], ENDS[0], BentValley())
    assert "at least one lies between" in climb(*ENDS, BentValley(), images=2)
