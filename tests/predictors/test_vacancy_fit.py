"""The fit of vacancy corrections: that it learns, that it does not peep, and that nothing hangs on the order of rows."""

import numpy as np
import pytest
from hysteron.predictors.vacancy_correction import VacancyFit
from hysteron.predictors.vacancy_fit import (
    COMPETITORS,
    calibrated,
    competing,
    covered,
    fit_process,
    folds_by_formula,
    held_out,
)

WIDTH = 5
NOISE_EV = 0.1


def rows(n=60, seed=0):
    """A potential that misses a smooth function of the features, with some noise; two rows a formula."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, WIDTH))
    dft = 4.0 + 1.5 * features[:, 0] + rng.normal(scale=NOISE_EV, size=n)
    energies = dft + 0.7 - np.sin(features[:, 1]) + 0.5 * features[:, 2]
    return energies, features, dft, [f"X{i // 2}" for i in range(n)]


def errors(ours, dft):
    return float(np.abs(ours - dft).mean())


def test_what_was_left_out_is_predicted_better_than_by_simpler_corrections():
    energies, features, dft, formulas = rows()
    folds = folds_by_formula(formulas, seed=0, folds=5)
    ours = errors(held_out(energies, features, dft, folds)[0], dft)
    beside = {
        name: errors(competing(p, energies, features, dft, folds), dft) for name, p in COMPETITORS.items()
    }
    assert ours < 0.3
    assert ours < 0.5 * errors(energies, dft)
    assert beside["median of the other folds"] > beside["straight line"] > ours
    assert beside["constant shift"] > ours


def test_a_row_does_not_see_its_own_value():
    energies, features, dft, formulas = rows()
    folds = folds_by_formula(formulas, seed=0, folds=5)
    before = held_out(energies, features, dft, folds)[0]
    changed = dft.copy()
    changed[folds == 0] += 3.0
    after = held_out(energies, features, changed, folds)[0]
    assert np.allclose(after[folds == 0], before[folds == 0], atol=1e-6)
    assert not np.allclose(after[folds == 1], before[folds == 1], atol=1e-3)


def test_intervals_hold_what_they_promise_on_rows_left_out():
    energies, features, dft, formulas = rows(n=60)
    inside, half = covered(energies, features, dft, folds_by_formula(formulas, seed=1, folds=3), formulas)
    assert 0.8 <= inside.mean() <= 1.0
    assert np.all(half > 0)


def test_factors_come_from_errors_on_formulas_left_out():
    energies, features, dft, formulas = rows()
    plain = fit_process("toy", energies, features, dft)
    fit = calibrated(plain, energies, features, dft, formulas)
    assert (plain.sigma, plain.coverage) == (1.0, 0.9)
    assert fit.half > fit.sigma > 0.3
    assert fit.shape == plain.shape


def test_folds_keep_formulas_together_and_do_not_hang_on_the_order():
    formulas = [f"X{i % 30}" for i in range(90)]
    folds = folds_by_formula(formulas, seed=3)
    assert all(len(set(folds[np.array(formulas) == name])) == 1 for name in set(formulas))
    assert np.array_equal(folds_by_formula(formulas[::-1], seed=3), folds[::-1])
    assert not np.array_equal(folds_by_formula(formulas, seed=4), folds)
    assert sorted(set(folds)) == list(range(10))


def test_the_order_of_rows_changes_nothing():
    energies, features, dft, _ = rows()
    order = np.random.default_rng(1).permutation(len(dft))
    one = fit_process("toy", energies, features, dft)
    other = fit_process("toy", energies[order], features[order], dft[order])
    new = rows(n=10, seed=5)
    ours, theirs = (fit.corrected(new[0], new[1]) for fit in (one, other))
    assert np.allclose(ours[0], theirs[0], atol=1e-2)
    assert np.allclose(ours[1], theirs[1], atol=1e-2)


def test_far_from_what_was_learnt_the_correction_fades_and_its_deviation_grows():
    energies, features, dft, _ = rows()
    fit = fit_process("toy", energies, features, dft)
    near, far = features[:1], features[:1] + 100.0
    (near_value, far_value), (near_sigma, far_sigma) = fit.corrected(
        np.repeat(energies[:1], 2), np.concatenate([near, far])
    )
    z = (energies[0] - fit.energy_mean) / fit.energy_scale
    slope = (far_value - energies[0] - fit.mean) / z if abs(z) > 1e-6 else 0.0
    assert abs(slope) < 3.0  # the straight line alone is left
    assert far_sigma > 3 * near_sigma
    assert fit.distances(near)[0] == pytest.approx(0.0, abs=1e-6)
    assert fit.distances(far)[0] > fit.farthest
    assert near_value == pytest.approx(dft[0], abs=0.4)


def test_json_and_back():
    energies, features, dft, formulas = rows()
    fit = calibrated(fit_process("toy", energies, features, dft), energies, features, dft, formulas)
    again = VacancyFit.from_dict(fit.to_dict())
    new = rows(n=10, seed=5)
    for ours, theirs in zip(fit.corrected(*new[:2]), again.corrected(*new[:2]), strict=True):
        assert np.allclose(ours, theirs, atol=2e-3)
    assert (again.potential, again.shape, again.half) == (fit.potential, fit.shape, fit.half)
