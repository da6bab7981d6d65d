"""The simplices found one by one against scipy's linear programme, also where solutions are degenerate."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.predictors.hull import lower_hull
from hysteron.predictors.hull.lower_hull import LowerHull
from scipy.optimize import linprog

ENERGY = 1e-8  # eV/atom, tolerance of both programmes together


def drawn(seed, elements=3, phases=20, step=0.0):
    """Elements and phases of small whole numbers of atoms; `step` rounds energies so that many tie."""
    rng = np.random.default_rng(seed)
    counts = np.unique(rng.integers(0, 5, (phases, elements)), axis=0)
    counts = counts[(counts > 0).sum(axis=1) > 1]
    rows = np.unique(
        np.vstack([np.eye(elements), counts / counts.sum(axis=1, keepdims=True)]).round(12), axis=0
    )
    energies = rng.normal(-0.3, 0.4, len(rows))
    energies = np.round(energies / step) * step if step else energies
    targets = rng.dirichlet(np.ones(elements), 8)
    on_phases = rows[rng.integers(0, len(rows), 4)]
    return rows.T, energies, np.vstack([targets, on_phases, rows[:2].mean(axis=0)])


def lowest(fractions, energies, target):
    return linprog(energies, A_eq=fractions, b_eq=target, bounds=(0, None), method="highs").fun


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(3, 60), st.sampled_from([0.0, 0.5, 2.0]))
def test_mixtures_are_those_of_the_linear_programme(seed, elements, phases, step):
    fractions, energies, targets = drawn(seed, elements, phases, step)
    hull = LowerHull(fractions, energies)
    for _ in range(2):  # the second time from what is kept
        for target, found in zip(targets, hull.mixtures(targets), strict=True):
            assert found.energy == pytest.approx(lowest(fractions, energies, target), abs=ENERGY)
            assert fractions[:, found.columns] @ found.shares == pytest.approx(target, abs=ENERGY)
            assert energies[found.columns] @ found.shares == pytest.approx(found.energy, abs=ENERGY)
            assert found.shares.min() > -ENERGY


def test_blands_rule_and_the_solver_behind_give_the_same(monkeypatch):
    fractions, energies, targets = drawn(7, 4, 50, 0.5)
    expected = [lowest(fractions, energies, target) for target in targets]
    monkeypatch.setattr(lower_hull, "STEPS_BEFORE_BLAND", 0)
    assert [m.energy for m in LowerHull(fractions, energies).mixtures(targets)] == pytest.approx(
        expected, abs=ENERGY
    )
    monkeypatch.setattr(lower_hull, "MOST_STEPS", 1)
    behind = LowerHull(fractions, energies)
    assert [m.energy for m in behind.mixtures(targets)] == pytest.approx(expected, abs=ENERGY)
    assert len(behind._known) == 0


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(lower_hull, "MOST_SIMPLICES", 2)
    monkeypatch.setattr(lower_hull, "TARGETS_AT_ONCE", 3)
    fractions, energies, targets = drawn(3, 4, 60)
    hull = LowerHull(fractions, energies)
    found = hull.mixtures(targets)
    assert len(hull._known) == 2
    assert [m.energy for m in found] == pytest.approx(
        [lowest(fractions, energies, t) for t in targets], abs=ENERGY
    )


def test_threads_may_share_a_hull():
    fractions, energies, _ = drawn(5, 5, 80)
    targets = np.random.default_rng(0).dirichlet(np.ones(5), 200)
    expected = [m.energy for m in LowerHull(fractions, energies).mixtures(targets)]
    shared, results = LowerHull(fractions, energies), {}

    def ask(k):
        order = np.random.default_rng(k).permutation(len(targets))
        found = shared.mixtures(targets[order])
        results[k] = {int(i): m.energy for i, m in zip(order, found, strict=True)}

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(4):
        assert [results[k][i] for i in range(len(targets))] == pytest.approx(expected, abs=ENERGY)
