"""The line from metal to insulator: what it learns, how sure it is, and its probabilities."""

import numpy as np
import pytest
from conduction_samples import on_a_line
from hypothesis import given
from hypothesis import strategies as st
from hysteron.predictors.conduction.process import (
    INSULATOR,
    METAL,
    TRANSITION,
    Fitted,
    Process,
    Shape,
    Thresholds,
)

MIDDLE = Thresholds(-0.4, 0.4, 0.3)


@pytest.fixture(scope="module")
def process():
    toy = on_a_line()
    return Process(toy.rows, toy.labels, Shape(0.5, 0.05))


def test_it_learns_the_order_of_the_classes(process):
    mean, variance = process.places(np.array([[-2.5, 0.0], [0.0, 0.0], [2.5, 0.0]]))
    assert mean[0] < -0.6
    assert abs(mean[1]) < 0.2
    assert mean[2] > 0.6
    assert (variance < 0.05).all()
    assert MIDDLE.probabilities(mean, variance).argmax(axis=1).tolist() == [METAL, TRANSITION, INSULATOR]


def test_far_from_everything_it_knows_nothing(process):
    mean, variance = process.places(np.array([[60.0, -60.0]]))
    assert variance == pytest.approx(1.0, abs=1e-6)
    told = MIDDLE.probabilities(mean, variance)[0]
    assert told.max() < 0.45  # no class is likely, the transition not either
    assert process.distances(np.array([[60.0, -60.0]]))[0] > 10


def test_a_row_itself_is_at_no_distance(process):
    assert np.allclose(process.distances(process.rows[:5]), 0, atol=1e-6)


def test_classes_weigh_alike(process):
    sums = [process.weights[process.labels == one].sum() for one in (METAL, INSULATOR, TRANSITION)]
    assert np.allclose(sums, sums[0])
    assert process.weights.mean() == pytest.approx(1)


def test_the_order_of_rows_and_the_unit_of_a_feature_change_nothing(process):
    order = np.random.default_rng(1).permutation(len(process.labels))
    asked = np.array([[0.3, 0.1], [-1.7, 0.0]])
    turned = Process(process.rows[order] * [1000, 1], process.labels[order], process.shape)
    assert np.allclose(turned.places(asked * [1000, 1])[0], process.places(asked)[0])
    assert np.allclose(turned.places(asked * [1000, 1])[1], process.places(asked)[1])


def test_a_feature_that_never_varies_is_borne(process):
    rows = np.column_stack([process.rows, np.ones(len(process.rows))])
    assert np.isfinite(Process(rows, process.labels, process.shape).places(rows[:3])[0]).all()


@given(st.floats(-3, 3), st.floats(0, 1))
def test_probabilities_add_up_to_one_and_mirror(mean, variance):
    told = MIDDLE.probabilities(np.array([mean]), np.array([variance]))[0]
    mirrored = MIDDLE.probabilities(np.array([-mean]), np.array([variance]))[0]
    assert told.sum() == pytest.approx(1)
    assert (told >= 0).all()
    assert told[METAL] == pytest.approx(mirrored[INSULATOR])
    assert told[TRANSITION] == pytest.approx(mirrored[TRANSITION])


@given(st.floats(-2, 2), st.floats(0, 1), st.floats(0.01, 1))
def test_farther_towards_insulators_an_insulator_is_likelier(mean, variance, step):
    told = MIDDLE.probabilities(np.array([mean, mean + step]), np.array([variance] * 2))
    assert told[1, INSULATOR] >= told[0, INSULATOR]
    assert told[1, METAL] <= told[0, METAL]


def test_several_processes_are_averaged(process):
    other = Process(process.rows, process.labels, Shape(1.0, 0.15))
    both = Fitted(process.rows, process.labels, ((process.shape, MIDDLE), (other.shape, MIDDLE)))
    asked = np.array([[0.9, 0.0]])
    alone = [MIDDLE.probabilities(*one.places(asked)) for one in (process, other)]
    assert np.allclose(both.probabilities(asked), np.mean(alone, axis=0))
    assert np.array_equal(both.distances(asked), process.distances(asked))
