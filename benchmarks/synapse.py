"""What do levels, spreads, asymmetry and wires of an assumed device cost in four kinds of synaptic work?

Rows, each run alone by `--only ROW`:

    inference  digits on crossbars: levels, on/off against spread, errors of programming, wires
    training   digits learnt on the device: backpropagation and equilibrium propagation, by what a pulse does
    liquid     a liquid state machine with resistive random weights against ideal ones of equal spread, paired by seed
    recall     one-shot recall of digits in a content-addressable memory
    classes    every workload on devices drawn from the ranges of each mechanism class
    speed      seconds a workload takes

Ideal weights and chance are measured in the same run, on the same tasks. Nothing here is computed from a crystal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import __version__
from ..core.errors import NotFoundError, nearest
from . import synapse_rows as rows


@dataclass(frozen=True)
class Plan:
    """How many of everything.

    Attributes:
        seed: Root of tasks, devices and noise.
        tasks: Splits or memories, each with an array of its own.
        seeds: Of the paired comparison.
        samples: Devices of each class.
    """

    seed: int
    tasks: int = 8
    seeds: int = 20
    samples: int = 30


QUICK = {"tasks": 2, "seeds": 2, "samples": 3}

ROWS: dict[str, Callable[[Plan], dict[str, Any]]] = {
    "inference": lambda plan: rows.inference(plan.seed, plan.tasks),
    "training": lambda plan: rows.training(plan.seed, plan.tasks),
    "liquid": lambda plan: rows.liquid(plan.seed, plan.seeds),
    "recall": lambda plan: rows.recall(plan.seed, plan.tasks),
    "classes": lambda plan: rows.classes(plan.seed, plan.samples),
    "speed": lambda plan: rows.speed(plan.seed),
}


def run(seed: int = 0, only: str | None = None, quick: bool = False) -> dict[str, Any]:
    """Measure the table, or one row of it; without data sets, in some 20 minutes on one core.

    Args:
        seed: Of tasks, devices and noise.
        only: A name in `ROWS`.
        quick: A few devices, to see that it runs; no claim stands on it.

    Raises:
        NotFoundError: no such row.
    """
    if only is not None and only not in ROWS:
        raise NotFoundError(f"No row {only!r} in this benchmark. {nearest(only, ROWS)}")
    plan = Plan(seed, **(QUICK if quick else {}))
    return {
        "benchmark": "synapse",
        "meaning": "assumed devices; no number here is computed from a crystal",
        "version": __version__,
        "seed": seed,
        "quick": quick,
        **{name: ROWS[name](plan) for name in ([only] if only else ROWS)},
    }
