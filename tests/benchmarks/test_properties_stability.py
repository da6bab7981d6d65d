"""Distances without a formula's own phases, complete systems, and scores of a stable-or-not question, on a toy hull."""

import numpy as np
import pytest
from hysteron.benchmarks.properties_stability import (
    ALONE,
    LOWEST_OF_A_FORMULA,
    area_under_roc,
    candidates_of,
    complete_only,
    distances,
    f1,
    report,
)
from hysteron.predictors.datasets.records import Label, LabelledCrystal
from hysteron.predictors.hull.phase import HullCard, Phase
from hysteron.predictors.hull.table import PhaseTable

CARD = HullCard("toy", "toy", 0.0, None, {})
PHASES = (
    ("li", "Li", 0.0),
    ("o2", "O2", 0.0),
    ("a", "Li2O", -1.0),
    ("b", "Li2O", -0.9),
    ("c", "Li2O2", -0.8),
)


@pytest.fixture
def table() -> PhaseTable:
    return PhaseTable([Phase(key, formula, energy, True) for key, formula, energy in PHASES], CARD)


def row(key: str, formula: str, value: float, split: str = "test", release: str = "mp20"):
    label = Label("energy_above_hull", value, "eV/atom", release)
    return LabelledCrystal(key, formula, None, (label,), split, formula)


def test_all_phases_of_the_own_formula_are_left_out(table):
    found = candidates_of([row("a", "Li2O", 0.0)], table)
    assert found[0].own == ("a", "b")
    # Li2O lies between Li and Li2O2 (x_O = 1/2): at x_O = 1/3 the mixture has -0.8 * 2/3.
    assert distances(found, table, {}, {}) == pytest.approx([-1.0 + 0.8 * 2 / 3])


def test_corrections_reach_candidates_and_competitors_as_asked(table):
    found = candidates_of([row("a", "Li2O", 0.0)], table)
    alone = distances(found, table, {}, {})[0]
    corrections = {"a": 0.1, "c": 0.3}
    assert distances(found, table, corrections, {})[0] == pytest.approx(alone + 0.1)
    both = distances(found, table, corrections, corrections)[0]
    assert both == pytest.approx(alone + 0.1 - 0.3 * 2 / 3)


@pytest.mark.parametrize(
    "other",
    [
        row("a", "Li2O", 0.0, split="train"),
        row("a", "Li2O", 0.0, release="mp40"),
        row("li", "Li", 0.0),
        row("not in the table", "Li2O", 0.0),
    ],
)
def test_training_rows_other_schemes_elements_and_strangers_are_no_candidates(table, other):
    assert candidates_of([other], table) == []


def test_a_known_formula_without_a_phase_makes_a_system_incomplete(table):
    found = candidates_of([row("a", "Li2O", 0.0)], table)
    assert complete_only(found, table, ["Li2O", "O2Li2", "NaCl"]) == found
    assert complete_only(found, table, ["LiO3"]) == []


def test_scores():
    said, true = np.array([True, True, False, False]), np.array([True, False, True, False])
    assert f1(said, true) == 0.5
    assert f1(~true & False, true & False) == 0.0
    assert area_under_roc(np.array([3.0, 2.0, 1.0]), np.array([True, False, False])) == 1.0
    assert area_under_roc(np.array([1.0, 1.0]), np.array([True, False])) == 0.5


def test_the_correction_is_chosen_on_validation(table):
    rows = [
        row("a", "Li2O", 0.0, "val"),
        row("c", "Li2O2", 0.2, "val"),
        row("a", "Li2O", 0.0),
        row("b", "Li2O", 0.1),
        row("c", "Li2O2", 0.2),
    ]
    candidates = candidates_of(rows, table)
    variants = {
        ALONE: np.array([0.1, 0.1, -0.1, 0.1, 0.1]),
        "good on val": np.array([-0.1, 0.1, 0.1, 0.1, -0.1]),
        "good on test": np.array([0.1, 0.1, -0.1, 0.1, 0.2]),
    }
    found = report(candidates, variants, 0)
    everything = found["all crystals"]
    assert everything["chosen_on_validation"] == "good on val"
    assert everything["gain_of_f1"] == -1.0
    assert (everything["n"], everything["n_formulas"]) == (3, 2)
    assert everything["test"]["good on test"]["mean_absolute_error"] == pytest.approx(0.0)
    assert found[LOWEST_OF_A_FORMULA]["n"] < everything["n"]
