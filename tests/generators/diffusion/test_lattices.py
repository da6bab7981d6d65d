"""Six numbers are a lattice, whatever they are; those that a space group allows are a subspace."""

import math

import numpy as np
import pytest
import torch
from diffusion_toys import ALL_GROUPS, random_crystal
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.generators.diffusion.entries import frame_of, symmetric_entry
from hysteron.generators.diffusion.lattices import BASIS, HEXAGONAL, allowed, cells_of, coefficients_of
from hysteron.generators.diffusion.network import SCALES
from hysteron.generators.wyckoff.lattice import free_parameters, lattice_matrix
from hysteron.generators.wyckoff.positions import space_group

DOUBLE_PRECISION = 1e-9
seeds = st.integers(0, 2**32 - 1)
groups = st.sampled_from(ALL_GROUPS)


def some_cell(rng: np.random.Generator) -> np.ndarray:
    while np.linalg.det(vectors := rng.normal(scale=3, size=(3, 3))) < 10:
        pass
    return vectors


def cell_of(coefficients: np.ndarray, frame: np.ndarray, natoms: int) -> np.ndarray:
    told = (torch.tensor(np.array(value, float))[None] for value in (coefficients, frame, natoms))
    return cells_of(*told)[0].numpy()


def metric(vectors: np.ndarray) -> np.ndarray:
    return vectors @ vectors.T


def test_the_basis_is_orthonormal_and_begins_with_the_volume():
    assert np.einsum("kij,lij->kl", BASIS, BASIS) == pytest.approx(np.eye(6), abs=DOUBLE_PRECISION)
    assert pytest.approx(BASIS.swapaxes(1, 2)) == BASIS
    assert np.trace(BASIS, axis1=1, axis2=2)[1:] == pytest.approx(0, abs=DOUBLE_PRECISION)


@settings(deadline=None, max_examples=50)
@given(seeds, groups, st.integers(1, 20))
def test_a_cell_comes_back_up_to_a_rotation(seed, number, natoms):
    vectors = some_cell(np.random.default_rng(seed))
    frame = frame_of(number)
    again = cell_of(coefficients_of(vectors, frame, natoms), frame, natoms)
    assert metric(again) == pytest.approx(metric(vectors), abs=1e-9 * np.abs(metric(vectors)).max())


@settings(deadline=None, max_examples=50)
@given(seeds, groups, st.integers(1, 20))
def test_any_six_numbers_make_a_cell_and_come_back(seed, number, natoms):
    """Of five times the spread that crystals have."""
    rng = np.random.default_rng(seed)
    coefficients = 5 * rng.normal(size=6) * SCALES[0]
    frame = frame_of(number)
    vectors = cell_of(coefficients, frame, natoms)
    assert np.linalg.det(vectors) == pytest.approx(natoms * math.exp(coefficients[0]))
    assert coefficients_of(vectors, frame, natoms) == pytest.approx(coefficients, abs=1e-8)


@settings(deadline=None, max_examples=50)
@given(seeds, groups)
def test_a_rotation_of_the_cell_changes_nothing(seed, number):
    rng = np.random.default_rng(seed)
    vectors, frame = some_cell(rng), frame_of(number)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    assert coefficients_of(vectors @ turn, frame, 4) == pytest.approx(
        coefficients_of(vectors, frame, 4), abs=DOUBLE_PRECISION
    )


def test_the_frame_itself_has_no_shape():
    """Cubic, and hexagonal with c = a: only the volume of an atom is left to say."""
    for frame in (np.eye(3), HEXAGONAL):
        found = coefficients_of(4.0 * frame, frame, 2)
        assert found[0] == pytest.approx(math.log(64 * np.linalg.det(frame) / 2))
        assert found[1:] == pytest.approx(0, abs=DOUBLE_PRECISION)


def projector(number: int) -> np.ndarray:
    return symmetric_entry(random_crystal(number, np.random.default_rng(number))).allowed


def test_what_a_group_allows_is_a_subspace_of_its_free_parameters():
    for number in ALL_GROUPS:
        onto = projector(number)
        assert onto @ onto == pytest.approx(onto, abs=DOUBLE_PRECISION), number
        assert pytest.approx(onto, abs=DOUBLE_PRECISION) == onto.T, number
        assert np.trace(onto) == pytest.approx(len(free_parameters(number))), number
        assert onto[0] == pytest.approx(np.eye(6)[0], abs=DOUBLE_PRECISION), "the volume is always free"


def test_a_crystals_own_lattice_is_left_as_it_is():
    for number in ALL_GROUPS:
        for seed in range(3):
            crystal = random_crystal(number, np.random.default_rng([number, seed]), "a")
            entry = symmetric_entry(crystal)
            assert entry.allowed @ entry.lattice == pytest.approx(entry.lattice, abs=1e-8), number


def test_projected_noise_obeys_the_group():
    """The metric of the conventional cell is the same after every operation of the group."""
    for number in ALL_GROUPS:
        rng = np.random.default_rng(number)
        vectors = cell_of(projector(number) @ rng.normal(scale=0.5, size=6), frame_of(number), 1)
        conventional = metric(space_group(number).to_primitive @ vectors)
        rotations = space_group(number).general.rotations
        turned = rotations.swapaxes(1, 2) @ conventional @ rotations
        assert turned == pytest.approx(np.broadcast_to(conventional, turned.shape), rel=1e-9, abs=1e-9), (
            number
        )


def test_allowed_of_known_point_groups():
    """Nothing but 1 leaves everything free; a mirror across b the four of a monoclinic cell."""
    assert allowed(np.eye(3)[None], np.eye(3)) == pytest.approx(np.eye(6), abs=DOUBLE_PRECISION)
    mirror = allowed(np.array([np.eye(3), np.diag([1, -1, 1])]), np.eye(3))
    assert mirror == pytest.approx(np.diag([1, 1, 1, 0, 1, 0]), abs=DOUBLE_PRECISION)
    oblique = coefficients_of(lattice_matrix((4.0, 5.0, 6.0, 103.0), 14), np.eye(3), 1)
    assert oblique[[3, 5]] == pytest.approx(0, abs=DOUBLE_PRECISION)
    assert abs(oblique[4]) > 0.1
