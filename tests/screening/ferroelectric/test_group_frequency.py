"""Frequencies of space groups are shares of one whole, and the familiar groups are the frequent ones."""

import math

import pytest
from hysteron.screening.ferroelectric.group_frequency import CRYSTALS_BY_GROUP, log_frequency

CRYSTALS = 62938  # as the table says of itself


def test_every_group_has_its_count():
    assert len(CRYSTALS_BY_GROUP) == 230
    assert sum(CRYSTALS_BY_GROUP) == CRYSTALS
    assert min(CRYSTALS_BY_GROUP) >= 0


def test_the_shares_add_up_to_one_and_none_is_zero():
    shares = [math.exp(log_frequency(number)) for number in range(1, 231)]
    assert sum(shares) == pytest.approx(1)
    assert min(shares) > 0


@pytest.mark.parametrize(
    ("frequent", "rare"), [(63, 66), (221, 123), (62, 19), (14, 13), (225, 226), (167, 163)]
)
def test_the_familiar_one_is_the_frequent_one(frequent, rare):
    """Cmcm and Cccm, Pm-3m and P4/mmm; the others as in any count of known crystals, Pnma and P2_1/c on top."""
    assert log_frequency(frequent) > log_frequency(rare)


def test_the_most_frequent_groups():
    """Fm-3m, P2_1/c and Pnma, which lead most counts of known crystals."""
    order = sorted(range(1, 231), key=log_frequency)
    assert {225, 14, 62} <= set(order[-5:])
