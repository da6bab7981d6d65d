"""How does a crystal become what the property network reads?

Nearest neighbours, and CHGNet's atom features and energy from one pass through the frozen potential (Deng et al.
2023, doi:10.1038/s42256-023-00716-3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
import torch

from ...core.workers import map_unordered
from ..cell import Cell
from ..chgnet.potential import CHGNetPotential
from .graphs import nearest_neighbours
from .packed import Packed

CELLS_PER_TASK = 128


def pack(cells: Sequence[Cell]) -> Packed:
    """Crystals ready for the network, in order.

    Raises:
        StructureError: two atoms coincide.
    """
    features, energies = CHGNetPotential().describe_cells(cells)
    neighbours = [nearest_neighbours(cell) for cell in cells]
    sizes = [len(cell.numbers) for cell in cells]
    return Packed(
        numbers=torch.from_numpy(np.concatenate([c.numbers for c in cells]).astype(np.uint8)),
        features=torch.from_numpy(np.concatenate(features).astype(np.float16)),
        atom_starts=_starts(sizes),
        sources=torch.from_numpy(np.concatenate([n.sources for n in neighbours]).astype(np.int16)),
        degrees=torch.from_numpy(
            np.concatenate(
                [np.bincount(n.targets, minlength=s) for n, s in zip(neighbours, sizes, strict=True)]
            ).astype(np.int16)
        ),
        distances=torch.from_numpy(np.concatenate([n.distances for n in neighbours]).astype(np.float32)),
        edge_starts=_starts([len(n.sources) for n in neighbours]),
        energies=torch.from_numpy((energies / np.array(sizes)).astype(np.float32)),
    )


def pack_many(cells: Iterable[Cell], workers: int, on_done: Callable[[int], None] | None = None) -> Packed:
    """As `pack`, in several processes.

    Args:
        cells: Read as they are needed.
        workers: Number of processes.
        on_done: Called with the number of crystals of each finished part.
    """
    parts: dict[int, Packed] = {}
    for i, arrays in map_unordered(_pack_arrays, ((chunk,) for chunk in _chunks(cells)), workers):
        parts[i] = Packed(**{name: torch.from_numpy(array) for name, array in arrays.items()})
        if on_done:
            on_done(len(parts[i]))
    return Packed.join([parts[i] for i in sorted(parts)])


def _pack_arrays(cells: list[Cell]) -> dict[str, np.ndarray]:
    """`pack` with its tensors as arrays, which travel between processes without shared memory."""
    return {name: tensor.numpy() for name, tensor in vars(pack(cells)).items()}


def _chunks(cells: Iterable[Cell]) -> Iterator[list[Cell]]:
    source = iter(cells)
    while chunk := list(islice(source, CELLS_PER_TASK)):
        yield chunk


def _starts(sizes: Sequence[int]) -> torch.Tensor:
    return torch.from_numpy(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))
