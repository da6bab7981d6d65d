"""The softening benchmark finds a slope that was put in, and validates a correction only where one helps."""

import numpy as np
import pytest
from hysteron.benchmarks.softening import Sample, figures, halved, slope


def sample(softness, noise, groups=40, seed=0):
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(groups):
        dft = rng.normal(size=20)
        pairs.append((dft, softness * dft + rng.normal(scale=noise, size=20)))
    return Sample("toy", "force components", "eV/A", pairs)


def test_a_soft_potential_is_found_and_mended():
    found = figures(sample(0.8, 0.02), seed=0)
    low, high = found["slope_interval_90"]
    assert low < 0.8 < high < 1
    assert (found["n"], found["n_groups"]) == (800, 40)
    assert found["correction"]["validated"]
    assert found["correction"]["mean_absolute_error_after"] < 0.2 * found["mean_absolute_error"]


def test_a_potential_that_is_right_gets_no_correction():
    found = figures(sample(1.0, 0.3), seed=0)
    low, high = found["slope_interval_90"]
    assert low < 1 < high
    assert not found["correction"]["validated"]


def test_the_slope_by_hand():
    dft, ours = np.array([1.0, 2.0]), np.array([1.0, 1.0])
    assert slope([(dft, ours)]) == pytest.approx(3 / 5)


def test_too_few_groups_validate_nothing():
    few = sample(0.8, 0.0, groups=3)
    assert halved(few.groups, seed=0)["share_improved"] is None
    assert not figures(few, seed=0)["correction"]["validated"]


def test_the_same_seed_gives_the_same_figures():
    assert figures(sample(0.9, 0.1), seed=3) == figures(sample(0.9, 0.1), seed=3)
