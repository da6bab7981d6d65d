"""Saddles that symmetry gives, on surfaces that are known and on Morse bonds."""

from __future__ import annotations

import materials
import numpy as np
import pytest
from hysteron.core.contracts import Calculation
from hysteron.screening.defects.band import hop_band
from hysteron.screening.defects.hop_cells import hop_cell, vacancies_at, without
from hysteron.screening.defects.hops import hops_of
from hysteron.screening.defects.invariant import Effort, descend, subspace_of
from hysteron.screening.defects.saddle import middles, without_way
from hysteron.screening.defects.symmetric_supercells import symmetric_supercell
from pair_potential import PairPotential

EFFORT = Effort(max_force=0.01, steps=200)
HEIGHT = 0.7  # eV, of the surfaces below


@pytest.fixture(scope="module")
def rock_salt():
    """A hop in 32 atoms of MgO, its bonds those of the pair potential."""
    hops = hops_of(materials.magnesium_oxide(), "O")
    supercell = symmetric_supercell(hops.primitive, 7.0)
    return hop_cell(hops.classes[0], hops, supercell)


class Surface:
    """Every atom on a spring but the last, which moves on a surface over the way of a hop."""

    name, energy_scale, model_hash = "surface", "toy", "1"

    def __init__(self, cell, along, across):
        middle = cell.at(0.5)
        self.sites = middle.cart_coords
        self.half = np.linalg.norm(cell.end - cell.start) / 2
        self.directions = np.array([cell.direction, *_across(cell.direction)])
        self.along, self.across = along, across

    def calculate(self, structures):
        return [self._one(structure) for structure in structures]

    def _one(self, structure):
        gaps = structure.cart_coords - self.sites
        gaps -= structure.lattice.get_cartesian_coords(
            np.round(structure.lattice.get_fractional_coords(gaps))
        )
        s, t, u = self.directions @ gaps[-1]
        energy, slope = self.along(s / self.half)
        sideways, sideways_slope = self.across(t)
        forces = -8.0 * gaps
        forces[-1] = -np.array([slope / self.half, sideways_slope, 4.0 * u]) @ self.directions
        total = 4.0 * float((gaps[:-1] ** 2).sum()) + energy + sideways + 2.0 * u**2
        return Calculation(total, forces, np.zeros((3, 3)))


def _across(direction):
    """Two directions perpendicular to a hop along a face diagonal: in the face, and out of it."""
    out = np.eye(3)[np.abs(direction).argmin()]
    return np.cross(direction, out), out


def double_well(x):
    return HEIGHT * (1 - x**2) ** 2, -4 * HEIGHT * x * (1 - x**2)


def well_in_the_middle(x):
    """Minima at the ends and at 0, saddles between."""
    phase = 2 * np.pi * x
    return HEIGHT / 2 * (1 - np.cos(phase)), HEIGHT * np.pi * np.sin(phase)


def stiff(t):
    return 2.0 * t**2, 4.0 * t


def forked(t):
    """Two ways beside the straight one, 0.2 eV lower at 0.4 A."""
    return 0.2 * ((t / 0.4) ** 2 - 1) ** 2, 0.8 * (t / 0.4) * ((t / 0.4) ** 2 - 1) / 0.4


def test_a_double_well_has_its_saddle_in_the_middle(rock_salt):
    (middle,) = middles([rock_salt], [0.0], Surface(rock_salt, double_well, stiff), EFFORT)
    assert middle.is_saddle
    assert middle.symmetric
    assert middle.converged
    assert middle.energy == pytest.approx(HEIGHT, abs=1e-4)
    assert middle.along == pytest.approx(-4 * HEIGHT / (np.sqrt(2) * 4.2112 / 4) ** 2, rel=0.01)
    assert middle.across == pytest.approx(4.0, rel=0.01)
    assert middle.landing.energy == pytest.approx(0.0, abs=0.01)


def test_a_minimum_in_the_middle_is_no_saddle(rock_salt):
    (middle,) = middles([rock_salt], [0.0], Surface(rock_salt, well_in_the_middle, stiff), EFFORT)
    assert not middle.is_saddle
    assert middle.along > 0
    assert "of the way to an end" in middle.doubt


def test_a_way_that_bends_is_followed(rock_salt):
    """Straight on the ion would pass 0.2 eV higher."""
    (middle,) = middles([rock_salt], [0.0], Surface(rock_salt, double_well, forked), EFFORT)
    assert middle.is_saddle, middle.doubt
    assert middle.energy == pytest.approx(HEIGHT, abs=0.01)
    moved = (middle.structure.cart_coords - rock_salt.at(0.5).cart_coords)[-1]
    assert abs(moved @ _across(rock_salt.direction)[0]) == pytest.approx(0.4, abs=0.03)


def test_without_an_exchange_the_ion_is_held_and_bounds_the_barrier(rock_salt):
    """A surface that knows no symmetry: the crystal does, so its middle is made to lose it."""
    structure = rock_salt.at(0.5)
    free = subspace_of(structure)
    held = without_way(free, rock_salt.direction)
    assert held.basis.shape == free.basis.shape  # symmetry holds it already
    alone = without_way(type(free)(np.eye(3 * len(structure)), 1), rock_salt.direction)
    assert alone.basis.shape[1] == 3 * len(structure) - 1
    move = np.zeros((len(structure), 3))
    move[-1] = rock_salt.direction
    assert abs(alone.of(move)[-1] @ rock_salt.direction) < 2 / len(structure)


@pytest.fixture(scope="module")
def bonds(rock_salt):
    """The same hop with Morse bonds: its middle, and its vacancies at rest."""
    potential = PairPotential()
    sites = [rock_salt.start_site, rock_salt.end_site]
    vacancies = vacancies_at(sites, rock_salt.whole, potential, EFFORT)
    start = vacancies[rock_salt.start_site]
    (middle,) = middles([rock_salt], [start.energy], potential, EFFORT)
    return potential, middle, start, vacancies[rock_salt.end_site]


def test_a_band_finds_the_same_saddle(rock_salt, bonds):
    potential, middle, start, end = bonds
    assert middle.is_saddle, middle.doubt
    band = hop_band(rock_salt.relaxed(start, 0), rock_salt.relaxed(end, 1), potential, max_force=0.02)
    assert band.converged
    assert band.barrier == pytest.approx(middle.energy - start.energy, abs=0.01)


def test_the_saddle_takes_fewer_evaluations_than_a_band(rock_salt, bonds):
    """Without the questions whether it is one, which a band does not ask."""
    potential, middle, start, end = bonds
    band = hop_band(rock_salt.relaxed(start, 0), rock_salt.relaxed(end, 1), potential, max_force=0.01)
    assert middle.steps < band.evaluations


def test_alike_vacancies_are_the_same_one(rock_salt, bonds):
    """The one that follows by symmetry is at rest where it stands, with the energy of the first."""
    potential, _, start, end = bonds
    assert end.energy == start.energy
    (found,) = potential.calculate([rock_salt.relaxed(end, 1)])
    assert found.energy == pytest.approx(start.energy, abs=1e-6)
    assert np.abs(found.forces).max() < 2 * EFFORT.max_force


def test_a_relaxation_under_symmetry_ends_where_a_free_one_does(rock_salt):
    potential = PairPotential()
    vacancy = without(rock_salt.whole, rock_salt.start_site)
    held = subspace_of(vacancy)
    free = type(held)(np.eye(3 * len(vacancy)), 1)
    one, other = descend([vacancy, vacancy], [held, free], potential, EFFORT)
    assert held.order == 48
    assert held.basis.shape[1] < 15
    assert one.energy == pytest.approx(other.energy, abs=1e-3)
    assert one.converged
    assert other.converged


def test_what_the_potential_refuses_is_a_sentence(rock_salt):
    golden = rock_salt.whole.copy()
    golden.replace(0, "Au")
    refused, found = descend(
        [golden, rock_salt.whole],
        [subspace_of(golden), subspace_of(rock_salt.whole)],
        PairPotential(),
        EFFORT,
    )
    assert refused == "pairs: The toy does not know gold."
    assert found.converged


def test_no_force_where_nothing_has_moved(rock_salt):
    """The perfect crystal at rest: zero displacement, zero cost."""
    rest, again = descend([rock_salt.whole] * 2, [subspace_of(rock_salt.whole)] * 2, PairPotential(), EFFORT)
    assert rest.steps == 1
    assert rest.energy == again.energy
    assert rest.max_force < 1e-9
