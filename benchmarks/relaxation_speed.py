"""How much faster do we relax than the stock, and do both come to the same end?

The figures from the records of `relaxation_tasks`. Ours works in batches, so that a structure has no time of its
own: for the interval, the time of a batch is shared out in proportion to evaluations and arithmetic of a structure.
Energies of both sides' ends, and whether they are ends, are judged by the stock model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .relaxation_operations import Sizes, multiply_adds
from .relaxation_samples import Plain, from_plain
from .relaxation_stages import Stages

FMAX = 0.05  # eV/A
FMAX_ROUNDING = 1.02  # single precision and a fresh filter move the last digits
SAME_ENERGY_MEV_PER_ATOM = 2.0
RESAMPLES = 2000
TIGHT_FMAX = 0.005  # eV/A
TIGHT_STEPS = 2000
MOST_LISTED = 20
THREADS_EVERY = 4  # some 10 minutes for all of 200 structures, and two processes are quicker


def measure_pair(
    stages: Stages, name: str, structures: list[Plain], methods: Sequence[str], steps: int, repeats: int
) -> dict[str, Any]:
    """One thread on both sides: the stock once, ours `repeats` times by each method, then the check of all ends.

    Returns:
        Records by side: `stock`, and each method, as a list of its repetitions; `checks` by side.
    """
    common = {"structures": structures, "fmax": FMAX, "steps": steps, "device": "cpu"}
    stock = measure_stock(stages, name, structures, steps)
    ours = {
        method: [
            stages.measure(
                f"{name}/{method}-{i}",
                "relax-ours",
                {**common, "method": method, "workers": 1, "name": f"{name}, {method}"},
            )
            for i in range(repeats)
        ]
        for method in methods
    }
    ends = [
        [one["final"] for one in record["structures"]] for record in (stock, *(r[0] for r in ours.values()))
    ]
    checked = stages.measure(f"{name}/check", "check", {"sides": ends, "name": f"{name}, check of the ends"})
    checks = dict(zip(("stock", *methods), checked["sides"], strict=True))
    return {"stock": stock, **ours, "checks": checks}


def stock_ends_that_are_no_minima(
    stages: Stages, name: str, measured: dict[str, Any], method: str
) -> dict[str, Any]:
    """Of the stock's ends that differ from ours: how many go down by more than 2 meV/atom when `fire` relaxes them on.

    A crystal whose forces fall below fmax while it slides off a saddle, or on a soft slope, has not arrived.
    """
    stock, ours = measured["checks"]["stock"], measured["checks"][method]
    differing = [
        i
        for i, (a, b) in enumerate(zip(stock, ours, strict=True))
        if a and b and 1000 * abs(b["energy"] - a["energy"]) > SAME_ENERGY_MEV_PER_ATOM
    ]
    if not differing:
        return {"n": 0, "go_down": 0, "fmax": TIGHT_FMAX}
    ends = [measured["stock"]["structures"][i]["final"] for i in differing]
    common = {"structures": ends, "fmax": TIGHT_FMAX, "steps": TIGHT_STEPS, "device": "cpu", "workers": 1}
    onward = stages.measure(
        f"{name}/{method}-onward",
        "relax-ours",
        {**common, "method": "fire", "name": f"{name}, the stock's ends relaxed on"},
    )
    sides = [[one["final"] for one in onward["structures"]]]
    checked = stages.measure(f"{name}/{method}-onward-check", "check", {"sides": sides, "name": "check"})
    falls = [
        1000 * (stock[i]["energy"] - end["energy"])
        for i, end in zip(differing, checked["sides"][0], strict=True)
        if end
    ]
    return {
        "n": len(differing),
        "go_down": sum(fall > SAME_ENERGY_MEV_PER_ATOM for fall in falls),
        "median_fall_mev_per_atom": float(np.median(falls)) if falls else None,
        "fmax": TIGHT_FMAX,
    }


def measure_stock(stages: Stages, name: str, structures: list[Plain], steps: int) -> dict[str, Any]:
    """The stock on one thread."""
    arguments = {"structures": structures, "fmax": FMAX, "steps": steps, "device": "cpu", "threads": 1}
    return stages.measure(f"{name}/stock", "relax-stock", {**arguments, "name": f"{name}, stock"})


def pair_figures(
    structures: Sequence[Plain], measured: dict[str, Any], methods: Sequence[str], seed: int
) -> dict[str, Any]:
    """Ratio of CPU times with interval, counts of both sides, and energies, for each method."""
    stock, checks = measured["stock"], measured["checks"]
    work = np.array([multiply_adds(Sizes.of(from_plain(plain))) for plain in structures], dtype=float)
    figures: dict[str, Any] = {
        "n": len(structures),
        "atoms": sum(len(plain["species"]) for plain in structures),
        "stock": side_figures(stock, checks["stock"]),
    }
    for method in methods:
        records = measured[method]
        spread = [record["clock"]["cpu_seconds"] for record in records]
        figures[method] = {
            **side_figures(records[0], checks[method]),
            "cpu_seconds_of_each_repetition": spread,
            "cpu_times_faster": cpu_ratio(stock, records, work, seed),
            "energies": energy_figures(
                [plain["species"] for plain in structures],
                checks["stock"],
                checks[method],
                both_converged(stock, records[0]),
            ),
        }
    return figures


def side_figures(record: dict[str, Any], checks: Sequence[Any]) -> dict[str, Any]:
    """Time, steps and outcome of one side; forces at its ends as the stock model sees them."""
    ends = record["structures"]
    done = [check for check, end in zip(checks, ends, strict=True) if check and end["converged"]]
    generalised = np.array([check["max_generalised_force"] for check in done])
    on_atoms = np.array([check["max_force"] for check in done])
    clock = record["clock"]
    return {
        "cpu_seconds": clock["cpu_seconds"],
        "wall_seconds": clock["wall_seconds"],
        "load_average": clock["load_average"],
        "converged": sum(end["converged"] for end in ends),
        "failures": [end["failure"] for end in ends if end["failure"]],
        "mean_steps": float(np.mean([end["steps"] for end in ends])),
        "median_steps": float(np.median([end["steps"] for end in ends])),
        "checked_by": "stock model, rows of a fresh FrechetCellFilter, eV/A, converged ends",
        "max_generalised_force": _spread(generalised),
        "max_force_on_an_atom": _spread(on_atoms),
        "above_fmax": int((generalised > FMAX * FMAX_ROUNDING).sum()),
    }


def _spread(values: np.ndarray) -> dict[str, float] | None:
    if not len(values):
        return None
    return {"median": float(np.median(values)), "max": float(values.max())}


def cpu_ratio(
    stock: dict[str, Any], ours: Sequence[dict[str, Any]], work: np.ndarray, seed: int
) -> dict[str, Any]:
    """Stock over ours (mean of the repetitions), with a 90% interval over samples of structures.

    Args:
        stock: Its structures have times of their own.
        ours: The same relaxations, measured one or more times.
        work: Arithmetic of one evaluation of each structure, in any unit.
        seed: Of the resampling.
    """
    theirs = np.array([one["cpu_seconds"] for one in stock["structures"]])
    total = float(np.mean([record["clock"]["cpu_seconds"] for record in ours]))
    evaluations = np.array([one["steps"] + 1 for one in ours[0]["structures"]])
    own = total * evaluations * work / (evaluations * work).sum()
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(theirs), size=(RESAMPLES, len(theirs)))
    ratios = theirs[drawn].sum(axis=1) / own[drawn].sum(axis=1)
    return {
        "ratio": stock["clock"]["cpu_seconds"] / total,
        "interval_90": [float(q) for q in np.quantile(ratios, [0.05, 0.95])],
        "ratio_of_evaluations": float(
            np.sum([one["steps"] + 1 for one in stock["structures"]]) / evaluations.sum()
        ),
        "interval_is": "bootstrap over structures; our batch time shared out by steps times arithmetic",
    }


def both_converged(one: dict[str, Any], other: dict[str, Any]) -> list[bool]:
    """Whether each structure came to rest on both sides."""
    pairs = zip(one["structures"], other["structures"], strict=True)
    return [a["converged"] and b["converged"] for a, b in pairs]


def energy_figures(
    species: Sequence[Sequence[str]],
    stock: Sequence[Any],
    ours: Sequence[Any],
    converged: Sequence[bool],
) -> dict[str, Any]:
    """Share of ends within 2 meV/atom, ours against the stock's; the others listed, largest first.

    A structure that either side could not finish counts as different.
    """
    from pymatgen.core import Composition

    differing, within, at_rest, missing = [], 0, 0, 0
    for i, (theirs, own) in enumerate(zip(stock, ours, strict=True)):
        if theirs is None or own is None:
            missing += 1
            continue
        gap = 1000 * (own["energy"] - theirs["energy"])
        if abs(gap) <= SAME_ENERGY_MEV_PER_ATOM:
            within += 1
            at_rest += converged[i]
        else:
            formula = Composition("".join(species[i])).reduced_formula
            differing.append(
                {"index": i, "formula": formula, "ours_minus_stock": gap, "both_converged": converged[i]}
            )
    differing.sort(key=lambda one: -abs(one["ours_minus_stock"]))
    lower = sum(one["ours_minus_stock"] < 0 for one in differing)
    return {
        "units": "meV/atom",
        "n": len(stock),
        "within_2": within,
        "share": within / max(len(stock), 1),
        "share_interval_90": jeffreys(within, len(stock)),
        "both_converged": {
            "n": sum(converged),
            "within_2": at_rest,
            "share": at_rest / max(sum(converged), 1),
            "share_interval_90": jeffreys(at_rest, sum(converged)),
        },
        "without_an_end": missing,
        "differing": len(differing),
        "ours_lower": lower,
        "stock_lower": len(differing) - lower,
        "largest_differences": differing[:MOST_LISTED],
    }


def jeffreys(hits: int, n: int) -> list[float]:
    """90% interval of a share."""
    from scipy.stats import beta

    return [float(beta.ppf(q, hits + 0.5, n - hits + 0.5)) for q in (0.05, 0.95)]


def cores_figures(
    stages: Stages, structures: list[Plain], methods: Sequence[str], steps: int, cores: int
) -> dict[str, Any]:
    """Wall time on `cores` cores: ours in as many processes, the stock with as many threads or processes.

    The processes of the stock get shares of equal work by their times on one thread. With threads it
    relaxes every `THREADS_EVERY`-th structure, and the time of all is taken to be that of one thread
    times the ratio found on those.
    """
    common = {"structures": structures, "fmax": FMAX, "steps": steps, "device": "cpu"}
    times = [
        one["wall_seconds"] for one in measure_stock(stages, "near-basin", structures, steps)["structures"]
    ]
    shares = [
        {
            **common,
            "structures": [structures[i] for i in part],
            "threads": 1,
            "name": f"stock, process {k + 1}",
        }
        for k, part in enumerate(balanced(times, cores))
    ]
    threads = stages.measure(
        "cores/stock-threads",
        "relax-stock",
        {
            **common,
            "structures": structures[::THREADS_EVERY],
            "threads": cores,
            "name": f"stock, {cores} threads",
        },
        threads=cores,
    )
    processes = [r["clock"] for r in stages.measure_together("cores/stock-processes", "relax-stock", shares)]
    by_threads = threads["clock"]["wall_seconds"] * sum(times) / sum(times[::THREADS_EVERY])
    by_processes = max(c["ended"] for c in processes) - min(c["began"] for c in processes)
    best = min(by_threads, by_processes)
    figures: dict[str, Any] = {
        "n": len(structures),
        "n_threads": len(structures[::THREADS_EVERY]),
        "cores": cores,
        "stock_wall_seconds_threads": by_threads,
        "stock_wall_seconds_processes": by_processes,
        "stock_is": "the better of the two",
        "load_average": threads["clock"]["load_average"],
    }
    for method in methods:
        ours = stages.measure(
            f"cores/{method}",
            "relax-ours",
            {**common, "method": method, "workers": cores, "name": f"{method}, {cores} processes"},
        )
        seconds = ours["clock"]["wall_seconds"]
        figures[method] = {
            "wall_seconds": seconds,
            "wall_times_faster": best / seconds,
            "load_average": ours["clock"]["load_average"],
        }
    return figures


def balanced(weights: Sequence[float], parts: int) -> list[list[int]]:
    """Indices in parts of about equal weight, each in rising order: the heaviest first to the lightest part."""
    found: list[list[int]] = [[] for _ in range(parts)]
    sums = [0.0] * parts
    for i in sorted(range(len(weights)), key=lambda i: -weights[i]):
        lightest = sums.index(min(sums))
        found[lightest].append(i)
        sums[lightest] += weights[i]
    return [sorted(part) for part in found if part]


def gpu_figures(
    stages: Stages, structures: list[Plain], methods: Sequence[str], steps: int
) -> dict[str, Any]:
    """Both sides on the first CUDA device, wall time; ours where our CHGNet has a device to set."""
    from ..predictors.chgnet.potential import CHGNetSettings

    common = {"structures": structures, "fmax": FMAX, "steps": steps, "device": "cuda"}
    stock = stages.measure(
        "gpu/stock", "relax-stock", {**common, "threads": 1, "name": "GPU, stock"}, gpu=True
    )
    seconds = stock["clock"]["wall_seconds"]
    figures: dict[str, Any] = {"n": len(structures), "stock_wall_seconds": seconds}
    if "device" not in CHGNetSettings.model_fields:
        return figures | {"ours": None, "reason": "our CHGNet runs on the CPU only"}
    for method in methods:
        ours = stages.measure(
            f"gpu/{method}",
            "relax-ours",
            {**common, "method": method, "workers": 1, "name": f"GPU, {method}"},
            gpu=True,
        )
        wall = ours["clock"]["wall_seconds"]
        figures[method] = {"wall_seconds": wall, "wall_times_faster": seconds / wall}
    return figures
