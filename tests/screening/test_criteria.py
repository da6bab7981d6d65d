"""Criteria add up to a verdict: a missing one is never a pass."""

import pytest
from hysteron.screening.criteria import Criterion, decide


def good(name: str, score: float | None = None) -> Criterion:
    return Criterion(name, "passed", f"{name} is fine", 2.0, 1.0, "eV", "PBE", score)


def test_all_required_pass_and_the_score_is_their_geometric_mean():
    verdict = decide("toy", [good("a", 0.25), good("b", 1.0), good("c")], ["a", "b", "c"], "b")
    assert verdict.passed
    assert verdict.score == pytest.approx(0.5)
    assert (verdict.value, verdict.threshold) == (2.0, 1.0)
    assert verdict.reason == "A is fine; b is fine; c is fine."


@pytest.mark.parametrize("status", ["failed", "missing", "not computed"])
def test_a_required_criterion_that_is_not_passed_decides(status):
    bad = Criterion("b", status, "b is not there", 0.5, 0.7)
    verdict = decide("toy", [good("a"), bad], ["a", "b"], "a")
    assert not verdict.passed
    assert (verdict.value, verdict.threshold) == (0.5, 0.7)
    assert verdict.reason == "B is not there."
    assert verdict.score == (0.0 if status == "failed" else None)


def test_what_is_not_required_is_told_and_does_not_decide():
    verdict = decide("toy", [good("a"), Criterion("b", "not computed", "b not computed")], ["a"], "a")
    assert verdict.passed
    assert verdict.reason.endswith("b not computed.")


def test_a_required_name_without_a_criterion_is_missing():
    verdict = decide("toy", [good("a")], ["a", "vacancy_formation_energy"], "a")
    assert not verdict.passed
    assert "vacancy_formation_energy" in verdict.reason
    assert [c["status"] for c in verdict.details["criteria"]] == ["passed", "missing"]
