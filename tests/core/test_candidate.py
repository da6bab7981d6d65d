"""The traveller: frozen, and to JSON and back without loss."""

import dataclasses
import json

import materials
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hysteron.core.candidate import Candidate, Failure, PropertyValue, Step, Verdict
from hysteron.core.errors import InputError
from hysteron.core.properties import PROPERTIES

FINITE = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text(max_size=20)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | FINITE | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def property_values(draw):
    row = PROPERTIES[draw(st.sampled_from(sorted(PROPERTIES)))]
    value = tuple(draw(st.lists(FINITE, min_size=3, max_size=3))) if row.vector else draw(FINITE)
    interval = draw(st.none() | st.tuples(FINITE, FINITE))
    return PropertyValue(
        row.name,
        value,
        row.units,
        draw(WORDS),
        draw(st.none() | FINITE),
        draw(WORDS),
        interval,
        None if interval is None else 0.9,
    )


@st.composite
def candidates(draw):
    structure = draw(st.sampled_from([materials.silicon(), materials.lithium_niobate()])).copy()
    structure.perturb(0.1)
    steps = st.builds(
        Step,
        stage=st.sampled_from(["retrieve", "generate", "relax"]),
        name=WORDS,
        seed=st.none() | st.integers(0, 2**63),
        parents=st.lists(WORDS, max_size=2).map(tuple),
        details=st.dictionaries(WORDS, JSON_VALUES, max_size=3),
    )
    verdicts = st.builds(
        Verdict,
        screen=WORDS,
        passed=st.booleans(),
        score=st.none() | FINITE,
        value=st.none() | FINITE,
        threshold=st.none() | FINITE,
        reason=WORDS,
        details=st.dictionaries(WORDS, JSON_VALUES, max_size=3),
    )
    return Candidate(
        draw(WORDS),
        structure,
        tuple(draw(st.lists(property_values(), max_size=4))),
        tuple(draw(st.lists(steps, max_size=3))),
        tuple(draw(st.lists(verdicts, max_size=2))),
        tuple(draw(st.lists(st.builds(Failure, WORDS, WORDS, WORDS), max_size=2))),
        draw(st.none() | st.integers(1, 230)),
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(candidates())
def test_json_round_trip_is_lossless(candidate):
    text = json.dumps(candidate.to_record(), allow_nan=False)
    back = Candidate.from_record(json.loads(text))
    assert json.dumps(back.to_record()) == text
    assert back == candidate
    assert (back.structure.frac_coords == candidate.structure.frac_coords).all()


def gap(value, method):
    return PropertyValue("band_gap", value, "eV", method)


def silicon() -> Candidate:
    return Candidate("Si", materials.silicon())


def test_a_candidate_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        silicon().candidate_id = "other"  # type: ignore[misc]


def test_the_best_method_answers_and_one_can_be_named():
    both = silicon().with_property(gap(0.6, "PBE"), gap(1.15, "HSE06"))
    assert both.value("band_gap") == 1.15
    assert both.value("band_gap", method="PBE") == 0.6
    assert both.value("polarization") is None


def test_a_property_of_the_same_method_is_replaced():
    assert silicon().with_property(gap(0.6, "PBE")).with_property(gap(0.7, "PBE")).properties == (
        gap(0.7, "PBE"),
    )


def test_adding_a_property_leaves_the_first_candidate_alone():
    cold = silicon()
    cold.with_property(gap(0.6, "PBE"))
    assert cold.properties == ()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_not_finite_is_refused(value):
    with pytest.raises(InputError, match="absent"):
        gap(value, "PBE")


def test_a_wrong_unit_is_refused():
    with pytest.raises(InputError, match="its unit is 'eV'"):
        PropertyValue("band_gap", 600.0, "meV", "PBE")


def test_a_record_of_another_schema_is_refused():
    record = silicon().to_record() | {"schema_version": 99}
    with pytest.raises(InputError, match="schema version 99"):
        Candidate.from_record(record)
