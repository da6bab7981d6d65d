"""What would a crystal be if the symmetry it almost has were exact?

At a wide tolerance spglib says which ideal crystal it sees in the distorted one. Its sites are laid into
the cell, every atom is assigned to one of them, and atoms and cell are then averaged over the ideal
crystal's operations: first over the lattice points inside the cell (a cell that holds several of them
admits only some of the operations), then over the whole group in the primitive cell. So the result has
the atoms of the input in their order, in its setting and orientation, with nothing left to match.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from .symmetry import POLAR_POINT_GROUPS, dataset_at

if TYPE_CHECKING:
    from pymatgen.core import Structure

IDEAL_SYMPREC_ANGSTROM = 1e-3
"""Tolerance at which the ideal crystal's operations are read; it is exact but for rounding."""
SAME_POSITION = 1e-3
"""Fractional coordinates of ideal sites that differ by less are one site."""
FORBIDDEN_SQUARED_DISTANCE = 1e6
"""A^2, between an atom and a site of another element."""
ASSIGNMENT_ROUNDS = 3
"""Assignment and removal of the common drift are repeated so often at most; mostly the second changes nothing."""


@dataclass(frozen=True)
class _Cell:
    """A cell: lattice vectors in rows, A, `(3, 3)`; positions, fractional, `(nsites, 3)`; atomic numbers."""

    matrix: np.ndarray
    positions: np.ndarray
    numbers: np.ndarray

    def structure(self) -> Structure:
        from pymatgen.core import Element, Lattice, Structure

        return Structure(Lattice(self.matrix), [Element.from_Z(int(z)) for z in self.numbers], self.positions)

    def in_basis(self, basis: np.ndarray) -> _Cell:
        """The same atoms in other lattice vectors, `basis` in units of the present ones."""
        return _Cell(basis @ self.matrix, self.positions @ np.linalg.inv(basis), self.numbers)

    def of(self, atoms: np.ndarray) -> _Cell:
        """The cell with some of its atoms."""
        return _Cell(self.matrix, self.positions[atoms], self.numbers[atoms])


def symmetrise(structure: Structure, symprec: float) -> Structure | None:
    """The crystal with the symmetry it has at a tolerance made exact.

    Args:
        structure: Ordered.
        symprec: Tolerance, A.

    Returns:
        Same order of atoms, same setting; each atom at the image nearest to where it was, the mean of all
        displacements zero; the cell strained without rotation. `None` if the group at this tolerance is
        polar, or the ideal crystal has other sites than this one.
    """
    cell = _Cell(
        np.array(structure.lattice.matrix),
        np.array(structure.frac_coords),
        np.array(structure.atomic_numbers),
    )
    reduced, basis = _reduced(cell)
    averaged = _averaged(reduced, symprec)
    if averaged is None:
        return None
    result = averaged.in_basis(np.linalg.inv(basis))
    drift = (cell.positions - result.positions).mean(axis=0)
    return _Cell(result.matrix, result.positions + drift, cell.numbers).structure()


def _reduced(cell: _Cell) -> tuple[_Cell, np.ndarray]:
    """LLL-reduced, so that rounding fractional differences finds nearest images; and the basis, integers."""
    from pymatgen.core import Lattice

    reduced = Lattice(cell.matrix).get_lll_reduced_lattice().matrix
    basis = np.round(reduced @ np.linalg.inv(cell.matrix))
    return cell.in_basis(basis), basis


def _averaged(cell: _Cell, symprec: float) -> _Cell | None:
    dataset = dataset_at(cell.structure(), symprec)
    if dataset is None or dataset.pointgroup in POLAR_POINT_GROUPS:
        return None
    translations = dataset.translations[np.all(dataset.rotations == np.eye(3, dtype=int), axis=(1, 2))]
    sites = _ideal_sites(dataset, translations, cell)
    basis = _primitive_basis(translations)
    if sites is None or basis is None:
        return None
    matched = _matched(cell, sites)
    identity = np.broadcast_to(np.eye(3, dtype=int), (len(translations), 3, 3))
    periodic = _average(cell, matched, identity, translations)
    return _averaged_in_primitive(periodic, _Cell(sites.matrix, matched, cell.numbers), basis)


def _averaged_in_primitive(periodic: _Cell, ideal: _Cell, basis: np.ndarray) -> _Cell | None:
    """Average over the whole group in the primitive cell `basis`; the result is again in the cell given."""
    small, reduction = _reduced(periodic.in_basis(basis))
    basis = reduction @ basis
    ideal = ideal.in_basis(basis)
    site_of, first = _unique_sites(ideal.positions, ideal.numbers)
    ideal_primitive = ideal.of(first)
    group = dataset_at(ideal_primitive.structure(), IDEAL_SYMPREC_ANGSTROM)
    if group is None or group.pointgroup in POLAR_POINT_GROUPS:
        return None
    averaged = _average(small.of(first), ideal_primitive.positions, group.rotations, group.translations)
    steps = np.round(ideal.positions - ideal_primitive.positions[site_of])
    expanded = _Cell(averaged.matrix, averaged.positions[site_of] + steps, small.numbers)
    return expanded.in_basis(np.linalg.inv(basis))


def _ideal_sites(dataset: Any, translations: np.ndarray, cell: _Cell) -> _Cell | None:
    """spglib's ideal crystal in the basis of the cell given, its lattice in a direction of its own.

    spglib: `x_std = P x + p`, with `P` the transformation matrix and `p` the origin shift. `None` if it has
    other atoms than the cell.
    """
    inverse = np.linalg.inv(dataset.transformation_matrix)
    in_cell = (dataset.std_positions - dataset.origin_shift) @ inverse.T
    positions = (in_cell[:, None, :] + translations[None, :, :]).reshape(-1, 3)
    numbers = np.repeat(dataset.std_types, len(translations))
    _, first = _unique_sites(positions, numbers)
    if sorted(numbers[first]) != sorted(cell.numbers):
        return None
    return _Cell(dataset.transformation_matrix.T @ dataset.std_lattice, positions[first], numbers[first])


def _matched(cell: _Cell, sites: _Cell) -> np.ndarray:
    """Ideal positions in the order of the atoms, each at the image nearest to its atom."""
    from scipy.optimize import linear_sum_assignment

    other_element = cell.numbers[:, None] != sites.numbers[None, :]
    drift = np.zeros(3)
    order: np.ndarray = np.arange(0)
    for _ in range(ASSIGNMENT_ROUNDS):
        steps = cell.positions[:, None, :] - drift - sites.positions[None, :, :]
        steps -= np.round(steps)
        squares = np.sum((steps @ cell.matrix) ** 2, axis=2)
        squares[other_element] = FORBIDDEN_SQUARED_DISTANCE
        before, order = order, linear_sum_assignment(squares)[1]
        if np.array_equal(before, order):
            break
        drift = drift + steps[np.arange(len(order)), order].mean(axis=0)
    steps = cell.positions - drift - sites.positions[order]
    return sites.positions[order] + np.round(steps)


def _average(cell: _Cell, ideal: np.ndarray, rotations: np.ndarray, translations: np.ndarray) -> _Cell:
    """Positions and metric averaged over operations `x' = R x + t` that map the ideal positions exactly.

    Args:
        cell: What is averaged.
        ideal: Where its atoms would be, fractional, in their order.
        rotations: Shape `(noperations, 3, 3)`, integers.
        translations: Shape `(noperations, 3)`.
    """
    metric = cell.matrix @ cell.matrix.T
    matrix = _strained_to(cell.matrix, np.mean([r.T @ metric @ r for r in rotations], axis=0))
    displacements = cell.positions - ideal
    other_element = cell.numbers[:, None] != cell.numbers[None, :]
    total = np.zeros_like(displacements)
    for rotation, translation in zip(rotations, translations, strict=True):
        images = ideal @ rotation.T + translation
        steps = images[:, None, :] - ideal[None, :, :]
        squares = np.sum((steps - np.round(steps)) ** 2, axis=2) + other_element
        total[squares.argmin(axis=1)] += displacements @ rotation.T
    return _Cell(matrix, ideal + total / len(rotations), cell.numbers)


def _strained_to(matrix: np.ndarray, metric: np.ndarray) -> np.ndarray:
    """Lattice vectors of a given metric, from `matrix` by a symmetric strain: no rotation."""
    inverse = np.linalg.inv(matrix)
    square = inverse @ metric @ inverse.T
    values, vectors = np.linalg.eigh((square + square.T) / 2)
    return matrix @ (vectors * np.sqrt(values)) @ vectors.T


def _primitive_basis(translations: np.ndarray) -> np.ndarray | None:
    """A basis, in rows, of the lattice that the translations and the unit vectors generate."""
    inside = translations - np.floor(translations + SAME_POSITION)
    vectors = np.vstack([inside[np.abs(inside).max(axis=1) > SAME_POSITION], np.eye(3)])
    triples = vectors[np.array(list(combinations(range(len(vectors)), 3)))]
    volumes = np.abs(np.linalg.det(triples)) * len(translations)
    best = int(np.abs(volumes - 1).argmin())
    return triples[best] if abs(volumes[best] - 1) < 0.01 else None


def _unique_sites(positions: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each position the number of its site modulo the lattice, and the first position of each site."""
    steps = positions[:, None, :] - positions[None, :, :]
    same = np.abs(steps - np.round(steps)).max(axis=2) < SAME_POSITION
    same &= numbers[:, None] == numbers[None, :]
    first, site_of = np.unique(same.argmax(axis=1), return_inverse=True)
    return site_of, first
