"""The way from a nonpolar parent to the polar crystal, image by image.

The polarization of a crystal is known only modulo a quantum. Followed along these images from the
nonpolar end, where it is zero (or half a quantum), it stays on one branch.

Source: Resta and Vanderbilt (2007), doi:10.1007/978-3-540-34591-6_2; the choice of eight intervals is
that of Smidt et al., Sci. Data 7, 72 (2020), doi:10.1038/s41597-020-0407-9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import StructureError
from ..core.foreign import structure_from_dict
from .crystal import plain

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..core.candidate import Candidate

IMAGES = 9
LARGEST_STRETCH = 1.5
"""Two settings of one lattice that differ more along any direction were not matched to each other."""
LARGEST_DISPLACEMENT_ANGSTROM = 3.0


def nonpolar_reference(candidate: Candidate) -> Structure | None:
    """The nonpolar parent that the ferroelectric screen matched to the candidate, if there is one.

    Raises:
        StructureError: the verdict holds something that is no crystal.
    """
    verdict = candidate.verdict("ferroelectric")
    reference = (verdict.details if verdict else {}).get("reference")
    record = reference.get("structure") if isinstance(reference, dict) else None
    if record is None:
        return None

    try:
        return plain(structure_from_dict(record))
    except StructureError:
        raise
    except Exception as error:
        raise StructureError(
            f"The nonpolar reference of {candidate.candidate_id} cannot be read as a structure: {error!r}."
        ) from None


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
    _require_same_atoms(nonpolar, polar)
    first_lattice = _turned_lattice(nonpolar, polar)
    moves = _shortest_moves(nonpolar, polar)
    return [_image(nonpolar, polar, first_lattice, moves, x) for x in np.linspace(0, 1, images)]


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
