"""Training, calibrating and measuring a tiny model: repeatable, resumable, and it looks at each split for one purpose."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hysteron.core.errors import InputError
from hysteron.predictors.gnn.training import Progress
from hysteron.predictors.properties import fit
from hysteron.predictors.properties.domain import FAR
from hysteron.predictors.properties.sets import TrainingSet
from property_toys import (
    HEADS,
    PEROVSKITES,
    ROCK_SALTS,
    config,
    gathered_by_element,
    references,
    rock_salt,
    row_of,
)
from pymatgen.core import Element
from screening_toys import ToyHull


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A model, and what was told of its epochs."""
    told: list[Progress] = []
    model = fit.fit(
        config(), gathered_by_element(), references(), tmp_path_factory.mktemp("fit"), told.append
    )
    return model, told


def evaluated(model, gathered=None):
    return model.evaluate((gathered or gathered_by_element()).crystals)


def assert_same(one, other) -> None:
    for name, values in evaluated(one).members.items():
        assert np.array_equal(values, evaluated(other).members[name], equal_nan=True), name


def test_the_model_has_what_it_was_asked_for(fitted):
    model, told = fitted
    assert tuple(model.network.heads) == HEADS
    assert model.network.config.members == 3
    assert not model.network.training
    assert [p.epoch for p in told] == [1, 2]
    assert told[-1].loss < told[0].loss


def test_a_regression_head_has_an_interval_for_each_output_with_labels(fitted):
    model, _ = fitted
    assert set(model.intervals) == set(HEADS) - {"metal", "crystal_system"}
    labelled, *others = model.intervals["formation_energy"]
    assert labelled.quantiles[""] > labelled.sigmas[""] > 0
    assert len(others) == 3
    assert not any(interval.quantiles for interval in others)


def test_few_labels_are_no_interval(monkeypatch, tmp_path):
    monkeypatch.setattr(fit, "FEWEST_TO_CALIBRATE", 46)
    model = fit.fit(config(epochs=1), gathered_by_element(), references(), tmp_path)
    assert model.intervals["band_gap"][0].quantiles  # 90 validation labels
    assert not model.intervals["oxygen_vacancy"][0].quantiles  # 45 of them


def test_elements_are_those_of_training_crystals_with_a_label(fitted):
    model, _ = fitted
    cations = {Element(c).Z for c in (*ROCK_SALTS["train"], *PEROVSKITES["train"])}
    assert model.elements["band_gap"] == sorted(cations | {8, 22})
    assert model.elements["oxygen_vacancy"] == sorted({Element(c).Z for c in PEROVSKITES["train"]} | {8, 22})


def test_nearly_all_validation_crystals_are_in_the_domain(fitted):
    model, _ = fitted
    gathered = gathered_by_element()
    distances = model.evaluate(gathered.crystals.select(gathered.indices("val"))).distances
    assert (distances <= model.domain.limit).mean() == pytest.approx(FAR, abs=0.02)


def test_the_same_seed_gives_the_same_model(fitted, tmp_path):
    torch.manual_seed(12345)
    again = fit.fit(config(), gathered_by_element(), references(), tmp_path)
    assert_same(fitted[0], again)
    assert again.intervals == fitted[0].intervals
    assert again.domain.limit == fitted[0].domain.limit


def test_an_interrupted_fit_goes_on(fitted, tmp_path):
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    told: list[Progress] = []
    with pytest.raises(KeyboardInterrupt):
        fit.fit(config(), gathered_by_element(), references(), tmp_path, interrupt)
    resumed = fit.fit(config(), gathered_by_element(), references(), tmp_path, told.append)
    assert [p.epoch for p in told] == [2]
    assert_same(fitted[0], resumed)


def test_a_fit_begins_anew_where_it_is_told_to(tmp_path):
    epochs = []
    for resume in (True, True, False):
        told: list[Progress] = []
        fit.fit(config(epochs=1), gathered_by_element(), references(), tmp_path, told.append, resume)
        epochs.append([p.epoch for p in told])
    assert epochs == [[1], [], [1]]


def test_other_settings_do_not_go_on_from_a_checkpoint(tmp_path):
    fit.fit(config(epochs=1), gathered_by_element(), references(), tmp_path)
    for other in (config(epochs=2), config(epochs=1, seed=1), config(epochs=1, learning_rate=1e-4)):
        with pytest.raises(InputError, match="other settings or data"):
            fit.fit(other, gathered_by_element(), references(), tmp_path)
    fit.fit(config(epochs=2), gathered_by_element(), references(), tmp_path, resume=False)


def test_other_labels_do_not_go_on_from_a_checkpoint(tmp_path):
    gathered = gathered_by_element()
    fit.fit(config(epochs=1), gathered, references(), tmp_path)
    first, *rest = gathered.rows
    changed = replace(first, labels=tuple(replace(label, value=label.value + 1) for label in first.labels))
    with pytest.raises(InputError, match="other settings or data"):
        fit.fit(config(epochs=1), TrainingSet([changed, *rest], gathered.crystals), references(), tmp_path)


def test_test_labels_and_validation_labels_do_not_train(fitted, tmp_path):
    """Nonsense in the labels of val and test leaves the network as it is."""
    gathered = gathered_by_element()
    nonsense = [
        row
        if row.split == "train"
        else replace(row, labels=tuple(replace(label, value=label.value + 50) for label in row.labels))
        for row in gathered.rows
    ]
    model = fit.fit(config(), TrainingSet(nonsense, gathered.crystals), references(), tmp_path)
    assert_same(fitted[0], model)
    one = np.ones(1)
    wrong, right = (m.intervals["band_gap"][0].half(one, one, [""])[0][0] for m in (model, fitted[0]))
    assert wrong > 5 * right


def test_crystals_without_a_reference_do_not_train(tmp_path):
    known = references()
    known[Element("Mg").Z] = float("nan")
    model = fit.fit(config(epochs=1), gathered_by_element(), known, tmp_path)
    assert Element("Mg").Z not in model.elements["band_gap"]
    found = evaluated(model)
    magnesium = np.array(["Mg" in row.formula for row in gathered_by_element().rows])
    assert np.isnan(found.chgnet[magnesium]).all()
    assert np.isnan(found.means("formation_energy")[magnesium]).all()
    assert np.isfinite(found.means("band_gap")).all()


def test_the_report_is_of_the_test_crystals(fitted):
    model, _ = fitted
    report = fit.measure(model, gathered_by_element())
    assert set(report) == {*HEADS, "formation_energy.mp20"} - {"formation_energy"}
    assert report["band_gap"]["n"] == 20
    assert report["oxygen_vacancy"]["n"] == 10
    assert report["oxygen_vacancy"]["units"] == "eV"
    assert set(report["metal"]) == {"accuracy", "n"}
    for name, row in report.items():
        if "coverage" in row:
            assert 0 <= row["coverage"] <= 1, name
            assert row["wanted_coverage"] == 0.9
            assert row["median_half_interval"] > 0
    json.dumps(report, allow_nan=False)


def test_the_report_says_the_error(fitted):
    model, _ = fitted
    gathered = gathered_by_element()
    report = fit.measure(model, gathered, "train")
    indices = gathered.indices("train")
    found = model.evaluate(gathered.crystals.select(indices)).means("band_gap")[:, 0]
    labels = np.array([gathered.rows[i].label("band_gap") for i in indices.tolist()])
    assert report["band_gap"]["mean_absolute_error"] == pytest.approx(np.abs(found - labels).mean(), rel=1e-5)
    spread = np.abs(labels - np.median(labels)).mean()
    assert report["band_gap"]["mean_absolute_deviation"] == pytest.approx(spread, rel=1e-5)


@pytest.mark.parametrize(("split", "what"), [("train", "training"), ("val", "validation")])
def test_an_empty_split_is_a_sentence(split, what, tmp_path):
    gathered = gathered_by_element()
    rows = [replace(row, split="" if row.split == split else row.split) for row in gathered.rows]
    with pytest.raises(InputError, match=f"no {what} crystals"):
        fit.fit(config(), TrainingSet(rows, gathered.crystals), references(), tmp_path)


def test_without_test_crystals_nothing_is_reported(fitted):
    gathered = gathered_by_element()
    rows = [replace(row, split="train") for row in gathered.rows]
    assert fit.measure(fitted[0], TrainingSet(rows, gathered.crystals)) == {}


def test_a_reference_table_has_gaps_where_the_hull_has(fitted):
    table = fit.reference_table(ToyHull(lowest=-3.0))
    assert table.shape == (119,)
    assert table[0].isnan()
    assert table[Element("Au").Z].isnan()
    assert table[Element("Si").Z] == pytest.approx(-3.0)


def test_a_row_has_a_class_of_chemistry():
    assert fit.class_of(row_of(rock_salt("Mg"))) == "oxide"
    assert fit.class_of(row_of(rock_salt("Ni"))) == "oxide with V-W"
    assert fit.class_of(row_of(rock_salt("Mg", anion="F"))) == "fluoride"
