"""What do the stock relaxer and ours make of some structures, and is the end the same by one criterion?

Each function runs in a process of its own (`relaxation_process`). The stock is `chgnet.model.StructOptimizer` as it
comes: FIRE on ASE's `FrechetCellFilter`, one structure after the other.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .relaxation_process import Progress, Start
from .relaxation_samples import from_plain, to_plain

if TYPE_CHECKING:
    from pymatgen.core import Structure

DEFAULT_METHOD = "bfgs"
WARM_UP_STRUCTURES = 40  # with two processes, enough that each of them gets a share


def relax_stock(arguments: dict[str, Any], start: Start) -> dict[str, Any]:
    """Relax one by one; `structures`, `fmax`, `steps`, `threads`, `device`."""
    import torch
    from chgnet.model.dynamics import StructOptimizer

    torch.set_num_threads(arguments["threads"])
    structures = [from_plain(plain) for plain in arguments["structures"]]
    optimizer = StructOptimizer(use_device=arguments["device"])
    optimizer.relax(structures[0], fmax=arguments["fmax"], steps=1, verbose=False)
    progress = Progress(arguments["name"], len(structures))
    clock = start()
    found = []
    for structure in structures:
        found.append(_relaxed_by_stock(optimizer, structure, arguments))
        progress.advance()
    return {"clock": clock.read(), "structures": found}


def _relaxed_by_stock(optimizer: Any, structure: Structure, arguments: dict[str, Any]) -> dict[str, Any]:
    cpu, wall = time.process_time(), time.perf_counter()
    try:
        end = optimizer.relax(structure, fmax=arguments["fmax"], steps=arguments["steps"], verbose=False)
    except Exception as error:  # the baseline may fail in any way; it is counted, not hidden
        found: dict[str, Any] = {"final": None, "steps": 0, "converged": False, "failure": repr(error)[:200]}
    else:
        steps = len(end["trajectory"]) - 2  # the start and the end, once more, stand in the trajectory
        final = to_plain(end["final_structure"])
        found = {"final": final, "steps": steps, "converged": steps < arguments["steps"], "failure": None}
    return found | {"cpu_seconds": time.process_time() - cpu, "wall_seconds": time.perf_counter() - wall}


def relax_ours(arguments: dict[str, Any], start: Start) -> dict[str, Any]:
    """Relax in batches; `structures`, `method`, `fmax`, `steps`, `workers`, `device`."""
    import torch

    from ..predictors.relaxation.relaxer import BatchedRelaxer, RelaxerSettings

    torch.set_num_threads(1)
    structures = [from_plain(plain) for plain in arguments["structures"]]
    settings: dict[str, Any] = {"fmax": arguments["fmax"], "workers": arguments["workers"]}
    if arguments["method"] != DEFAULT_METHOD:
        settings["method"] = arguments["method"]
    potential = chgnet_on(arguments["device"])
    one = arguments["workers"] == 1
    warm_up = structures[: 1 if one else WARM_UP_STRUCTURES]
    BatchedRelaxer(potential, RelaxerSettings(steps=1, **settings)).relax(warm_up)
    relaxer = BatchedRelaxer(potential, RelaxerSettings(steps=arguments["steps"], **settings))
    progress = Progress(arguments["name"], len(structures))
    clock = start()
    found = relaxer.relax(structures, lambda i, relaxation: progress.advance())
    measured = clock.read()
    return {
        "clock": measured,
        "version": relaxer.version,
        "structures": [
            {
                "final": None if r.structure is None else to_plain(r.structure),
                "steps": r.steps,
                "converged": r.converged,
                "failure": r.failure,
            }
            for r in found
        ],
    }


def chgnet_on(device: str) -> Any:
    """Our CHGNet; on another device than the CPU its setting `device` is used.

    Raises:
        ValidationError: `device` is not `cpu`, and our CHGNet knows no other.
    """
    from ..predictors.chgnet.potential import CHGNetPotential, CHGNetSettings

    if device == "cpu":
        return CHGNetPotential()
    return CHGNetPotential(CHGNetSettings.model_validate({"device": device}))


def check_final(arguments: dict[str, Any], start: Start) -> dict[str, Any]:
    """What the stock model says of each structure in `sides`, a list of lists with gaps (`None`).

    For each: energy in eV/atom, and in eV/A the largest force on an atom and the largest row of the gradient of a
    fresh `FrechetCellFilter` (atoms and cell), which is what the stock's own test of convergence looks at.
    """
    import torch
    from chgnet.model.dynamics import CHGNetCalculator

    torch.set_num_threads(1)
    calculator = CHGNetCalculator(use_device="cpu")
    sides: Sequence[Sequence[Any]] = arguments["sides"]
    progress = Progress(arguments["name"], sum(map(len, sides)))
    start()
    found = []
    for side in sides:
        found.append([])
        for plain in side:
            found[-1].append(None if plain is None else _checked(calculator, from_plain(plain)))
            progress.advance()
    return {"sides": found}


def _checked(calculator: Any, structure: Structure) -> dict[str, Any]:
    from ase.filters import FrechetCellFilter
    from pymatgen.io.ase import AseAtomsAdaptor

    atoms: Any = AseAtomsAdaptor.get_atoms(structure)
    atoms.calc = calculator
    rows = np.linalg.norm(FrechetCellFilter(atoms).get_forces(), axis=1)
    return {
        "energy": float(atoms.get_potential_energy()) / len(atoms),
        "max_force": float(rows[:-3].max()),
        "max_generalised_force": float(rows.max()),
    }
