"""The order of the shortlist explains itself and does not depend on the order of the input."""

import dataclasses
import random

import materials
import pytest
from hysteron.core.candidate import Candidate, Verdict
from hysteron.screening.ranking import RankConfig, rank
from pydantic import ValidationError


def judged(name: str, structure=None, number: int | None = 99, **scores: float | None) -> Candidate:
    """Passing verdicts with these scores; `None` for one that failed."""
    verdicts = tuple(
        Verdict(screen.replace("_", "-"), score is not None, score or 0.0, None, None, "Because.")
        for screen, score in scores.items()
    )
    return Candidate(name, structure or materials.barium_titanate_tetragonal(), (), (), verdicts, (), number)


def test_the_score_is_the_weighted_mean_of_its_parts():
    (only,) = rank([judged("a", stability=0.5, ferroelectric=0.8, supply=1.0)])
    assert only.score == pytest.approx(0.6 * 0.8 + 0.3 * 0.5 + 0.1 * 1.0)
    assert only.position == 1
    scores = only.parts["scores"]
    assert sum(part["contribution"] for part in scores.values()) == pytest.approx(only.score)
    assert scores["device"] == {"score": 0.8, "weight": 0.6, "contribution": pytest.approx(0.48)}
    assert only.parts["device_screen"] == "ferroelectric"


def test_only_what_passes_stability_and_a_device_is_ranked():
    ones = [
        judged("stable-device", stability=0.5, ferroelectric=0.5),
        judged("unstable", stability=None, ferroelectric=0.9),
        judged("no-device", stability=0.9, supply=1.0),
        judged("failed-device", stability=0.9, ferroelectric=None, resistive_switching=None),
        judged("switching", number=1, stability=0.4, ferroelectric=None, resistive_switching=0.5),
    ]
    assert [r.candidate_id for r in rank(ones)] == ["stable-device", "switching"]


def test_the_better_of_two_devices_counts_and_a_failed_one_never():
    both, single = (
        judged("both", stability=0.5, ferroelectric=0.2, resistive_switching=0.7),
        judged("single", stability=0.5, resistive_switching=0.7),
    )
    first, second = rank([both, single])
    assert first.score == pytest.approx(second.score)
    assert first.parts["device_screen"] == "resistive-switching"


def test_a_screen_that_was_not_asked_adds_nothing():
    asked, not_asked = (
        judged("b", stability=0.5, ferroelectric=0.5, supply=0.1),
        judged("a", stability=0.5, ferroelectric=0.5),
    )
    first, second = rank([not_asked, asked])
    assert first.candidate_id == "b"
    assert second.parts["scores"]["supply"]["score"] is None


def test_ties_go_by_id_and_the_order_of_the_input_does_not_matter():
    ones = [judged(f"c{i}", number=i, stability=0.5, ferroelectric=0.5) for i in range(1, 8)]
    expected = rank(ones)
    assert [r.candidate_id for r in expected] == sorted(r.candidate_id for r in expected)
    random.Random(1).shuffle(ones)
    assert rank(ones) == expected


def test_near_copies_make_way_and_are_not_lost():
    copies = [judged(f"copy{i}", stability=0.9, ferroelectric=0.9 - i / 100) for i in range(4)]
    other = judged("other", materials.hafnia_polar(), 29, stability=0.1, ferroelectric=0.1)
    order = rank([*copies, other])
    assert [r.candidate_id for r in order] == ["copy0", "copy1", "other", "copy2", "copy3"]
    assert [r.parts["held_back"] for r in order] == [False, False, False, True, True]
    assert [r.position for r in order] == [1, 2, 3, 4, 5]
    unlimited = rank([*copies, other], RankConfig(per_prototype=None))
    assert [r.candidate_id for r in unlimited][-1] == "other"


def test_a_prototype_is_formula_type_and_group():
    relabelled = judged("lead", materials.lead_titanate(), 99, stability=0.5, ferroelectric=0.5)
    (only,) = rank([relabelled])
    assert only.parts["prototype"] == "ABC3-99"
    (only,) = rank([dataclasses.replace(relabelled, spacegroup_number=None)])
    assert only.parts["prototype"] == "ABC3-99"
    disordered = judged("alloy", materials.disordered_alloy(), None, stability=0.5, ferroelectric=0.5)
    (only,) = rank([disordered])
    assert only.parts["prototype"].endswith("-unknown")


def test_unknown_screens_and_weights_without_sense_are_refused():
    with pytest.raises(ValidationError, match="stability"):
        RankConfig(weights={"device": 1.0, "stabilty": 0.5})
    with pytest.raises(ValidationError, match="negative"):
        RankConfig(weights={"device": -1.0})
    with pytest.raises(ValidationError, match="at least 1 item"):
        RankConfig(device_screens=())


def test_what_the_supply_screen_rejects_is_not_ranked_unless_no_veto_is_asked_for():
    ones = [
        judged("fine", stability=0.5, ferroelectric=0.5, supply=1.0),
        judged("rejected", stability=0.9, ferroelectric=0.9, supply=None),
        judged("not-asked", number=1, stability=0.4, ferroelectric=0.4),
    ]
    assert [r.candidate_id for r in rank(ones)] == ["fine", "not-asked"]
    assert len(rank(ones, RankConfig(vetoes=()))) == 3
    with pytest.raises(ValidationError, match="no screen"):
        RankConfig(vetoes=("magic",))


def test_the_profiles_that_fit_stand_with_the_place():
    profiles = [
        {"name": "inference", "fits": True, "assumed_class": "VCM", "limiting": {"sentence": "gap"}},
        {"name": "edge", "fits": False},
        7,
    ]
    verdict = Verdict("synapse", True, 0.7, None, None, "Fits.", {"profiles": profiles})
    (only,) = rank([judged("a", stability=0.5, ferroelectric=0.8).with_verdict(verdict)])
    assert [one["name"] for one in only.parts["profiles"]] == ["inference"]
    assert only.parts["profiles"][0]["limiting"] == "gap"
    (plain,) = rank([judged("b", stability=0.5, ferroelectric=0.8)])
    assert plain.parts["profiles"] == []


def test_no_candidates_no_shortlist():
    assert rank([]) == []
