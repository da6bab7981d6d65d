"""The springs: positive, blind to translation, the same crystal however it is written down."""

import numpy as np
import pytest
from hysteron.core.springs import ACROSS, ATOM_STIFFNESS, CUTOFF_ANGSTROM, DECAY, RADII
from hysteron.predictors.cell import Cell
from hysteron.predictors.relaxation.model_hessian import model_hessian, strain_scale
from materials import barium_titanate_tetragonal, magnesium_oxide, silicon
from pymatgen.core import Lattice, Structure
from scipy.linalg import expm

EV_PER_A3_IN_GPA = 160.2176634

SYMMETRIC = (np.eye(9) + np.eye(9).reshape(3, 3, 9).swapaxes(0, 1).reshape(9, 9)) / 2


def cell_of(structure):
    return Cell.from_structure(structure)


def translation(natoms):
    return np.concatenate([np.tile([1.0, 0.0, 0.0], natoms), np.zeros(9)])


@pytest.mark.parametrize("make", [silicon, magnesium_oxide, barium_titanate_tetragonal])
def test_positive_symmetric_and_a_translation_costs_no_spring(make):
    cell = cell_of(make())
    hessian = model_hessian(cell, SYMMETRIC)
    assert hessian == pytest.approx(hessian.T)
    assert np.linalg.eigvalsh(hessian).min() > 0.99 * ATOM_STIFFNESS
    push = translation(len(cell.numbers))
    assert hessian @ push == pytest.approx(ATOM_STIFFNESS * push, abs=1e-9)


def test_the_projector_takes_the_symmetric_part():
    strain = np.arange(9.0).reshape(3, 3) ** 2
    assert (SYMMETRIC @ strain.ravel()).reshape(3, 3) == pytest.approx((strain + strain.T) / 2)


def test_springs_feel_the_strain_as_they_feel_displacements():
    # an affine displacement at fixed images of the far atoms is a strain: the energy of both is one number
    cell = cell_of(barium_titanate_tetragonal())
    hessian = model_hessian(cell, SYMMETRIC) - ATOM_STIFFNESS * np.eye(3 * 5 + 9)
    rng = np.random.default_rng(3)
    strain = rng.normal(size=(3, 3)) * 1e-3
    strain += strain.T
    shuffle = rng.normal(size=(5, 3)) * 1e-2
    move = np.concatenate([shuffle.ravel(), strain.ravel() * strain_scale(cell)])
    assert move @ hessian @ move / 2 == pytest.approx(springs_energy(cell, shuffle, strain), rel=1e-9)


def springs_energy(cell, displacements, strain):
    """The same springs, summed one by one over images."""
    total = 0.0
    for i, start in enumerate(cell.positions):
        for j, end in enumerate(cell.positions):
            for image in np.ndindex(5, 5, 5):
                bond = end + (np.array(image) - 2) @ cell.lattice - start
                length = np.linalg.norm(bond)
                if not 0.1 < length < CUTOFF_ANGSTROM:
                    continue
                pull = displacements[j] - displacements[i] + bond @ strain
                along = (pull @ bond / length) ** 2
                radii = RADII[cell.numbers[i] - 1] + RADII[cell.numbers[j] - 1]
                across = ACROSS * (pull @ pull - along)
                total += np.exp(-DECAY * (length - radii)) * (along + across) / 4
    return total


def test_a_rotated_crystal_has_the_rotated_hessian():
    cell = cell_of(barium_titanate_tetragonal())
    turn = expm(np.array([[0, 0.3, -0.5], [-0.3, 0, 0.2], [0.5, -0.2, 0]]))
    turned = Cell(cell.numbers, cell.positions @ turn, cell.lattice @ turn)
    both = np.zeros((24, 24))
    both[:15, :15] = np.kron(np.eye(5), turn.T)
    both[15:, 15:] = np.kron(turn.T, turn.T)
    expected = both @ model_hessian(cell, SYMMETRIC) @ both.T
    assert model_hessian(turned, SYMMETRIC) == pytest.approx(expected, abs=1e-8)


def test_a_supercell_has_the_same_curvature_for_the_same_strain():
    single, double = magnesium_oxide(), magnesium_oxide().make_supercell([2, 1, 1], in_place=False)
    blocks = [model_hessian(cell_of(s), SYMMETRIC)[-9:, -9:] for s in (single, double)]
    assert blocks[0] == pytest.approx(blocks[1], abs=1e-9)


def test_a_fixed_cell_takes_the_springs_off_the_strain():
    hessian = model_hessian(cell_of(silicon()), np.zeros((9, 9)))
    assert hessian[-9:, -9:] == pytest.approx(ATOM_STIFFNESS * np.eye(9))
    assert not hessian[:-9, -9:].any()


def test_a_lone_atom_and_coinciding_radii_are_no_trouble():
    lone = Structure(Lattice.cubic(30), ["Na"], [[0, 0, 0]])
    assert model_hessian(cell_of(lone), SYMMETRIC) == pytest.approx(ATOM_STIFFNESS * np.eye(12))
    assert len(RADII) == 94
    assert ((RADII > 0) & (RADII < 3)).all()


def test_stiff_crystals_are_stiffer_than_soft_ones():
    # bulk moduli about 440 (diamond) and 3 GPa (potassium)
    diamond = Structure.from_spacegroup("Fd-3m", Lattice.cubic(3.567), ["C"], [[0, 0, 0]])
    potassium = Structure.from_spacegroup("Im-3m", Lattice.cubic(5.33), ["K"], [[0, 0, 0]])
    assert bulk_modulus(diamond) > 8 * bulk_modulus(potassium)


def bulk_modulus(structure):
    """Of the springs at frozen fractional coordinates, GPa."""
    cell = cell_of(structure)
    swell = np.eye(3).ravel() / 3 * strain_scale(cell)
    elastic = model_hessian(cell, SYMMETRIC)[-9:, -9:]
    return swell @ elastic @ swell / cell.volume * EV_PER_A3_IN_GPA
