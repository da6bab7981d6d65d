"""How do time and memory grow with the atoms of a structure, and with the number of structures?

Time per structure against size is measured on batches of crystals of one size, time against number on relaxations
of two evaluations each, and memory in a process of its own for each number.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from .relaxation_operations import Sizes
from .relaxation_process import Progress, Start
from .relaxation_samples import Plain, from_plain
from .relaxation_stages import Stages

ATOMS_PER_BATCH = 160
REPETITIONS = 3  # of each batch; the fastest counts
SINGLES = 30  # structures taken one by one, where the number is one


def time_sizes(arguments: dict[str, Any], start: Start) -> dict[str, Any]:
    """CPU time of the evaluation of each of `batches`: energies, forces and stresses, graphs included."""
    from ..predictors.chgnet.potential import CHGNetPotential

    potential = CHGNetPotential()
    batches = [[from_plain(plain) for plain in batch["structures"]] for batch in arguments["batches"]]
    potential.calculate(batches[0])
    progress = Progress("time by size", len(batches))
    start()
    found = []
    for batch in batches:
        seconds = min(_cpu_seconds(potential, batch) for _ in range(REPETITIONS))
        sizes = [Sizes.of(structure) for structure in batch]
        found.append(
            {
                "natoms": len(batch[0]),
                "structures": len(batch),
                "bonds": float(np.mean([size.bonds for size in sizes])),
                "angles": float(np.mean([size.angles for size in sizes])),
                "seconds_per_structure": seconds / len(batch),
            }
        )
        progress.advance()
    return {"batches": found}


def _cpu_seconds(potential: Any, batch: Sequence[Any]) -> float:
    began = time.process_time()
    potential.calculate(batch)
    return time.process_time() - began


def time_count(arguments: dict[str, Any], start: Start) -> dict[str, Any]:
    """`count` structures, drawn again and again from `structures`, relaxed by one step each.

    With a count of one this is done for `SINGLES` structures, one call each.
    """
    from ..predictors.chgnet.potential import CHGNetPotential
    from ..predictors.relaxation.relaxer import BatchedRelaxer, RelaxerSettings

    pool = [from_plain(plain) for plain in arguments["structures"]]
    count = arguments["count"]
    calls = [[s] for s in pool[:SINGLES]] if count == 1 else [[pool[i % len(pool)] for i in range(count)]]
    relaxer = BatchedRelaxer(CHGNetPotential(), RelaxerSettings(steps=1, workers=1))
    relaxer.relax(pool[:1])
    progress = Progress(f"{count} structures", sum(map(len, calls)))
    clock = start()
    results = [relaxer.relax(call, lambda i, relaxation: progress.advance()) for call in calls]
    measured = clock.read()
    return {
        "clock": measured,
        "count": count,
        "structures": sum(map(len, results)),
        "evaluations": sum(r.steps + 1 for result in results for r in result),
    }


def size_figures(stages: Stages, batches: list[dict[str, Any]]) -> dict[str, Any]:
    """Time per structure by size, and the exponents of a power law in atoms, and in bonds for each atom."""
    measured = stages.measure("scaling/sizes", "time-sizes", {"batches": batches})["batches"]
    atoms = np.array([batch["natoms"] for batch in measured], dtype=float)
    bonds = np.array([batch["bonds"] for batch in measured])
    seconds = np.array([batch["seconds_per_structure"] for batch in measured])
    both = exponents(seconds, atoms, bonds / atoms)
    return {
        "n_batches": len(measured),
        "structures": sum(batch["structures"] for batch in measured),
        "cpu_ms_per_structure": {
            str(int(n)): float(1000 * np.median(seconds[atoms == n])) for n in np.unique(atoms)
        },
        "cpu_ms_per_atom": {
            str(int(n)): float(1000 * np.median(seconds[atoms == n]) / n) for n in np.unique(atoms)
        },
        "exponent_of_atoms": exponents(seconds, atoms)[0],
        "exponent_of_atoms_at_equal_bonds_per_atom": both[0],
        "exponent_of_bonds_per_atom": both[1],
        "exponent_of_bonds": exponents(seconds, bonds)[0],
        "target": "1 or less: linear",
    }


def count_figures(stages: Stages, structures: list[Plain], counts: Sequence[int]) -> dict[str, Any]:
    """CPU time and memory for each number of structures."""
    rows = []
    for count in counts:
        arguments = {"structures": structures[: max(count, SINGLES)], "count": count}
        record = stages.measure(f"scaling/count-{count}", "time-count", arguments)
        clock = record["clock"]
        rows.append(
            {
                "count": count,
                "measured_on": record["structures"],
                "cpu_ms_per_structure": 1000 * clock["cpu_seconds"] / record["structures"],
                "evaluations_per_structure": record["evaluations"] / record["structures"],
                "memory_before_mb": clock["memory_before_mb"],
                "peak_memory_mb": clock["peak_memory_mb"],
                "growth_mb": clock["peak_memory_mb"] - clock["memory_before_mb"],
            }
        )
    totals = np.array([row["cpu_ms_per_structure"] * row["count"] for row in rows])
    return {
        "what": "relaxations of one step (two evaluations) of crystals of 2 to 10 atoms, one process",
        "counts": rows,
        "exponent_of_count": exponents(totals, np.array(counts, dtype=float))[0] if len(rows) > 1 else None,
        "target": "1 or less: linear; peak memory bounded",
    }


def exponents(values: np.ndarray, *factors: np.ndarray) -> list[float]:
    """Exponents of a power law in each factor, by least squares on logarithms."""
    columns = np.column_stack([np.ones(len(values)), *(np.log(factor) for factor in factors)])
    solution = np.linalg.lstsq(columns, np.log(values), rcond=None)[0]
    return [float(exponent) for exponent in solution[1:]]
