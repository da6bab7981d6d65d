"""Retention: Arrhenius as a window, and a score that is best in between."""

import json
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hysteron.screening.resistive_switching.retention import (
    BOLTZMANN_EV_PER_K,
    OVEN_KELVIN,
    TEN_YEARS_SECONDS,
    RetentionConfig,
    barrier_for,
    log10_retention,
    memory_class,
    memory_score,
    retention_of,
    switching_temperature,
)
from pydantic import ValidationError

BARRIERS = st.floats(1e-3, 3.0)


def test_ten_years_at_85_c_need_about_one_and_a_half_electronvolts():
    # ours, by hand: kT(85 C) = 0.030863 eV, ln(3.15576e8 s * 1e13 Hz) = 49.504, product 1.528 eV
    assert barrier_for(TEN_YEARS_SECONDS, OVEN_KELVIN, 1e13) == pytest.approx(1.528, abs=5e-4)
    low, middle, high = retention_of(1.0).barrier_for_ten_years
    assert (low, high) == pytest.approx((1.457, 1.599), abs=1e-3)
    assert low < middle < high


def test_the_dilemma_what_keeps_for_ten_years_is_not_written_in_100_ns_below_a_thousand_kelvin():
    keeping = barrier_for(TEN_YEARS_SECONDS, OVEN_KELVIN, 1e13)
    assert retention_of(keeping).switching_kelvin > 1200
    easy = retention_of(0.35)
    assert easy.switching_kelvin < 300
    assert easy.at[-1].memory == "fleeting"


@given(barrier=BARRIERS, kelvin=st.floats(250, 1500), frequency=st.floats(1e11, 1e15))
def test_barrier_retention_and_temperature_undo_each_other(barrier, kelvin, frequency):
    log10 = log10_retention(barrier, kelvin, frequency)
    assert barrier_for(10**log10, kelvin, frequency) == pytest.approx(barrier, abs=1e-9)
    seconds = 1e-6
    hot = switching_temperature(barrier, seconds, frequency)
    assert log10_retention(barrier, hot, frequency) == pytest.approx(math.log10(seconds), abs=1e-9)


@given(barrier=BARRIERS, more=st.floats(0.01, 1.0))
def test_a_higher_barrier_keeps_longer_and_writes_hotter(barrier, more):
    lower, higher = retention_of(barrier), retention_of(barrier + more)
    assert higher.at[0].log10_seconds > lower.at[0].log10_seconds
    assert higher.switching_kelvin > lower.switching_kelvin


def test_the_score_is_best_in_between_and_reaches_one():
    scores = [memory_score(0.01 * i) for i in range(301)]
    best = scores.index(max(scores))
    assert max(scores) == pytest.approx(1.0, abs=1e-3)
    assert 100 < best < 150
    assert scores[30] == 0.0  # the barrier that switches most easily
    assert scores[200] == 0.0  # and one that never does
    assert all(a <= b + 1e-12 for a, b in pairwise(scores[: best + 1]))
    assert all(a >= b - 1e-12 for a, b in pairwise(scores[best:]))


def test_an_unsure_barrier_scores_between():
    assert memory_score(1.25, 0.3) < memory_score(1.25)
    assert memory_score(0.6, 0.3) > memory_score(0.6) == 0.0
    assert memory_score(1.1, 1e-6) == pytest.approx(memory_score(1.1), abs=1e-4)


def test_uncertainty_widens_the_interval_and_without_it_the_frequency_alone_counts():
    sure, unsure = retention_of(0.6), retention_of(0.6, 0.1)
    room = sure.at[0]
    assert room.interval == pytest.approx((room.log10_seconds - 1, room.log10_seconds + 1))
    per_ev = 1 / (BOLTZMANN_EV_PER_K * room.temperature_kelvin * math.log(10))
    wide = unsure.at[0].interval
    assert wide[1] - wide[0] == pytest.approx(2 + 2 * 1.645 * 0.1 * per_ev, rel=1e-6)
    assert "attempt frequency alone" in sure.record()["method"]
    assert unsure.switching_interval[0] < sure.switching_kelvin < unsure.switching_interval[1]


def test_a_negative_end_of_the_barrier_is_no_barrier():
    assert retention_of(0.1, 0.3).at[0].interval[0] == pytest.approx(-14.0)


@pytest.mark.parametrize(
    ("seconds", "memory"),
    [(1e-6, "fleeting"), (1.0, "short-term"), (86400.0, "medium-term"), (2 * TEN_YEARS_SECONDS, "long-term")],
)
def test_memories_by_time(seconds, memory):
    assert memory_class(math.log10(seconds)) == memory


def test_the_record_is_json_and_says_what_it_is_not():
    record = retention_of(0.6, 0.3).record()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert "lower bound" in record["notes"][0]
    assert "field's help is not counted" in record["notes"][1]
    assert record["at"][0]["memory"] == "short-term"
    assert record["at"][0]["memory_between"][0] == "fleeting"
    assert "1.53 eV" in record["sentence"]
    assert json.dumps(retention_of(60.0).record(), allow_nan=False)


@pytest.mark.parametrize("barrier", [-0.1, math.nan, math.inf])
def test_no_barrier_no_retention(barrier):
    with pytest.raises(ValueError, match="barrier"):
        retention_of(barrier)


def test_settings_without_sense_are_refused():
    with pytest.raises(ValidationError, match="must lie in its range"):
        RetentionConfig(attempt_frequency_hz=1e10)
    with pytest.raises(ValidationError, match="must lie below"):
        RetentionConfig(easy_kelvin=2000.0)
    with pytest.raises(ValidationError, match="longer than one attempt"):
        RetentionConfig(pulse_seconds=1e-13)


def test_the_temperatures_are_settings():
    hot = RetentionConfig(temperatures_kelvin=(423.15,))  # 150 C, automotive
    assert retention_of(1.5, config=hot).barrier_for_ten_years[1] > 1.8
    assert memory_score(1.0, config=hot) < memory_score(1.0)
