"""How fast, and how right, are relaxations against the chgnet package?

Ours (`fire` and `bfgs`) against `chgnet.model.StructOptimizer` (FIRE, one structure after the other) at the same
convergence, 0.05 eV/A with the cell free. Each measurement runs in a fresh process with the threads of OpenMP, MKL
and OpenBLAS fixed on both sides; imports, loading and a first structure stand outside the clock. The whole takes
about half an hour on two cores; a finished measurement is kept (`relaxation_stages`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pydantic import Field

from ..core.errors import NotFoundError, nearest
from ..core.settings import Settings, data_dir
from . import relaxation_samples as samples
from .relaxation_accuracy import TARGETS, accuracy_figures
from .relaxation_profile import profile_figures
from .relaxation_scaling import ATOMS_PER_BATCH, count_figures, size_figures
from .relaxation_speed import (
    cores_figures,
    gpu_figures,
    measure_pair,
    pair_figures,
    stock_ends_that_are_no_minima,
)
from .relaxation_stages import Stages, say

TARGET_CPU = {"fire": 6.0, "bfgs": 15.0}
TARGET_WALL = 15.0
TARGET_SAME = 0.99
TARGET_HULL_SECONDS = 30.0
TARGET_HULL_DIFFERENCE = 1e-6
LINEAR = 1.05  # exponents up to this count as linear


class Plan(Settings):
    """How much is measured; the defaults are what the claims stand on."""

    methods: tuple[str, ...] = ("fire", "bfgs")
    near_basin: int = Field(default=200, ge=2)
    generated: int = Field(default=100, ge=2)
    steps: int = Field(default=500, ge=1)
    """Limit on both sides."""
    repeats: int = Field(default=2, ge=1)
    """Of ours on one thread; the stock is measured once."""
    cores: int = Field(default=2, ge=2)
    points: int = Field(default=1000, ge=2)
    double: int = Field(default=150, ge=1)
    batches_per_size: int = Field(default=6, ge=1)
    counts: tuple[int, ...] = (1, 10, 100, 1_000, 10_000)
    profiled: int = Field(default=60, ge=1)
    hull_candidates: int = Field(default=10_000, ge=1)


QUICK = Plan(
    near_basin=20,
    generated=10,
    repeats=1,
    points=100,
    double=15,
    batches_per_size=1,
    counts=(1, 10, 100),
    profiled=10,
    hull_candidates=1000,
)

Figures = dict[str, Any]


def run(
    seed: int = 0,
    only: str | None = None,
    resume: bool = False,
    quick: bool = False,
    plan: Plan | None = None,
    stages: Stages | None = None,
) -> Figures:
    """Measure the table, or one row of it.

    Args:
        seed: Of the choice of structures, their disturbance, and the intervals.
        only: A name in `ROWS`.
        resume: Keep what the same code measured on this machine with this seed.
        quick: A tenth of each sample, to see that it runs; no claim stands on it.
        plan: How much is measured, instead.
        stages: Where measurements are kept, instead.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set or holds no crystals.
        NotFoundError: no such row.
        StageError: a measurement failed.
    """
    if only is not None and only not in ROWS:
        raise NotFoundError(f"No row {only!r} in this benchmark. {nearest(only, ROWS)}")
    data_dir()
    plan = plan or (QUICK if quick else Plan())
    stages = stages or Stages(f"{seed}-quick" if quick else str(seed), resume)
    machine = stages.measure("machine", "machine", {})
    wanted = list(ROWS) if only is None else [only]
    rows = {}
    for i, name in enumerate(wanted):
        began = time.monotonic()
        rows[name] = ROWS[name](seed, plan, stages)
        stages.keep(f"row-{name}", rows[name] or {})
        took = time.monotonic() - began
        say(f"{name} ({i + 1} of {len(wanted)}, {took:.0f} s): {_short(claims({name: rows[name]}))}")
    return {
        "benchmark": "relaxation",
        "seed": seed,
        "machine": machine,
        "plan": plan.model_dump(mode="json"),
        "baseline": "chgnet.model.StructOptimizer: FIRE, FrechetCellFilter, fmax 0.05 eV/A, one by one",
        "code": stages.identity,
        "taken_from_an_earlier_run": stages.reused,
        "claims": claims(rows),
        "rows": rows,
    }


def _short(found: list[Figures]) -> str:
    return "; ".join(f"{c['figure']} {c['value']}" for c in found) or "done"


def _near_basin(seed: int, plan: Plan, stages: Stages) -> Figures:
    structures = samples.near_basin(seed, plan.near_basin)
    return _pair("near-basin", structures, seed, plan, stages)


def _generated(seed: int, plan: Plan, stages: Stages) -> Figures:
    return _pair("generated", samples.generated(seed, plan.generated), seed, plan, stages)


def _pair(name: str, structures: list[samples.Plain], seed: int, plan: Plan, stages: Stages) -> Figures:
    measured = measure_pair(stages, name, structures, plan.methods, plan.steps, plan.repeats)
    figures = pair_figures(structures, measured, plan.methods, seed)
    for method in plan.methods:
        found = stock_ends_that_are_no_minima(stages, name, measured, method)
        figures[method]["energies"]["stock_ends_that_are_no_minima"] = found
    return figures


def _cores(seed: int, plan: Plan, stages: Stages) -> Figures:
    structures = samples.near_basin(seed, plan.near_basin)
    return cores_figures(stages, structures, plan.methods, plan.steps, plan.cores)


def _accuracy(seed: int, plan: Plan, stages: Stages) -> Figures:
    return accuracy_figures(stages, samples.points(seed, plan.points), plan.double)


def _sizes(seed: int, plan: Plan, stages: Stages) -> Figures:
    return size_figures(stages, samples.by_size(seed, plan.batches_per_size, ATOMS_PER_BATCH))


def _counts(seed: int, plan: Plan, stages: Stages) -> Figures:
    return count_figures(stages, samples.small(seed), plan.counts)


def _hull(seed: int, plan: Plan, stages: Stages) -> Figures:
    measured = stages.measure("hull", "hull", {"seed": seed, "candidates": plan.hull_candidates})
    return measured["figures"]


def _profile(seed: int, plan: Plan, stages: Stages) -> Figures:
    return profile_figures(stages, samples.near_basin(seed, plan.profiled), plan.steps)


def _gpu(seed: int, plan: Plan, stages: Stages) -> Figures | None:
    machine = stages.measure("gpu/machine", "machine", {}, gpu=True)
    if machine["gpu"] is None:
        return None
    structures = samples.near_basin(seed, plan.near_basin)
    return {"device": machine["gpu"], **gpu_figures(stages, structures, plan.methods, plan.steps)}


ROWS: dict[str, Callable[[int, Plan, Stages], Figures | None]] = {
    "near-basin": _near_basin,
    "cores": _cores,
    "generated": _generated,
    "accuracy": _accuracy,
    "sizes": _sizes,
    "counts": _counts,
    "hull": _hull,
    "profile": _profile,
    "gpu": _gpu,
}


def claims(rows: Mapping[str, Figures | None]) -> list[Figures]:
    """One line for each figure of the table, with its target and whether it is met."""
    found: list[Figures] = []
    for name, figures in rows.items():
        if figures is not None and name in CLAIMS:
            found.extend(CLAIMS[name](figures))
    return found


def _line(
    figure: str, value: Any, target: float | None = None, at_most: bool = False, **more: Any
) -> Figures:
    met = None if target is None or value is None else bool(value <= target if at_most else value >= target)
    sign = "<=" if at_most else ">="
    return {
        "figure": figure,
        "value": round(value, 6) if isinstance(value, float) else value,
        "target": None if target is None else f"{sign} {target:g}",
        "met": met,
        **more,
    }


def _pair_claims(figures: Figures, near: bool) -> list[Figures]:
    where = "near-basin" if near else "generated"
    found = []
    for method in [name for name in TARGET_CPU if name in figures]:
        speed, energies = figures[method]["cpu_times_faster"], figures[method]["energies"]
        target = TARGET_CPU[method] if near else None
        interval = {"interval_90": speed["interval_90"], "n": figures["n"]}
        found.append(_line(f"{method}, times CPU, {where}", speed["ratio"], target, **interval))
        same = {"interval_90": energies["share_interval_90"], "n": energies["n"]}
        lower = {
            "ours_lower": energies["ours_lower"],
            "stock_lower": energies["stock_lower"],
            "stock_ends_that_go_down": energies["stock_ends_that_are_no_minima"]["go_down"],
        }
        found.append(
            _line(
                f"{method}, share within 2 meV/atom, {where}",
                energies["share"],
                TARGET_SAME if near else None,
                **same,
                **lower,
            )
        )
    return found


def _cores_claims(figures: Figures) -> list[Figures]:
    return [
        _line(
            f"{method}, times wall on {figures['cores']} cores",
            figures[method]["wall_times_faster"],
            TARGET_WALL if method == "bfgs" else None,
            n=figures["n"],
        )
        for method in TARGET_CPU
        if method in figures
    ]


def _accuracy_claims(figures: Figures) -> list[Figures]:
    exact = figures["against_double_precision"]["those_that_differ_most"]
    lines = [
        _line(
            f"largest difference in {name}, {figures['units'][name]}",
            figures["ours_against_stock"][name]["max"],
            target,
            at_most=True,
            n=figures["n"],
        )
        for name, target in TARGETS.items()
    ]
    errors = {side: exact[side]["forces"]["max"] for side in ("ours", "stock")}
    title = "largest error in forces where they differ most, against double precision, eV/A"
    return [*lines, _line(title, errors["ours"], stock=errors["stock"], n=exact["n"])]


def _sizes_claims(figures: Figures) -> list[Figures]:
    value = figures["exponent_of_atoms_at_equal_bonds_per_atom"]
    return [_line("exponent of time with atoms", value, LINEAR, at_most=True, n=figures["structures"])]


def _counts_claims(figures: Figures) -> list[Figures]:
    largest = figures["counts"][-1]
    n = largest["count"]
    return [
        _line("exponent of time with structures", figures["exponent_of_count"], LINEAR, at_most=True, n=n),
        _line(f"peak memory with {n} structures, MB", largest["peak_memory_mb"], n=n),
    ]


def _hull_claims(figures: Figures) -> list[Figures]:
    n, compared = figures["candidates"], figures["compared_with_pymatgen"]
    apart = figures["largest_difference_to_pymatgen"]
    return [
        _line(
            f"hull of {n} candidates, CPU s", figures["cpu_seconds"], TARGET_HULL_SECONDS, at_most=True, n=n
        ),
        _line("hull against pymatgen, eV/atom", apart, TARGET_HULL_DIFFERENCE, at_most=True, n=compared),
    ]


def _profile_claims(figures: Figures) -> list[Figures]:
    return [_line("share of the machine's rate of arithmetic", figures["share_of_limit"], n=figures["n"])]


CLAIMS: dict[str, Callable[[Figures], list[Figures]]] = {
    "near-basin": partial(_pair_claims, near=True),
    "generated": partial(_pair_claims, near=False),
    "cores": _cores_claims,
    "accuracy": _accuracy_claims,
    "sizes": _sizes_claims,
    "counts": _counts_claims,
    "hull": _hull_claims,
    "profile": _profile_claims,
}
