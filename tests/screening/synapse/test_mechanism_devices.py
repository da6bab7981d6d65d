"""Assumed devices are drawn from ranges that say where they come from."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hysteron.core.errors import HysteronError, InputError, SettingsError
from hysteron.screening.synapse.device import DeviceParameters
from hysteron.screening.synapse.mechanism_devices import (
    WHOLE_NUMBERS,
    DeviceRange,
    device_table,
    parse_devices,
    ranges_of,
    sample,
)
from hysteron.screening.synapse.profiles import MechanismClass
from hysteron.screening.synapse.tables import read_table

CLASSES = tuple(device_table().classes)


def of(low, high, scale="linear"):
    return DeviceRange(low=low, high=high, scale=scale, verified=False, source=("ours",), basis="a test")


def test_the_classes_are_those_that_screens_name():
    assert MechanismClass.__args__ == CLASSES


@pytest.mark.parametrize("mechanism", CLASSES)
def test_devices_lie_in_their_ranges_and_the_model_takes_them(mechanism):
    drawn = sample(mechanism, 200, np.random.default_rng(0))
    for name, one in ranges_of(mechanism).items():
        assert drawn[name].shape == (200,)
        assert (drawn[name] >= one.low - 1e-9 * one.high).all()
        assert (drawn[name] <= one.high * (1 + 1e-9)).all()
    for name in WHOLE_NUMBERS:
        assert drawn[name].dtype.kind == "i"
    for i in range(0, 200, 20):
        values = {name: drawn[name][i].item() for name in DeviceParameters.model_fields}
        assert DeviceParameters(**values).on_off == values["on_off"]


@pytest.mark.parametrize("mechanism", CLASSES)
def test_the_first_devices_do_not_hang_on_how_many_are_drawn(mechanism):
    few, many = (sample(mechanism, n, np.random.default_rng(7)) for n in (5, 50))
    for name in few:
        assert np.array_equal(few[name], many[name][:5])


def test_a_range_over_powers_of_ten_is_drawn_evenly_in_them():
    drawn = np.log10(sample("VCM", 4000, np.random.default_rng(1))["endurance_cycles"])
    assert np.median(drawn) == pytest.approx(9.0, abs=0.2)  # 1e6 to 1e12


@pytest.mark.parametrize("mechanism", CLASSES)
def test_verified_numbers_name_a_work_that_was_read(mechanism):
    table = device_table()
    for name, one in table.classes[mechanism].items():
        read = {key for key in one.source if table.sources[key].read != "nothing"}
        if one.verified:
            assert read == set(one.source), f"{mechanism} {name} calls verified what stands on {one.source}"


def test_an_unknown_class_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="Did you mean 'VCM'"):
        sample("VCN", 1, np.random.default_rng(0))


@given(
    low=st.floats(1e-6, 1e6),
    factor=st.floats(1.01, 1e6),
    scale=st.sampled_from(["linear", "log"]),
    cut=st.floats(0, 1),
)
def test_the_shares_below_and_above_a_cut_add_up(low, factor, scale, cut):
    one = of(low, low * factor, scale)
    at = float(one.at(np.array(cut)))
    assert one.share_within(None, at) == pytest.approx(cut, abs=1e-6)
    assert one.share_within(None, at) + one.share_within(at, None) == pytest.approx(1.0)
    assert one.share_within(None, None) == 1.0


def test_a_bound_beyond_the_range_is_not_reached_and_one_at_its_end_is():
    one = of(4, 32, "log")
    assert one.reaches(32, None)
    assert one.share_within(32, None) == 0.0
    assert not one.reaches(33, None)
    assert not one.reaches(None, 3)
    assert one.share_within(4, 32) == 1.0


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda t: t["VCM"].pop("levels"), "differ in levels"),
        (lambda t: t["VCM"]["levels"].update(source=["nobody"]), "nobody"),
        (lambda t: t["VCM"]["levels"].update(low=1e9), "must be finite and lie above"),
        (lambda t: t["VCM"]["levels"].update(scale="log", low=0), "must lie above 0"),
        (lambda t: t["VCM"]["levels"].update(basis=""), "basis"),
        (lambda t: t["VCM"]["levels"].update(module="os"), "no setting 'module'"),
    ],
)
def test_a_table_that_does_not_fit_says_where(change, error):
    table = copy.deepcopy(read_table("device_ranges.toml"))
    change(table)
    with pytest.raises(HysteronError, match=error):
        parse_devices(table)


def test_a_range_names_its_key_in_the_error():
    table = copy.deepcopy(read_table("device_ranges.toml"))
    table["PCM"]["on_off"]["high"] = 1
    with pytest.raises(SettingsError, match=r"device_ranges.toml PCM.on_off"):
        parse_devices(table)
