"""Orders of an epoch: permutations, each of its own, with any place at once."""

import numpy as np
import pytest
from hysteron.predictors.datasets.order import ShuffledOrder


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 16, 17, 1000, 4097])
def test_each_number_comes_once(count):
    assert sorted(ShuffledOrder(count, 3, 1)) == list(range(count))


def test_seed_and_epoch_have_an_order_of_their_own():
    first = list(ShuffledOrder(500, 1, 0))
    assert first == list(ShuffledOrder(500, 1, 0))
    others = [list(ShuffledOrder(500, 1, 1)), list(ShuffledOrder(500, 2, 0)), list(range(500))]
    assert all(sum(a == b for a, b in zip(first, other, strict=True)) < 12 for other in others)


def test_neighbours_are_scattered():
    """Steps of a random order of n have the mean size n/3."""
    steps = np.abs(np.diff(list(ShuffledOrder(3000, 0, 0))))
    assert 900 < steps.mean() < 1100


def test_a_hundred_million_need_no_table():
    order = ShuffledOrder(10**8, 0, 0)
    found = [order[10**8 - 1 - k] for k in range(100)]
    assert len(set(found)) == 100
    assert all(0 <= i < 10**8 for i in found)
    with pytest.raises(IndexError):
        order[10**8]
