"""The springs between atoms: stiff along, soft across, blind to translation."""

from __future__ import annotations

import numpy as np
import pytest
from hysteron.core.springs import ACROSS, DECAY, RADII, STIFFEST, between_atoms, springs

LITHIUM, OXYGEN = 3, 8


def test_two_atoms_at_the_sum_of_their_radii_are_joined_by_one_unit():
    length = RADII[LITHIUM - 1] + RADII[OXYGEN - 1]
    first, second = np.array([LITHIUM]), np.array([OXYGEN])
    at_rest = springs(first, second, np.array([[0, 0, length]]))[0]
    assert at_rest == pytest.approx(np.diag([ACROSS, ACROSS, 1.0]))
    longer = springs(first, second, np.array([[0, 0, length + 1]]))[0]
    assert longer == pytest.approx(np.exp(-DECAY) * at_rest)
    assert springs(first, second, np.array([[0, 0, 0.01]]))[0, 2, 2] == pytest.approx(STIFFEST)


def test_a_spring_turns_with_its_bond():
    numbers = np.array([OXYGEN])
    bond, turn = np.array([[1.0, 2.0, 0.5]]), np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned = springs(numbers, numbers, bond @ turn)[0]
    assert turned == pytest.approx(turn.T @ springs(numbers, numbers, bond)[0] @ turn)


def test_the_energy_is_that_of_springs_one_by_one():
    rng = np.random.default_rng(1)
    first, second = np.array([0, 0, 1, 0]), np.array([1, 2, 2, 1])
    numbers = np.array([3, 8, 22])
    stiffness = springs(numbers[first], numbers[second], rng.normal(size=(4, 3)) + 1.5)
    hessian = between_atoms(first, second, stiffness, 3)
    moves = rng.normal(size=(3, 3))
    pulls = moves[second] - moves[first]
    expected = np.einsum("ba,bac,bc->", pulls, stiffness, pulls)
    assert moves.ravel() @ hessian @ moves.ravel() == pytest.approx(expected)
    assert hessian @ np.tile([1.0, -2.0, 0.5], 3) == pytest.approx(np.zeros(9), abs=1e-12)
    assert np.linalg.eigvalsh(hessian).min() > -1e-12
    assert len(RADII) == 94
