"""The metal-insulator transition: what the classifier tells becomes criteria; what it does not know is not judged."""

import json

import materials
import pytest
from conduction_samples import Told, conduction
from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.core.contracts import Tools
from hysteron.core.errors import InputError
from hysteron.screening.criteria import decide
from hysteron.screening.resistive_switching.transition import (
    CLASSIFIED_SCORE,
    HEADLINE,
    MECHANISM,
    TransitionConfig,
    judge_transition,
    transition_findings,
)


def judged(answer, config=None, above_hull: float | None = 0.0):
    """Criteria by name of one crystal, of which the classifier tells this."""
    config = config or TransitionConfig()
    tools = Tools(conduction=Told(answer)) if answer is not None else Tools()
    crystal = materials.vanadia_rutile()
    candidate = Candidate("one", crystal)
    if above_hull is not None:
        candidate = candidate.with_property(PropertyValue("energy_above_hull", above_hull, "eV/atom", "toy"))
    (found,) = transition_findings([crystal], tools)
    found = json.loads(json.dumps(found))  # as the store gives it back
    criteria = judge_transition(candidate, {MECHANISM: found} if found else {}, config, "screen")
    return criteria, {one.name: one for one in criteria}


def verdict(criteria, config=None):
    return decide("screen", criteria, (config or TransitionConfig()).required, HEADLINE)


def test_a_likely_transition_of_a_stable_crystal_passes():
    criteria, by_name = judged(conduction(0.55))
    told = verdict(criteria)
    assert told.passed
    assert told.value == 0.55
    assert told.threshold == 0.5
    assert "equally frequent" in told.reason
    assert "told" in told.reason
    assert by_name[HEADLINE].score == pytest.approx(CLASSIFIED_SCORE * 0.55)
    assert not by_name[HEADLINE].flagged


def test_an_unlikely_one_fails_by_its_number():
    criteria, by_name = judged(conduction(0.3))
    assert by_name[HEADLINE].status == "failed"
    assert not verdict(criteria).passed
    assert verdict(criteria).score == 0


def test_the_window_can_be_moved():
    config = TransitionConfig(probability_min=0.2)
    assert verdict(judged(conduction(0.3), config)[0], config).passed


def test_what_is_unlike_everything_is_not_judged():
    criteria, by_name = judged(conduction(0.1, familiar=False))
    assert by_name[HEADLINE].status == by_name["familiar"].status == "missing"
    assert verdict(criteria).score is None


def test_without_a_classifier_nothing_is_computed():
    criteria, by_name = judged(None)
    assert by_name[HEADLINE].status == "not computed"
    assert "no classifier" in by_name[HEADLINE].sentence
    assert not verdict(criteria).passed


def test_an_error_of_the_classifier_is_told():
    criteria, by_name = judged(InputError("VO2 holds no anion that is known."))
    assert by_name[HEADLINE].status == "missing"
    assert "holds no anion" in by_name[HEADLINE].sentence
    assert ".." not in verdict(criteria).reason


@pytest.mark.parametrize("familiar", [True, False])
def test_a_measured_transition_counts_and_is_flagged(familiar):
    criteria, by_name = judged(conduction(0.2, familiar, family="Magneli phases"))
    told = verdict(criteria)
    assert told.passed
    assert by_name[HEADLINE].flagged
    assert by_name["known_family"].flagged
    assert "Magneli phases" in told.reason
    assert "0.20" in told.reason


def test_a_measured_transition_can_be_left_out_of_account():
    config = TransitionConfig(count_known=False)
    criteria, by_name = judged(conduction(0.2, family="Magneli phases"), config)
    assert by_name[HEADLINE].status == "failed"
    assert "known_family" in by_name  # still named
    assert not verdict(criteria, config).passed


def test_an_unstable_crystal_fails_and_one_without_a_hull_is_not_judged():
    assert not verdict(judged(conduction(0.55), above_hull=0.3)[0]).passed
    assert verdict(judged(conduction(0.55), above_hull=None)[0]).score is None


def test_findings_keep_order_and_length():
    structures = [materials.silicon(), materials.vanadia_rutile()]
    assert transition_findings(structures, Tools()) == [None, None]
    assert transition_findings([], Tools(conduction=Told(conduction()))) == []
    found = transition_findings(structures, Tools(conduction=Told(conduction(0.5))))
    assert [one["transition"] for one in found] == [0.5, 0.5]
    assert found[0]["method"] == "told"
