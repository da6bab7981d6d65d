"""How far do atoms move when a crystal relaxes?

Atoms keep their order, so nothing has to be matched. What a rigid motion does is taken out: the rotation of the cell (by polar
decomposition of the map between the cells), and the common translation. What is left of each atom's motion is its change of
fractional coordinates, in A in the mean of the cell before and the unrotated cell after; of its periodic images the nearest
counts. So the strain of the cell itself is not a displacement; it is told as the change of volume.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pymatgen.core import Structure

IMAGES = np.array([[i, j, k] for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)])


def root_mean_square_displacement(before: Structure, after: Structure) -> float:
    """A; zero for a crystal that was shifted, turned, or strained without moving its atoms in the cell.

    Args:
        before, after: The same atoms in the same order, in cells whose vectors correspond.

    Raises:
        ValueError: they are not.
    """
    if [s.specie for s in before] != [s.specie for s in after]:
        raise ValueError("The atoms before and after are not the same ones in the same order.")
    cell = mean_cell(before.lattice.matrix, after.lattice.matrix)
    moved = np.asarray(after.frac_coords) - np.asarray(before.frac_coords)
    return min(_spread(moved - moved[i], cell) for i in range(len(moved)))


def volume_change(before: Structure, after: Structure) -> float:
    """Volume after over volume before, less one."""
    return after.volume / before.volume - 1


def mean_cell(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The mean of a cell and of another one turned back onto it; vectors are rows, A, shape `(3, 3)`."""
    left, stretches, _ = np.linalg.svd(np.linalg.solve(before, after))
    stretch = (
        left @ np.diag(stretches) @ left.T
    )  # the map is (left S left^T)(left right): a stretch, then a rotation
    return (before + before @ stretch) / 2


def _spread(moved: np.ndarray, cell: np.ndarray) -> float:
    """Root mean square about the mean, of the nearest images.

    Args:
        moved: Fractional displacements, near zero but for lattice vectors, shape `(natoms, 3)`.
        cell: A.
    """
    nearest = _nearest_images(moved, cell)
    about = _nearest_images((nearest - nearest.mean(axis=0)) @ np.linalg.inv(cell), cell)
    return float(np.sqrt((about**2).sum(axis=1).mean()))


def _nearest_images(fractional: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """The shortest of all periodic images of each vector, A, shape `(n, 3)`."""
    from pymatgen.core import Lattice

    reduced = Lattice(cell).get_lll_reduced_lattice().matrix
    inside = fractional @ cell @ np.linalg.inv(reduced)
    inside -= np.round(inside)
    images = (inside[:, None] + IMAGES) @ reduced
    chosen = (images**2).sum(axis=-1).argmin(axis=1)
    return images[np.arange(len(images)), chosen]
