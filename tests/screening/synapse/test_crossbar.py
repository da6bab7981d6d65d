"""Pairs of devices as signed weights: exact without errors, degrading with each of them."""

import numpy as np
import pytest
from hysteron.screening.synapse.crossbar import Crossbar, pair_targets
from hysteron.screening.synapse.device import DeviceParameters

WEIGHTS = np.random.default_rng(1).standard_normal((12, 7))
INPUTS = np.random.default_rng(2).uniform(0, 1, (40, 12))


def products(seed: int = 0, wire: float = 0.0, seconds: float = 0.0, **changed) -> np.ndarray:
    rng = np.random.default_rng(seed)
    crossbar = Crossbar(WEIGHTS, DeviceParameters(**changed), rng)
    return crossbar.at(seconds, wire).multiply(INPUTS)


def error(**changed) -> float:
    return float(np.mean([np.abs(products(seed, **changed) - INPUTS @ WEIGHTS).mean() for seed in range(8)]))


@pytest.mark.parametrize("on_off", [1.5, 10.0, 1e6])
def test_devices_without_errors_compute_exactly(on_off):
    np.testing.assert_allclose(products(on_off=on_off), INPUTS @ WEIGHTS, atol=1e-9)


def test_one_device_of_a_pair_is_at_its_lowest():
    p = DeviceParameters(on_off=10)
    pair = pair_targets(np.array([-1.0, -0.5, 0.0, 1.0]), p)
    np.testing.assert_allclose(pair[0] - pair[1], 0.9 * np.array([-1, -0.5, 0, 1]))
    np.testing.assert_allclose(pair.min(axis=0), 0.1)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("levels", (64, 16, 4, 2)),
        ("programming_spread", (0.0, 0.02, 0.1)),
        ("stuck_fraction", (0.0, 0.05, 0.3)),
        ("read_noise", (0.0, 0.02, 0.1)),
        ("wire", (0.0, 1e-3, 1e-2)),
    ],
)
def test_errors_grow_in_the_mean(field, values):
    found = [error(on_off=10, **{field: value}) for value in values]
    assert found == sorted(found)
    assert found[-1] > 5 * found[0] + 1e-3


def test_a_small_window_makes_the_same_error_weigh_more():
    assert error(on_off=2, programming_spread=0.02) > 1.5 * error(on_off=100, programming_spread=0.02)


def test_drift_that_all_devices_share_is_calibrated_away():
    np.testing.assert_allclose(products(seconds=1e6, drift_exponent=0.1), INPUTS @ WEIGHTS, atol=1e-9)
    assert error(seconds=1e6, drift_exponent=0.1, drift_spread=0.05) > 0.1


def test_the_noise_of_a_product_is_that_of_its_devices():
    """Drawn once for each output, it has the spread that reads of single devices add up to."""
    p = DeviceParameters(on_off=10, read_noise=0.05)
    reading = Crossbar(WEIGHTS, p, np.random.default_rng(0)).at()
    many = np.repeat(INPUTS[:1], 4000, axis=0)
    found = reading.multiply(many).std(axis=0)
    single = Crossbar(WEIGHTS, p, np.random.default_rng(0)).devices
    unit = np.abs(WEIGHTS).max() / (1 - p.lowest)
    reads = [single.read() for _ in range(2000)]
    expected = np.std([INPUTS[0] @ (pair[0] - pair[1]) * unit for pair in reads], axis=0)
    np.testing.assert_allclose(found, expected, rtol=0.1)
