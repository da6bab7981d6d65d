"""Operations of the lattice that a crystal lacks are laid on it, and an average over one of them has it."""

from __future__ import annotations

import materials
import numpy as np
import pytest
from ferroelectric_toys import moved
from hysteron.core.cell import Cell, nearest_whole, primitive_basis, reduced, strained_to
from hysteron.screening.ferroelectric.pseudosymmetry import (
    LARGEST_DISTANCE_ANGSTROM,
    MOST_OPERATIONS,
    Operation,
    averaged_over,
    lattice_operations,
    missing_operations,
    own_operations,
    pseudosymmetric,
)
from hysteron.screening.ferroelectric.symmetry import find_symmetry
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

EXACT = 1e-6
"""Fractional or A; averages stop where they change by less."""
INVERSION = -np.eye(3, dtype=int)


def cell_of(name: str) -> Cell:
    return reduced(Cell.of_structure(getattr(materials, name)()))[0]


def rock_salt(shift: float) -> Structure:
    """NaCl, primitive cell; Cl moved along [111] by a fraction of the diagonal (of 7.27 A): R3m, as GeTe is."""
    lattice = Lattice([[0, 2.1, 2.1], [2.1, 0, 2.1], [2.1, 2.1, 0]])
    return Structure(lattice, ["Na", "Cl"], [[0, 0, 0], [0.5 + shift] * 3])


@pytest.mark.parametrize(
    ("lattice", "order"),
    [
        (Lattice.cubic(4), 48),
        (Lattice.tetragonal(4, 8), 16),
        (Lattice.orthorhombic(4, 7, 12), 8),
        (Lattice.hexagonal(3, 8), 24),
        (Lattice.from_parameters(4, 7, 12, 90, 80, 90), 4),
        (Lattice.from_parameters(4, 7, 12, 83, 80, 105), 2),
    ],
)
def test_a_lattice_has_the_operations_of_its_holohedry(lattice, order):
    """Beside some shears, which a generous tolerance lets in: they leave the metric as it is only nearly."""
    turned = lattice.matrix @ Rotation.random(random_state=1).as_matrix().T
    metric = turned @ turned.T
    exact = [r for r in lattice_operations(turned) if np.allclose(r.T @ metric @ r, metric)]
    assert len(exact) == order
    found = {rotation.tobytes() for rotation in exact}
    assert INVERSION.tobytes() in found
    assert all((a @ b).tobytes() in found for a in exact for b in exact)


def test_a_nearly_cubic_lattice_has_the_cubic_operations():
    assert len(lattice_operations(materials.lead_titanate().lattice.matrix)) == 48


@pytest.mark.parametrize(
    "name", ["barium_titanate_tetragonal", "lithium_niobate", "zinc_oxide", "hafnia_polar"]
)
def test_the_crystal_has_its_own_operations(name):
    cell = cell_of(name)
    own = own_operations(cell, 0.01)
    assert (
        len(own)
        == {"barium_titanate_tetragonal": 8, "lithium_niobate": 6, "zinc_oxide": 12, "hafnia_polar": 4}[name]
    )
    for operation in own:
        assert operation.distance < 1e-3
        steps = operation.apply(cell.positions) - cell.positions
        assert np.abs(steps - np.round(steps)).max() < 1e-3
        assert np.array_equal(cell.numbers[operation.image_of], cell.numbers)


def test_missing_operations_are_one_of_each_coset_the_nearest_first():
    """m-3m holds 4mm six times: itself and five cosets."""
    cell = cell_of("barium_titanate_tetragonal")
    own = own_operations(cell, 0.01)
    missing = missing_operations(cell, own)
    assert len(missing) == 48 / 8 - 1
    distances = [operation.distance for operation in missing]
    assert (np.diff(distances) > -1e-6).all()
    own_rotations = {operation.rotation.tobytes() for operation in own}
    cosets = [
        frozenset((mine.rotation @ operation.rotation).tobytes() for mine in own) for operation in missing
    ]
    assert all(own_rotations.isdisjoint(coset) for coset in cosets)
    assert len(set().union(*cosets)) == 48 - 8


def test_the_last_digit_does_not_choose_between_two_nearest_images():
    """What a machine's rounding adds is of the order of 1e-16 to 1e-12."""
    ties = np.array([-1.5, -0.5, 0.5, 1.5])
    for noise in (-1e-12, 0.0, 1e-12):
        np.testing.assert_array_equal(nearest_whole(ties + noise), [-2, -1, 0, 1])
    steps = np.array([-0.7, -0.49, 0.0, 0.49, 0.7])
    np.testing.assert_array_equal(nearest_whole(steps), np.round(steps))


def test_a_crystal_with_all_operations_of_its_lattice_lacks_none():
    cell = cell_of("strontium_titanate")
    assert missing_operations(cell, own_operations(cell, 0.01)) == []


@pytest.mark.parametrize("name", ["lithium_niobate", "hafnia_polar"])
def test_operations_keep_to_the_elements_and_to_their_limits(name):
    cell = cell_of(name)
    missing = missing_operations(cell, own_operations(cell, 0.01))
    assert 0 < len(missing) <= MOST_OPERATIONS
    for operation in missing:
        assert operation.distance < LARGEST_DISTANCE_ANGSTROM
        assert sorted(operation.image_of) == list(range(len(cell.numbers)))
        assert np.array_equal(cell.numbers[operation.image_of], cell.numbers)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("barium_titanate_tetragonal", 221),
        ("lithium_niobate", 167),
        ("germanium_telluride", 225),
        ("zinc_oxide", 194),
    ],
)
def test_the_average_over_the_nearest_operation_has_it_and_the_own_group(name, number):
    cell = cell_of(name)
    own = own_operations(cell, 0.01)
    nearest = missing_operations(cell, own)[0]
    averaged = averaged_over(cell, own, nearest)
    assert averaged is not None
    assert np.array_equal(averaged.numbers, cell.numbers)
    assert find_symmetry(averaged.structure(), 1e-3).spacegroup_number == number
    metric = averaged.matrix @ averaged.matrix.T
    for held in (nearest, *own):
        assert held.rotation.T @ metric @ held.rotation == pytest.approx(metric, abs=1e-3)
        steps = held.apply(averaged.positions) - averaged.positions
        steps -= np.round(steps)
        assert steps == pytest.approx(np.broadcast_to(steps[0], steps.shape), abs=1e-3)  # but for its origin


def test_a_shear_is_no_symmetry():
    """It is of no finite order, so there is nothing to average over."""
    cell = cell_of("zinc_oxide")
    shear = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1]])
    atoms = np.arange(len(cell.numbers))
    assert averaged_over(cell, [], Operation(shear, np.zeros(3), atoms, 0.0)) is None


def test_by_inversion_lithium_niobate_becomes_centric_and_its_drift_is_free():
    """R3c and an inversion centre generate R-3c (or R-3m, where cations change places); the mean stays where it was."""
    cell = cell_of("lithium_niobate")
    own = own_operations(cell, 0.01)
    inversions = [o for o in missing_operations(cell, own) if any(_inverts(mine, o) for mine in own)]
    groups = {
        find_symmetry(averaged_over(cell, own, operation).structure(), 1e-3).spacegroup_number
        for operation in inversions
    }
    assert 167 in groups


def _inverts(mine, operation) -> bool:
    return np.array_equal(mine.rotation @ operation.rotation, INVERSION)


@pytest.mark.parametrize("shift", [0.02, 0.06, 0.1, 0.14])
def test_atoms_may_come_from_far(shift):
    """Cl comes back over up to 1 A, where spglib at any tolerance that keeps Na and Cl apart sees no rock salt."""
    polar = rock_salt(shift)
    found = {find_symmetry(ideal, 1e-3).spacegroup_number for ideal in pseudosymmetric(polar, 0.01)}
    assert 225 in found


@pytest.mark.parametrize("name", ["lead_titanate", "zinc_oxide", "germanium_telluride"])
def test_what_is_found_is_exact_nonpolar_and_in_the_setting_of_the_crystal(name):
    polar, *_ = moved(getattr(materials, name)(), seed=5)
    ideals = list(pseudosymmetric(polar, 0.01))
    assert ideals
    for ideal in ideals:
        assert not find_symmetry(ideal, 1e-3).polar
        assert ideal.species == polar.species
        deformation = np.linalg.solve(polar.lattice.matrix, ideal.lattice.matrix)
        assert deformation == pytest.approx(deformation.T, abs=EXACT)
        assert np.abs(deformation - np.eye(3)).max() < 0.2


def test_a_reduced_cell_holds_the_same_crystal():
    skewed = materials.lithium_niobate() * [[1, 1, 0], [0, 1, 0], [3, -2, 1]]
    cell = Cell.of_structure(skewed)
    short, basis = reduced(cell)
    assert abs(np.linalg.det(basis)) == pytest.approx(1)
    assert np.linalg.norm(short.matrix, axis=1).max() < np.linalg.norm(cell.matrix, axis=1).max()
    assert short.in_basis(np.linalg.inv(basis)).matrix == pytest.approx(cell.matrix)
    assert short.positions @ short.matrix == pytest.approx(cell.positions @ cell.matrix)
    assert find_symmetry(short.structure(), 0.01) == find_symmetry(skewed, 0.01)


def test_a_strain_to_a_metric_turns_nothing():
    matrix = Lattice.from_parameters(4, 5, 6, 80, 95, 100).matrix
    wanted = Lattice.from_parameters(4.1, 4.9, 6.2, 85, 92, 97).metric_tensor
    strained = strained_to(matrix, wanted)
    assert strained @ strained.T == pytest.approx(wanted)
    deformation = np.linalg.solve(matrix, strained)
    assert deformation == pytest.approx(deformation.T)


def test_the_primitive_basis_of_a_centred_cell():
    centring = np.array([[0, 0, 0], [0.5, 0.5, 0.5]])
    basis = primitive_basis(centring)
    assert basis is not None
    assert abs(np.linalg.det(basis)) == pytest.approx(0.5)
    coefficients = centring @ np.linalg.inv(basis)
    assert coefficients == pytest.approx(np.round(coefficients))
    assert primitive_basis(np.array([[0, 0, 0], [0.3, 0, 0]])) is None  # no lattice
