"""The way from a nonpolar parent to the polar crystal, image by image.

The polarization of a crystal is known only modulo a quantum. Followed along these images from the
nonpolar end, where it is zero (or half a quantum), it stays on one branch. The energies along them bound
the barrier of switching from above.

Source: Resta and Vanderbilt (2007), doi:10.1007/978-3-540-34591-6_2; the choice of eight intervals is
that of Smidt et al., Sci. Data 7, 72 (2020), doi:10.1038/s41597-020-0407-9.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .errors import StructureError

if TYPE_CHECKING:
    from pymatgen.core import Structure

IMAGES = 9
LARGEST_STRETCH = 1.5
"""Two settings of one lattice that differ more along any direction were not matched to each other."""
LARGEST_DISPLACEMENT_ANGSTROM = 3.0


def polar_path(nonpolar: Structure, polar: Structure, images: int = IMAGES) -> list[Structure]:
    """Crystals on the straight way between two ends, cell and positions together.

    Args:
        nonpolar: The parent; same atoms in the same order and lattice setting as `polar`.
        polar: The polar crystal.
        images: Number of crystals, both ends counted.

    Returns:
        First the parent (turned as a whole so that the cell is strained but not rotated along the
        way), last the polar crystal, every atom on its shortest way.

    Raises:
        StructureError: the ends do not correspond, or fewer than 2 images are asked for.
    """
    if images < 2:
        raise StructureError(f"A path of {images} images was asked for; it has at least its 2 ends.")
    return images_at(nonpolar, polar, np.linspace(0, 1, images).tolist())


def images_at(nonpolar: Structure, polar: Structure, fractions: Sequence[float]) -> list[Structure]:
    """Crystals at chosen places of the same way, from 0 at the parent to 1 at the polar crystal.

    Raises:
        StructureError: the ends do not correspond.
    """
    _require_same_atoms(nonpolar, polar)
    first_lattice = _turned_lattice(nonpolar, polar)
    moves = _shortest_moves(nonpolar, polar)
    return [_image(nonpolar, polar, first_lattice, moves, x) for x in fractions]


def displacements_between(nonpolar: Structure, polar: Structure) -> np.ndarray:
    """Polar minus nonpolar in the polar cell, each atom to its nearest image, without the common drift.

    Returns:
        Cartesian, A, shape `(nsites, 3)`; mean zero.

    Raises:
        StructureError: the ends do not correspond.
    """
    _require_same_atoms(nonpolar, polar)
    moves = _shortest_moves(nonpolar, polar) @ polar.lattice.matrix
    return moves - moves.mean(axis=0)


def _require_same_atoms(nonpolar: Structure, polar: Structure) -> None:
    before = [site.specie.symbol for site in nonpolar]
    after = [site.specie.symbol for site in polar]
    if before != after:
        raise StructureError(
            f"The nonpolar reference ({nonpolar.composition.formula}) and the polar crystal "
            f"({polar.composition.formula}) do not list the same atoms in the same order."
        )


def _turned_lattice(nonpolar: Structure, polar: Structure) -> np.ndarray:
    """The parent's lattice, A, shape `(3, 3)`, without rotation against the polar one."""
    from scipy.linalg import polar as polar_decomposition

    deformation = np.linalg.solve(nonpolar.lattice.matrix, polar.lattice.matrix)
    rotation, stretch = polar_decomposition(deformation)
    stretches = np.linalg.eigvalsh(stretch)
    mirrored = np.linalg.det(deformation) < 0
    if mirrored or stretches.max() > LARGEST_STRETCH or stretches.min() < 1 / LARGEST_STRETCH:
        shown = ", ".join(f"{s:.2f}" for s in stretches)
        raise StructureError(
            f"The lattice of the nonpolar reference was not matched to the polar one: it would have to be "
            f"stretched {shown}-fold{' and mirrored' if mirrored else ''} (at most {LARGEST_STRETCH})."
        )
    return nonpolar.lattice.matrix @ rotation


def _shortest_moves(nonpolar: Structure, polar: Structure) -> np.ndarray:
    """Fractional displacement of each atom to its nearest image at the polar end, shape `(nsites, 3)`."""
    moves = np.empty((len(polar), 3))
    for i, (start, end) in enumerate(zip(nonpolar.frac_coords, polar.frac_coords, strict=True)):
        distance, image = polar.lattice.get_distance_and_image(start, end)
        if distance > LARGEST_DISPLACEMENT_ANGSTROM:
            raise StructureError(
                f"{polar[i].specie.symbol} (site {i}) would move by {distance:.2f} A between the nonpolar reference "
                f"and the polar crystal (at most {LARGEST_DISPLACEMENT_ANGSTROM} A): their atoms were not matched."
            )
        moves[i] = end + image - start
    return moves


def _image(
    nonpolar: Structure, polar: Structure, first: np.ndarray, moves: np.ndarray, x: float
) -> Structure:
    from pymatgen.core import Structure

    matrix = (1 - x) * first + x * polar.lattice.matrix
    return Structure(matrix, [site.specie for site in polar], nonpolar.frac_coords + x * moves)
