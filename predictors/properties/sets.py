"""Which data sets teach the property network, and how do their rows become tensors?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ...core.errors import InputError, MissingDataError, nearest
from ..cell import Cell
from ..chgnet.potential import CHGNetPotential
from ..datasets.records import LabelledCrystal
from ..gnn.graphs import NEIGHBOURS
from ..gnn.packed import Packed
from ..gnn.prepare import pack_many
from ..gnn.training import Targets
from .heads import HEADS, Head

LARGEST_MAGNETIZATION = 15.0  # mu_B/atom; a tabulated moment of another cell than the stored one is beyond it
SMALLEST_LOG = 1e-3

SETS = ("materials-project", "perov5", "abx3", "dielectric", "vacancies")


@dataclass(frozen=True)
class TrainingSet:
    """Rows with crystals, and the graphs of these in the same order."""

    rows: list[LabelledCrystal]
    crystals: Packed

    def indices(self, split: str) -> torch.Tensor:
        """Positions of the rows of a split."""
        return torch.tensor([i for i, row in enumerate(self.rows) if row.split == split], dtype=torch.long)

    @classmethod
    def join(cls, sets: Sequence[TrainingSet]) -> TrainingSet:
        """One after the other."""
        return cls([row for s in sets for row in s.rows], Packed.join([s.crystals for s in sets]))


def rows_of(name: str, data: Path | None = None) -> list[LabelledCrystal]:
    """The rows of a data set that have a crystal and a label, with their split.

    Raises:
        InputError: no such set.
        MissingDataError: its files are not in the data folder.
    """
    from ..datasets import abx3, dielectric, materials_project, perovskites, vacancies

    if name not in SETS:
        raise InputError(f"No data set {name!r} for properties. {nearest(name, SETS)}")
    if name == "materials-project":
        rows: Iterable[LabelledCrystal] = materials_project.materials_project(data)
    elif name == "perov5":
        parts = perovskites.perov5_split(perovskites.perov5(data), "all-by-formula")
        rows = [in_split(row, split) for split, some in parts.items() for row in some]
    elif name == "abx3":
        rows = abx3.abx3_materials_project(data)
    elif name == "dielectric":
        rows = dielectric.dielectric(data)
    else:
        rows = vacancies.emery_wolverton(data, aristotypes=True)
    return [row for row in rows if row.cell is not None and row.labels]


def in_split(row: LabelledCrystal, split: str) -> LabelledCrystal:
    """The same row, assigned to a split."""
    from dataclasses import replace

    return replace(row, split=split)


def training_set(
    name: str,
    rows: Sequence[LabelledCrystal],
    cache: Path,
    workers: int = 1,
    on_done: Callable[[int], None] | None = None,
) -> TrainingSet:
    """Rows with their graphs, from the cache if these very crystals are there.

    Args:
        name: Of the cached file.
        rows: All with a cell.
        cache: Folder of graphs.
        workers: Processes that prepare crystals.
        on_done: Called with the number of crystals of each part that is prepared.
    """
    cells = [row.cell for row in rows if row.cell is not None]
    if not cells:
        raise MissingDataError(f"The data set {name!r} has no crystals.")
    path = cache / f"{name}-{digest(cells)}.safetensors"
    if path.is_file():
        return TrainingSet(list(rows), Packed.load(path))
    crystals = pack_many(cells, workers, on_done)
    cache.mkdir(parents=True, exist_ok=True)
    crystals.save(path)
    return TrainingSet(list(rows), crystals)


def digest(cells: Iterable[Cell]) -> str:
    """Tells apart crystals, CHGNet's weights and the choice of neighbours."""
    found = hashlib.sha256(f"{CHGNetPotential().model_hash}|{NEIGHBOURS}".encode())
    for cell in cells:
        found.update(np.asarray(cell.numbers, dtype=np.int64).tobytes())
        found.update(np.ascontiguousarray(cell.positions, dtype=float).tobytes())
        found.update(np.ascontiguousarray(cell.lattice, dtype=float).tobytes())
    return found.hexdigest()[:16]


def targets_of(rows: Sequence[LabelledCrystal], heads: Sequence[str]) -> Targets:
    """What each head is to learn of each row, on the head's scale.

    Args:
        rows: In the order of the crystals.
        heads: Names of heads.
    """
    values = {}
    for name in heads:
        head = HEADS[name]
        width = 1 if head.kind == "classes" else head.outputs
        table = np.full((len(rows), width), np.nan, dtype=np.float32)
        for i, row in enumerate(rows):
            for j, accepted in enumerate(head.fidelities):
                value = _label(row, head, accepted)
                if value is not None:
                    table[i, j] = value
        values[name] = torch.from_numpy(table)
    return Targets(
        values,
        {name: HEADS[name].kind for name in heads},
        weights={name: HEADS[name].weight for name in heads},
    )


def _label(row: LabelledCrystal, head: Head, accepted: Sequence[str]) -> float | None:
    """The row's label on the head's scale, or `None`."""
    for label in row.labels:
        if label.name == head.label and label.fidelity in accepted:
            return _on_scale(label.value, head, 0 if row.cell is None else len(row.cell.numbers))
    return None


def _on_scale(value: float, head: Head, nsites: int) -> float | None:
    if head.kind == "binary":
        return float(value <= 0)
    if head.positive_only and value <= 0:
        return None
    if head.scale == "log":
        return float(np.log(max(value, SMALLEST_LOG)))
    if head.scale == "per_atom":
        each = abs(value) / nsites
        return each if each < LARGEST_MAGNETIZATION else None
    return float(value)


def from_scale(values: np.ndarray, head: Head, nsites: np.ndarray) -> np.ndarray:
    """From a head's scale to its units; both arrays of the same length."""
    if head.scale == "log":
        return np.exp(values)
    if head.scale == "per_atom":
        return values * nsites
    return values
