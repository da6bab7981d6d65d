"""The synapse benchmark on few devices: figures that must come out."""

import json

import pytest
from hysteron.benchmarks import synapse, synapse_rows
from hysteron.core.errors import NotFoundError


def test_inference_degrades_and_stands_beside_its_baselines():
    told = synapse.run(quick=True, only="inference")["inference"]
    assert told["chance"] < 0.2 < 0.9 < told["ideal"]["mean"]
    assert told["levels"]["2"]["mean"] < told["levels"]["8"]["mean"]
    assert told["levels"]["8"]["less_ideal"] == pytest.approx(
        told["levels"]["8"]["mean"] - told["ideal"]["mean"]
    )
    grid = told["on_off_and_device_spread"]
    assert grid["2"]["0"]["less_ideal"] == pytest.approx(0, abs=1e-9)
    assert grid["2"]["0.3"]["mean"] < grid["100"]["0.3"]["mean"]
    wires = told["wire_over_device_resistance"]
    assert wires["0.001"]["on/off 10"]["mean"] < wires["1e-05"]["on/off 10"]["mean"]
    json.dumps(told, allow_nan=False)


def test_recall_is_told_by_levels_and_spreads():
    told = synapse.run(quick=True, only="recall")["recall"]
    assert told["levels"]["2"]["mean"] < told["levels"]["32"]["mean"] + 0.01
    assert told["on_off_and_device_spread"]["2"]["0.3"]["less_ideal"] < -0.1


def test_an_interval_of_a_mean_is_students():
    told = synapse_rows._mean([0.9, 0.8, 1.0])
    assert told["mean"] == pytest.approx(0.9)
    assert told["interval_90"] == pytest.approx(
        [0.9 - 2.92 * 0.1 / 3**0.5, 0.9 + 2.92 * 0.1 / 3**0.5], abs=1e-4
    )
    assert synapse_rows._mean([0.5])["interval_90"] is None


def test_the_liquid_row_is_paired_and_says_whether_the_target_is_met(monkeypatch):
    class Task:
        tested, chance = 10, 0.1

        def __init__(self, ideal):
            self.ideal = ideal

        def accuracy(self, device, rng):
            return self.ideal - (0.01 if device.levels != 2 else 0.2)

    monkeypatch.setattr(synapse_rows, "prepared", lambda name, seed: Task(0.8 + 0.05 * seed))
    told = synapse_rows.liquid(0, 4)
    typical = told["less_ideal"]["middle of VCM"]
    assert typical["mean"] == pytest.approx(-0.01)
    assert typical["interval_90"] == pytest.approx([-0.01, -0.01])
    assert told["met"]
    assert told["met_by_the_whole_interval"]
    assert told["less_ideal"]["2 levels"]["mean"] == pytest.approx(-0.2)


def test_the_middle_device_of_a_class_is_one():
    device = synapse_rows.middle_of("VCM")
    assert device.levels == 72  # the geometric mean of 40 and 128
    assert device.on_off == pytest.approx(200**0.5)


def test_an_unknown_row_is_refused():
    with pytest.raises(NotFoundError, match="Did you mean 'recall'"):
        synapse.run(only="recal")
