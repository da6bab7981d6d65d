"""The device model: pulse curves in closed form, levels, spreads, drift, defects."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.errors import SettingsError
from hysteron.core.settings import validate
from hysteron.screening.synapse.device import (
    DRIFT_REFERENCE_SECONDS,
    DeviceParameters,
    Devices,
    curvature,
    nearest_level,
)

NEUROSIM_LABELS = [
    (0.1, 12.6258),
    (1.51, 0.8195),
    (3.01, 0.3853),
    (4.51, 0.2266),
    (6.01, 0.1351),
    (7.51, 0.0702),
]
"""Nonlinearity label and normalised A, as printed in NeuroSim's table (MLP+NeuroSim V3.0, Nonlinearity-NormA)."""
TABLE_PRECISION = 1e-3  # relative; the table has three to four digits


def array(seed: int = 0, shape=(2000,), **changed) -> Devices:
    return Devices(DeviceParameters(**changed), shape, np.random.default_rng(seed))


@pytest.mark.parametrize(("label", "normalised"), NEUROSIM_LABELS)
def test_the_label_is_that_of_neurosim(label, normalised):
    assert 1 / curvature(label) == pytest.approx(normalised, rel=TABLE_PRECISION)


@settings(max_examples=30, deadline=None)
@given(label=st.floats(0, 9), pulses=st.integers(2, 200), on_off=st.floats(1.5, 1e4))
def test_potentiation_and_depression_follow_the_exponential_curves(label, pulses, on_off):
    """G(n) = B (1 - exp(-n / A)) + G_min, and its mirror image from the top."""
    device = array(
        shape=(1,),
        on_off=on_off,
        pulses=pulses,
        nonlinearity_potentiation=label,
        nonlinearity_depression=label,
    )
    low, c = 1 / on_off, curvature(label)
    n = np.arange(1, pulses + 1)
    share = n / pulses if c == 0 else np.expm1(-c * n / pulses) / math.expm1(-c)
    up = [device.pulse(np.array([1]))[0] for _ in n]
    np.testing.assert_allclose(up, low + share * (1 - low), rtol=1e-9)
    down = [device.pulse(np.array([-1]))[0] for _ in n]
    np.testing.assert_allclose(down, 1 - share * (1 - low), rtol=1e-9, atol=1e-12)


def test_many_pulses_at_once_are_as_many_one_by_one():
    several, single = (array(shape=(3,), nonlinearity_potentiation=3.0, pulses=50) for _ in range(2))
    several.pulse(np.array([0, 7, 20]))
    for i in range(20):
        single.pulse(np.array([0, i < 7, True]).astype(int))
    np.testing.assert_allclose(several.conductance, single.conductance)


@pytest.mark.parametrize("label", [0.0, 2.0, 6.0])
def test_the_curve_bends_by_its_label(label):
    """Greatest height above the straight line, times 1000 / 99."""
    x = np.linspace(0, 1, 2001)
    device = array(shape=(2001,), on_off=10, pulses=100, nonlinearity_potentiation=label)
    reached = (device.pulse(100 * x) - 0.1) / 0.9
    assert reached[-1] == pytest.approx(1)
    assert (reached - x).max() * 1000 / 99 == pytest.approx(label, abs=1e-3)


def test_asymmetry_is_the_difference_of_steps_over_their_sum():
    device = array(shape=(1,), asymmetry=0.2, pulses=1000)
    middle = 0.5
    device.hold(np.array([middle]))
    up = device.pulse(np.array([1]))[0] - middle
    device.hold(np.array([middle]))
    down = middle - device.pulse(np.array([-1]))[0]
    assert (up - down) / (up + down) == pytest.approx(0.2)


def test_levels_are_equally_spaced_and_none_means_any():
    p = DeviceParameters(levels=5, on_off=10)
    found = np.unique(nearest_level(np.linspace(0, 1.2, 500), p))
    np.testing.assert_allclose(found, np.linspace(0.1, 1, 5))
    target = np.array([0.1, 0.123, 0.9])
    np.testing.assert_array_equal(nearest_level(target, DeviceParameters(on_off=10)), target)


def test_verification_takes_the_spread_from_device_to_device_away():
    alike = array(device_spread=0.2, on_off=1000).program(np.array(0.4), verify=False)
    assert np.log(alike).std() == pytest.approx(0.2, rel=0.1)
    assert np.median(alike) == pytest.approx(0.4, rel=0.02)
    verified = array(device_spread=0.2, on_off=1000).program(np.array(0.4))
    np.testing.assert_allclose(verified, 0.4)


def test_what_programming_leaves_is_told_over_the_highest_conductance():
    found = array(programming_spread=0.03).program(np.array(0.5))
    assert found.std() == pytest.approx(0.03, rel=0.1)


def test_the_noise_of_a_pulse_is_told_over_the_range():
    device = array(cycle_spread=0.02, pulses=10, on_off=2)
    device.hold(np.full(2000, 0.7))
    assert device.pulse(np.full(2000, 1)).std() == pytest.approx(0.02 * 0.5, rel=0.1)
    device.hold(np.full(2000, 0.7))
    np.testing.assert_array_equal(device.pulse(np.zeros(2000)), 0.7)


def test_no_device_leaves_its_range():
    device = array(device_spread=0.5, programming_spread=0.5, cycle_spread=0.5, on_off=3)
    device.program(np.array(0.5))
    device.pulse(np.full(2000, 40))
    assert (device.conductance <= device.high).all()
    assert (device.conductance >= device.low).all()


def test_drift_is_a_power_law_and_the_gain_brings_the_sum_back():
    device = array(drift_exponent=0.05)
    device.program(np.array(0.5))
    hour = 3600.0
    expected = 0.5 * (hour / DRIFT_REFERENCE_SECONDS) ** -0.05
    np.testing.assert_allclose(device.drifted(hour), expected)
    np.testing.assert_allclose(device.drifted(1.0), 0.5)
    np.testing.assert_allclose(device.recalibrated(hour), 0.5)


def test_a_volatile_device_returns_to_its_lowest_conductance():
    device = array(retention_seconds=10.0, on_off=10)
    device.program(np.array(1.0))
    np.testing.assert_allclose(device.drifted(10.0), 0.1 + 0.9 * math.exp(-1))
    np.testing.assert_allclose(device.drifted(1e4), 0.1)


def test_stuck_devices_stay_at_either_end():
    device = array(stuck_fraction=0.3, on_off=10)
    device.program(np.array(0.5))
    device.pulse(np.full(2000, -5))
    moved = ~np.isclose(device.conductance, 0.1) & ~np.isclose(device.conductance, 1.0)
    assert moved.mean() == pytest.approx(0.7, abs=0.05)
    assert np.isclose(device.conductance, 1.0).mean() == pytest.approx(0.15, abs=0.04)


def test_each_read_differs_by_the_noise_of_a_read():
    device = array(read_noise=0.02)
    device.program(np.array(0.5))
    first, second = device.read(), device.read()
    assert first.std() == pytest.approx(0.01, rel=0.1)
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0, abs=0.1)


def test_the_same_seed_gives_the_same_devices_in_any_shape():
    changed = {"device_spread": 0.2, "programming_spread": 0.05, "stuck_fraction": 0.1}
    first, second = (array(seed=3, shape=(4, 5), **changed).program(np.full((4, 5), 0.5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (4, 5)
    assert not np.array_equal(first, array(seed=4, shape=(4, 5), **changed).program(np.full((4, 5), 0.5)))


def test_parameters_out_of_range_are_refused():
    with pytest.raises(SettingsError, match="on_off"):
        validate(DeviceParameters, {"on_off": 0.5}, "[device]")
    with pytest.raises(SettingsError, match="Did you mean 'levels'"):
        validate(DeviceParameters, {"level": 8}, "[device]")
