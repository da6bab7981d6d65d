"""The minimiser on toy crystals: few evaluations, downhill only, the same path however the crystal is written."""

import numpy as np
import pytest
from hysteron.core.contracts import Calculation
from hysteron.predictors.cell import Cell
from hysteron.predictors.chgnet.graph import find_bonds
from hysteron.predictors.relaxation.bfgs import FIRST_RADIUS, Bfgs
from materials import magnesium_oxide
from scipy.linalg import expm

FMAX = 0.01  # eV/A
LIMIT = 300


class Springs:
    """Bonds of a crystal at rest, each with its own stiffness (eV/A^2), in whatever geometry."""

    def __init__(self, rest, stiffness, cutoff=3.2):
        self.bonds = find_bonds(rest, cutoff)
        self.lengths = np.linalg.norm(self.bonds.vectors(rest), axis=1)
        self.stiffness = np.broadcast_to(stiffness, len(self.lengths))

    def calculate(self, cell):
        vectors = self.bonds.vectors(cell)
        lengths = np.linalg.norm(vectors, axis=1)
        excess = lengths - self.lengths
        tensions = (self.stiffness * excess / lengths)[:, None] * vectors
        forces = np.zeros_like(cell.positions)
        np.add.at(forces, self.bonds.first, tensions)
        np.subtract.at(forces, self.bonds.second, tensions)
        energy = float(self.stiffness @ excess**2 / 2)
        return Calculation(energy, forces, np.einsum("bi,bj->ij", vectors, tensions) / cell.volume)


def conventional(repeat=(1, 1, 1)):
    return Cell.from_structure(magnesium_oxide().to_conventional().make_supercell(repeat, in_place=False))


def disturbed(rest, rattle=0.05, strain=0.02, seed=2):
    rng = np.random.default_rng(seed)
    bend = rng.normal(size=(3, 3)) * strain
    deform = expm((bend + bend.T) / 2)
    positions = rest.positions + rng.normal(size=rest.positions.shape) * rattle
    return Cell(rest.numbers, positions @ deform, rest.lattice @ deform)


def run(toy, start, optimizer=Bfgs):
    """Energies of all evaluations, and the optimizer."""
    optimizer = optimizer(start)
    energies = []
    while len(energies) < LIMIT:
        calculation = toy.calculate(optimizer.trial)
        energies.append(calculation.energy)
        optimizer.feed(calculation)
        if optimizer.best.max_force < FMAX or optimizer.stuck:
            break
        optimizer.propose()
    return energies, optimizer


class SteepestDescent(Bfgs):
    """The same bookkeeping without any knowledge of the curvature but the last step's."""

    def propose(self):
        self.steps += 1
        before = getattr(self, "last", None)
        gradient = self.best.gradient
        width = 0.05
        if before is not None and before is not self.best:
            change = gradient - before.gradient
            width = abs(self._move @ self._move / (self._move @ change))
        self.last = self.best
        move = -width * gradient
        self._move = move * min(1, self.radius / self._length(move))
        self.trial = self.coordinates.moved(self.best.cell, self._move)


def test_a_toy_crystal_of_ordinary_springs_rests_after_a_few_evaluations():
    rest = conventional()
    toy = Springs(rest, 1.0)
    toy.stiffness = np.where(toy.lengths < 2.5, 4.0, 0.4)  # Mg-O; Mg-Mg and O-O
    energies, optimizer = run(toy, disturbed(rest))
    assert optimizer.best.max_force < FMAX
    assert len(energies) <= 8
    assert optimizer.best.energy < 1e-3


@pytest.mark.parametrize("seed", range(6))
def test_not_worse_than_steepest_descent_on_springs_that_belie_the_model(seed):
    rest = conventional()
    count = len(Springs(rest, 1.0).lengths)
    toy = Springs(rest, np.exp(np.random.default_rng(seed).uniform(np.log(0.1), np.log(60), count)))
    start = disturbed(rest, seed=seed)
    ours, optimizer = run(toy, start)
    theirs, _ = run(toy, start, SteepestDescent)
    assert optimizer.best.max_force < FMAX
    assert len(ours) <= len(theirs)


def test_the_best_point_only_goes_down_and_the_first_step_keeps_to_the_radius():
    rest = conventional()
    optimizer = Bfgs(disturbed(rest, rattle=0.3))
    toy, best = Springs(rest, 20.0), np.inf
    for k in range(12):
        start = optimizer.trial
        optimizer.feed(toy.calculate(optimizer.trial))
        assert optimizer.best.energy <= best + 1e-4
        best = optimizer.best.energy
        optimizer.propose()
        if k == 0:
            moved = optimizer._move[:-9].reshape(-1, 3)
            assert np.linalg.norm(moved, axis=1).max() <= FIRST_RADIUS
            assert not np.allclose(start.lattice, optimizer.trial.lattice)


def test_a_rotated_and_shifted_crystal_takes_the_same_path():
    rest = conventional()
    start = disturbed(rest)
    turn = expm(np.array([[0, 0.7, -0.5], [-0.7, 0, 0.2], [0.5, -0.2, 0]]))
    other = Cell(start.numbers, start.positions @ turn + [0.3, -0.2, 0.1], start.lattice @ turn)
    here, there = (run(Springs(rest, 8.0), s)[0] for s in (start, other))
    assert here == pytest.approx(there, rel=1e-6, abs=1e-9)


def test_a_supercell_takes_the_same_path():
    rest, start = conventional(), disturbed(conventional())
    twice = doubled(start)
    one, two = run(Springs(rest, 8.0), start)[0], run(Springs(doubled(rest), 8.0), twice)[0]
    assert 2 * np.array(one) == pytest.approx(np.array(two), rel=1e-5, abs=1e-8)


def doubled(cell):
    positions = np.concatenate([cell.positions, cell.positions + cell.lattice[0]])
    return Cell(np.tile(cell.numbers, 2), positions, cell.lattice * np.array([[2], [1], [1]]))


def test_the_centre_of_mass_stays_and_the_cell_does_not_turn():
    rest = conventional()
    optimizer = run(Springs(rest, 3.0), disturbed(rest))[1]
    moved = optimizer._move
    assert moved[:-9].reshape(-1, 3).sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)
    strain = moved[-9:].reshape(3, 3)
    assert strain == pytest.approx(strain.T, abs=1e-9)


def test_a_slope_that_leads_nowhere_ends_as_stuck():
    class Lies:
        def calculate(self, cell):
            self.energy = getattr(self, "energy", 0.0) + 1.0
            return Calculation(self.energy, np.full_like(cell.positions, 0.1), np.zeros((3, 3)))

    energies, optimizer = run(Lies(), conventional())
    assert optimizer.stuck
    assert len(energies) < 20
    assert optimizer.best.energy == 1.0
