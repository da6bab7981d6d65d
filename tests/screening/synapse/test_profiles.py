"""Profiles say what an application asks, with a unit and a source for each number."""

import copy

import pytest
from hysteron.core.errors import HysteronError, InputError, SettingsError
from hysteron.core.properties import PROPERTIES
from hysteron.core.settings import validate
from hysteron.screening.synapse.mechanism_devices import device_table
from hysteron.screening.synapse.profiles import (
    OWN_SOURCE,
    DeviceFieldName,
    Profile,
    chosen_profiles,
    parse_profiles,
    shipped_profiles,
    shipped_sources,
)
from hysteron.screening.synapse.tables import read_table
from hysteron.screening.synapse.workloads import WORKLOADS

PROFILES = shipped_profiles()
OWN = {
    "title": "my array",
    "classes": ["VCM"],
    "device": {"levels": {"low": 4, "units": "1"}},
    "material": [{"name": "energy_above_hull", "high": 0.05, "units": "eV/atom"}],
}


def test_the_five_applications_are_there():
    assert list(PROFILES) == [
        "inference-crossbar",
        "on-chip-learning",
        "random-weight-reservoir",
        "content-addressable-memory",
        "event-driven-edge",
    ]


def test_the_names_of_device_numbers_are_those_of_the_ranges():
    assert set(DeviceFieldName.__args__) == set(device_table().fields)


@pytest.mark.parametrize("name", PROFILES)
def test_every_bound_has_the_unit_of_its_quantity_and_a_reason(name):
    profile = PROFILES[name]
    assert profile.source
    assert set(profile.workloads) <= set(WORKLOADS)
    for field, bound in profile.device.items():
        assert bound.units == device_table().fields[field].units
        assert bound.basis
    for bound in profile.material:
        units = (
            PROPERTIES[bound.name].units
            if bound.name in PROPERTIES
            else {"retention": "s"}.get(bound.name, "1")
        )
        assert bound.units == units
        assert bound.basis
        assert set(bound.classes) <= set(profile.classes)


@pytest.mark.parametrize("name", PROFILES)
def test_a_verified_bound_names_a_work_that_was_read(name):
    for bound in (*PROFILES[name].device.values(), *PROFILES[name].material):
        if bound.verified:
            assert any(shipped_sources()[key].read not in ("nothing", "derived") for key in bound.source)


@pytest.mark.parametrize("name", PROFILES)
def test_a_class_that_serves_could_meet_some_bound_on_the_device(name):
    ranges = device_table().classes
    for mechanism in PROFILES[name].classes:
        reached = [ranges[mechanism][f].reaches(b.low, b.high) for f, b in PROFILES[name].device.items()]
        assert any(reached)


def test_what_stores_is_not_asked_of_volatile_devices_and_the_other_way_round():
    for name, profile in PROFILES.items():
        assert ("MIT" in profile.classes) == (name == "event-driven-edge")


def test_a_runs_own_profile_is_numbers_under_a_name():
    own = validate(Profile, OWN, "[[screen]] own.mine")
    assert list(chosen_profiles(None, {"mine": own}))[-1] == "mine"
    assert chosen_profiles(("mine",), {"mine": own}) == {"mine": own}
    assert own.material[0].source == (OWN_SOURCE,)
    assert not own.material[0].verified


def test_an_unknown_profile_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="Did you mean 'on-chip-learning'"):
        chosen_profiles(("on-chip-lerning",), {})


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"path": "mine.py"}, "no setting 'path'"),
        ({"classes": ["magic"]}, "classes"),
        ({"classes": []}, "classes"),
        ({"material": []}, "material"),
        ({"device": {"levls": {"low": 4, "units": "1"}}}, "levls"),
        ({"device": {"levels": {"low": 4}}}, "units"),
        ({"device": {"levels": {"units": "1"}}}, "needs an end"),
        ({"device": {"levels": {"low": 4, "high": 2, "units": "1"}}}, "must lie above"),
        ({"material": [{"name": "supply", "low": 0.3, "units": "1"}]}, "anything would fit"),
        ({"material": [{"name": "retention", "low": 1, "units": "s"}]}, "temperature_kelvin"),
        ({"material": [{"name": "band_gap", "low": 1, "units": "eV"}]}, "windows"),
        ({"material": [{"name": "colour", "low": 1, "units": "1"}]}, "name"),
    ],
)
def test_a_profile_that_does_not_fit_is_refused(change, error):
    with pytest.raises(SettingsError, match=error):
        validate(Profile, OWN | change, "[[screen]] own.mine")


def test_a_source_that_is_not_listed_is_refused():
    table = copy.deepcopy(read_table("profiles.toml"))
    table["on-chip-learning"]["device"]["levels"]["source"] = ["hearsay"]
    with pytest.raises(HysteronError, match=r"on-chip-learning names sources .* hearsay"):
        parse_profiles(table)


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        ({"low": 10, "units": "1"}, "at least 10"),
        ({"high": 0.1, "units": "eV/atom"}, "at most 0.1 eV/atom"),
        ({"low": 0.45, "high": 1.2, "units": "eV"}, "0.45 to 1.2 eV"),
    ],
)
def test_a_bound_in_words(bound, words):
    profile = validate(Profile, OWN | {"device": {"levels": bound}}, "own")
    assert profile.device["levels"].words == words
