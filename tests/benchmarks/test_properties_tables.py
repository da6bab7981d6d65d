"""The simple models of the property benchmark find what is there, and nothing where there is nothing."""

import numpy as np
import pytest
from hysteron.benchmarks.properties_tables import (
    choose,
    fractions,
    in_two_stages,
    kernel_ridge,
    mean_absolute,
    perceptron,
    ridge,
    standard,
    weighted_f1,
)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(300, 4))
    return inputs, inputs @ [1.0, -2.0, 0.0, 0.5] + 3, np.sin(2 * inputs[:, 0]) + inputs[:, 1]


def test_ridge_finds_a_line(table):
    inputs, line, _ = table
    assert mean_absolute(ridge(inputs[:200], line[:200], inputs[200:]), line[200:]) < 1e-3


@pytest.mark.parametrize("model", [kernel_ridge, lambda x, y, new: perceptron(x, y, new, 0, 1, 150)])
def test_a_curve_is_learned_better_than_by_a_line(table, model):
    inputs, _, curve = table
    straight = mean_absolute(ridge(inputs[:200], curve[:200], inputs[200:]), curve[200:])
    assert mean_absolute(model(inputs[:200], curve[:200], inputs[200:]), curve[200:]) < 0.8 * straight


def test_classes_come_as_probabilities():
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(200, 3))
    kinds = (inputs[:, 0] > 0).astype(int)
    found = perceptron(inputs[:150], np.eye(2)[kinds[:150]], inputs[150:], 0, 1, 40)
    assert found.sum(1) == pytest.approx(1, abs=1e-5)
    assert weighted_f1(found.argmax(1), kinds[150:]) > 0.85


def test_what_is_often_zero_is_told_in_two_stages(table):
    """Zero on one side, a line far from zero on the other: the line alone cannot have both."""
    inputs, *_ = table
    wanted = np.where(inputs[:, 0] > 0, 5.0 + inputs[:, 1], 0.0)
    both = in_two_stages(ridge, lambda x, y, new: perceptron(x, y, new, 0, 1, 60))
    found = both(inputs[:200], wanted[:200], inputs[200:])
    alone = ridge(inputs[:200], wanted[:200], inputs[200:])
    assert mean_absolute(found, wanted[200:]) < 0.5 * mean_absolute(alone, wanted[200:])
    assert (found == 0).mean() == pytest.approx((wanted[200:] == 0).mean(), abs=0.1)
    assert (found >= 0).all()


def test_the_model_is_chosen_by_validation_and_not_by_test(table):
    inputs, line, _ = table
    parts = {"train": np.arange(100), "val": np.arange(100, 150), "test": np.arange(150, 300)}
    wrong_line = line.copy()
    wrong_line[150:] = 7.0
    chosen = choose(
        {"line": ridge, "seven": lambda x, y, new: np.full(len(new), 7.0)},
        inputs,
        wrong_line,
        parts,
        mean_absolute,
    )
    assert chosen.model == "line"
    assert chosen.test["seven"] == 0.0


def test_the_chosen_one_learns_from_validation_rows_too(table):
    inputs, line, _ = table
    parts = {"train": np.arange(6), "val": np.arange(6, 150), "test": np.arange(150, 300)}
    chosen = choose({"line": ridge}, inputs, line, parts, mean_absolute)
    assert chosen.test["line"] < 0.1


def test_an_outlier_and_a_constant_column_are_tamed():
    values = np.column_stack([np.arange(10.0), np.ones(10)])
    scaled = standard(values)(np.array([[1e9, 2.0]]))
    assert scaled.tolist() == [[5.0, 0.0]]


def test_composition_starts_with_the_share_of_each_element():
    (row,) = fractions(["BaTiO3"])
    assert row[[56, 22, 8]] == pytest.approx([0.2, 0.2, 0.6])
    assert row[:119].sum() == pytest.approx(1)


def test_f1_weighs_classes_by_their_number():
    assert weighted_f1([0, 0, 1], [0, 0, 1]) == 1.0
    assert weighted_f1([0, 0, 0, 0], [0, 0, 0, 1]) == pytest.approx(0.75 * 6 / 7)
