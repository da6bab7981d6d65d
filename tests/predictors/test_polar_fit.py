"""Weights, widths and families of the polar-nonpolar fit, on numbers whose law is known."""

import numpy as np
import pytest
from hysteron.predictors.polar_difference import spread, width
from hysteron.predictors.polar_fit import (
    conformal_factor,
    covered,
    fit_combination,
    fit_weights,
    left_out,
)

WEIGHTS = np.array([0.3, 0.8])


def rows(n=120, seed=0):
    """Differences of two made-up potentials, meV/atom, and groups of three rows."""
    rng = np.random.default_rng(seed)
    truth = rng.laplace(scale=20, size=n)
    members = truth[:, None] + rng.normal(scale=3, size=(n, 2))
    return members, [f"group-{i // 3}" for i in range(n)]


def noisy_rows(n=150):
    """DFT values whose error follows the law of `width`."""
    members, groups = rows(n)
    values = members @ WEIGHTS
    widths = width(values, spread(members), 0.3, 0.2, 0.5)
    return members, values + np.random.default_rng(1).laplace(scale=widths), groups


def test_weights_are_found_though_a_fifth_of_the_rows_is_broken():
    members, _ = rows()
    dft = members @ WEIGHTS
    dft[::5] += np.random.default_rng(2).normal(scale=200, size=len(dft[::5]))
    np.testing.assert_allclose(fit_weights(members, dft), WEIGHTS, atol=1e-6)


def test_no_weight_is_negative():
    members, _ = rows()
    weights = fit_weights(members, members @ np.array([1.5, -0.5]))
    assert (weights >= 0).all()


def test_a_group_left_out_teaches_nothing_about_itself():
    members, dft, groups = noisy_rows()
    own = np.array(groups) == "group-7"
    before = left_out(members, dft, groups)
    broken = np.where(own, dft * 1000, dft)
    after = left_out(members, broken, groups)
    np.testing.assert_allclose(after[own], before[own])
    assert np.abs(after[~own] - before[~own]).max() > 0


def test_one_potential_is_taken_as_it_is():
    members, dft, groups = noisy_rows(60)
    found = fit_combination(["alone"], members[:, :1], dft, groups)
    assert found.weights == (1.0,)
    assert found.disagreement == 0.0
    assert found.half > found.sigma > 0


def test_intervals_hold_nine_in_ten_of_groups_never_seen():
    members, dft, groups = noisy_rows()
    labels = [f"fold-{int(g.split('-')[1]) % 5}" for g in groups]
    predicted = left_out(members, dft, labels)
    inside = covered(np.abs(predicted - dft), predicted, spread(members), labels)
    # 150 draws of 0.9 scatter by 0.024; three standard deviations
    assert inside.mean() == pytest.approx(0.9, abs=0.075)


def test_the_conformal_factor_is_the_next_rank_up():
    assert conformal_factor(np.arange(1, 20), 0.9) == 18
    assert conformal_factor(np.arange(1, 4), 0.9) == 3
