"""The hull's figures on a small sample: candidates as promised, and distances equal to pymatgen's."""

import json

import pytest
from hysteron.benchmarks import relaxation_hull
from hysteron.benchmarks.relaxation_hull import draw_candidates, hull_figures
from hysteron.predictors.hull.table import PhaseTable


def test_figures_of_a_small_sample(monkeypatch):
    monkeypatch.setattr(relaxation_hull, "LP_SAMPLE", 20)
    monkeypatch.setattr(relaxation_hull, "PYMATGEN_SAMPLE", 40)
    found = hull_figures(seed=3, candidates=200)
    json.dumps(found, allow_nan=False)
    assert found["without_distance"] == 0
    assert found["compared_with_pymatgen"] == 40
    assert found["baseline_linear_programme"]["sample"] == 20
    assert found["largest_difference_to_pymatgen"] < found["target_difference"]
    assert found["largest_difference_to_linear_programme"] < found["target_difference"]
    assert 0 < found["cpu_seconds"] < 0.2 * found["baseline_pymatgen"]["scaled_to_all_seconds"]


def test_candidates_are_mixed_and_follow_the_seed():
    table = PhaseTable.load()
    items = draw_candidates(table, 300, 0)
    assert items == draw_candidates(table, 300, 0)
    assert items != draw_candidates(table, 300, 1)
    assert {len(composition) for composition, _, _ in items} == {2, 3, 4, 5}
    assert len({composition.chemical_system for composition, _, _ in items}) > 290


def test_a_lost_distance_is_no_agreement():
    assert relaxation_hull._difference("refused", 0.1) == pytest.approx(float("inf"))
