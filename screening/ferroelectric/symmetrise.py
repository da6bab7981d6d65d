"""What would a crystal be if the symmetry it almost has were exact?

At a wide tolerance spglib says which ideal crystal it sees in the distorted one. Its sites are laid into
the cell, every atom is assigned to one of them, and atoms and cell are then averaged over the ideal
crystal's operations: first over the lattice points inside the cell (a cell that holds several of them
admits only some of the operations), then over the whole group in the primitive cell. So the result has
the atoms of the input in their order, in its setting and orientation, with nothing left to match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.cell import Cell, primitive_basis, reduced, strained_to, unique_sites
from ...core.symmetry import dataset_at
from .symmetry import POLAR_POINT_GROUPS

if TYPE_CHECKING:
    from pymatgen.core import Structure

IDEAL_SYMPREC_ANGSTROM = 1e-3
"""Tolerance at which the ideal crystal's operations are read; it is exact but for rounding."""
FORBIDDEN_SQUARED_DISTANCE = 1e6
"""A^2, between an atom and a site of another element."""
ASSIGNMENT_ROUNDS = 3
"""Assignment and removal of the common drift are repeated so often at most; mostly the second changes nothing."""


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
    cell = Cell.of_structure(structure)
    short, basis = reduced(cell)
    averaged = _averaged(short, symprec)
    if averaged is None:
        return None
    result = averaged.in_basis(np.linalg.inv(basis))
    drift = (cell.positions - result.positions).mean(axis=0)
    return Cell(result.matrix, result.positions + drift, cell.numbers).structure()


def _averaged(cell: Cell, symprec: float) -> Cell | None:
    dataset = dataset_at(cell.structure(), symprec)
    if dataset is None or dataset.pointgroup in POLAR_POINT_GROUPS:
        return None
    translations = dataset.translations[np.all(dataset.rotations == np.eye(3, dtype=int), axis=(1, 2))]
    sites = _ideal_sites(dataset, translations, cell)
    basis = primitive_basis(translations)
    if sites is None or basis is None:
        return None
    matched = _matched(cell, sites)
    identity = np.broadcast_to(np.eye(3, dtype=int), (len(translations), 3, 3))
    periodic = _average(cell, matched, identity, translations)
    return _averaged_in_primitive(periodic, Cell(sites.matrix, matched, cell.numbers), basis)


def _averaged_in_primitive(periodic: Cell, ideal: Cell, basis: np.ndarray) -> Cell | None:
    """Average over the whole group in the primitive cell `basis`; the result is again in the cell given."""
    small, reduction = reduced(periodic.in_basis(basis))
    basis = reduction @ basis
    ideal = ideal.in_basis(basis)
    site_of, first = unique_sites(ideal.positions, ideal.numbers)
    ideal_primitive = ideal.of(first)
    group = dataset_at(ideal_primitive.structure(), IDEAL_SYMPREC_ANGSTROM)
    if group is None or group.pointgroup in POLAR_POINT_GROUPS:
        return None
    averaged = _average(small.of(first), ideal_primitive.positions, group.rotations, group.translations)
    steps = np.round(ideal.positions - ideal_primitive.positions[site_of])
    expanded = Cell(averaged.matrix, averaged.positions[site_of] + steps, small.numbers)
    return expanded.in_basis(np.linalg.inv(basis))


def _ideal_sites(dataset: Any, translations: np.ndarray, cell: Cell) -> Cell | None:
    """spglib's ideal crystal in the basis of the cell given, its lattice in a direction of its own.

    spglib: `x_std = P x + p`, with `P` the transformation matrix and `p` the origin shift. `None` if it has
    other atoms than the cell.
    """
    inverse = np.linalg.inv(dataset.transformation_matrix)
    in_cell = (dataset.std_positions - dataset.origin_shift) @ inverse.T
    positions = (in_cell[:, None, :] + translations[None, :, :]).reshape(-1, 3)
    numbers = np.repeat(dataset.std_types, len(translations))
    _, first = unique_sites(positions, numbers)
    if sorted(numbers[first]) != sorted(cell.numbers):
        return None
    return Cell(dataset.transformation_matrix.T @ dataset.std_lattice, positions[first], numbers[first])


def _matched(cell: Cell, sites: Cell) -> np.ndarray:
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


def _average(cell: Cell, ideal: np.ndarray, rotations: np.ndarray, translations: np.ndarray) -> Cell:
    """Positions and metric averaged over operations `x' = R x + t` that map the ideal positions exactly.

    Args:
        cell: What is averaged.
        ideal: Where its atoms would be, fractional, in their order.
        rotations: Shape `(noperations, 3, 3)`, integers.
        translations: Shape `(noperations, 3)`.
    """
    metric = cell.matrix @ cell.matrix.T
    matrix = strained_to(cell.matrix, np.mean([r.T @ metric @ r for r in rotations], axis=0))
    displacements = cell.positions - ideal
    other_element = cell.numbers[:, None] != cell.numbers[None, :]
    total = np.zeros_like(displacements)
    for rotation, translation in zip(rotations, translations, strict=True):
        images = ideal @ rotation.T + translation
        steps = images[:, None, :] - ideal[None, :, :]
        squares = np.sum((steps - np.round(steps)) ** 2, axis=2) + other_element
        total[squares.argmin(axis=1)] += displacements @ rotation.T
    return Cell(matrix, ideal + total / len(rotations), cell.numbers)
