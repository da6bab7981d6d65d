"""Figures of probabilities told of compounds left out: they count right, and families go together."""

import numpy as np
import pytest
from conduction_samples import on_a_line
from hysteron.predictors.conduction.figures import (
    accuracy,
    calibration,
    family_distances,
    farthest_familiar,
    recall_by_family,
)
from hysteron.predictors.conduction.process import CLASSES, METAL, TRANSITION


@pytest.fixture(scope="module")
def toy():
    return on_a_line()


def surely(labels):
    return np.eye(CLASSES)[labels][None]


def test_the_truth_has_an_accuracy_of_one_and_no_calibration_error(toy):
    found = accuracy(toy, surely(toy.labels), 0)
    assert found["balanced_accuracy"]["value"] == 1.0
    assert found["balanced_accuracy"]["interval_90"] == [1.0, 1.0]
    told = calibration(toy, surely(toy.labels))
    assert told["brier"] == pytest.approx(0)
    assert max(told["expected_calibration_error"].values()) == pytest.approx(0)
    assert told["transition_at_least_half"]["found_of_transitions"] == 1.0


def test_one_class_always_has_a_third(toy):
    found = accuracy(toy, surely(np.full(len(toy), METAL)), 0)
    assert found["balanced_accuracy"]["value"] == pytest.approx(1 / 3)
    assert found["recall"]["metal"]["value"] == 1.0
    assert found["recall"]["transition"]["n"] == int((toy.labels == TRANSITION).sum())


def test_equal_thirds_are_calibrated_and_no_transition_is_likely(toy):
    told = calibration(toy, np.full((1, len(toy), CLASSES), 1 / CLASSES))
    assert told["brier"] == pytest.approx(told["brier_of_equal_thirds"])
    assert max(told["expected_calibration_error"].values()) == pytest.approx(0, abs=1e-9)
    assert told["transition_at_least_half"] == {"said": 0.0, "right": None, "found_of_transitions": 0.0}


def test_overconfidence_shows(toy):
    wrong = (toy.labels + 1) % CLASSES
    assert calibration(toy, surely(wrong))["expected_calibration_error"]["metal"] > 0.5


def test_a_large_family_counts_once_where_families_weigh_alike(toy):
    names = np.unique(toy.families[toy.labels == TRANSITION])
    said = toy.labels.copy()
    said[toy.families == names[0]] = METAL
    found = recall_by_family(toy, surely(said))
    assert found["transition"] == pytest.approx(1 - 1 / len(names))


def test_intervals_widen_with_families_that_fall_together(toy):
    """As many wrong compounds: all of some families, or some of all families."""
    together, spread = toy.labels.copy(), toy.labels.copy()
    families = np.unique(toy.families)
    together[np.isin(toy.families, families[::4])] = (together[np.isin(toy.families, families[::4])] + 1) % 3
    spread[::4] = (spread[::4] + 1) % 3
    widths = []
    for said in (together, spread):
        low, high = accuracy(toy, surely(said), 0)["balanced_accuracy"]["interval_90"]
        widths.append(high - low)
    assert widths[0] > 2 * widths[1]


def test_distances_are_those_to_other_families(toy):
    distances = family_distances(toy)
    assert (distances > 0.02).all()  # members of the own family lie at 0.03 of the spread
    assert distances.min() < farthest_familiar(toy) <= distances.max()
