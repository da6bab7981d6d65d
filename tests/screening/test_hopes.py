"""What a candidate might turn out to be is what the screens say of values drawn from its uncertainties."""

import lesson_samples as samples
import numpy as np
import pytest
from hysteron.core.candidate import Verdict
from hysteron.core.learnt import LEARNABLE
from hysteron.screening.hopes import deviation, hopes, kin, spreads, standard_draws, unstated
from hysteron.screening.ranking import RankConfig

DRAWS = standard_draws()


class Scores:
    """Scores a property over its limit."""

    def __init__(self, name: str, of: str, limit: float) -> None:
        self.name, self.of, self.limit = name, of, limit

    def judge(self, candidate):
        value = candidate.value(self.of)
        passed = value is not None and value >= self.limit
        return Verdict(self.name, passed, float(value) / 10 if passed else 0.0, None, None, ".")


SCREENS = [Scores("stability", "band_gap", 1.0), Scores("ferroelectric", "polarization", 2.0)]


def with_polarization(number: float, sigma: float | None):
    one = samples.predicted(samples.salt("TiO"), 3.0, sigma=None)
    return samples.answered(one, 3.0).with_property(samples.value("polarization", number, "toy", sigma))


def test_draws_are_standard_normal_and_always_the_same():
    assert DRAWS.shape == (32, len(LEARNABLE))
    assert np.array_equal(DRAWS, standard_draws())
    assert DRAWS.mean(0) == pytest.approx(np.zeros(len(LEARNABLE)), abs=1e-9)
    assert DRAWS.std(0) == pytest.approx(np.ones(len(LEARNABLE)), abs=0.05)


def test_goals_are_the_scores_of_the_screens_for_what_was_drawn():
    found = hopes(with_polarization(5.0, 1.0), SCREENS, RankConfig(), {}, DRAWS)
    assert found.shape == (32, 2)
    assert found[:, 0] == pytest.approx(np.full(32, 0.3))
    assert found[:, 1].mean() == pytest.approx(0.5, abs=0.01)
    assert found[:, 1].std() == pytest.approx(0.1, abs=0.01)


def test_what_a_screen_may_reject_has_nothing_to_offer_then():
    found = hopes(with_polarization(2.0, 1.0), SCREENS, RankConfig(), {}, DRAWS)[:, 1]
    assert (found == 0).mean() == pytest.approx(0.5, abs=0.05)


def test_what_dft_or_nobody_doubts_is_certain():
    found = hopes(with_polarization(5.0, None), SCREENS, RankConfig(), {}, DRAWS)
    assert found.std(0) == pytest.approx([0.0, 0.0], abs=1e-12)


def test_an_estimate_without_uncertainty_is_as_wide_as_the_candidates_differ():
    pool = [with_polarization(p, None) for p in (3.0, 5.0, 9.0)]
    spread = spreads(pool)
    assert spread["polarization"] == pytest.approx(np.std([3, 5, 9]))
    assert unstated(pool[0]) == ["polarization"]
    assert hopes(pool[1], SCREENS, RankConfig(), spread, DRAWS)[:, 1].std() > 0.1


def test_a_90_percent_interval_is_a_deviation_too():
    value = samples.value("polarization", 5.0, "toy", interval=(1.0, 9.0), coverage=0.9)
    assert deviation(value, {}) == (pytest.approx(8 / 3.29, abs=1e-2), True)
    boasting = samples.value("polarization", 5.0, "toy", 0.1, interval=(1.0, 9.0), coverage=0.9)
    assert deviation(boasting, {}) == deviation(value, {})
    for known in (samples.PBE, "PBE", "experiment"):
        assert deviation(samples.value("band_gap", 1.0, known), {"band_gap": 9.0}) == (0.0, True)


def test_kin_are_of_one_class_and_prototype():
    one, other = (samples.predicted(samples.salt(f), 1.0) for f in ("TiO", "ZrO"))
    assert kin(one) == kin(other)
    assert kin(one) != kin(samples.predicted(samples.salt("NaF"), 1.0))
