"""Which symmetry does a crystal have, and how is it kept exactly while the crystal moves?

The operations are spglib's. Any cell will do: it is folded onto its primitive cell, which every operation
maps on itself (those of a cubic crystal do not map a 2x1x1 cell on itself), and what is found there is laid
out again. The input is made exactly symmetric first, which moves it by about `SYMPREC_ANGSTROM` at most;
after that every set of forces and every strain is replaced by its mean over the group, so no step can
leave the group.

A crystal that relaxes under its symmetry may come to rest on a saddle: what would lower the energy by
breaking the symmetry is projected out.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.errors import StructureError
from ..cell import Cell

SYMPREC_ANGSTROM = 0.01
ROUNDS = 20  # of averaging, until the positions are symmetric to rounding
EXACT_ANGSTROM = 1e-10


@dataclass(frozen=True)
class Symmetry:
    """A space group as it acts on the arrays of one crystal.

    Attributes:
        cell: The crystal, made exactly symmetric.
        spacegroup_number: Of the group that is kept.
        vectors: Projector on displacements of the atoms that keep the group, shape `(3n, 3n)`.
        tensors: Projector on strains that keep it, shape `(9, 9)`; symmetric strains only.
    """

    cell: Cell
    spacegroup_number: int
    vectors: np.ndarray
    tensors: np.ndarray

    @property
    def parameters(self) -> int:
        """Number of free parameters: coordinates of the atoms (origin included) and of the cell."""
        return round(float(np.trace(self.vectors) + np.trace(self.tensors)))

    def of_vectors(self, vectors: np.ndarray) -> np.ndarray:
        """The part of forces or displacements that keeps the group, shape `(n, 3)`."""
        return (self.vectors @ vectors.ravel()).reshape(-1, 3)

    def of_tensor(self, tensor: np.ndarray) -> np.ndarray:
        """The part of a stress or strain that keeps the group, shape `(3, 3)`."""
        return (self.tensors @ tensor.ravel()).reshape(3, 3)


def symmetry_of(cell: Cell, symprec: float = SYMPREC_ANGSTROM) -> Symmetry:
    """The symmetry of a crystal, and the crystal made exactly symmetric at the same volume.

    Args:
        cell: Atoms of one element count as alike, whatever their charges or labels.
        symprec: Tolerance, A.

    Raises:
        StructureError: spglib finds no space group, or its operations do not map the crystal on itself.
    """
    fold = _Fold.of(cell, symprec)
    small = fold.primitive
    dataset = _dataset(small, symprec)
    rotations = np.asarray(dataset.rotations, dtype=float)
    lattice = symmetric_lattice(small.lattice, rotations)
    fractional = small.positions @ np.linalg.inv(small.lattice)
    images = _images(small, fractional, rotations, dataset.translations, symprec)
    fractional = _symmetric_positions(fractional, rotations, dataset.translations, images, lattice)
    cartesian = lattice.T @ rotations @ np.linalg.inv(lattice.T)
    return Symmetry(
        cell=fold.laid_out(fractional, lattice),
        spacegroup_number=int(dataset.number),
        vectors=fold.laid_out_projector(_vector_projector(cartesian, images)),
        tensors=_tensor_projector(cartesian),
    )


@dataclass(frozen=True)
class _Fold:
    """A cell folded onto its primitive cell.

    Attributes:
        cell: As given.
        primitive: Its atoms are the means of those that are equal by translation.
        members: Which atom of the primitive cell each atom is, shape `(n,)`.
        offsets: Its lattice translation there, integers, shape `(n, 3)`.
        multiple: The cell's lattice in primitive vectors, integers, shape `(3, 3)`.
    """

    cell: Cell
    primitive: Cell
    members: np.ndarray
    offsets: np.ndarray
    multiple: np.ndarray

    @classmethod
    def of(cls, cell: Cell, symprec: float) -> _Fold:
        dataset = _dataset(cell, symprec)
        multiple = np.round(cell.lattice @ np.linalg.inv(dataset.primitive_lattice))
        lattice = np.linalg.solve(multiple, cell.lattice)
        fractional = cell.positions @ np.linalg.inv(lattice)
        _, firsts, members = np.unique(dataset.mapping_to_primitive, return_index=True, return_inverse=True)
        offsets = np.round(fractional - fractional[firsts][members])
        sums = np.zeros((len(firsts), 3))
        np.add.at(sums, members, fractional - offsets)
        means = sums / np.bincount(members)[:, None]
        primitive = Cell(cell.numbers[firsts], means @ lattice, lattice)
        return cls(cell, primitive, members, offsets, multiple)

    def laid_out(self, fractional: np.ndarray, lattice: np.ndarray) -> Cell:
        """The cell that a new geometry of the primitive cell makes."""
        positions = (fractional[self.members] + self.offsets) @ lattice
        return Cell(self.cell.numbers, positions, self.multiple @ lattice)

    def laid_out_projector(self, projector: np.ndarray) -> np.ndarray:
        """Mean over atoms equal by translation, then the projector of the primitive cell."""
        spread = np.kron(np.eye(len(self.primitive.numbers))[self.members], np.eye(3))
        return spread @ projector @ spread.T / (len(self.members) / len(self.primitive.numbers))


def symmetric_lattice(lattice: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """The lattice of the same volume and orientation whose metric all rotations leave alone.

    Args:
        lattice: Rows are lattice vectors, A.
        rotations: In fractional coordinates, acting on columns, shape `(n, 3, 3)`.
    """
    metric = lattice @ lattice.T
    mean = np.mean(rotations.transpose(0, 2, 1) @ metric @ rotations, axis=0)
    inverse = np.linalg.inv(lattice)
    squares, axes = np.linalg.eigh(inverse @ mean @ inverse.T)
    stretched = lattice @ ((axes * np.sqrt(squares)) @ axes.T)
    return stretched * (abs(np.linalg.det(lattice)) / abs(np.linalg.det(stretched))) ** (1 / 3)


def _images(
    cell: Cell, fractional: np.ndarray, rotations: np.ndarray, translations: np.ndarray, symprec: float
) -> np.ndarray:
    """Which atom each operation carries atom i to, shape `(noperations, n)`."""
    alike = cell.numbers[:, None] == cell.numbers[None, :]
    found = np.empty((len(rotations), len(fractional)), dtype=int)
    for g, (rotation, translation) in enumerate(zip(rotations, translations, strict=True)):
        gaps = (fractional @ rotation.T + translation)[:, None, :] - fractional[None, :, :]
        distances = np.linalg.norm((gaps - np.round(gaps)) @ cell.lattice, axis=2)
        found[g] = np.where(alike, distances, np.inf).argmin(axis=1)
        reached = distances[np.arange(len(fractional)), found[g]]
        if len(set(found[g])) < len(fractional) or reached.max() > 10 * symprec:
            raise StructureError(
                f"The symmetry that spglib finds at {symprec:g} A does not map the crystal on itself; "
                "relax it without symmetry."
            )
    return found


def _symmetric_positions(
    fractional: np.ndarray,
    rotations: np.ndarray,
    translations: np.ndarray,
    images: np.ndarray,
    lattice: np.ndarray,
) -> np.ndarray:
    """Positions averaged over the group until every operation holds to rounding."""
    for _ in range(ROUNDS):
        carried = fractional @ rotations.transpose(0, 2, 1) + translations[:, None, :]
        gaps = carried - fractional[images]
        gaps -= np.round(gaps)
        if np.abs(gaps @ lattice).max() < EXACT_ANGSTROM:
            break
        shifts = np.zeros_like(fractional)
        np.add.at(shifts, images.ravel(), gaps.reshape(-1, 3))
        fractional = fractional + shifts / len(rotations)
        translations = translations - gaps.mean(axis=1)
    return fractional


def _vector_projector(cartesian: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Mean over the group of "turn each atom's vector and give it to the atom's image"."""
    n = images.shape[1]
    blocks = np.zeros((n, n, 3, 3))
    atoms = np.broadcast_to(np.arange(n), images.shape)
    turns = np.broadcast_to(cartesian[:, None], (*images.shape, 3, 3))
    np.add.at(blocks, (images.ravel(), atoms.ravel()), turns.reshape(-1, 3, 3))
    return blocks.transpose(0, 2, 1, 3).reshape(3 * n, 3 * n) / len(cartesian)


def _tensor_projector(cartesian: np.ndarray) -> np.ndarray:
    """Mean over the group of "turn the tensor", on symmetric tensors."""
    turned = np.einsum("gij,gkl->ikjl", cartesian, cartesian).reshape(9, 9) / len(cartesian)
    swap = np.eye(9).reshape(3, 3, 9).transpose(1, 0, 2).reshape(9, 9)
    return turned @ (np.eye(9) + swap) / 2


def _dataset(cell: Cell, symprec: float) -> Any:
    import spglib

    os.environ.setdefault("SPGLIB_WARNING", "OFF")  # failures are told in a sentence of ours
    crystal: Any = (cell.lattice, cell.positions @ np.linalg.inv(cell.lattice), cell.numbers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = spglib.get_symmetry_dataset(crystal, symprec=symprec)
        except spglib.SpglibError:
            dataset = None
    if dataset is None:
        raise StructureError(
            f"spglib finds no space group at {symprec:g} A (two atoms may overlap); relax without symmetry."
        )
    return dataset
