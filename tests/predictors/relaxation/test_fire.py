"""FIRE takes the same steps as ASE's under a FrechetCellFilter."""

import io

import numpy as np
import pytest
from ase.filters import FrechetCellFilter
from ase.optimize import FIRE
from hysteron.predictors.cell import Cell
from hysteron.predictors.chgnet.potential import CHGNetPotential
from hysteron.predictors.potentials.ase_calculator import PotentialCalculator
from hysteron.predictors.relaxation.coordinates import GPA, Freedom
from hysteron.predictors.relaxation.fire import Fire
from hysteron.predictors.relaxation.relaxer import BatchedRelaxer, RelaxerSettings
from materials import magnesium_oxide, silicon
from pair_potential import PairPotential
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

ROUNDING = 1e-9  # A and eV, after 30 steps in double precision
SINGLE_PRECISION_PATH = 2e-5  # A and eV, after 25 steps with forces in single precision


def rattled(structure, seed=0):
    """Atoms moved by 0.05 A and a cell strained by some percent, skewed too."""
    rng = np.random.default_rng(seed)
    strain = rng.normal(scale=0.02, size=(3, 3))
    lattice = structure.lattice.matrix @ (np.eye(3) + strain)
    moved = Structure(lattice, structure.species, structure.frac_coords)
    for i in range(len(moved)):
        moved.translate_sites([i], rng.normal(scale=0.03, size=3), frac_coords=False, to_unit_cell=False)
    return moved


def skewed():
    return magnesium_oxide() * [[1, 0, 0], [1, 1, 0], [3, -2, 1]]


def path_of_ase(structure, potential, steps, **filter_options):
    """(positions, cell, energy, largest row of the gradient) before each step."""
    atoms = AseAtomsAdaptor.get_atoms(structure)
    atoms.calc = PotentialCalculator(potential)
    moving = FrechetCellFilter(atoms, **filter_options) if filter_options.pop("cell", True) else atoms
    driver = FIRE(moving, logfile=io.StringIO())
    path = []

    def note():
        forces = np.linalg.norm(moving.get_forces(), axis=1).max()
        path.append((atoms.positions.copy(), atoms.cell.array.copy(), atoms.get_potential_energy(), forces))

    driver.attach(note)
    driver.run(fmax=1e-12, steps=steps)
    return path


def path_of_ours(structure, potential, steps, freedom=None):
    method = Fire(Cell.from_structure(structure), freedom)
    path = []
    for _ in range(steps + 1):
        (calculation,) = potential.calculate_cells([method.trial])
        method.feed(calculation)
        path.append((method.trial.positions, method.trial.lattice, method.best.energy, method.best.max_force))
        method.propose()
    return path


def largest_difference(one, other):
    assert len(one) == len(other)
    return max(np.abs(a[k] - b[k]).max() for a, b in zip(one, other, strict=True) for k in range(3))


@pytest.mark.parametrize("make", [magnesium_oxide, skewed], ids=["small", "skewed"])
def test_takes_the_steps_of_ase(make):
    structure, potential = rattled(make()), PairPotential()
    theirs, ours = path_of_ase(structure, potential, 30), path_of_ours(structure, potential, 30)
    assert np.abs(theirs[0][1] - theirs[-1][1]).max() > 0.05  # the cell did move
    assert largest_difference(theirs, ours) < ROUNDING


def test_takes_the_steps_of_ase_with_chgnet():
    structure, potential = rattled(silicon(), seed=3), CHGNetPotential()
    theirs, ours = path_of_ase(structure, potential, 25), path_of_ours(structure, potential, 25)
    assert largest_difference(theirs, ours) < SINGLE_PRECISION_PATH


@pytest.mark.parametrize(
    ("freedom", "options"),
    [
        (Freedom("volume"), {"constant_volume": True}),
        (Freedom(pressure_gpa=20), {"scalar_pressure": 20 * GPA}),
        (Freedom("fixed"), {"cell": False}),
    ],
    ids=["volume", "pressure", "fixed"],
)
def test_takes_the_steps_of_ase_with_less_freedom(freedom, options):
    structure, potential = rattled(skewed(), seed=5), PairPotential()
    theirs = path_of_ase(structure, potential, 25, **options)
    assert largest_difference(theirs, path_of_ours(structure, potential, 25, freedom)) < ROUNDING


@pytest.mark.parametrize("method", ["fire", "bfgs"])
def test_what_is_at_rest_here_is_at_rest_for_ase(method):
    structure, potential = rattled(skewed(), seed=2), PairPotential()
    theirs = path_of_ase(structure, potential, 30)
    for step, ours in zip(theirs, path_of_ours(structure, potential, 30), strict=True):
        assert ours[3] >= step[3] - ROUNDING
        assert ours[3] == pytest.approx(step[3], rel=0.15)
    settings = RelaxerSettings(method=method, workers=1, fmax=0.02)
    (found,) = BatchedRelaxer(potential, settings).relax([structure])
    atoms = AseAtomsAdaptor.get_atoms(found.structure)
    atoms.calc = PotentialCalculator(potential)
    moving = FrechetCellFilter(atoms)
    moving._utility.orig_cell[:] = structure.lattice.matrix
    assert found.converged
    assert np.linalg.norm(moving.get_forces(), axis=1).max() < 0.02


def test_the_relaxer_needs_as_many_steps_as_ase():
    structure, potential = rattled(skewed(), seed=4), PairPotential()
    theirs = path_of_ase(structure, potential, 60)
    needed = next(i for i, step in enumerate(theirs) if step[3] < 0.05)
    (found,) = BatchedRelaxer(potential, RelaxerSettings(method="fire", workers=1)).relax([structure])
    assert found.converged
    assert needed <= found.steps <= needed + 2
    assert found.energy_per_atom == pytest.approx(theirs[found.steps][2] / len(structure), abs=1e-6)
