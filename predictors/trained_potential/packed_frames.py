"""How do many calculated frames lie ready for training a potential?

As `packed` does it, with positions, lattices and the images that edges lead to, so that energies can be
differentiated, and with what is learned: energies, forces, stresses. What is not known, or not to be learned, is NaN.
Needs torch, torch_geometric, numpy and safetensors alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch_geometric.data import Data

from ..gnn.packed import LongTensors, slices_of

FLAT = 1e-3  # A^3; a cell that repeats in three directions holds more


@dataclass
class PackedFrames(LongTensors):
    """Frames one after the other.

    Attributes:
        numbers: Atomic numbers, uint8, shape `(natoms,)`.
        tags: OC20's, 3 where not told, uint8, shape `(natoms,)`.
        positions: Cartesian, A, shape `(natoms, 3)`.
        forces: Cartesian, eV/A, shape `(natoms, 3)`; NaN for atoms held in place.
        degrees: Number of edges that arrive at an atom, int32, shape `(natoms,)`; edges are sorted by it.
        atom_starts: First atom of each frame, and the end, int64, shape `(nframes + 1,)`.
        sources: Atom an edge comes from, counted inside its frame, int32, shape `(nedges,)`.
        images: Lattice translation of that atom, int16, shape `(nedges, 3)`.
        edge_starts: First edge of each frame, and the end, int64, shape `(nframes + 1,)`.
        lattices: Rows are lattice vectors, A, shape `(nframes, 3, 3)`.
        energies: What is learned, eV, float64, shape `(nframes,)`.
        stresses: eV/A^3, positive under tension, shape `(nframes, 3, 3)`.
        fidelity: Number of the head, int64, shape `(nframes,)`.
        groups: Frames of one group are not parted by a split; a hash, int64, shape `(nframes,)`.
    """

    numbers: Tensor
    tags: Tensor
    positions: Tensor
    forces: Tensor
    degrees: Tensor
    atom_starts: Tensor
    sources: Tensor
    images: Tensor
    edge_starts: Tensor
    lattices: Tensor
    energies: Tensor
    stresses: Tensor
    fidelity: Tensor
    groups: Tensor

    def __len__(self) -> int:
        return len(self.atom_starts) - 1

    def batch(self, indices: Tensor) -> Data:
        """The frames of `indices`, in that order, as one graph.

        Returns:
            `numbers`, `tags`, `owners` (natoms,), `positions`, `forces` (natoms, 3), `edge_index` (2, nedges) from source
            to target, `images` (nedges, 3), `sizes`, `energies`, `volumes` (infinite for molecules), `fidelity` (nframes,),
            `lattices`, `stresses` (nframes, 3, 3).
        """
        atoms, sizes = slices_of(self.atom_starts, indices)
        edges, edge_counts = slices_of(self.edge_starts, indices)
        offsets = torch.cumsum(sizes, 0) - sizes
        degrees = self.degrees[atoms].long()
        sources = self.sources[edges].long() + torch.repeat_interleave(offsets, edge_counts)
        targets = torch.repeat_interleave(torch.arange(len(atoms), device=atoms.device), degrees)
        lattices = self.lattices[indices]
        return Data(
            numbers=self.numbers[atoms].long(),
            tags=self.tags[atoms].long(),
            positions=self.positions[atoms],
            forces=self.forces[atoms],
            edge_index=torch.stack([sources, targets]),
            images=self.images[edges],
            owners=torch.repeat_interleave(torch.arange(len(indices), device=atoms.device), sizes),
            sizes=sizes,
            lattices=lattices,
            volumes=_volumes(lattices),
            energies=self.energies[indices],
            stresses=self.stresses[indices],
            fidelity=self.fidelity[indices],
            num_nodes=len(atoms),
        )

    @property
    def sizes(self) -> Tensor:
        """Number of atoms of each frame, shape `(nframes,)`."""
        return self.atom_starts[1:] - self.atom_starts[:-1]

    def with_fidelity(self, number: int) -> PackedFrames:
        """The same frames, learned by another head."""
        return replace(self, fidelity=torch.full_like(self.fidelity, number))


def _volumes(lattices: Tensor) -> Tensor:
    """A^3; infinite where the vectors span nothing, so that the stress there is zero."""
    volumes = torch.linalg.det(lattices).abs()
    return torch.where(volumes > FLAT, volumes, math.inf)
