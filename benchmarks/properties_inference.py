"""How many crystals a second does the property network read, beside stock CHGNet's features of the same crystals?

Three clocks, with two threads of torch's: the network alone on graphs that lie ready; the whole road from POSCAR texts, which is
parsing, neighbours, CHGNet's features and the network; and `predict_structure` of the package chgnet, which gives energies and
atom features, in the same run. The quickest of some repeats counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from ..predictors.cell import Cell
from ..predictors.gnn.network import PropertyNetwork
from ..predictors.gnn.packed import Packed
from ..predictors.gnn.prepare import pack
from .properties_rows import MP
from .properties_stability import network_of
from .properties_training import Trainings

CORES = 2
CRYSTALS = 512
BY_STOCK = 96
REPEATS = 3
BATCH = 64
TARGET_PER_SECOND = 100.0


def inference_row(trainings: Trainings, seed: int) -> dict[str, Any]:
    """Crystals a second of test crystals drawn at random."""
    some = trainings.data(MP.data)
    test = some.indices("test").numpy()
    count = min(len(test), 32 if trainings.quick else CRYSTALS)
    drawn = np.random.default_rng(seed).choice(test, count, replace=False)
    cells = [cell for cell in (some.rows[i].cell for i in drawn) if cell is not None]
    packed = some.crystals.select(torch.from_numpy(drawn))
    before = torch.get_num_threads()
    torch.set_num_threads(CORES)
    try:
        return measured(network_of(trainings, MP), cells, packed)
    finally:
        torch.set_num_threads(before)


def measured(
    network: PropertyNetwork, cells: Sequence[Cell], packed: Packed, by_stock: int = BY_STOCK
) -> dict[str, Any]:
    """The three clocks.

    Args:
        network: In evaluation mode.
        cells: Crystals.
        packed: The same, ready for the network.
        by_stock: How many of them stock CHGNet reads.
    """
    texts = [poscar(cell) for cell in cells]
    structures = [parsed(text) for text in texts[:by_stock]]
    after_graphs = seconds(lambda: forward(network, packed)) / len(cells)
    whole = seconds(lambda: forward(network, pack([Cell.from_structure(parsed(t)) for t in texts]))) / len(
        cells
    )
    preparing = seconds(lambda: pack(cells)) / len(cells)
    stock = seconds(stock_features(structures)) / len(structures)
    return {
        "n": len(cells),
        "n_stock": len(structures),
        "mean_atoms": float(np.mean([len(cell.numbers) for cell in cells])),
        "threads": torch.get_num_threads(),
        "after_graph_building_per_second": 1 / after_graphs,
        "target_per_second": TARGET_PER_SECOND,
        "end_to_end_per_second": 1 / whole,
        "milliseconds": {
            "network": 1e3 * after_graphs,
            "neighbours and CHGNet features": 1e3 * preparing,
            "end to end": 1e3 * whole,
            "stock CHGNet features": 1e3 * stock,
        },
        "stock_over_end_to_end": stock / whole,
        "stock_over_network": stock / after_graphs,
    }


@torch.no_grad()
def forward(network: PropertyNetwork, packed: Packed) -> None:
    """All heads of all crystals."""
    for some in torch.arange(len(packed)).split(BATCH):
        network(packed.batch(some))


def stock_features(structures: Sequence[Any]) -> Callable[[], object]:
    """What stock CHGNet is timed on: energies and atom features, in batches of 16."""
    import contextlib
    import io

    from chgnet.model.model import CHGNet

    with contextlib.redirect_stdout(io.StringIO()):
        model = CHGNet.load(use_device="cpu", verbose=False)
    return lambda: model.predict_structure(list(structures), task="e", return_atom_feas=True)


def seconds(call: Callable[[], object]) -> float:
    """The quickest of `REPEATS` calls, after one that does not count."""
    call()
    found = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return min(found)


def poscar(cell: Cell) -> str:
    """A crystal as VASP's text."""
    from pymatgen.core import Element, Lattice, Structure
    from pymatgen.io.vasp import Poscar

    species = [Element.from_Z(int(z)) for z in cell.numbers]
    structure = Structure(Lattice(cell.lattice), species, cell.positions, coords_are_cartesian=True)
    return Poscar(structure).get_str()


def parsed(text: str) -> Any:
    """The structure of such a text."""
    from pymatgen.io.vasp import Poscar

    return Poscar.from_str(text).structure
