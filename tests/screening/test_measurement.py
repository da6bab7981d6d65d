"""What a screen measured is found again, replaced when measured anew, and survives JSON."""

import json

from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.core.settings import Settings
from hysteron.screening.measurement import findings_of, forget, why_missing, with_measurement, with_more
from screening_toys import candidate


class Config(Settings):
    window: float = 1.0


def gap(value: float, method: str = "PBE") -> PropertyValue:
    return PropertyValue("band_gap", value, "eV", method)


def test_findings_come_back_and_survive_json():
    measured = with_measurement(candidate("silicon"), "toy", Config(), [gap(1.0)], {"a": [1, 2]}, ["No b."])
    again = Candidate.from_record(json.loads(json.dumps(measured.to_record(), allow_nan=False)))
    assert findings_of(again, "toy") == {"a": [1, 2]}
    assert again.value("band_gap") == 1.0
    assert why_missing(again, "toy") == "No b"
    assert findings_of(again, "other") is None
    assert why_missing(again, "other") == "it was not measured"


def test_a_new_measurement_replaces_the_old_one():
    first = with_measurement(candidate("silicon"), "toy", Config(), [gap(1.0)], {"a": 1}, ["No b."])
    second = with_measurement(first, "toy", Config(window=2.0), [], {"c": 3})
    assert findings_of(second, "toy") == {"c": 3}
    assert second.get("band_gap") is None
    assert second.failures == ()
    assert len(second.provenance) == 1
    assert second.provenance[0].config_hash != first.provenance[0].config_hash


def test_the_newest_of_several_steps_counts_and_all_are_forgotten():
    """As when a store has joined the provenance of two runs."""
    old = with_measurement(candidate("silicon"), "toy", Config(), [gap(1.0)], {"a": 1})
    new = with_measurement(candidate("silicon"), "toy", Config(window=2.0), [gap(2.0, "HSE06")], {"a": 2})
    joined = old.with_property(*new.properties).with_step(new.provenance[0])
    assert findings_of(joined, "toy") == {"a": 2}
    assert forget(joined, "toy") == candidate("silicon")


def test_forgetting_leaves_what_others_have_added():
    other = candidate("silicon").with_property(gap(1.2, "HSE06"))
    measured = with_measurement(other, "toy", Config(), [gap(0.6)], {})
    assert forget(measured, "toy") == other
    assert forget(measured, "another") == measured


def test_what_is_added_later_keeps_the_version_of_the_measurement():
    measured = with_measurement(candidate("silicon"), "toy", Config(), [], {"a": 1}, version="7; models m")
    assert with_more(measured, "toy", Config(), [gap(1.0)], {"b": 2}).provenance[-1].version == "7; models m"
