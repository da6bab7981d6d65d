"""A window passes what lies inside, and flags what is not sure."""

import pytest
from hysteron.core.candidate import PropertyValue
from hysteron.screening.window import Window, judge_in_window, judge_property
from pydantic import ValidationError

BARRIER = Window(low=0.3, high=1.2)


@pytest.mark.parametrize(
    ("value", "status", "threshold"),
    [(0.3, "passed", 0.3), (1.2, "passed", 1.2), (0.29, "failed", 0.3), (1.21, "failed", 1.2)],
)
def test_both_ends_belong_to_the_window(value, status, threshold):
    told = judge_in_window("migration_barrier", value, BARRIER, "eV", "NEB")
    assert (told.status, told.threshold) == (status, threshold)
    assert told.score == float(status == "passed")
    assert "0.3 to 1.2 eV" in told.sentence


def test_a_value_whose_interval_reaches_over_the_edge_is_flagged():
    sure = judge_in_window("migration_barrier", 0.7, BARRIER, "eV", "NEB", uncertainty=0.1)
    assert not sure.flagged
    near = judge_in_window("migration_barrier", 0.35, BARRIER, "eV", "NEB", uncertainty=0.1)
    assert near.passed
    assert near.flagged
    assert near.uncertainty == 0.1
    assert 0 < near.score < sure.score == 1.0
    outside = judge_in_window("migration_barrier", 1.3, BARRIER, "eV", "NEB", interval=(1.1, 1.5))
    assert outside.status == "failed"
    assert outside.flagged
    spanned = judge_in_window("migration_barrier", 0.1, BARRIER, "eV", "NEB", interval=(-2.0, 2.0))
    assert spanned.status == "failed"
    assert spanned.flagged


def test_half_open_windows():
    least = Window(low=1.0)
    assert least.holds(99)
    assert not least.holds(0.9)
    assert str(least) == "at least 1"
    assert str(Window(high=2.0)) == "at most 2"
    assert Window(high=2.0).edge(7) == 2.0


@pytest.mark.parametrize("ends", [{}, {"low": 2, "high": 1}, {"low": 1, "high": 1}])
def test_a_window_without_room_is_refused(ends):
    with pytest.raises(ValidationError):
        Window(**ends)


def test_what_was_not_computed_is_no_pass():
    assert judge_property(None, "migration_barrier", BARRIER, "eV").status == "not computed"
    found = PropertyValue("migration_barrier", 0.6, "eV", "NEB", 0.05)
    told = judge_property(found, "migration_barrier", BARRIER, "eV")
    assert told.passed
    assert told.uncertainty == 0.05
