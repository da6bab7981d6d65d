"""The synapse screen reads what others have left, passes on what a crystal answers alone, and labels the rest as assumed."""

import dataclasses
import itertools

import pytest
import synapse_samples as samples
from hypothesis import assume, given
from hypothesis import strategies as st
from hysteron.core.candidate import PropertyValue, Verdict
from hysteron.core.checks import check_screen
from hysteron.core.contracts import Screen, Tools
from hysteron.core.settings import validate
from hysteron.screening.synapse.assumed_accuracy import parse_accuracies, shipped_accuracies
from hysteron.screening.synapse.profiles import shipped_profiles
from hysteron.screening.synapse.requirement import BARRIER_ERROR_DECADES, log_margin, margin
from hysteron.screening.synapse.screen import Synapse, SynapseConfig
from hysteron.screening.synapse.words import NO_ACCURACY, NOTICE, assumed

ROUNDING = 1e-9  # nearer to an end than this, the sign of a margin is one of rounding
DEVICE_FIELDS = {name for profile in shipped_profiles().values() for name in profile.device}


def screen(**settings) -> Synapse:
    return Synapse(validate(SynapseConfig, settings, "[[screen]]"), samples.accuracies())


def profiles(candidate, **settings):
    """Records of the verdict by name."""
    return {one["name"]: one for one in screen(**settings).judge(candidate).details["profiles"]}


def asked(record, name):
    return [one for one in record["requirements"] if one["name"] == name and one["kind"] == "material"]


def test_it_keeps_the_promises_of_a_screen():
    candidates = [
        samples.hafnia(),
        samples.barium_titanate(),
        samples.vanadia(),
        samples.sodium_chloride(),
        samples.silicon(),
        samples.hafnia(samples.hull(0.0), samples.gap(5.7)),
    ]
    assert isinstance(screen(), Screen)
    found = [c.verdict("synapse") for c in check_screen(screen(), candidates)]
    assert [v.passed for v in found] == [True, True, True, False, False, False]
    assert [v.score is None for v in found] == [False, False, False, False, True, True]
    assert found[3].score == 0.0


def test_measuring_changes_nothing():
    candidates = [samples.hafnia(), samples.silicon()]
    assert screen().measure(candidates, Tools()) == candidates


def test_without_a_verdict_of_the_other_screens_it_says_whom_to_ask():
    verdict = screen().judge(samples.silicon())
    assert verdict.score is None
    assert "ask one of them before" in verdict.reason
    assert verdict.details["profiles"] == []


def test_a_hafnia_with_a_known_barrier_fits_what_stores_and_not_what_fades():
    found = profiles(samples.hafnia())
    assert {name for name, one in found.items() if one["fits"]} == set(found) - {"event-driven-edge"}
    assert all(one["assumed_class"] == "VCM" for one in found.values())


def test_what_fades_and_what_stores_ask_for_other_barriers():
    low = profiles(samples.hafnia(samples.hull(0.0), samples.gap(5.7), samples.barrier(0.4)))
    high = profiles(samples.hafnia(samples.hull(0.0), samples.gap(5.7), samples.barrier(1.0)))
    assert low["event-driven-edge"]["fits"]
    assert not low["inference-crossbar"]["fits"]
    assert high["inference-crossbar"]["fits"]
    assert not high["event-driven-edge"]["fits"]


def test_ten_years_and_easy_writing_are_told_as_a_dilemma_and_refuse_nothing():
    found = profiles(samples.hafnia())["inference-crossbar"]
    ten_years = asked(found, "retention")[-1]
    assert ten_years["status"] == "failed"
    assert "required" not in ten_years
    assert found["fits"]
    assert found["limiting"]["name"] == "retention"
    assert "a lower bound for a filament" in found["limiting"]["sentence"]


@pytest.mark.parametrize("lost", ["energy_above_hull", "migration_barrier"])
def test_what_is_not_known_is_open_and_no_pass(lost):
    whole = samples.hafnia()
    bare = dataclasses.replace(whole, properties=tuple(p for p in whole.properties if p.name != lost))
    verdict = screen().judge(bare)
    assert not verdict.passed
    assert verdict.score is None
    assert verdict.details["profiles"][0]["undecided"]
    assert not any(one["fits"] for one in verdict.details["profiles"])
    assert lost.replace("_", " ") in verdict.reason


def test_an_uncertain_barrier_flags():
    def told(uncertainty):
        one = samples.hafnia(samples.hull(0.0), samples.gap(5.7), samples.barrier(0.68, uncertainty))
        return asked(profiles(one)["on-chip-learning"], "migration_barrier")[0]

    assert "flagged" not in told(0.02)
    assert told(0.3)["flagged"]
    assert "reaches over" in told(0.3)["sentence"]


def test_a_gap_is_judged_by_the_window_of_its_method():
    pbe = samples.hafnia(samples.hull(0.0), samples.gap(0.8, "PBE"), samples.barrier(0.68))
    measured = samples.hafnia(samples.hull(0.0), samples.gap(0.8), samples.barrier(0.68))
    assert asked(profiles(pbe)["inference-crossbar"], "band_gap")[0]["status"] == "passed"
    assert asked(profiles(measured)["inference-crossbar"], "band_gap")[0]["status"] == "failed"


def test_an_inserted_ions_barrier_is_its_own_and_never_that_of_a_vacancy():
    def told(*criteria):
        verdict = samples.switching(samples.mechanism("ECRAM", "passed", *criteria))
        candidate = samples.hafnia(samples.hull(0.0), samples.barrier(0.5), verdict=verdict)
        return asked(profiles(candidate)["on-chip-learning"], "migration_barrier")[0]

    own = told({"name": "ion_mobility", "value": 0.4, "method": "hops of Li"})
    assert own["value"] == 0.4
    assert "hops of Li" in own["sentence"]
    assert told()["status"] == "missing"


def test_of_several_classes_the_one_that_suits_best_is_assumed():
    two = samples.switching(samples.mechanism("VCM", "passed"), samples.mechanism("MIT", "passed"))
    found = profiles(samples.hafnia(verdict=two))
    assert found["inference-crossbar"]["assumed_class"] == "VCM"  # MIT does not serve there
    told = {"name": "transition_probability", "value": 0.9}
    two = samples.switching(samples.mechanism("VCM", "passed"), samples.mechanism("MIT", "passed", told))
    assert profiles(samples.hafnia(verdict=two))["event-driven-edge"]["assumed_class"] == "MIT"


def test_a_ferroelectric_that_switches_too_hard_is_refused():
    assert screen().judge(samples.barium_titanate()).passed
    hard = screen().judge(samples.barium_titanate(well=300.0))
    assert not hard.passed
    assert (hard.value, hard.threshold) == (300.0, 100.0)


def test_an_older_verdict_that_names_one_mechanism_is_read():
    old = Verdict("resistive-switching", True, 0.4, None, None, "Host.", {"mechanism": "VCM", "criteria": []})
    assert screen().judge(samples.hafnia(verdict=old)).passed


@pytest.mark.parametrize("details", [None, [], {"mechanisms": 3}, {"mechanisms": [None, {"mechanism": 1}]}])
def test_a_malformed_verdict_allows_no_class(details):
    strange = Verdict("resistive-switching", True, 0.4, None, None, "Host.", details)
    verdict = screen().judge(samples.hafnia(verdict=strange))
    assert not verdict.passed
    assert "no mechanism class has passed" in verdict.reason


def test_everything_of_a_device_is_labelled_as_assumed_with_its_class():
    for candidate in (samples.hafnia(), samples.barium_titanate(), samples.vanadia()):
        verdict = screen().judge(candidate)
        assert NOTICE in verdict.details["notes"]
        for one in verdict.details["profiles"]:
            for requirement in (*one["requirements"], one["limiting"]):
                if requirement["kind"] == "assumed":
                    assert requirement["label"] == assumed(one["assumed_class"])
                    assert "value" not in requirement
                    assert 0 <= requirement["share_of_class_range"] <= 1
                else:
                    assert requirement["name"] not in DEVICE_FIELDS
            for accuracy in one["accuracy"].values():
                assert accuracy["assumed_class"] == one["assumed_class"]
                assert f"for an assumed device of class {one['assumed_class']}" in accuracy["sentence"]


def test_nothing_assumed_enters_the_score():
    candidate = samples.hafnia()
    with_table = Synapse(accuracies=samples.accuracies()).judge(candidate)
    without = Synapse(accuracies=parse_accuracies({})).judge(candidate)
    assert with_table.score == without.score
    assert NO_ACCURACY in without.details["notes"]
    assert NO_ACCURACY not in with_table.details["notes"]


def test_the_reason_names_profile_class_and_limit():
    reason = screen().judge(samples.vanadia()).reason
    assert reason.startswith("Fits event-driven edge as an assumed device of class MIT.")
    assert "Limiting (assumed, class MIT): endurance: published devices have" in reason


def test_supply_weighs_and_refuses_nothing():
    flagged = Verdict("supply", True, 0.2, None, None, "Pb is toxic.", {})
    one = samples.hafnia().with_verdict(flagged)
    assert screen().judge(one).passed
    told = asked(profiles(one)["inference-crossbar"], "supply")[0]
    assert told["status"] == "failed"
    assert "required" not in told


def test_a_run_may_ask_for_some_profiles_and_bring_its_own():
    assert list(profiles(samples.hafnia(), profiles=["event-driven-edge"])) == ["event-driven-edge"]
    own = {
        "title": "cold array",
        "classes": ["VCM"],
        "device": {"levels": {"low": 500, "units": "1"}},
        "material": [{"name": "migration_barrier", "high": 0.5, "units": "eV"}],
    }
    found = profiles(samples.hafnia(), own={"cold": own}, profiles=["cold"])["cold"]
    assert not found["fits"]
    assert found["limiting"]["name"] == "migration_barrier"
    assert [r["status"] for r in found["requirements"] if r["kind"] == "assumed"] == ["failed"]


def test_the_order_of_verdicts_and_properties_does_not_matter():
    base = samples.barium_titanate().with_verdict(samples.hafnia().verdicts[0])
    base = base.with_property(samples.barrier(0.7))
    first = screen().judge(base)
    for verdicts in itertools.permutations(base.verdicts):
        other = dataclasses.replace(base, verdicts=verdicts, properties=base.properties[::-1])
        assert screen().judge(other) == first


def test_a_supercell_fits_the_same():
    one = samples.hafnia()
    two = dataclasses.replace(one, structure=one.structure * (1, 1, 2))
    assert screen().judge(two) == screen().judge(one)


@given(value=st.floats(0.01, 3.0))
def test_a_barrier_fits_where_its_window_says(value):
    found = profiles(samples.hafnia(samples.hull(0.0), samples.gap(5.7), samples.barrier(value, None)))
    for name, (low, high) in {"inference-crossbar": (0.6, 1.5), "on-chip-learning": (0.45, 1.2)}.items():
        assert found[name]["fits"] == (low <= value <= high)


@given(value=st.floats(-10, 10), low=st.floats(-5, 0), width=st.floats(0.1, 5))
def test_a_margin_is_positive_inside_and_largest_in_the_middle(value, low, width):
    high = low + width
    assume(min(abs(value - low), abs(value - high)) > ROUNDING)
    found = margin(value, low, high)
    assert (found >= 0) == (low <= value <= high)
    assert margin((low + high) / 2, low, high) == pytest.approx(1.0)
    assert found <= 1.0


def test_margins_of_one_end_and_of_times():
    assert margin(0.05, None, 0.1) == pytest.approx(0.5)
    assert margin(20, 10, None) == 1.0
    assert margin(0.2, None, 0.0) == pytest.approx(-0.2)
    assert log_margin(5.0 + BARRIER_ERROR_DECADES / 2, 1e5, None) == pytest.approx(0.5)
    assert log_margin(0.0, 1e-3, 1e3) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        3,
        {},
        {"mean": 0.8, "low": 0.9, "high": 0.6, "ideal": 0.95, "chance": 0.1, "n": 5},
        {"mean": 80, "low": 60, "high": 90, "ideal": 95, "chance": 10, "n": 5},
        {"mean": float("nan"), "low": 0.6, "high": 0.9, "ideal": 0.95, "chance": 0.1, "n": 5},
    ],
)
def test_an_accuracy_that_is_none_is_left_out(entry):
    found = parse_accuracies({"inference": {"VCM": entry}})
    assert found.of(["inference"], "VCM") == {}
    assert found.note == NO_ACCURACY


def test_the_shipped_accuracies_are_there_or_say_that_they_are_not():
    found = shipped_accuracies()
    assert bool(found.table) != bool(found.note)


def test_a_property_of_every_kind_is_held_against_its_bound():
    """Each name of a material bound can be answered by some candidate."""
    rows = [
        {"name": "energy_above_hull", "high": 0.1, "units": "eV/atom"},
        {"name": "vacancy_formation_energy", "low": 2.5, "high": 6.5, "units": "eV"},
        {"name": "transition_probability", "low": 0.5, "units": "1"},
        {"name": "transition_temperature", "low": 300, "units": "K"},
    ]
    own = {"title": "all", "classes": ["MIT"], "material": rows}
    known = samples.vanadia().with_property(
        PropertyValue("vacancy_formation_energy", 4.0, "eV", "CHGNet"),
        PropertyValue("transition_temperature", 341.0, "K", "experiment"),
    )
    found = profiles(known, own={"all": own}, profiles=["all"])["all"]
    assert found["fits"]
    assert len([one for one in found["requirements"] if one["kind"] == "material"]) == 1 + len(rows)
