"""Do we give the same energies, forces and stresses as the chgnet package?

Single precision on both sides. As the package's own rounding is part of every difference, both are also compared
with the package's model in double precision, on a random part and on the structures that differ most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .relaxation_process import Progress, Start
from .relaxation_samples import Plain, from_plain
from .relaxation_stages import Stages

if TYPE_CHECKING:
    from pymatgen.core import Structure

GPA_PER_EV_PER_A3 = 160.21766208  # as in the chgnet package
UNITS = {"energy": "meV/atom", "forces": "eV/A", "stress": "GPa"}
TARGETS = {"energy": 0.01, "forces": 1e-4, "stress": 1e-3}
IN_UNITS = {"energy": 1000.0, "forces": 1.0, "stress": 1.0}  # from eV/atom, eV/A, GPa
WORST = 20
MOST_LISTED = 5

Point = dict[str, Any]
"""`energy` in eV/atom, `forces` in eV/A, `stress` in GPa (positive under tension), as lists."""


def points_of_ours(arguments: dict[str, Any], start: Start) -> dict[str, Any]:
    """Our CHGNet on `structures`, all in one call."""
    from ..predictors.chgnet.potential import CHGNetPotential

    structures = [from_plain(plain) for plain in arguments["structures"]]
    potential = CHGNetPotential()
    potential.calculate(structures[:1])
    clock = start()
    calculations = potential.calculate(structures)
    measured = clock.read()
    found = [
        _point(c.energy / len(s), c.forces, np.asarray(c.stress) * GPA_PER_EV_PER_A3)
        for s, c in zip(structures, calculations, strict=True)
    ]
    return {"clock": measured, "points": found}


def points_of_stock(arguments: dict[str, Any], start: Start) -> dict[str, Any]:
    """`CHGNet.predict_structure` on `structures`, in batches of the package's own default size."""
    import torch
    from chgnet.model.model import CHGNet

    torch.set_num_threads(1)
    model = CHGNet.load(use_device="cpu", verbose=False)
    structures = [from_plain(plain) for plain in arguments["structures"]]
    model.predict_structure(structures[0])
    progress = Progress(arguments["name"], len(structures))
    clock = start()
    found = []
    for i in range(0, len(structures), 16):
        some = structures[i : i + 16]
        predicted: Any = model.predict_structure(some)
        for one in [predicted] if len(some) == 1 else predicted:
            found.append(_point(one["e"], one["f"], one["s"]))
        progress.advance(len(some))
    return {"clock": clock.read(), "points": found}


def points_in_double(arguments: dict[str, Any], start: Start) -> dict[str, Any]:
    """The package's model and weights in double precision, from coordinates that were never rounded."""
    import torch
    from chgnet.model.model import CHGNet

    torch.set_num_threads(1)
    model = CHGNet.load(use_device="cpu", verbose=False).double()
    reference: Any = model.composition_model
    model.composition_model = None  # it rounds to single precision; added below
    weights = reference.fc.weight.detach().double().numpy().ravel()
    structures = [from_plain(plain) for plain in arguments["structures"]]
    progress = Progress(arguments["name"], len(structures))
    start()
    found = []
    for structure in structures:
        one: Any = model.predict_graph(_unrounded_graph(model, structure))
        numbers = [site.specie.Z for site in structure]
        found.append(_point(one["e"] + np.mean(weights[np.array(numbers) - 1]), one["f"], one["s"]))
        progress.advance()
    return {"points": found}


def _unrounded_graph(model: Any, structure: Structure) -> Any:
    """The package's graph, which holds single precision, with the coordinates put in again."""
    import torch

    graph = model.graph_converter(structure)
    graph.atom_frac_coord = torch.tensor(structure.frac_coords, dtype=torch.float64, requires_grad=True)
    graph.lattice = torch.tensor(structure.lattice.matrix, dtype=torch.float64, requires_grad=True)
    graph.neighbor_image = graph.neighbor_image.double()
    return graph


def _point(energy: Any, forces: Any, stress: Any) -> Point:
    return {
        "energy": float(energy),
        "forces": np.asarray(forces, dtype=float).tolist(),
        "stress": np.asarray(stress, dtype=float).tolist(),
    }


def accuracy_figures(stages: Stages, structures: list[Plain], double: int) -> dict[str, Any]:
    """Largest and 99.9% differences to the package, and who is closer to double precision.

    Args:
        stages: Where the three sides are measured.
        structures: In random order.
        double: How many of them are evaluated in double precision as well, besides the worst.
    """
    arguments = {"structures": structures}
    ours = stages.measure("accuracy/ours", "points-ours", arguments)["points"]
    stock = stages.measure("accuracy/stock", "points-stock", {**arguments, "name": "single points, stock"})[
        "points"
    ]
    worst = worst_of(ours, stock)
    chosen = list(dict.fromkeys([*range(min(double, len(structures))), *worst]))
    exact = stages.measure(
        "accuracy/double",
        "points-double",
        {"structures": [structures[i] for i in chosen], "name": "single points, double precision"},
    )["points"]
    truth = dict(zip(chosen, exact, strict=True))
    return {
        "n": len(structures),
        "ours_against_stock": differences(ours, stock),
        "targets": TARGETS,
        "units": UNITS,
        "against_double_precision": {
            "random": _against(truth, range(min(double, len(structures))), ours, stock),
            "those_that_differ_most": _against(truth, worst, ours, stock),
            "largest_force_differences": _forces_of_worst(structures, worst, ours, stock, truth),
        },
    }


def _against(
    truth: dict[int, Point], which: Sequence[int], ours: Sequence[Point], stock: Sequence[Point]
) -> dict[str, Any]:
    exact = [truth[i] for i in which]
    return {
        "n": len(exact),
        "ours": differences([ours[i] for i in which], exact),
        "stock": differences([stock[i] for i in which], exact),
    }


def _forces_of_worst(
    structures: Sequence[Plain],
    worst: Sequence[int],
    ours: Sequence[Point],
    stock: Sequence[Point],
    truth: dict[int, Point],
) -> list[dict[str, Any]]:
    """Which structures they are, and how far either side is from double precision, eV/A."""
    from pymatgen.core import Composition

    return [
        {
            "index": i,
            "formula": Composition("".join(structures[i]["species"])).reduced_formula,
            "natoms": len(structures[i]["species"]),
            "ours_against_stock": float(_apart(ours[i], stock[i], "forces").max()),
            "ours": float(_apart(ours[i], truth[i], "forces").max()),
            "stock": float(_apart(stock[i], truth[i], "forces").max()),
        }
        for i in worst[:MOST_LISTED]
    ]


def differences(some: Sequence[Point], others: Sequence[Point]) -> dict[str, dict[str, float]]:
    """Median, 99.9% and largest absolute difference over structures (energy) or components, in `UNITS`."""
    found = {}
    for name, factor in IN_UNITS.items():
        apart = factor * np.concatenate([_apart(a, b, name) for a, b in zip(some, others, strict=True)])
        found[name] = {
            "median": float(np.median(apart)),
            "quantile_99.9": float(np.quantile(apart, 0.999)),
            "max": float(apart.max()),
        }
    return found


def worst_of(some: Sequence[Point], others: Sequence[Point]) -> list[int]:
    """The structures that differ most, measured in targets."""
    apart = [
        max(IN_UNITS[name] * _apart(a, b, name).max() / TARGETS[name] for name in TARGETS)
        for a, b in zip(some, others, strict=True)
    ]
    return [int(i) for i in np.argsort(apart)[::-1][:WORST]]


def _apart(one: Point, other: Point, name: str) -> np.ndarray:
    return np.abs(np.asarray(one[name]) - np.asarray(other[name])).ravel()
