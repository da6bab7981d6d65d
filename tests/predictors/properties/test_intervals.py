"""An interval holds the truth as often as it says, on numbers made for it."""

import numpy as np
import pytest
from hysteron.predictors.properties.intervals import (
    COVERAGE,
    ONE_SIGMA,
    SMALLEST_CLASS,
    Intervals,
    conformal_quantile,
    with_common_unmet,
)

BINOMIAL = 0.025  # some three standard deviations of a coverage of 0.9 on 2000 crystals, two samples


def drawn(n: int, seed: int, hard: float = 1.0):
    """Normal errors whose size is 0.2 + spread + 0.3 distance; those of class `hard` are larger."""
    rng = np.random.default_rng(seed)
    spreads, distances = rng.uniform(0.01, 1.0, n), rng.uniform(0.1, 3.0, n)
    classes = np.where(rng.random(n) < 0.3, "hard", "easy")
    sizes = (0.2 + spreads + 0.3 * distances) * np.where(classes == "hard", hard, 1.0)
    return np.abs(rng.normal(size=n)) * sizes, spreads, distances, classes.tolist()


def fitted(n: int = 4000, seed: int = 0, hard: float = 1.0) -> Intervals:
    halves = np.random.default_rng(9).random(n) < 0.5
    return Intervals.fit(*drawn(n, seed, hard), halves)


@pytest.mark.parametrize("seed", range(3))
def test_nine_in_ten_are_held(seed):
    errors, spreads, distances, classes = drawn(2000, 100 + seed)
    half, sigma = fitted(seed=seed).half(spreads, distances, classes)
    assert (errors <= half).mean() == pytest.approx(COVERAGE, abs=BINOMIAL)
    assert (errors <= sigma).mean() == pytest.approx(ONE_SIGMA, abs=2 * BINOMIAL)


def test_each_class_of_chemistry_is_held():
    errors, spreads, distances, classes = drawn(4000, 7, hard=4.0)
    half, _ = fitted(hard=4.0).half(spreads, distances, classes)
    for name in ("easy", "hard"):
        chosen = np.array(classes) == name
        assert (errors <= half)[chosen].mean() == pytest.approx(COVERAGE, abs=2 * BINOMIAL)


def test_the_unsure_and_the_far_have_wider_ones():
    found = fitted()
    spreads, distances = np.array([0.1, 0.9, 0.1]), np.array([0.5, 0.5, 2.5])
    half, sigma = found.half(spreads, distances, ["easy"] * 3)
    assert half[1] > 1.2 * half[0]
    assert half[2] > 1.2 * half[0]
    assert (sigma < half).all()


def test_a_sign_that_makes_no_sense_is_not_learned():
    """Errors that shrink with the distance: the width then does not depend on it."""
    rng = np.random.default_rng(0)
    distances = rng.uniform(0.1, 3.0, 2000)
    errors = np.abs(rng.normal(size=2000)) / distances
    found = Intervals.fit(
        errors, rng.uniform(0.1, 1, 2000), distances, ["easy"] * 2000, rng.random(2000) < 0.5
    )
    assert found.distance == 0
    assert found.spread >= 0


def test_no_crystal_is_judged_by_a_width_that_it_taught():
    """Few crystals with errors of pure noise: 60 still hold nine of ten of the next, on average over many draws."""
    held = []
    for seed in range(120):
        errors, spreads, distances, classes = drawn(160, 1000 + seed)
        known = np.arange(160) < 60
        halves = (np.arange(60) % 2).astype(bool)
        chosen = [c for c, k in zip(classes, known, strict=True) if k]
        found = Intervals.fit(errors[known], spreads[known], distances[known], chosen, halves)
        rest = [c for c, k in zip(classes, known, strict=True) if not k]
        half, _ = found.half(spreads[~known], distances[~known], rest)
        held.append((errors[~known] <= half).mean())
    assert np.mean(held) == pytest.approx(COVERAGE, abs=BINOMIAL)


def test_a_half_without_crystals_is_no_error():
    errors, spreads, distances, classes = drawn(40, 3)
    found = Intervals.fit(errors, spreads, distances, classes, np.ones(40, dtype=bool))
    half, _ = found.half(spreads, distances, classes)
    assert np.isfinite(half).all()


def test_a_class_that_was_hardly_seen_has_the_quantile_of_all():
    n = 2000
    errors, spreads, distances, _ = drawn(n, 0)
    classes = ["seen"] * (n - 20) + ["rare"] * 20
    found = Intervals.fit(errors, spreads, distances, classes, np.arange(n) % 2 == 0)
    assert SMALLEST_CLASS > 20
    assert set(found.quantiles) == {"", "seen"}
    one = np.ones(2)
    half, _ = found.half(one, one, ["rare", "rare"])
    assert half == pytest.approx(found.widths(one, one) * found.quantiles[""])


def test_a_class_that_was_never_met_is_judged_by_distance_and_as_the_hardest():
    found = fitted(hard=4.0)
    errors, spreads, distances, classes = drawn(4000, 7, hard=4.0)
    strangers = ["never heard of"] * len(classes)
    half, sigma = found.half(spreads, distances, strangers)
    assert half == pytest.approx(distances * found.unmet[0])
    assert sigma == pytest.approx(distances * found.unmet[1])
    hard = np.array(classes) == "hard"
    assert (errors <= half)[hard].mean() == pytest.approx(COVERAGE, abs=2 * BINOMIAL)
    assert (errors <= half)[~hard].mean() > COVERAGE


def test_releases_of_one_quantity_share_the_widest_for_what_was_never_met():
    mild, hard, unknown = fitted(hard=1.0), fitted(hard=4.0), Intervals()
    assert hard.unmet[0] > mild.unmet[0]
    found = with_common_unmet([mild, hard, unknown])
    assert [some.unmet for some in found] == [hard.unmet, hard.unmet, (0.0, 0.0)]
    assert found[0].quantiles == mild.quantiles
    assert with_common_unmet([unknown]) == [unknown]


def test_no_crystals_have_no_intervals():
    none = np.zeros(0)
    assert [some.shape for some in fitted().half(none, none, [])] == [(0,), (0,)]


def test_intervals_of_before_classes_were_listed_know_all_of_them():
    found = Intervals(quantiles={"": 2.0}, sigmas={"": 1.0})
    half, _ = found.half(np.ones(1), np.ones(1), ["never heard of"])
    assert half == pytest.approx([2.0])


def test_it_survives_json():
    import json

    found = fitted(400)
    assert Intervals(**json.loads(json.dumps(found.as_dict()))) == found


@pytest.mark.parametrize(
    ("n", "coverage", "rank"),
    [(9, 0.9, 9), (10, 0.9, 10), (19, 0.9, 18), (99, 0.9, 90), (100, 0.9, 91), (5, 0.9, 5), (3, 0.5, 2)],
)
def test_the_quantile_is_the_ceil_of_n_plus_one_times_the_coverage(n, coverage, rank):
    """Vovk et al.'s; of 1 to n the r-th smallest is r, and the largest if there are too few."""
    scores = np.random.default_rng(0).permutation(np.arange(1, n + 1)).astype(float)
    assert conformal_quantile(scores, coverage) == rank


def test_the_quantile_covers_on_average():
    """Over many calibrations of 19, a further score is below it at least 0.9 of the time, and hardly more."""
    rng = np.random.default_rng(0)
    held = [rng.random() <= conformal_quantile(rng.random(19), 0.9) for _ in range(2000)]
    assert np.mean(held) == pytest.approx(0.9, abs=BINOMIAL)
