"""The conduction row: its baseline, its parts, and that it runs on the table."""

import os

import numpy as np
import pytest
from conduction_samples import on_a_line
from hysteron.benchmarks.resistive_switching_conduction import (
    _largest,
    _without_largest,
    best_cuts,
    conduction_row,
    one_feature,
)
from hysteron.predictors.conduction.process import CLASSES, TRANSITION


def test_the_rule_of_one_feature_finds_the_feature_and_its_cuts():
    toy = on_a_line()
    feature, cuts, classes = best_cuts(toy.rows[:, ::-1], toy.labels)
    assert feature == 1
    assert np.allclose(cuts, [-1, 1], atol=0.35)
    assert classes.tolist() == [0, TRANSITION, 1]


def test_the_rule_of_one_feature_tells_families_left_out_on_a_line():
    found = one_feature(on_a_line(), seed=0, repeats=1)
    assert found["balanced_accuracy"]["value"] > 0.75
    assert sum(found["chosen"].values()) == 10


def test_large_families_are_shown_and_can_be_left_out():
    toy = on_a_line(families=12, members=6)
    told = np.eye(CLASSES)[toy.labels][None]
    shown = _largest(toy, told)
    assert shown
    assert all(one == {"transitions": 6, "recall": 1.0} for one in shown.values())
    rest = _without_largest(toy, told, seed=0)
    assert rest["family"] in shown
    assert rest["balanced_accuracy"] == {"value": 1.0, "interval_90": [1.0, 1.0], "n": 66}


def test_without_the_data_folder_it_says_so(monkeypatch):
    from hysteron.core.errors import MissingDataError

    monkeypatch.delenv("HYSTERON_DATA_DIR", raising=False)
    with pytest.raises(MissingDataError, match="HYSTERON_DATA_DIR"):
        conduction_row()


@pytest.mark.slow
@pytest.mark.skipif("HYSTERON_DATA_DIR" not in os.environ, reason="HYSTERON_DATA_DIR names no data folder")
def test_the_row_on_the_table():
    row = conduction_row(seed=0, quick=True)
    assert (row["n"], row["families"]) == (301, 100)
    accuracy = row["families_left_out"]["balanced_accuracy"]
    low, high = accuracy["interval_90"]
    assert low < accuracy["value"] < high
    assert accuracy["value"] > row["beside"]["one_feature"]["balanced_accuracy"]["interval_90"][1]
