"""Which numbers of a crystal does the diffusion move, and which does symmetry dictate?

A crystal is atoms in a primitive cell; each atom's fractional coordinates are `freedom @ free + offset`, where `free` are the
free coordinates of its orbit. In its own space group an orbit's atoms share them and special positions have none; without
symmetry every atom is an orbit of its own, `freedom` is one and `offset` nothing. So both are one case to everything that
follows.

Needs torch, numpy and safetensors alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

MASK = 0
"""The type of an atom that is not known yet; other types are atomic numbers."""


@dataclass
class Batch:
    """Crystals side by side, padded to the same number of atoms.

    Attributes:
        types: Atomic numbers or `MASK`, shape `(ncrystals, natoms)`.
        present: Whether there is an atom, shape `(ncrystals, natoms)`.
        free: Free coordinates of each atom's orbit, equal for its atoms, shape `(ncrystals, natoms, 3)`; those that a position
            lacks are 0.
        freedom: Shape `(ncrystals, natoms, 3, 3)`.
        offsets: Shape `(ncrystals, natoms, 3)`.
        orbits: Place of the first atom of an atom's orbit, shape `(ncrystals, natoms)`.
        polar: Along which free coordinates the origin is free (1) or not (0), shape `(ncrystals, 3)`.
        frames: See `lattices.py`, shape `(ncrystals, 3, 3)`.
        lattice: Its six coefficients, shape `(ncrystals, 6)`.
        allowed: Projector onto those that symmetry leaves free, shape `(ncrystals, 6, 6)`.
        symmetric: Whether a space group is imposed, shape `(ncrystals,)`.
    """

    types: Tensor
    present: Tensor
    free: Tensor
    freedom: Tensor
    offsets: Tensor
    orbits: Tensor
    polar: Tensor
    frames: Tensor
    lattice: Tensor
    allowed: Tensor
    symmetric: Tensor

    def __len__(self) -> int:
        return len(self.types)

    def __getitem__(self, rows: Tensor | slice) -> Batch:
        return Batch(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def to(self, device: str | torch.device) -> Batch:
        """The same on another device."""
        return Batch(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    def but(self, **changes: Tensor) -> Batch:
        """With some of it changed."""
        return replace(self, **changes)

    @property
    def natoms(self) -> Tensor:
        """Atoms of each crystal, shape `(ncrystals,)`."""
        return self.present.sum(1)

    @property
    def sites(self) -> Tensor:
        """Fractional coordinates in the primitive cell, in [0, 1), shape `(ncrystals, natoms, 3)`."""
        return ((self.freedom @ self.free[..., None])[..., 0] + self.offsets) % 1.0

    @property
    def movable(self) -> Tensor:
        """Which free coordinates there are, shape `(ncrystals, natoms, 3)`."""
        return (self.freedom.abs().amax(-2) > 0) & self.present[..., None]

    @property
    def same_orbit(self) -> Tensor:
        """Which pairs of atoms symmetry makes equal, shape `(ncrystals, natoms, natoms)`."""
        equal = self.orbits[:, :, None] == self.orbits[:, None, :]
        return equal & self.present[:, :, None] & self.present[:, None, :]

    def over_orbits(self, values: Tensor) -> Tensor:
        """Each atom's value replaced by the mean over its orbit, shape `(ncrystals, natoms, nvalues)`."""
        same = self.same_orbit.to(values)
        return same @ values / same.sum(-1, keepdim=True).clamp(min=1)

    def to_orbits(self, vectors: Tensor) -> Tensor:
        """Vectors of atoms, in fractional coordinates, as motions of free coordinates: the least squares over each orbit.

        Args:
            vectors: Shape `(ncrystals, natoms, 3)`.

        Returns:
            Shape `(ncrystals, natoms, 3)`, equal for the atoms of an orbit, zero where nothing is free.
        """
        onto = self.freedom.transpose(-1, -2)
        normal = self.over_orbits((onto @ self.freedom).flatten(-2)).unflatten(-1, (3, 3))
        pulled = self.over_orbits((onto @ vectors[..., None])[..., 0])
        normal = normal + torch.diag_embed((~self.movable).to(normal))
        return torch.linalg.solve(normal, pulled) * self.movable


@dataclass(frozen=True, eq=False)
class Entry:
    """One crystal as arrays, shapes as in `Batch` without the first axis and without padding."""

    types: np.ndarray
    free: np.ndarray
    freedom: np.ndarray
    offsets: np.ndarray
    orbits: np.ndarray
    polar: np.ndarray
    frame: np.ndarray
    lattice: np.ndarray
    allowed: np.ndarray
    symmetric: bool

    @property
    def natoms(self) -> int:
        """In the primitive cell."""
        return len(self.types)


def padded(entries: Sequence[Entry]) -> Batch:
    """Crystals side by side."""
    most = max(entry.natoms for entry in entries)

    def atoms(name: str, dtype: torch.dtype) -> Tensor:
        first = getattr(entries[0], name)
        found = np.zeros((len(entries), most, *first.shape[1:]), first.dtype)
        for i, entry in enumerate(entries):
            found[i, : entry.natoms] = getattr(entry, name)
        return torch.as_tensor(found, dtype=dtype)

    def whole(name: str) -> Tensor:
        return torch.as_tensor(np.array([getattr(entry, name) for entry in entries]), dtype=torch.float32)

    natoms = torch.tensor([entry.natoms for entry in entries])
    return Batch(
        types=atoms("types", torch.long),
        present=torch.arange(most)[None] < natoms[:, None],
        free=atoms("free", torch.float32),
        freedom=atoms("freedom", torch.float32),
        offsets=atoms("offsets", torch.float32),
        orbits=atoms("orbits", torch.long),
        polar=whole("polar"),
        frames=whole("frame"),
        lattice=whole("lattice"),
        allowed=whole("allowed"),
        symmetric=torch.tensor([entry.symmetric for entry in entries]),
    )


@dataclass
class Table:
    """All crystals of a training, each with its symmetry and without.

    Attributes:
        symmetric, plain: The same crystals in the same order.
        properties: What is known of each, by name; NaN where it is not known, shape `(ncrystals,)`; space groups as the features
            of `adapters.py`, shape `(ncrystals, nfeatures)`.
        training: Whether a crystal is trained on or held out for validation, shape `(ncrystals,)`.
    """

    symmetric: Batch
    plain: Batch
    properties: dict[str, Tensor]
    training: Tensor

    def to(self, device: str | torch.device) -> Table:
        """The same on another device."""
        return Table(
            self.symmetric.to(device),
            self.plain.to(device),
            {name: values.to(device) for name, values in self.properties.items()},
            self.training.to(device),
        )

    def save(self, path: Path) -> None:
        """As one safetensors file, so that another machine can train on it."""
        from safetensors.torch import save_file

        tensors = {f"properties.{name}": values for name, values in self.properties.items()}
        tensors["training"] = self.training
        for name, batch in (("symmetric", self.symmetric), ("plain", self.plain)):
            for f in fields(batch):
                tensors[f"{name}.{f.name}"] = _small(getattr(batch, f.name))
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)

    @classmethod
    def load(cls, path: Path) -> Table:
        """Read what `save` wrote."""
        from safetensors.torch import load_file

        tensors = load_file(path)
        batches = {
            name: Batch(**{f.name: _full(tensors[f"{name}.{f.name}"]) for f in fields(Batch)})
            for name in ("symmetric", "plain")
        }
        properties = {
            name.removeprefix("properties."): values
            for name, values in tensors.items()
            if name.startswith("properties.")
        }
        return cls(batches["symmetric"], batches["plain"], properties, tensors["training"])

    def batch(self, rows: Tensor, symmetric: Tensor) -> Batch:
        """Some crystals, each with or without its symmetry.

        Args:
            rows: Shape `(n,)`.
            symmetric: Shape `(n,)`.
        """
        most = int(self.symmetric.natoms[rows].max())
        parts = {}
        for f in fields(Batch):
            with_it, without = getattr(self.symmetric, f.name)[rows], getattr(self.plain, f.name)[rows]
            chosen = symmetric.reshape(-1, *[1] * (with_it.ndim - 1))
            found = torch.where(chosen, with_it, without)
            parts[f.name] = found[:, :most] if f.name in PER_ATOM else found
        return Batch(**parts)


PER_ATOM = ("types", "present", "free", "freedom", "offsets", "orbits")


def _small(tensor: Tensor) -> Tensor:
    return tensor.to(torch.uint8) if tensor.dtype == torch.long else tensor


def _full(tensor: Tensor) -> Tensor:
    return tensor.long() if tensor.dtype == torch.uint8 else tensor
