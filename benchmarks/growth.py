"""What does a run cost beside its physics, and how does that grow?

- `overhead`: what Prefect costs, as a share of a run of five minutes: its wall time less that of the steps themselves. The
  baseline is what is left of the same run when the steps are called plainly.
- `scale`: seconds a candidate of each stage, of the orchestration and of the store at 10^2, 10^3 and 10^4 candidates, in a toy
  world (`toy_world.py`) whose potential costs next to nothing; a further run on the largest of these stores; and what that
  makes of 10^6, in one run or in nights (`growth_plan.py`). The baseline is the smallest size.
- `workers`: how much faster two workers are than one, for each task runner that is installed, and whether the stores
  agree. The baseline is one worker of the same runner.
"""

from __future__ import annotations

import resource
import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..flows import launch, order, steps
from ..flows.foreground import execute
from ..flows.run import Run
from ..flows.run_settings import resolve
from ..store.comparison import content, differences
from .growth_plan import for_a_million, in_nights
from .toy_world import World

SIZES, QUICK_SIZES = (100, 1_000, 10_000), (32, 64)
CRYSTALS, QUICK_CRYSTALS = 2_000, 60
"""Known ones, whose retrieval is a part of every run."""
LONG_RUN = "5m"
TARGET_SHARE = 0.05
RELAXATIONS, CHUNK = 48, 6
"""Of the run that one and two workers carry out with CHGNet."""
RUNNERS = {"processes": "prefect", "dask": "prefect_dask", "ray": "prefect_ray"}
"""Task runners, and the package that each needs."""


def run(seed: int = 0, quick: bool = False, only: str | None = None) -> dict[str, Any]:
    """Measure it.

    Args:
        seed: Of all runs.
        quick: The toy world everywhere, and few candidates.
        only: One row: overhead, scale or workers.

    Raises:
        InputError: no such row.
    """
    if only is not None and only not in _ROWS:
        raise InputError(f"No row {only!r}. There are {', '.join(_ROWS)}.")
    rows = [only] if only else list(_ROWS)
    _warm_up(seed)
    found = {row: _ROWS[row](seed, quick) for row in rows}
    told = {"benchmark": "growth", "n": len(rows), "seed": seed, "quick": quick}
    return told | {"claims": claims(found), **found}


def claims(found: dict[str, Any]) -> list[dict[str, Any]]:
    """One line for each figure, with its target where there is one."""
    lines = []
    if overhead := found.get("overhead"):
        share = overhead["share"]
        met = {"target": f"<= {TARGET_SHARE:g}", "met": share <= TARGET_SHARE}
        lines.append({"figure": "share of the run beside its steps", "value": share, **met})
    if scale := found.get("scale"):
        for row in scale["sizes"]:
            lines.append({"figure": f"ms a candidate of {row['candidates']}", "value": row["ms_a_candidate"]})
        for way in ("for_a_million", "in_nights"):
            hours = scale[way]["hours_in_all"]
            lines.append({"figure": f"hours of a million beside the physics, {way}", "value": hours})
    for runner, row in found.get("workers", {}).items():
        if "skipped" not in row:
            lines.append({"figure": f"times faster with two workers, {runner}", "value": row["speed_up"]})
            same = row["equal_stores"]
            lines.append({"figure": f"equal stores, {runner}", "value": same, "target": "true", "met": same})
    return lines


def _warm_up(seed: int) -> None:
    """A run that is not measured, so that what is loaded once is no part of the smallest size."""
    with _world(QUICK_CRYSTALS) as world:
        _measured(world, world.settings(QUICK_SIZES[0], seed=seed), "warm-up", execute)


# What Prefect costs


def _overhead(seed: int, quick: bool) -> dict[str, Any]:
    with _world(QUICK_CRYSTALS) as world:
        first = _measured(world, world.settings(QUICK_SIZES[0], seed=seed), "first", execute)
        settings = (
            world.settings(QUICK_SIZES[0], 8, seed) if quick else _real({"budget": LONG_RUN, "seed": seed})
        )
        plain = _measured(world, settings, "plain", order.carry_out)
        prefect = _measured(world, settings, "prefect", execute)
    return {
        "run": "toy" if quick else f"CHGNet, all devices, {LONG_RUN}",
        "seconds": prefect["seconds"],
        "share": prefect["beside_the_steps"] / prefect["seconds"],
        "target_share": TARGET_SHARE,
        "seconds_beside_the_steps_of_the_first_run_of_a_home": first["beside_the_steps"],
        "seconds_a_task": (prefect["beside_the_steps"] - plain["beside_the_steps"]) / prefect["calls"],
        "baseline": "the same run, its steps called plainly",
        "baseline_share": plain["beside_the_steps"] / plain["seconds"],
        "prefect": prefect,
        "plain": plain,
    }


def _measured(
    world: World, settings: dict[str, Any], name: str, carry_out: Callable[[Run], Any], out: str | None = None
) -> dict[str, Any]:
    """Wall time of a run, of each of its steps, and what is left."""
    made = launch.new_run(settings, str(world.folder / f"{name}.db"), world.folder / (out or name))
    began = time.perf_counter()
    with _timed_steps() as timed:
        carry_out(made)
    seconds = time.perf_counter() - began
    in_steps = {step: sum(times) for step, times in timed.items()}
    steps.forget()
    return {
        "seconds": seconds,
        "steps": in_steps,
        "calls": sum(map(len, timed.values())),
        "beside_the_steps": seconds - sum(in_steps.values()),
    }


@contextmanager
def _timed_steps() -> Iterator[dict[str, list[float]]]:
    """Seconds of every call of a step that is made in this process while the block lasts."""
    timed: dict[str, list[float]] = defaultdict(list)
    before = dict(order.STEPS)

    def clocked(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            began = time.perf_counter()
            try:
                return step(*arguments)
            finally:
                timed[name].append(time.perf_counter() - began)

        return call

    order.STEPS.update({name: clocked(name, step) for name, step in before.items()})
    try:
        yield timed
    finally:
        order.STEPS.update(before)


# How it grows


def _scale(seed: int, quick: bool) -> dict[str, Any]:
    sizes = QUICK_SIZES if quick else SIZES
    with _world(QUICK_CRYSTALS if quick else CRYSTALS) as world:
        rows = [_at_size(world, size, seed) for size in sizes]
        later = _at_size(world, sizes[-2], seed + 1, on_top_of=sizes[-1])
    return {
        "sizes": rows,
        "later_night": later,
        "for_a_million": for_a_million(rows[-2], rows[-1]),
        "in_nights": in_nights(rows[-1], rows[-2], later),
    }


def _at_size(world: World, size: int, seed: int, on_top_of: int | None = None) -> dict[str, Any]:
    """One run, on an empty store or on that of an earlier one."""
    store = f"scale-{on_top_of or size}"
    path = world.folder / f"{store}.db"
    measured = _measured(world, world.settings(size, seed=seed), store, execute, f"{store}-seed-{seed}")
    with closing(
        sqlite3.connect(path)
    ) as connection:  # what is written stands in the file beside it until then
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    each = {step: seconds / size for step, seconds in measured["steps"].items()}
    stored = size + (on_top_of or 0)
    return {
        "candidates": size,
        "seconds": measured["seconds"],
        "ms_a_candidate": 1000 * measured["seconds"] / size,
        "steps_ms_a_candidate": {step: 1000 * seconds for step, seconds in each.items()},
        "orchestration_ms_a_candidate": 1000 * measured["beside_the_steps"] / size,
        "store_kib_a_candidate": path.stat().st_size / 1024 / stored,
        # Of all runs of this process so far; sizes ascend.
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "stored_before": on_top_of or 0,
    }


# One worker and two


def _workers(seed: int, quick: bool) -> dict[str, Any]:
    found = {}
    with _world(QUICK_CRYSTALS) as world:
        for runner, package in RUNNERS.items():
            if find_spec(package) is None:
                found[runner] = {"skipped": f"{package} is not installed"}
            else:
                found[runner] = _with_workers(world, runner, seed, quick)
    return found


def _with_workers(world: World, runner: str, seed: int, quick: bool) -> dict[str, Any]:
    seconds, stores = {}, {}
    for workers in (1, 2):
        flow = {"runner": runner, "workers": workers}
        if quick:
            settings = world.settings(QUICK_SIZES[0], 8, seed, **flow)
        else:
            settings = _real({"relaxations": RELAXATIONS, "seed": seed}, chunk=CHUNK, **flow)
        name = f"{runner}-{workers}"
        measured = _measured(world, settings, name, execute)
        seconds[workers] = measured["seconds"]
        stores[workers] = content(world.folder / f"{name}.db")
    return {
        "seconds": seconds,
        "speed_up": seconds[1] / seconds[2],
        "candidates": len(stores[1].candidates),
        "equal_stores": not differences(stores[1], stores[2]),
    }


@contextmanager
def _world(crystals: int) -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="hysteron-growth-") as name:
        world = World(Path(name)).make(crystals)
        with world.inside():
            yield world


def _real(options: dict[str, Any], **flow: Any) -> dict[str, Any]:
    """A run on CHGNet and the bundled catalogue."""
    values = resolve(options=options).model_dump(mode="json")
    one_process = {"workers": 1} if flow else {}
    return values | {
        "flow": values["flow"] | flow,
        "potential": values["potential"] | one_process,
    }


_ROWS: dict[str, Callable[[int, bool], dict[str, Any]]] = {
    "overhead": _overhead,
    "scale": _scale,
    "workers": _workers,
}
