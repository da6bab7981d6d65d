"""The small matrix is the large one: against dense damped BFGS; steps stay inside their radius."""

import numpy as np
import pytest
from hysteron.predictors.relaxation.curvature import DAMPING, SOFTEST, Curvature
from scipy.linalg import eigh


def random_spd(n, rng, spread=2.0):
    q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return (q * np.exp(rng.normal(size=n) * spread / 2)) @ q.T


def dense_update(hessian, move, change):
    felt = hessian @ move
    stiffness, expected = move @ change, move @ felt
    if stiffness < DAMPING * expected:
        keep = (1 - DAMPING) * expected / (expected - stiffness)
        change = keep * change + (1 - keep) * felt
        stiffness = move @ change
    return hessian + np.outer(change, change) / stiffness - np.outer(felt, felt) / expected


def norm(move):
    return float(np.linalg.norm(move))


@pytest.mark.parametrize("updates", [0, 1, 3, 20])
def test_equals_dense_bfgs(updates):
    rng = np.random.default_rng(updates)
    model, truth = random_spd(12, rng), random_spd(12, rng)
    curvature, dense = Curvature(model), model.copy()
    for _ in range(updates):
        move = rng.normal(size=12)
        change = truth @ move - 0.5 * rng.normal() * move  # at times negative: damped
        curvature.learn(move, change)
        dense = dense_update(dense, move, change)
    probe, gradient = rng.normal(size=12), rng.normal(size=12)
    assert curvature.along(probe) == pytest.approx(probe @ dense @ probe, rel=1e-8)
    values, vectors = eigh(dense, model)
    expected = -vectors @ (vectors.T @ gradient / np.maximum(values, SOFTEST))
    assert curvature.step(gradient, norm, 1e9) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_learns_what_it_was_shown_and_stays_positive():
    rng = np.random.default_rng(5)
    curvature = Curvature(random_spd(8, rng))
    move, change = rng.normal(size=8), rng.normal(size=8)
    change += move * (1 - move @ change + 5) / (move @ move)
    curvature.learn(move, change)
    assert curvature.along(move) == pytest.approx(move @ change)
    curvature.learn(move, -change)
    for _ in range(50):
        assert curvature.along(rng.normal(size=8)) > 0


@pytest.mark.parametrize("radius", [1e-6, 1e-3, 0.1, 1.0])
def test_a_step_fits_the_radius_and_goes_down(radius):
    rng = np.random.default_rng(7)
    curvature = Curvature(random_spd(10, rng, spread=4))
    for _ in range(4):
        curvature.learn(*rng.normal(size=(2, 10)))
    gradient = 100 * rng.normal(size=10)
    step = curvature.step(gradient, norm, radius)
    assert 0.95 * radius < norm(step) <= radius
    assert step @ gradient < 0


def test_a_tiny_radius_follows_the_gradient_in_the_metric_of_the_model():
    rng = np.random.default_rng(9)
    model, gradient = random_spd(6, rng), rng.normal(size=6)
    curvature = Curvature(model)
    curvature.learn(*rng.normal(size=(2, 6)))
    step = curvature.step(gradient, norm, 1e-7)
    down = -np.linalg.solve(model, gradient)
    assert step / norm(step) == pytest.approx(down / norm(down), abs=1e-4)


def test_nothing_moves_without_a_slope():
    curvature = Curvature(np.eye(5))
    curvature.learn(np.zeros(5), np.zeros(5))
    assert not curvature.step(np.zeros(5), norm, 0.1).any()
