"""How stiff is a crystal, atoms and cell together, before any potential was asked?

The springs of `core.springs` feel the displacements of their ends and the strain of the cell, so the elastic
constants and their coupling to the atoms come with them. A small constant on every coordinate stands for the
rest.
"""

from __future__ import annotations

import numpy as np

from ...core.springs import ATOM_STIFFNESS, CUTOFF_ANGSTROM, between_atoms, springs
from ..cell import Cell

CELL_STIFFNESS = 0.06  # eV/A^3 (10 GPa), on every strain (fitted: 0.0605)


def strain_scale(cell: Cell) -> float:
    """A; a strain times this is about as stiff as the displacement of an atom. Grows as the root of volume."""
    return float(np.sqrt(CELL_STIFFNESS * cell.volume / ATOM_STIFFNESS))


def model_hessian(cell: Cell, strains: np.ndarray) -> np.ndarray:
    """Estimated second derivatives of the energy.

    Args:
        cell: The crystal.
        strains: Projector on the strains that are allowed, rows flattened, shape `(9, 9)`.

    Returns:
        eV/A^2, shape `(3 * nsites + 9,) * 2`, positive definite; the last nine coordinates are the strain
        times `strain_scale`, and displacements come before it. A translation feels `ATOM_STIFFNESS` alone.
    """
    from ..chgnet.graph import find_bonds

    bonds = find_bonds(cell, CUTOFF_ANGSTROM)
    vectors = bonds.vectors(cell)
    stiffness = springs(cell.numbers[bonds.first], cell.numbers[bonds.second], vectors)
    size = 3 * len(cell.numbers)
    hessian = np.zeros((size + 9, size + 9))
    hessian[:size, :size] = between_atoms(bonds.first, bonds.second, stiffness, len(cell.numbers))
    vectors = vectors / strain_scale(cell)
    pulls = np.einsum("bac,bi->baic", stiffness, vectors).reshape(-1, 3, 9)
    coupling = np.zeros((len(cell.numbers), 3, 9))
    np.add.at(coupling, bonds.second, pulls)
    np.subtract.at(coupling, bonds.first, pulls)
    hessian[:size, size:] = coupling.reshape(size, 9) @ strains
    hessian[size:, :size] = hessian[:size, size:].T
    elastic = np.einsum("bi,bajc->iajc", vectors, pulls.reshape(-1, 3, 3, 3)).reshape(9, 9)
    hessian[size:, size:] = strains.T @ elastic @ strains
    return hessian + ATOM_STIFFNESS * np.eye(size + 9)
