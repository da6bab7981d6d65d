"""Rows of the synapse benchmark: which devices are tried, and how accuracies and their intervals are told.

An interval of a mean is Student's, at 90%, over tasks, each with an array of its own; of a class it is that of its devices.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..screening.synapse.accuracy import build_accuracy_table, prepared
from ..screening.synapse.device import DeviceParameters
from ..screening.synapse.mechanism_devices import WHOLE_NUMBERS, ranges_of
from ..screening.synapse.workloads import WORKLOADS
from ..screening.synapse.workloads.digits import Inference
from ..screening.synapse.workloads.task import Workload

LEVELS = (2, 3, 4, 6, 8, 16, 32)
ON_OFF = (2.0, 5.0, 10.0, 100.0)
SPREADS = (0.0, 0.05, 0.1, 0.2, 0.3)
PROGRAMMING = (0.01, 0.02, 0.05, 0.1)
WIRES = (1e-5, 1e-4, 3e-4, 1e-3)
PULSES = 100
"""Of the device whose pulses are changed in turn."""
NONLINEARITIES = (0.0, 1.0, 2.0, 4.0, 6.0)
ASYMMETRIES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
LIQUID_TARGET = 0.02
LIQUID_CLASS = "VCM"
SPEED_TARGET_SECONDS = 60.0
COVERAGE = 0.9

Figures = dict[str, Any]
Devices = Mapping[str, DeviceParameters]


def inference(seed: int, tasks: int) -> Figures:
    """Digits on crossbars; wires only where they are told, spreads without verification where they are from device to device."""
    seeds = range(seed, seed + tasks)
    plain = [Inference(one, wire_resistance=0.0) for one in seeds]
    alike = [Inference(one, wire_resistance=0.0, verify=False) for one in seeds]
    nominal = {"on/off 10": DeviceParameters(on_off=10)}
    return {
        **_baselines(plain),
        "levels": _tried(plain, _by("levels", LEVELS), seed),
        "on_off_and_device_spread": _grid(alike, seed),
        "programming_spread": _tried(plain, _by("programming_spread", PROGRAMMING), seed),
        "wire_over_device_resistance": {
            f"{wire:g}": _tried([Inference(one, wire) for one in seeds], nominal, seed) for wire in WIRES
        },
    }


def training(seed: int, tasks: int) -> Figures:
    """Digits learnt on the device, one property of its pulses changed at a time."""
    found: Figures = {}
    for name in ("backpropagation", "equilibrium-propagation"):
        ready = [prepared(name, seed + i) for i in range(tasks)]
        found[name] = _baselines(ready) | {
            group: _tried(ready, devices, seed) for group, devices in _pulse_devices().items()
        }
        _say(f"{name}: trained")
    return found


def liquid(seed: int, seeds: int) -> Figures:
    """Resistive random weights less normal ones of the same spread, on the same words."""
    ready = [prepared("liquid", seed + i) for i in range(seeds)]
    found: Figures = {**_baselines(ready), "less_ideal": {}}
    for name, device in _liquid_devices().items():
        scores = [task.accuracy(device, _rng(seed, i)) - task.ideal for i, task in enumerate(ready)]
        found["less_ideal"][name] = _mean(scores)
        _say(f"liquid: {name}")
    typical = found["less_ideal"][f"middle of {LIQUID_CLASS}"]
    ends = typical["interval_90"] or [typical["mean"]] * 2
    return found | {
        "target": f"{LIQUID_CLASS}: within {LIQUID_TARGET:g}",
        "met": abs(typical["mean"]) <= LIQUID_TARGET,
        "met_by_the_whole_interval": max(map(abs, ends)) <= LIQUID_TARGET,
    }


def recall(seed: int, tasks: int) -> Figures:
    """One-shot recall by levels, errors of programming, and on/off against spread from device to device."""
    ready = [prepared("recall", seed + i) for i in range(tasks)]
    return {
        **_baselines(ready),
        "levels": _tried(ready, _by("levels", LEVELS), seed),
        "programming_spread": _tried(ready, _by("programming_spread", PROGRAMMING), seed),
        "on_off_and_device_spread": _grid(ready, seed),
    }


def classes(seed: int, samples: int) -> Figures:
    """Every workload on every class, as in the shipped table."""
    return build_accuracy_table(seed, samples, lambda name, done, of: _say(f"{name}: {done} of {of} classes"))


def speed(seed: int) -> Figures:
    """Seconds for one workload from nothing, its ideal included, and for one device more."""
    device = middle_of(LIQUID_CLASS)
    found: Figures = {}
    for name in WORKLOADS:
        began = time.perf_counter()
        task = prepared.__wrapped__(name, seed)
        task.accuracy(device, _rng(seed, 0))
        whole = time.perf_counter() - began
        began = time.perf_counter()
        task.accuracy(device, _rng(seed, 1))
        found[name] = {
            "seconds": round(whole, 3),
            "seconds_per_device": round(time.perf_counter() - began, 3),
            "met": whole < SPEED_TARGET_SECONDS,
        }
    return {"target": f"< {SPEED_TARGET_SECONDS:g} s each", **found}


def middle_of(mechanism: str) -> DeviceParameters:
    """The device in the middle of every range of a class, on the scale of each range."""
    half = np.array(0.5)
    values = {name: float(one.at(half)) for name, one in ranges_of(mechanism).items()}
    known = {name: value for name, value in values.items() if name in DeviceParameters.model_fields}
    whole = {name: round(known[name]) for name in WHOLE_NUMBERS}
    return DeviceParameters.model_validate(known | whole)


def _pulse_devices() -> dict[str, Devices]:
    """By what is changed of the pulses."""
    both = {
        f"{x:g}": DeviceParameters(
            on_off=10, pulses=PULSES, nonlinearity_potentiation=x, nonlinearity_depression=x
        )
        for x in NONLINEARITIES
    }
    return {
        "pulses": _by("pulses", (10, 30, 100, 1000)),
        "nonlinearity_of_both": both,
        "nonlinearity_of_depression": _by("nonlinearity_depression", NONLINEARITIES, pulses=PULSES),
        "asymmetry": _by("asymmetry", ASYMMETRIES, pulses=PULSES),
        "cycle_spread": _by("cycle_spread", (0.005, 0.01, 0.02, 0.05), pulses=PULSES),
    }


def _by(field: str, values: Sequence[float], **others: float) -> Devices:
    """Devices of on/off ratio 10 that differ in one field, by its value."""
    return {f"{x:g}": DeviceParameters.model_validate({"on_off": 10, field: x, **others}) for x in values}


def _grid(ready: Sequence[Workload], seed: int) -> Figures:
    """By on/off ratio, then by spread from device to device."""
    return {
        f"{ratio:g}": _tried(ready, _by("device_spread", SPREADS, on_off=ratio), seed) for ratio in ON_OFF
    }


def _liquid_devices() -> Devices:
    """The device in the middle of the class, then one property at a time at what is bad for it."""
    typical = middle_of(LIQUID_CLASS)
    changes: dict[str, dict[str, Any]] = {
        "on/off 2": {"on_off": 2.0},
        "2 levels": {"levels": 2},
        "no spread from device to device": {"device_spread": 0.0},
        "spread from device to device 0.5": {"device_spread": 0.5},
        "read noise 0.1": {"read_noise": 0.1},
        "drift exponent 0.1 +- 0.04": {"drift_exponent": 0.1, "drift_spread": 0.04},
        "stuck 20%": {"stuck_fraction": 0.2},
    }
    return {f"middle of {LIQUID_CLASS}": typical} | {
        name: typical.model_copy(update=change) for name, change in changes.items()
    }


def _baselines(ready: Sequence[Workload]) -> Figures:
    return {
        "ideal": _mean([task.ideal for task in ready]),
        "chance": float(np.mean([task.chance for task in ready])),
        "answers_a_task": ready[0].tested,
    }


def _tried(ready: Sequence[Workload], devices: Devices, seed: int) -> Figures:
    """Mean accuracy of each device, one array of them on each task, and how far that is from the ideal."""
    ideal = float(np.mean([task.ideal for task in ready]))
    found: Figures = {}
    for name, device in devices.items():
        scores = [task.accuracy(device, _rng(seed, i)) for i, task in enumerate(ready)]
        found[name] = _mean(scores) | {"less_ideal": float(np.mean(scores)) - ideal}
    return found


def _mean(scores: Sequence[float]) -> Figures:
    from scipy.stats import t

    mean, n = float(np.mean(scores)), len(scores)
    if n < 2:
        return {"mean": mean, "interval_90": None, "n": n}
    half = float(t.ppf((1 + COVERAGE) / 2, n - 1) * np.std(scores, ddof=1) / np.sqrt(n))
    return {"mean": mean, "interval_90": [mean - half, mean + half], "n": n}


def _rng(seed: int, stream: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([seed, 13, stream]))


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
