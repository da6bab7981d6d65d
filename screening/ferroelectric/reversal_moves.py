"""In which ways can a polar crystal, reversed, be laid upon itself so that a framework stays?

The operations are those of the lattice that reverse every direction along which the point group allows a
polarization; of operations that its own symmetry makes equal one is taken. A framework is the atoms of one element, or
one layer of several. In each way in which all its atoms come to lie near atoms of their kind, the rest is assigned to
the images left free (Hungarian algorithm): to the nearest, and then with a bias up and down the polar direction. An atom
midway in a chain of images so goes the one way or the other, and the two differ by a quantum of polarization.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...core.cell import Cell
from ...core.polar_path import LARGEST_DISPLACEMENT_ANGSTROM
from ...core.symmetry import dataset_at
from .mechanism import Bonds, bonded_pieces, find_bonds
from .pseudosymmetry import lattice_operations
from .symmetry import POLAR_POINT_GROUPS

if TYPE_CHECKING:
    from pymatgen.core import Structure

FRAMEWORK_ANGSTROM = 0.8
"""Between -P and +P no atom of the part laid upon its image goes further against that part as a whole. So 140 of the 141
preferred pairs of Smidt et al. (2020) with up to 60 atoms have a reversed state, at 0.5 A 136: those of SiO2 and ice bend."""
STAYING_ANGSTROM = 0.5
"""Elements whose atoms go no further are called the framework."""
SAME_METRIC = 1e-3
"""Relative change of a scalar product of lattice vectors; an operation that changes none by more leaves the cell."""
SAME_DIRECTION = 0.01
BIASES_ANGSTROM = (0.0, 0.5, -0.5, 1.2, -1.2)
"""Mobile atoms go to the images nearest to a place so far up the polar direction. In Pca2_1 HfO2 O crosses the plane of
Hf from 0.4 A on."""
TIE_BREAK_ANGSTROM = 1e-3
"""The same along a direction of no symmetry: of images equally near, atoms then choose alike (Se of alpha-In2Se3 has
three)."""
GENERIC_DIRECTION = (1.0, 0.618, 0.377)
"""In lattice vectors."""
SETTLING_ROUNDS = 4
STILL_ANGSTROM = 1e-6
SAME_PATH_ANGSTROM = 0.02


@dataclass(frozen=True)
class PolarCrystal:
    """A primitive crystal and where its symmetry lets a polarization point.

    Attributes:
        cell: The crystal, lattice reduced.
        point_group: Integers in the basis of the cell, acting on columns, shape `(n, 3, 3)`.
        directions: Along which it allows a polarization, Cartesian, orthonormal, in rows, shape `(n, 3)`; none if it is
            not polar.
        neighbours: Lattice translations to the cell itself and its neighbours, Cartesian, A, shape `(27, 3)`.
        bonds: Of the crystal, as `find_bonds` gives them.
    """

    cell: Cell
    point_group: np.ndarray
    directions: np.ndarray
    neighbours: np.ndarray
    bonds: Bonds

    @classmethod
    def of(cls, structure: Structure, symprec: float) -> PolarCrystal:
        """With its symmetry at a tolerance, A."""
        cell = Cell.of_structure(structure)
        dataset = dataset_at(structure, symprec)
        neighbours = np.array(list(itertools.product((0, -1, 1), repeat=3))) @ cell.matrix
        bonds = find_bonds(structure)
        if dataset is None or dataset.pointgroup not in POLAR_POINT_GROUPS:
            return cls(cell, np.eye(3, dtype=int)[None], np.empty((0, 3)), neighbours, bonds)
        rotations = np.unique(dataset.rotations.astype(int), axis=0)
        return cls(cell, rotations, _invariant_directions(cell.matrix, rotations), neighbours, bonds)

    @property
    def numbers(self) -> np.ndarray:
        """Atomic numbers."""
        return self.cell.numbers


@dataclass(frozen=True)
class Move:
    """A way to lay the reversed crystal upon the crystal.

    Attributes:
        displacements: +P minus -P, Cartesian, A, while the framework stays in the mean, shape `(nsites, 3)`.
        rotation: The operation's, integers in the basis of the cell, acting on columns.
        framework: Elements of which no atom goes further than `STAYING_ANGSTROM`, by atomic number; if none, the part laid.
    """

    displacements: np.ndarray
    rotation: np.ndarray
    framework: tuple[str, ...]

    @property
    def centred(self) -> np.ndarray:
        """The displacements without their mean."""
        return self.displacements - self.displacements.mean(axis=0)

    @property
    def length(self) -> float:
        """Farthest that an atom moves, A, the mean taken off."""
        return float(np.linalg.norm(self.centred, axis=1).max())


def distinct_moves(crystal: PolarCrystal) -> list[Move]:
    """Each once up to the crystal's own symmetry, the shortest first, without those that move an atom too far.

    Of moves equally long (to `SAME_PATH_ANGSTROM`) that which tears bonds least comes first: a layer that slides, before
    atoms that change places within their layer.
    """
    kept: list[tuple[np.ndarray, Move]] = []
    for move in sorted(_moves(crystal), key=lambda move: (_length_class(move), _torn(crystal, move).sum())):
        if move.length > LARGEST_DISPLACEMENT_ANGSTROM:
            continue
        signature = _signature(crystal, move)
        if not any(np.abs(signature - other).max() < SAME_PATH_ANGSTROM for other, _ in kept):
            kept.append((signature, move))
    return [move for _, move in kept]


def _length_class(move: Move) -> int:
    return round(move.length / SAME_PATH_ANGSTROM)


def _torn(crystal: PolarCrystal, move: Move) -> np.ndarray:
    """How far the atoms of each bond move against each other, A."""
    starts, ends = crystal.bonds[:2]
    return np.linalg.norm(move.displacements[ends] - move.displacements[starts], axis=1)


def _signature(crystal: PolarCrystal, move: Move) -> np.ndarray:
    """What no operation of the crystal changes, A: how far atoms of each element go, alone and along the polar directions
    as a whole, and how far bonded atoms go against each other."""
    parts = [np.sort(_torn(crystal, move))]
    for z in np.unique(crystal.numbers):
        steps = move.centred[crystal.numbers == z]
        parts += [np.sort(np.linalg.norm(steps, axis=1)), crystal.directions @ steps.mean(axis=0)]
    return np.concatenate(parts)


def _moves(crystal: PolarCrystal) -> Iterator[Move]:
    """All that are tried, of which many are the same."""
    frameworks = _frameworks(crystal)
    for rotation in _reversing(crystal):
        turned = crystal.cell.positions @ rotation.T
        for atoms, label in frameworks:
            for alignment in _alignments(crystal, turned, atoms):
                for displacements in alignment.by_bias():
                    staying = _staying_elements(crystal, displacements) or (label,)
                    yield Move(displacements, rotation, staying)


def _invariant_directions(matrix: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Orthonormal directions that no operation changes, Cartesian, in rows: the mean of a group projects on them."""
    mean = _cartesian(matrix, rotations.mean(axis=0))
    values, vectors = np.linalg.eigh((mean + mean.T) / 2)
    return vectors[:, values > 0.5].T


def _cartesian(matrix: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """An operation on fractional columns as one on Cartesian columns."""
    return matrix.T @ rotation @ np.linalg.inv(matrix.T)


def _reversing(crystal: PolarCrystal) -> list[np.ndarray]:
    """Rotations of the lattice that reverse all polar directions; one for each way to turn the crystal by them."""
    matrix, directions = crystal.cell.matrix, crystal.directions.T
    lengths = np.linalg.norm(matrix, axis=1)
    metric = matrix @ matrix.T
    found = []
    for rotation in lattice_operations(matrix):
        change = (rotation.T @ metric @ rotation - metric) / np.outer(lengths, lengths)
        turned = _cartesian(matrix, rotation) @ directions
        if np.abs(change).max() < SAME_METRIC and np.abs(turned + directions).max() < SAME_DIRECTION:
            found.append(rotation)
    return _unlike(found, crystal.point_group)


def _unlike(rotations: Sequence[np.ndarray], own: np.ndarray) -> list[np.ndarray]:
    """Of rotations that differ by the crystal's own before and after, one: inversion rather than a mirror or axis."""
    kept: list[np.ndarray] = []
    seen: set[bytes] = set()
    for rotation in sorted(rotations, key=_simplest_first):
        if rotation.tobytes() not in seen:
            kept.append(rotation)
            both = own[:, None] @ rotation @ own[None, :]
            seen |= {one.tobytes() for one in both.reshape(-1, 3, 3)}
    return kept


def _simplest_first(rotation: np.ndarray) -> tuple[int, list[int]]:
    """Inversion, mirrors, two-fold axes, then the rest."""
    kinds = [(-1, -3), (-1, 1), (1, -1)]
    kind = round(np.linalg.det(rotation)), int(np.trace(rotation))
    return (kinds.index(kind) if kind in kinds else len(kinds)), rotation.ravel().tolist()


def _frameworks(crystal: PolarCrystal) -> list[tuple[np.ndarray, str]]:
    """Parts that may stay, with their names: each element, the rarest and heaviest first, then each of several layers."""
    from pymatgen.core import Composition, Element

    elements, counts = np.unique(crystal.numbers, return_counts=True)
    parts = [
        (np.flatnonzero(crystal.numbers == elements[i]), Element.from_Z(int(elements[i])).symbol)
        for i in np.lexsort((-elements, counts))
    ]
    symbols = [Element.from_Z(int(z)).symbol for z in crystal.numbers]
    pieces = bonded_pieces(range(len(symbols)), crystal.bonds)
    if len(pieces) > 1 and all(piece.dimension == 2 for piece in pieces):
        for piece in pieces:
            atoms = Counter(symbols[i] for i in piece.sites)
            parts.append((np.array(sorted(piece.sites)), f"layer {Composition(atoms).reduced_formula}"))
    return parts


def _staying_elements(crystal: PolarCrystal, displacements: np.ndarray) -> tuple[str, ...]:
    """Symbols of the elements of which no atom moves far, by atomic number."""
    from pymatgen.core import Element

    lengths = np.linalg.norm(displacements, axis=1)
    return tuple(
        Element.from_Z(int(z)).symbol
        for z in np.unique(crystal.numbers)
        if lengths[crystal.numbers == z].max() <= STAYING_ANGSTROM
    )


@dataclass(frozen=True)
class _Alignment:
    """The turned crystal laid so that a framework finds its images.

    Attributes:
        crystal: The crystal.
        laid: The images of all its atoms, fractional, shape `(nsites, 3)`.
        atoms: The framework.
        taken: Its images.
        steps: From these to the framework's atoms, Cartesian, A.
    """

    crystal: PolarCrystal
    laid: np.ndarray
    atoms: np.ndarray
    taken: np.ndarray
    steps: np.ndarray

    def by_bias(self) -> Iterator[np.ndarray]:
        """Displacements of all atoms, Cartesian, A, shape `(nsites, 3)`: to the nearest images, then with each bias."""
        nearest = self._completed(0.0, None)
        yield nearest
        up = self._up(nearest)
        if up is not None:
            for bias in BIASES_ANGSTROM[1:]:
                yield self._completed(bias, up)

    def _completed(self, bias: float, up: np.ndarray | None) -> np.ndarray:
        everything = np.arange(len(self.laid))
        mobile = np.setdiff1d(everything, self.atoms)
        displacements = np.zeros_like(self.laid)
        displacements[self.atoms] = self.steps
        if len(mobile):
            generic = np.array(GENERIC_DIRECTION) @ self.crystal.cell.matrix
            toward = TIE_BREAK_ANGSTROM * generic / np.linalg.norm(generic)
            if up is not None:
                toward = toward + bias * up
            free = np.setdiff1d(everything, self.taken)
            displacements[mobile] = _assigned(self.crystal, self.laid, mobile, free, toward)[1]
        return displacements

    def _up(self, nearest: np.ndarray) -> np.ndarray | None:
        """The polar direction; of several, that in which the atoms go to their nearest images; none if in none."""
        directions = self.crystal.directions
        if len(directions) == 1:
            return directions[0]
        mean = nearest.mean(axis=0) @ directions.T @ directions
        length = float(np.linalg.norm(mean))
        return mean / length if length > STILL_ANGSTROM else None


def _alignments(crystal: PolarCrystal, turned: np.ndarray, atoms: np.ndarray) -> Iterator[_Alignment]:
    """All in which no atom of the framework is further than `FRAMEWORK_ANGSTROM` from its image.

    Args:
        crystal: The crystal.
        turned: Fractional positions of its atoms, turned about the origin, shape `(nsites, 3)`.
        atoms: The framework.
    """
    kinds, counts = np.unique(crystal.numbers[atoms], return_counts=True)
    rarest = kinds[counts.argmin()]
    first = atoms[crystal.numbers[atoms] == rarest][0]
    for image in np.flatnonzero(crystal.numbers == rarest):
        start = turned + crystal.cell.positions[first] - turned[image]
        alignment = _settled(crystal, start, atoms)
        if np.linalg.norm(alignment.steps, axis=1).max() <= FRAMEWORK_ANGSTROM:
            yield alignment


def _settled(crystal: PolarCrystal, laid: np.ndarray, atoms: np.ndarray) -> _Alignment:
    """Shifted to where the framework moves least."""
    everything = np.arange(len(laid))
    inverse = np.linalg.inv(crystal.cell.matrix)
    taken, steps = _assigned(crystal, laid, atoms, everything)
    for _ in range(SETTLING_ROUNDS):
        drift = steps.mean(axis=0)
        laid = laid + drift @ inverse
        taken, steps = _assigned(crystal, laid, atoms, everything)
        if np.linalg.norm(drift) < STILL_ANGSTROM:
            break
    return _Alignment(crystal, laid, atoms, taken, steps)


def _assigned(
    crystal: PolarCrystal,
    laid: np.ndarray,
    atoms: np.ndarray,
    images: np.ndarray,
    toward: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Give each atom an image of its element, the sum of squared distances the least.

    Args:
        crystal: The crystal.
        laid: All images, fractional, shape `(nsites, 3)`.
        atoms: Indices of atoms.
        images: Indices of the images that may be taken, of each element at least as many as atoms.
        toward: A displacement, Cartesian, A, shape `(3,)`, from which the distance is counted; by default none.

    Returns:
        The index of each atom's image, and the displacement from it to the atom, Cartesian, A.
    """
    from scipy.optimize import linear_sum_assignment

    taken = np.empty(len(atoms), dtype=int)
    steps = np.empty((len(atoms), 3))
    for z in np.unique(crystal.numbers[atoms]):
        mine = np.flatnonzero(crystal.numbers[atoms] == z)
        theirs = images[crystal.numbers[images] == z]
        ways, cost = _nearest(crystal, laid[theirs], crystal.cell.positions[atoms[mine]], toward)
        rows, columns = linear_sum_assignment(cost)
        taken[mine[rows]] = theirs[columns]
        steps[mine[rows]] = ways[rows, columns]
    return taken, steps


def _nearest(
    crystal: PolarCrystal, images: np.ndarray, atoms: np.ndarray, toward: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """From each image to each atom the displacement nearest to `toward`, A, shape `(natoms, nimages, 3)`; its square, A^2."""
    between = atoms[:, None, :] - images[None, :, :]
    ways = ((between - np.round(between)) @ crystal.cell.matrix)[:, :, None, :] + crystal.neighbours
    away = ways if toward is None else ways - toward
    squares = np.einsum("ijkx,ijkx->ijk", away, away)
    best = squares.argmin(axis=2)[:, :, None]
    steps = np.take_along_axis(ways, best[:, :, :, None], axis=2)[:, :, 0]
    return steps, np.take_along_axis(squares, best, axis=2)[:, :, 0]
