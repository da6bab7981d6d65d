"""Which symmetry does a polar crystal nearly have, however far its atoms would have to move?

A tolerance cannot tell: where atoms move by more than half a bond, spglib sees no symmetry at all. So each
operation that the lattice admits and the crystal lacks is tried: it is laid on the crystal so that an atom of the
rarest element falls on one of its kind, all atoms are assigned to their images (Hungarian algorithm), and the
crystal is averaged over the operation and its own group, which makes the operation exact. What symmetry the
average has beyond that, a short ladder of tolerances tells.

Source: the idea of pseudosymmetry, Capillas, Tasci, de la Flor, Orobengoa, Perez-Mato, Aroyo, Z. Kristallogr.
226, 186 (2011), doi:10.1524/zkri.2011.1321, who search along minimal supergroups; the search here is ours.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ...core.cell import Cell, nearest_whole, reduced, strained_to
from ...core.symmetry import dataset_at
from .symmetrise import symmetrise
from .symmetry import HIGHEST_POINT_GROUPS, POLAR_POINT_GROUPS

if TYPE_CHECKING:
    from pymatgen.core import Structure

METRIC_TOLERANCE = 0.35
"""Largest change of a scalar product of lattice vectors, relative to their lengths, that an operation may bring."""
LARGEST_DISTANCE_ANGSTROM = 2.6
"""From an atom's image to the atom it is assigned to; the average moves each by half of it."""
MOST_OPERATIONS = 60
"""Operations tried of one crystal, the nearest first."""
AVERAGING_ROUNDS = 30
STILL = 1e-6
"""Fractional coordinates, and scalar products of lattice vectors (A^2), that change by less in a round have arrived."""
RUNGS_ANGSTROM = (0.01, 0.02, 0.05, 0.1, 0.15, 0.22, 0.32, 0.45, 0.6, 0.8, 1.0)
"""Tolerances at which the average is looked at again."""
DRIFT_ROUNDS = 3
EQUAL_DECIMALS = 6
"""Of distances in A and their squares: what agrees so far is equal, and the order of the atoms and operations decides."""
LIKENESS_DECIMALS = 3
"""Of a displacement in A."""


@dataclass(frozen=True)
class Operation:
    """A symmetry operation that a crystal has, nearly.

    Attributes:
        rotation: Integers in the basis of the cell, acting on columns, shape `(3, 3)`.
        translation: Fractional, shape `(3,)`.
        image_of: Index of the atom onto which each atom falls, shape `(nsites,)`.
        distance: Largest distance between an image and the atom it falls onto, A.
    """

    rotation: np.ndarray
    translation: np.ndarray
    image_of: np.ndarray
    distance: float

    @property
    def key(self) -> tuple[bytes, bytes]:
        """Equal for operations that do the same to the lattice and the atoms."""
        return self.rotation.tobytes(), self.image_of.tobytes()

    def apply(self, positions: np.ndarray) -> np.ndarray:
        """Fractional positions, in the order of the atoms they fall onto."""
        moved = np.empty_like(positions)
        moved[self.image_of] = positions @ self.rotation.T + self.translation
        return moved


def pseudosymmetric(structure: Structure, symprec: float) -> Iterator[Structure]:
    """Crystals of higher, nonpolar symmetry near a polar one, the nearest operations first.

    Args:
        structure: Ordered, primitive.
        symprec: Tolerance at which its own symmetry is read, A.

    Yields:
        Same order of atoms, setting and orientation; their symmetry is exact. Some may be equal.
    """
    cell, basis = reduced(Cell.of_structure(structure))
    own = own_operations(cell, symprec)
    seen: set[tuple[int, float]] = set()
    for operation in missing_operations(cell, own):
        averaged = averaged_over(cell, own, operation)
        if averaged is None:
            continue
        likeness = _likeness(cell, averaged)
        if likeness not in seen:
            seen.add(likeness)
            yield from _symmetric_near(averaged.in_basis(np.linalg.inv(basis)).structure())


def _likeness(cell: Cell, averaged: Cell) -> tuple[int, float]:
    """Equal for averages over operations that the crystal's own group turns into one another: group, displacement."""
    dataset = dataset_at(averaged.structure(), RUNGS_ANGSTROM[0])
    moves = (cell.positions - averaged.positions) @ cell.matrix
    moved = float(np.sqrt(np.mean(np.sum((moves - moves.mean(axis=0)) ** 2, axis=1))))
    return 0 if dataset is None else int(dataset.number), round(moved, LIKENESS_DECIMALS)


def _symmetric_near(structure: Structure) -> Iterator[Structure]:
    """What nonpolar symmetry a crystal shows on the rungs, each group once."""
    met: set[int] = set()
    for symprec in RUNGS_ANGSTROM:
        dataset = dataset_at(structure, symprec)
        if dataset is None or dataset.pointgroup in POLAR_POINT_GROUPS or dataset.number in met:
            continue
        ideal = symmetrise(structure, symprec)
        if ideal is not None:
            met.add(dataset.number)
            yield ideal
        if dataset.pointgroup in HIGHEST_POINT_GROUPS:
            return


def own_operations(cell: Cell, symprec: float) -> list[Operation]:
    """The operations that the crystal has at a tolerance, A; none if spglib finds none."""
    dataset = dataset_at(cell.structure(), symprec)
    if dataset is None:
        return []
    return [
        _laid(cell, rotation.astype(int), translation)
        for rotation, translation in zip(dataset.rotations, dataset.translations, strict=True)
    ]


def missing_operations(cell: Cell, own: Sequence[Operation]) -> list[Operation]:
    """Operations of the lattice that the crystal lacks, the nearest first, one of each coset of its own group."""
    rarest = _rarest_atoms(cell.numbers)
    tried = (
        _laid(
            cell, rotation, cell.positions[atom] - cell.positions[rarest[0]] @ rotation.T, settle=DRIFT_ROUNDS
        )
        for rotation in lattice_operations(cell.matrix)
        for atom in rarest
    )
    near = sorted(
        (o for o in tried if o.distance < LARGEST_DISTANCE_ANGSTROM),
        key=lambda o: round(o.distance, EQUAL_DECIMALS),
    )
    seen = {operation.key for operation in own}
    missing = []
    for operation in near:
        if operation.key in seen:
            continue
        missing.append(operation)
        seen |= {_product_key(mine, operation) for mine in own}
        if len(missing) == MOST_OPERATIONS:
            break
    return missing


def _product_key(first: Operation, then_on: Operation) -> tuple[bytes, bytes]:
    """Key of `then_on` followed by `first`."""
    rotation, image_of = first.rotation @ then_on.rotation, first.image_of[then_on.image_of]
    return rotation.tobytes(), image_of.tobytes()


def _rarest_atoms(numbers: np.ndarray) -> np.ndarray:
    """Indices of the atoms of the rarest element, the heaviest among equally rare ones."""
    elements, counts = np.unique(numbers, return_counts=True)
    return np.flatnonzero(numbers == elements[np.lexsort((-elements, counts))[0]])


@lru_cache(maxsize=1)
def _unimodular() -> np.ndarray:
    """Integer matrices of determinant 1 or -1 with entries -1, 0, 1, shape `(n, 3, 3)`."""
    matrices = np.array(list(itertools.product((-1, 0, 1), repeat=9))).reshape(-1, 3, 3)
    return matrices[np.abs(np.round(np.linalg.det(matrices))) == 1]


def lattice_operations(matrix: np.ndarray) -> np.ndarray:
    """Rotations, proper and not, that bring a lattice nearly onto itself, shape `(n, 3, 3)`, integers.

    Args:
        matrix: Lattice vectors in rows, reduced, A.
    """
    metric = matrix @ matrix.T
    rotations = _unimodular()
    lengths = np.sqrt(np.diag(metric))
    changes = np.swapaxes(rotations, 1, 2) @ metric @ rotations - metric
    small = np.abs(changes / np.outer(lengths, lengths)).max(axis=(1, 2)) < METRIC_TOLERANCE
    return rotations[small]


def _laid(cell: Cell, rotation: np.ndarray, translation: np.ndarray, settle: int = 1) -> Operation:
    """An operation laid on the crystal; with more rounds it is moved to where it fits best."""
    rotated = cell.positions @ rotation.T
    image_of, steps = _assigned(cell, rotated + translation)
    for _ in range(settle - 1):
        drift = steps.mean(axis=0)
        if np.abs(drift).max() < STILL:
            break
        translation = translation + drift
        image_of, steps = _assigned(cell, rotated + translation)
    return Operation(
        rotation, translation, image_of, float(np.linalg.norm(steps @ cell.matrix, axis=1).max())
    )


def _assigned(cell: Cell, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Onto which atom each image falls, and the fractional step to it, shape `(nsites, 3)`."""
    from scipy.optimize import linear_sum_assignment

    image_of = np.empty(len(images), dtype=int)
    steps = np.empty_like(images)
    for element in np.unique(cell.numbers):
        atoms = np.flatnonzero(cell.numbers == element)
        between = cell.positions[atoms][None, :, :] - images[atoms][:, None, :]
        between -= nearest_whole(between)
        squares = np.sum((between @ cell.matrix) ** 2, axis=2)
        rows, columns = linear_sum_assignment(np.round(squares, EQUAL_DECIMALS))
        image_of[atoms[rows]] = atoms[columns]
        steps[atoms[rows]] = between[rows, columns]
    return image_of, steps


def averaged_over(cell: Cell, own: Sequence[Operation], operation: Operation) -> Cell | None:
    """The crystal averaged over an operation and its own group in turn, until both hold.

    Returns:
        `None` if the operation is of no finite order.
    """
    powers = _powers(operation)
    if powers is None:
        return None
    positions, metric = cell.positions, cell.matrix @ cell.matrix.T
    for _ in range(AVERAGING_ROUNDS):
        before, metric_before = positions, metric
        for group in (powers, own):
            positions = _mean_position(positions, group)
            metric = np.mean([o.rotation.T @ metric @ o.rotation for o in group], axis=0)
        moved = max(np.abs(positions - before).max(), np.abs(metric - metric_before).max())
        if moved < STILL:
            break
    return Cell(strained_to(cell.matrix, metric), positions, cell.numbers)


def _mean_position(positions: np.ndarray, group: Sequence[Operation]) -> np.ndarray:
    images = np.array([operation.apply(positions) for operation in group])
    return (images - nearest_whole(images - positions)).mean(axis=0)


def _powers(operation: Operation) -> list[Operation] | None:
    """The cyclic group of an operation; its translation is moved a little so that the last power is a lattice vector's."""
    rotations = [np.eye(3, dtype=int)]
    while len(rotations) <= 6:
        following = operation.rotation @ rotations[-1]
        if np.array_equal(following, rotations[0]):
            break
        rotations.append(following)
    else:
        return None
    # The n-th power shifts by (1 + W + ... + W^(n-1)) w: that must be a lattice vector.
    total = np.sum(rotations, axis=0)
    shift = total @ operation.translation
    translation = operation.translation + np.linalg.pinv(total) @ (nearest_whole(shift) - shift)
    powers = [Operation(rotations[0], np.zeros(3), np.arange(len(operation.image_of)), 0.0)]
    for rotation in rotations[1:]:
        last = powers[-1]
        powers.append(
            Operation(
                rotation,
                operation.rotation @ last.translation + translation,
                operation.image_of[last.image_of],
                operation.distance,
            )
        )
    return powers
