"""Two records of one crystal become one."""

import dataclasses
import json

import sample_candidates as sample
from hypothesis import given
from hypothesis import strategies as st
from hysteron.core.candidate import Candidate, Failure, PropertyValue, Step, Verdict
from hysteron.store.merge import merge

BASE = sample.barium_titanate()


def joined(stored: Candidate, incoming: Candidate) -> Candidate:
    return Candidate.from_record(merge(as_json(stored), as_json(incoming)))


def as_json(candidate: Candidate) -> dict:
    return json.loads(json.dumps(candidate.to_record()))


def test_a_changed_value_is_the_newest_and_an_equal_one_keeps_its_place():
    other = PropertyValue("band_gap", 2.0, "eV", "some model")
    older = PropertyValue("band_gap", 1.0, "eV", "other model")
    stored = BASE.with_property(older, other)
    assert joined(stored, BASE.with_property(older)).properties == stored.properties
    changed = dataclasses.replace(older, value=1.1)
    merged = joined(stored, BASE.with_property(changed))
    assert merged.properties == (*BASE.properties, other, changed)
    assert merged.all_of("band_gap")[2:] == [changed, other]


def test_a_step_that_differs_in_its_time_only_is_the_same_step():
    later = dataclasses.replace(BASE.provenance[0], time="2027-01-01T00:00:00Z")
    assert joined(BASE, dataclasses.replace(BASE, provenance=(later,))).provenance == BASE.provenance
    other = dataclasses.replace(later, details={"material_id": "mp-1"})
    assert joined(BASE, dataclasses.replace(BASE, provenance=(other,))).provenance == (
        *BASE.provenance,
        other,
    )


def test_the_same_crystal_by_two_roads_has_both():
    road = Step("generate", "substitution", parents=("SrTiO3-221-x",))
    merged = joined(BASE, dataclasses.replace(BASE, provenance=(road,)))
    assert [s.name for s in merged.provenance] == ["catalog", "substitution"]


def test_the_geometry_follows_a_new_relaxation_only():
    relaxed = sample.relaxed(BASE)
    assert joined(BASE, relaxed).structure == relaxed.structure
    assert joined(relaxed, BASE).structure == relaxed.structure
    assert joined(relaxed, sample.relaxed(BASE, 1.5)).structure == relaxed.structure
    ingested = sample.relaxed(BASE, 1.5).with_step(Step("ingest", "VASP"))
    assert joined(relaxed, ingested).structure == ingested.structure
    screened = dataclasses.replace(relaxed, structure=BASE.structure).with_step(Step("screen", "stability"))
    assert joined(relaxed, screened).structure == relaxed.structure


def test_the_latest_verdict_of_each_screen_stands():
    other = Verdict("supply", True, None, None, None, "Fine.")
    rejected = Verdict("ferroelectric", False, 0.0, 0.1, 1.0, "Window changed.")
    merged = joined(BASE.with_verdict(other), dataclasses.replace(BASE, verdicts=(rejected,)))
    assert merged.verdicts == (other, rejected)


def test_a_screen_that_measured_anew_has_its_last_findings_alone():
    """Windows may go back and forth: what was found last stands last, with the values that it added."""
    one, other = (Step("screen", "stability", config_hash=word, details={"hull": word}) for word in "ab")
    beside = Step("screen", "supply")
    stored = joined(BASE.with_step(one).with_step(beside), BASE.with_step(other))
    assert stored.provenance == (*BASE.provenance, beside, other)
    assert joined(stored, BASE.with_step(one)).provenance == (*BASE.provenance, beside, one)
    assert joined(stored, BASE).provenance == stored.provenance


def test_failures_are_joined():
    first, second = Failure("relax", "CHGNet", "Exploded."), Failure("screen", "x", "No.")
    assert joined(BASE.with_failure(first), BASE.with_failure(second).with_failure(first)).failures == (
        first,
        second,
    )


values = st.builds(
    PropertyValue,
    st.just("band_gap"),
    st.sampled_from((0.0, 1.0, 2.0)),
    st.just("eV"),
    st.sampled_from(("PBE", "HSE06", "a", "b")),
)
steps = st.builds(
    Step,
    st.sampled_from(("relax", "predict", "screen")),
    st.sampled_from("ab"),
    time=st.sampled_from(("", "t")),
)
verdicts = st.builds(
    Verdict, st.sampled_from("xy"), st.booleans(), st.none(), st.none(), st.none(), st.sampled_from(("", "r"))
)
failures = st.builds(Failure, st.just("relax"), st.sampled_from("ab"), st.just("no"))


@st.composite
def candidates(draw) -> Candidate:
    made = BASE.with_property(*{v.method: v for v in draw(st.lists(values, max_size=4))}.values())
    for step in draw(st.lists(steps, max_size=3)):
        made = made.with_step(step)
    for verdict in draw(st.lists(verdicts, max_size=3)):
        made = made.with_verdict(verdict)
    for failure in draw(st.lists(failures, max_size=2)):
        made = made.with_failure(failure)
    return made


@given(stored=candidates(), incoming=candidates())
def test_merging_again_changes_nothing(stored, incoming):
    once = merge(as_json(stored), as_json(incoming))
    assert merge(once, as_json(incoming)) == once
    assert merge(once, once) == once


@given(stored=candidates(), incoming=candidates())
def test_nothing_is_lost(stored, incoming):
    merged = joined(stored, incoming)
    assert {(p.name, p.method) for p in merged.properties} == {
        (p.name, p.method) for p in stored.properties + incoming.properties
    }
    assert {v.screen for v in merged.verdicts} == {v.screen for v in stored.verdicts + incoming.verdicts}
    assert set(merged.failures) == set(stored.failures + incoming.failures)
    values = {(p.name, p.method): p.value for p in merged.properties}
    assert all(values[p.name, p.method] == p.value for p in incoming.properties)


def test_a_record_merged_with_itself_is_itself():
    assert merge(as_json(BASE), as_json(BASE)) == as_json(BASE)
