"""Enrichment of positives in the best tenth of a pool: known pools, ties, and samples by formula."""

import json

import numpy as np
import pytest
from hysteron.benchmarks.enrichment import (
    Group,
    ceiling,
    enrichment,
    enrichment_figures,
    pool_of,
    ranked_above,
    standing,
)
from hysteron.core.candidate import Verdict


def pool(positives, controls):
    """One group for each positive, all of formulas of their own."""
    shares = np.array_split(np.array(controls), len(positives))
    groups = [
        Group((value, f"F{i}"), tuple((other, "") for other in own.tolist()))
        for i, (value, own) in enumerate(zip(positives, shares, strict=True))
    ]
    return pool_of(groups, lambda member: member[0], lambda member: member[1])


def test_all_on_top_reaches_the_ceiling_and_all_equal_is_one():
    best = pool([1.0] * 5, [0.0] * 45)
    assert enrichment(best) == ceiling(best) == pytest.approx(10)
    assert ranked_above(best) == 1
    assert ceiling(pool([1.0] * 5, [0.0] * 15)) == pytest.approx(4)
    equal = pool([0.5] * 5, [0.5] * 45)
    assert enrichment(equal) == pytest.approx(1)
    assert ranked_above(equal) == 0.5
    worst = pool([0.0] * 5, [1.0] * 45)
    assert enrichment(worst) == ranked_above(worst) == 0


def test_ties_count_as_the_mean_over_their_orders():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 4, size=50)
    positives, controls = values[:5].tolist(), values[5:].tolist()
    labels = np.array([True] * 5 + [False] * 45)
    drawn = []
    for _ in range(20000):
        order = np.lexsort((rng.random(50), -np.array(positives + controls)))
        drawn.append(labels[order[:5]].mean() / labels.mean())
    assert enrichment(pool(positives, controls)) == pytest.approx(np.mean(drawn), abs=0.05)


def test_figures_hold_an_interval_around_the_value_and_whether_the_target_is_met():
    rng = np.random.default_rng(1)
    found = enrichment_figures(pool(rng.normal(1, 1, 20).tolist(), rng.normal(0, 1, 180).tolist()), 0, 2.0)
    low, high = found["interval_90"]
    assert low < found["enrichment_top_decile"] < high
    assert found["met"] is (found["enrichment_top_decile"] >= 2.0)
    assert found["controls_per_positive"] == {"fewest": 9, "median": 9.0, "most": 9}
    assert json.loads(json.dumps(found)) == found


def test_phases_of_one_compound_are_sampled_together():
    """Two of four positives on top: if they are one compound, a sample has none, both or more of both of them."""
    top = [Group((1.0, "A"), ((0.0, ""),) * 9)] * 2
    others = [Group((0.0, name), ((0.5, ""),) * 9) for name in "BC"]
    together = pool_of([*top, *others], lambda member: member[0], lambda member: member[1])
    assert enrichment_figures(together, 0)["n_formulas"] == 3
    assert enrichment_figures(together, 0)["interval_90"][0] == 0


def verdict(passed, score, *criteria):
    """A verdict with required criteria that passed or failed."""
    told = [{"name": f"c{i}", "status": "passed" if one else "failed"} for i, one in enumerate(criteria)]
    required = [f"c{i}" for i in range(4)]
    return Verdict("toy", passed, score, None, None, "", {"criteria": told, "required": required})


def test_passed_before_score_before_how_far_it_came():
    order = [
        verdict(True, 0.9, True, True, True, True),
        verdict(True, 0.2, True, True, True, True),
        verdict(False, 0.0, True, True, True, False),
        verdict(False, None, True, False),
        verdict(False, 0.0, False),
    ]
    places = [standing(one) for one in order]
    assert places == sorted(places, reverse=True)
    assert len(set(places)) == 5
    assert standing(verdict(False, None, True)) == standing(verdict(False, 0.0, True, False))
