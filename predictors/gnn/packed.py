"""How do many crystals lie ready for training?

As a few long tensors in a safetensors file: atoms and edges of all crystals one after the other, and where each
begins. A batch is cut out of them by index, without a Python object per crystal, and is a `Data` of
torch_geometric. Needs torch, torch_geometric, numpy and safetensors alone, so that training runs where there
is no pymatgen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor
from torch_geometric.data import Data

FEATURE_WIDTH = 64  # of CHGNet's atom features


class LongTensors:
    """Base of a dataclass of tensors, of many items one after the other; fields named `*_starts` hold where each item
    begins, and the end."""

    def to(self, device: str | torch.device) -> Self:
        """The same on another device."""
        return type(self)(**{name: tensor.to(device) for name, tensor in vars(self).items()})

    def save(self, path: Path) -> None:
        """Write as safetensors, in one move, so that an interruption leaves no half file."""
        from safetensors.torch import save_file

        part = path.with_suffix(".part")
        save_file({name: tensor.contiguous() for name, tensor in vars(self).items()}, part)
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        from safetensors.torch import load_file

        return cls(**load_file(path))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """One after the other; at least one."""
        joined = {}
        for name in vars(parts[0]):
            tensors = [getattr(part, name) for part in parts]
            if name.endswith("_starts"):
                ends = torch.cumsum(torch.tensor([0, *(int(t[-1]) for t in tensors)]), 0)
                starts = [t[:-1] + start for t, start in zip(tensors, ends, strict=False)]
                joined[name] = torch.cat([*starts, ends[-1:]])
            else:
                joined[name] = torch.cat(tensors)
        return cls(**joined)


@dataclass
class Packed(LongTensors):
    """Crystals one after the other.

    Attributes:
        numbers: Atomic numbers, uint8, shape `(natoms,)`.
        features: CHGNet's atom features, float16, shape `(natoms, 64)`.
        atom_starts: First atom of each crystal, and the end, int64, shape `(ncrystals + 1,)`.
        sources: Atom an edge comes from, counted inside its crystal, int16, shape `(nedges,)`.
        degrees: Number of edges that arrive at an atom, int16, shape `(natoms,)`; edges are sorted by it.
        distances: A, float16 would blur shells: float32, shape `(nedges,)`.
        edge_starts: First edge of each crystal, and the end, int64, shape `(ncrystals + 1,)`.
        energies: CHGNet's energy, eV/atom, float32, shape `(ncrystals,)`.
    """

    numbers: Tensor
    features: Tensor
    atom_starts: Tensor
    sources: Tensor
    degrees: Tensor
    distances: Tensor
    edge_starts: Tensor
    energies: Tensor

    def __len__(self) -> int:
        return len(self.atom_starts) - 1

    def batch(self, indices: Tensor) -> Data:
        """The crystals of `indices`, in that order, as one graph.

        Returns:
            `numbers` (natoms,), `features` (natoms, 64) float32, `edge_index` (2, nedges) from source to target,
            `targets_pointer` (natoms + 1,), `distances` (nedges,), `batch` (natoms,), `energies` (ncrystals,).
        """
        atoms, sizes = slices_of(self.atom_starts, indices)
        edges, edge_counts = slices_of(self.edge_starts, indices)
        offsets = torch.cumsum(sizes, 0) - sizes
        degrees = self.degrees[atoms].long()
        sources = self.sources[edges].long() + torch.repeat_interleave(offsets, edge_counts)
        targets = torch.repeat_interleave(torch.arange(len(atoms), device=atoms.device), degrees)
        return Data(
            numbers=self.numbers[atoms].long(),
            features=self.features[atoms].float(),
            edge_index=torch.stack([sources, targets]),
            targets_pointer=torch.nn.functional.pad(torch.cumsum(degrees, 0), (1, 0)),
            distances=self.distances[edges].float(),
            batch=torch.repeat_interleave(torch.arange(len(indices), device=atoms.device), sizes),
            sizes=sizes,
            energies=self.energies[indices],
            num_nodes=len(atoms),
        )

    def select(self, indices: Tensor) -> Packed:
        """The crystals of `indices`, in that order, packed anew."""
        atoms, sizes = slices_of(self.atom_starts, indices)
        edges, counts = slices_of(self.edge_starts, indices)
        return Packed(
            numbers=self.numbers[atoms],
            features=self.features[atoms],
            atom_starts=torch.nn.functional.pad(torch.cumsum(sizes, 0), (1, 0)),
            sources=self.sources[edges],
            degrees=self.degrees[atoms],
            distances=self.distances[edges],
            edge_starts=torch.nn.functional.pad(torch.cumsum(counts, 0), (1, 0)),
            energies=self.energies[indices],
        )


def slices_of(starts: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """All positions of the slices `indices` of a partition, and the length of each slice."""
    firsts = starts[indices]
    lengths = starts[indices + 1] - firsts
    shifts = firsts - (torch.cumsum(lengths, 0) - lengths)
    total = int(lengths.sum())
    return torch.arange(total, device=starts.device) + torch.repeat_interleave(shifts, lengths), lengths
