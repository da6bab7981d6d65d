"""The fit: folds by family, thresholds, and that what is left out decides nothing."""

import os
from pathlib import Path

import numpy as np
import pytest
from conduction_samples import on_a_line
from hysteron.core.errors import MissingDataError
from hysteron.predictors.conduction.fit import (
    SHAPES,
    Labelled,
    fit,
    fit_thresholds,
    grouped_folds,
    predicted_left_out,
    read_labelled,
    recalls,
)
from hysteron.predictors.conduction.process import TRANSITION


def rng(seed=0):
    return np.random.default_rng(seed)


def test_a_family_is_never_in_two_folds_and_folds_are_about_equal():
    groups = np.repeat([f"g{i}" for i in range(30)], np.arange(1, 31))
    folds = grouped_folds(groups, 10, rng())
    assert all(len(set(folds[groups == name])) == 1 for name in np.unique(groups))
    sizes = np.bincount(folds)
    assert len(sizes) == 10
    assert sizes.max() <= 1.3 * sizes.min()


def test_the_seed_deals_families_of_one_size():
    groups = np.repeat([f"g{i}" for i in range(30)], 3)
    assert np.array_equal(grouped_folds(groups, 10, rng()), grouped_folds(groups, 10, rng()))
    assert not np.array_equal(grouped_folds(groups, 10, rng()), grouped_folds(groups, 10, rng(1)))


def test_thresholds_go_where_the_classes_meet():
    places = np.linspace(-1, 1, 301)
    labels = np.where(places < -0.5, 0, np.where(places > 0.2, 1, 2))
    found = fit_thresholds(places, np.zeros(len(places)), labels)
    assert found.low == pytest.approx(-0.5, abs=0.05)
    assert found.high == pytest.approx(0.2, abs=0.05)
    assert found.width < 0.15


def test_families_left_out_are_told_where_the_classes_lie_on_a_line():
    toy = on_a_line()
    told = predicted_left_out(toy, toy.families, 0, 1)
    assert told.shape == (1, len(toy), 3)
    assert np.allclose(told.sum(axis=2), 1)
    assert recalls(toy.labels, told[0].argmax(axis=1)).mean() > 0.85


def test_labels_without_meaning_are_not_told():
    toy = on_a_line()
    by_family = dict(zip(np.unique(toy.families), rng(5).integers(3, size=24), strict=True))
    labels = np.array([by_family[name] for name in toy.families])
    meaningless = Labelled(toy.formulas, labels, toy.rows, toy.families, toy.kinds)
    told = predicted_left_out(meaningless, toy.families, 0, 1)
    assert recalls(labels, told[0].argmax(axis=1)).mean() < 0.55


def test_what_is_left_out_decides_nothing():
    """Other labels and features of the families of one fold leave what is told of them to the others alone."""
    toy = on_a_line()
    told = predicted_left_out(toy, toy.families, 0, 1)
    dealt = grouped_folds(toy.families, 10, np.random.default_rng(np.random.SeedSequence([0, 0])))
    changed = toy.labels.copy()
    changed[dealt == 0] = (changed[dealt == 0] + 1) % 3
    other = Labelled(toy.formulas, changed, toy.rows, toy.families, toy.kinds)
    assert np.allclose(predicted_left_out(other, toy.families, 0, 1)[0, dealt == 0], told[0, dealt == 0])


def test_the_fit_holds_every_shape_once():
    toy = on_a_line(families=12, members=3)
    fitted = fit(toy.rows, toy.labels, toy.families, rng())
    assert [shape for shape, _ in fitted.members] == list(SHAPES)
    assert all(thresholds.low < thresholds.high for _, thresholds in fitted.members)


def test_recall_of_a_class_without_rows_is_not_a_number():
    found = recalls(np.array([0, 0, 1]), np.array([0, 1, 1]))
    assert found[0] == 0.5
    assert found[1] == 1.0
    assert np.isnan(found[2])


def test_a_missing_table_is_told(tmp_path):
    with pytest.raises(MissingDataError, match="metals and insulators"):
        read_labelled(tmp_path)


@pytest.mark.skipif("HYSTERON_DATA_DIR" not in os.environ, reason="HYSTERON_DATA_DIR names no data folder")
def test_the_table_of_compounds_is_as_described():
    found = read_labelled(Path(os.environ["HYSTERON_DATA_DIR"]))
    assert np.bincount(found.labels).tolist() == [83, 158, 60]
    assert np.isfinite(found.rows).all()
    sizes = dict(zip(*np.unique(found.families, return_counts=True), strict=True))
    assert sizes["Ni oxide A/M=1 X/M=3"] == 11
    assert sizes["ACu3B4X12 oxide"] == 15
    large = {name for name, size in sizes.items() if size >= 6}
    held = found.families[found.labels == TRANSITION]
    assert np.isin(held, list(large)).mean() > 0.5  # most transitions stand in few families
