"""The benchmark's own arithmetic, on planted errors: what it should see it sees, and what is not there it does not."""

import numpy as np
import pytest
from hysteron.benchmarks.learning_held_out import as_stated, corrected, held_out
from hysteron.benchmarks.learning_nights import A_NIGHT, NIGHTS, Pool, nights
from hysteron.predictors.lessons.correction import learn_correction
from hysteron.predictors.lessons.pairs import Pair


def pairs(
    count: int, bias: float, sigma: float | None = 0.3, seed: int = 0, name: str = "band_gap"
) -> list[Pair]:
    rng = np.random.default_rng(seed)
    found = []
    for i in range(count):
        estimate = 1.0 + 4.0 * rng.random()
        dft = estimate + bias + 0.3 * rng.normal()
        found.append(
            Pair(f"c{i:03d}", "O|d" if i % 2 else "F|s", name, "GNN", "DFT/PBE/VASP", estimate, dft, sigma)
        )
    return found


def test_a_bias_is_seen_and_its_absence_too():
    biased = held_out(pairs(120, 1.0), 0, 6)
    assert [row["answers"] for row in biased] == [5, 10, 20, 50]
    last = biased[-1]
    assert last["mae_raw"]["median"] == pytest.approx(1.0, abs=0.1)
    assert last["mae_corrected"]["median"] == pytest.approx(0.24, abs=0.06)
    assert last["mae_change"]["high"] < -0.5
    assert last["coverage_of_90_raw"]["median"] < 0.2 < 0.8 < last["coverage_of_90_corrected"]["median"]
    assert last["log_score_change"]["low"] > 1
    fair = held_out(pairs(120, 0.0), 0, 6)[-1]
    assert fair["mae_change"]["median"] == 0.0


def test_estimates_without_uncertainty_have_no_score_of_their_own():
    row = held_out(pairs(60, 1.0, sigma=None), 0, 3)[0]
    assert "log_score_raw" not in row
    assert "log_score_corrected" in row


def test_scores_are_log_densities():
    some = pairs(40, 1.0)
    raw, made = as_stated(some[20:]), corrected(some[20:], learn_correction(some[:20]))
    one = some[20]
    expected = -0.5 * (one.error / 0.3) ** 2 - np.log(0.3) - 0.5 * np.log(2 * np.pi)
    assert raw.scores[0] == pytest.approx(expected)
    assert made.scores.mean() > raw.scores.mean()


def test_nights_find_no_less_from_night_to_night_and_chance_finds_least():
    rows = tuple(zip(pairs(80, 0.0, seed=1), pairs(80, 0.0, seed=2, name="polarization"), strict=True))
    pool = Pool("toy", rows, (lambda gap: gap / 6, lambda polarization: polarization / 6))
    found = nights(pool, 4)
    assert found["a_night"] == A_NIGHT
    medians = {}
    for name, figures in found["strategies"].items():
        shares = [night["median"] for night in figures["hypervolume_share"]]
        assert len(shares) == NIGHTS
        assert shares == sorted(shares)
        assert 0 < shares[-1] <= 1
        medians[name] = shares[1]
    assert medians["random"] == min(medians.values())
    assert medians["improvement"] > medians["random"]
