"""How well do assumed devices of a mechanism class serve in a workload? Draws them, runs it, and makes the shipped table.

An accuracy is that of devices drawn from the ranges of published ones of a class. It is never an accuracy of a crystal.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ... import __version__
from ...core.registry import load
from .device import DeviceParameters
from .mechanism_devices import device_table, sample
from .workloads import WORKLOADS
from .workloads.task import READ_AFTER_SECONDS, Workload

QUANTILES = (0.05, 0.95)
TASKS = 3
"""Splits, words or memories that devices are tried on in turn, so that an accuracy does not hang on one of them."""
SAMPLES = 50
DECIMALS = 4

Sampler = Callable[[int, np.random.Generator], list[DeviceParameters]]
"""So many devices of a class."""


@dataclass(frozen=True)
class AccuracyInterval:
    """Of devices drawn from a class.

    Attributes:
        mean: Over devices, 0 to 1.
        low: Twentieth part of the devices do worse.
        high: Twentieth part do better.
        ideal: With weights of unlimited precision, on the same tasks.
        chance: Without knowing anything.
        n: Devices drawn.
        holding: Those of them that hold a state until it is used.
        mean_holding: Mean over these; absent if there are none.
    """

    mean: float
    low: float
    high: float
    ideal: float
    chance: float
    n: int
    holding: int
    mean_holding: float | None


def accuracy_of(workload: str, sampler: Sampler, n_samples: int, seed: int) -> AccuracyInterval:
    """Run a workload on devices of a class.

    Args:
        workload: A name in `WORKLOADS`.
        sampler: Draws devices; of `class_sampler`.
        n_samples: How many.
        seed: Of devices, noise and tasks; the same devices meet every workload.

    Raises:
        NotFoundError: no such workload.
    """
    tasks = [prepared(workload, seed + i) for i in range(TASKS)]
    devices = sampler(n_samples, np.random.default_rng(np.random.SeedSequence([seed, 11])))
    found = np.array([
        tasks[i % TASKS].accuracy(one, np.random.default_rng(np.random.SeedSequence([seed, 12, i])))
        for i, one in enumerate(devices)
    ])  # fmt: skip
    low, high = np.quantile(found, QUANTILES)
    holds = [(one.retention_seconds or math.inf) > READ_AFTER_SECONDS for one in devices]
    met = [tasks[i % TASKS] for i in range(n_samples)]
    return AccuracyInterval(
        mean=float(found.mean()),
        low=float(low),
        high=float(high),
        ideal=float(np.mean([task.ideal for task in met])),
        chance=float(np.mean([task.chance for task in met])),
        n=n_samples,
        holding=sum(holds),
        mean_holding=float(found[holds].mean()) if any(holds) else None,
    )


def class_sampler(mechanism: str) -> Sampler:
    """Draws devices from the ranges of a class.

    Args:
        mechanism: `VCM`, `ECM`, `PCM`, `MIT`, `ECRAM`, `halide` or `ferroelectric`; an unknown one is refused on drawing.
    """

    def draw(count: int, rng: np.random.Generator) -> list[DeviceParameters]:
        drawn = sample(mechanism, count, rng)
        known = {
            name: values.tolist() for name, values in drawn.items() if name in DeviceParameters.model_fields
        }
        return [DeviceParameters(**{name: values[i] for name, values in known.items()}) for i in range(count)]

    return draw


@lru_cache(maxsize=16)
def prepared(workload: str, seed: int) -> Workload:
    """A workload, with its ideal measured; made once for each seed.

    Raises:
        NotFoundError: no such workload.
    """
    return load(workload, WORKLOADS, "hysteron.workloads")(seed)


def build_accuracy_table(
    seed: int = 0,
    samples: int = SAMPLES,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Any]:
    """Every workload on every class, as `accuracy.json` has it.

    Args:
        seed: Of `accuracy_of`.
        samples: Devices of each class.
        progress: Told the workload, the classes done and their number.
    """
    classes = list(device_table().classes)
    table: dict[str, Any] = {
        "about": {
            "meaning": "accuracy of assumed devices, drawn from ranges of published ones of a class; not of a crystal",
            "interval": f"quantiles {QUANTILES[0]:g} and {QUANTILES[1]:g} over the devices drawn",
            "used_after_seconds": READ_AFTER_SECONDS,
            "holding": "devices whose retention_seconds exceed used_after_seconds, and their mean accuracy",
            "tasks": TASKS,
            "seed": seed,
            "version": __version__,
        }
    }
    for workload in WORKLOADS:
        table[workload] = {}
        for done, mechanism in enumerate(classes):
            if progress:
                progress(workload, done, len(classes))
            found = accuracy_of(workload, class_sampler(mechanism), samples, seed)
            table[workload][mechanism] = _rounded(found)
        if progress:
            progress(workload, len(classes), len(classes))
    return table


def _rounded(found: AccuracyInterval) -> dict[str, float | int | None]:
    """As JSON; the interval outward, so that it still holds the mean."""
    scale = 10**DECIMALS
    return asdict(found) | {
        "mean": round(found.mean, DECIMALS),
        "low": math.floor(found.low * scale) / scale,
        "high": math.ceil(found.high * scale) / scale,
        "ideal": round(found.ideal, DECIMALS),
        "chance": round(found.chance, DECIMALS),
        "mean_holding": None if found.mean_holding is None else round(found.mean_holding, DECIMALS),
    }
