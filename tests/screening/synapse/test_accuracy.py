"""Accuracies of classes: devices within the ranges, intervals, and the table that ships."""

import json

import numpy as np
import pytest
from hysteron.core.errors import NotFoundError
from hysteron.core.settings import data_file
from hysteron.screening.synapse import accuracy
from hysteron.screening.synapse.accuracy import accuracy_of, build_accuracy_table, class_sampler, prepared
from hysteron.screening.synapse.assumed_accuracy import parse_accuracies
from hysteron.screening.synapse.device import DeviceParameters
from hysteron.screening.synapse.mechanism_devices import device_table, ranges_of
from hysteron.screening.synapse.workloads import WORKLOADS

CLASSES = list(device_table().classes)


@pytest.mark.parametrize("mechanism", CLASSES)
def test_devices_lie_in_the_ranges_of_their_class(mechanism):
    devices = class_sampler(mechanism)(20, np.random.default_rng(0))
    ranges = ranges_of(mechanism)
    assert len(devices) == 20
    for field in DeviceParameters.model_fields:
        values = [getattr(one, field) for one in devices]
        assert min(values) >= ranges[field].low - 1e-12, field
        assert max(values) <= ranges[field].high + 1e-12, field


def test_an_interval_holds_most_devices_and_the_ideal_stands_beside():
    found = accuracy_of("recall", class_sampler("VCM"), 6, seed=0)
    assert found.low <= found.mean <= found.high
    assert found.n == 6
    assert found.holding == 6  # its retention begins at a day
    assert found.mean_holding == pytest.approx(found.mean)
    assert found.chance < found.mean < found.ideal
    assert accuracy_of("recall", class_sampler("VCM"), 6, seed=0) == found


def test_devices_that_hold_nothing_are_told_apart():
    found = accuracy_of("recall", class_sampler("MIT"), 6, seed=0)
    assert found.holding == 0
    assert found.mean_holding is None
    assert found.mean == pytest.approx(found.chance, abs=0.05)


def test_perfect_devices_have_the_ideal_accuracy():
    found = accuracy_of("recall", lambda count, rng: [DeviceParameters()] * count, 6, seed=0)
    assert found.mean == pytest.approx(found.ideal, abs=1e-3)


def test_an_unknown_workload_is_refused():
    with pytest.raises(NotFoundError, match="Did you mean 'recall'"):
        prepared("recal", 0)


def test_the_table_has_every_class_and_can_be_read_by_the_screen(monkeypatch):
    monkeypatch.setattr(accuracy, "WORKLOADS", {"recall": WORKLOADS["recall"]})
    told = []
    table = build_accuracy_table(0, 3, lambda name, done, of: told.append((name, done, of)))
    assert list(table["recall"]) == CLASSES
    assert told[-1] == ("recall", len(CLASSES), len(CLASSES))
    json.dumps(table, allow_nan=False)
    read = parse_accuracies(table)
    assert read.of(["recall"], "VCM")["recall"].count == 3


def test_the_shipped_table_is_whole():
    table = json.loads(data_file("synapse/accuracy.json").read_text(encoding="utf-8"))
    read = parse_accuracies(table)
    assert set(read.table) == set(WORKLOADS)
    for workload, rows in read.table.items():
        assert set(rows) == set(CLASSES), workload
        for one in rows.values():
            assert one.count >= 30
            assert one.ideal > table[workload][one.mechanism]["chance"]
