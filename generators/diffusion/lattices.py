"""How is a lattice said in six numbers that noise may move freely?

Rows of a cell are `frame @ stretch`: a fixed frame that has the lattice's symmetry (a cube for everything orthogonal, the
hexagonal prism, both divided as the centring asks) and a symmetric stretch. Six coefficients say the stretch's logarithm: the
first is the volume of an atom, the others the shape. Any six numbers make a cell, and those that a space group allows are a
linear subspace of them, so that noise and network can be projected onto it.

Source: Jiao et al., arXiv:2402.03992, section 4.2 (the logarithm of the metric and its subspaces).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

_R2, _R3, _R6 = math.sqrt(2), math.sqrt(3), math.sqrt(6)
BASIS = np.array(
    [
        [[1 / _R3, 0, 0], [0, 1 / _R3, 0], [0, 0, 1 / _R3]],
        [[1 / _R2, 0, 0], [0, -1 / _R2, 0], [0, 0, 0]],
        [[-1 / _R6, 0, 0], [0, -1 / _R6, 0], [0, 0, 2 / _R6]],
        [[0, 0, 0], [0, 0, 1 / _R2], [0, 1 / _R2, 0]],
        [[0, 0, 1 / _R2], [0, 0, 0], [1 / _R2, 0, 0]],
        [[0, 1 / _R2, 0], [1 / _R2, 0, 0], [0, 0, 0]],
    ]
)
"""Orthonormal symmetric matrices, shape `(6, 3, 3)`; the first one is the volume."""
_BASIS = torch.tensor(BASIS)
HEXAGONAL = np.array([[1, 0, 0], [-1 / 2, _R3 / 2, 0], [0, 0, 1]])
"""Rows: the frame of trigonal and hexagonal cells."""


def coefficients_of(vectors: np.ndarray, frame: np.ndarray, natoms: int) -> np.ndarray:
    """The six numbers of a cell.

    Args:
        vectors: Lattice vectors as rows, A, shape `(3, 3)`.
        frame: Rows of the frame, shape `(3, 3)`.
        natoms: In the cell.

    Returns:
        Shape `(6,)`: the logarithm of the volume of an atom in A^3, then five coefficients of the shape.
    """
    relative = np.linalg.solve(frame, vectors)
    values, axes = np.linalg.eigh(relative @ relative.T)
    logarithm = (axes * (0.5 * np.log(values))) @ axes.T
    found = np.einsum("kij,ij->k", BASIS, logarithm)
    found[0] = math.log(abs(float(np.linalg.det(vectors))) / natoms)
    return found


def cells_of(coefficients: Tensor, frames: Tensor, natoms: Tensor) -> Tensor:
    """Lattice vectors of such numbers.

    Args:
        coefficients: Shape `(ncells, 6)`.
        frames: Shape `(ncells, 3, 3)`.
        natoms: Shape `(ncells,)`.

    Returns:
        Rows are vectors, A, shape `(ncells, 3, 3)`.
    """
    volume = coefficients[:, 0] + natoms.log() - torch.linalg.det(frames).abs().log()
    scaled = torch.cat([(volume / _R3)[:, None], coefficients[:, 1:]], dim=1)
    logarithm = torch.einsum("bk,kij->bij", scaled, _BASIS.to(scaled))
    return frames @ torch.matrix_exp(logarithm)


def allowed(rotations: np.ndarray, conventional_frame: np.ndarray) -> np.ndarray:
    """The projector onto the coefficients that a point group leaves free.

    Args:
        rotations: In conventional fractional coordinates, acting on columns, shape `(noperations, 3, 3)`.
        conventional_frame: Rows of the frame of the conventional cell, shape `(3, 3)`.

    Returns:
        Symmetric, shape `(6, 6)`.
    """
    turned = conventional_frame.T @ rotations @ np.linalg.inv(conventional_frame.T)
    images = np.einsum("gij,kjl,gml->gkim", turned, BASIS, turned).mean(axis=0)
    return np.einsum("kim,lim->lk", images, BASIS)
