"""Expected improvement against its closed forms and against chance; batches that are not all siblings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.screening.acquisition import Space, choose, expected_improvement, front_of

SAMPLES = 200_000


def test_one_goal_is_the_textbook_formula():
    from scipy.stats import norm

    mean, deviation, best = 0.8, 0.3, 1.0
    z = (mean - best) / deviation
    expected = (mean - best) * norm.cdf(z) + deviation * norm.pdf(z)
    assert expected_improvement(np.array(mean), np.array(deviation), np.array(best)) == pytest.approx(
        expected
    )
    space = Space(np.array([[best]]), np.zeros(1))
    assert space.expected(np.array([[mean]]), np.array([[deviation]])) == pytest.approx([expected])


def test_a_certain_value_improves_by_its_lead_and_never_by_less_than_nothing():
    found = expected_improvement(np.array([1.5, 0.5]), np.zeros(2), np.array(1.0))
    assert found == pytest.approx([0.5, 0.0])


def test_two_goals_of_one_known_point_are_the_formula_of_strips():
    """Front {(1, 1)}, reference 0: left of it all of the height counts, right of it too, above it what is over 1."""
    mean, deviation = np.array([[0.9, 1.2]]), np.array([[0.4, 0.3]])

    def ei(goal: int, best: float) -> float:
        return float(expected_improvement(mean[0, goal], deviation[0, goal], np.array(best)))

    left, right = ei(0, 0.0) - ei(0, 1.0), ei(0, 1.0)
    exact = left * ei(1, 1.0) + right * ei(1, 0.0)
    space = Space(np.array([[1.0, 1.0]]), np.zeros(2))
    assert space.expected(mean, deviation) == pytest.approx([exact])


@pytest.mark.parametrize("goals", [2, 3])
def test_the_expectation_is_the_mean_of_what_drawn_points_add(goals):
    rng = np.random.default_rng(goals)
    space = Space(rng.random((9, goals)), np.zeros(goals))
    mean, deviation = rng.random((1, goals)), np.full((1, goals), 0.25)
    drawn = space.gained(rng.normal(mean, deviation, (SAMPLES, goals))).mean()
    assert space.expected(mean, deviation)[0] == pytest.approx(drawn, rel=0.02)


def test_the_hypervolume_is_that_of_the_boxes():
    points = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0], [1.0, 1.0]])
    assert Space(points, np.zeros(2)).hypervolume == pytest.approx(6.0)
    assert Space(np.zeros((0, 2)), np.zeros(2)).hypervolume == 0.0
    assert front_of(points).tolist() == [[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_what_a_point_adds_is_the_difference_of_two_hypervolumes(seed):
    rng = np.random.default_rng(seed)
    front, point = rng.random((6, 3)), rng.random((1, 3))
    added = Space(np.vstack([front, point]), np.zeros(3)).hypervolume - Space(front, np.zeros(3)).hypervolume
    assert Space(front, np.zeros(3)).gained(point)[0] == pytest.approx(added, abs=1e-12)


def test_a_dominated_certain_candidate_is_chosen_last_and_an_uncertain_one_before_it():
    uncertain = np.linspace([0.2, 0.2], [0.8, 0.8], 32)
    draws = np.array([np.full((32, 2), 0.5), uncertain, np.tile([1.5, 0.5], (32, 1))])
    known = np.array([[0.6, 0.6]])
    assert [c.index for c in choose(draws, known, 3)] == [2, 1, 0]
    assert choose(draws, known, 3)[-1].gain == 0.0


@pytest.mark.parametrize("kind", ["improvement", "bound"])
def test_a_batch_is_not_made_of_siblings(kind):
    rng = np.random.default_rng(0)
    siblings = 0.5 + 0.02 * rng.standard_normal((10, 1, 2)) + 0.1 * rng.standard_normal((10, 64, 2))
    stranger = np.array([[[0.3, 0.75]]]) + 0.1 * rng.standard_normal((1, 64, 2))
    draws = np.concatenate([siblings, stranger])
    chosen = [c.index for c in choose(draws, np.zeros((0, 2)) + 0.4, 2, kind, ["kin"] * 10 + ["stranger"])]
    alone = sorted(range(11), key=lambda i: -Space(np.zeros((0, 2)), np.zeros(2)).gained(draws[i]).mean())
    assert 10 in chosen
    assert alone[:2] != chosen


def test_who_is_chosen_is_believed_so_its_double_has_nothing_left_to_add():
    draws = np.tile(np.array([[[0.9, 0.5]], [[0.9, 0.5]], [[0.2, 0.6]]]), (1, 8, 1))
    assert [c.index for c in choose(draws, np.array([[0.1, 0.1]]), 2)] == [0, 2]


def test_the_choice_depends_on_the_numbers_and_not_on_chance():
    rng = np.random.default_rng(4)
    draws, known = rng.random((20, 16, 2)), rng.random((4, 2))
    first = choose(draws, known, 5)
    assert choose(draws, known, 5) == first
    assert len({c.index for c in first}) == 5
    gains = [c.gain for c in first]
    assert gains == sorted(gains, reverse=True)


def test_all_are_chosen_when_more_are_asked_for():
    assert len(choose(np.random.default_rng(0).random((3, 4, 2)), np.zeros((0, 2)), 9)) == 3
