"""Which images does a Berry-phase path need so that its branch can be followed?

From one image to the next the polarization must change by clearly less than the quantum. Eight intervals do in
most crystals; where the estimated polarization says otherwise, more images are written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .branch import ambiguity, reduced_dipole
from .path import nonpolar_reference, polar_path

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..core.candidate import Candidate

LEAST_IMAGES = 8
MOST_IMAGES = 41
CLEAR_STEP = 0.25
"""Planned ambiguity of a step (`branch.ambiguity`), below the 1/3 up to which a finished path counts as followed: the
estimate has its error."""


def polarization_images(
    candidate: Candidate, polar: Structure, least: int
) -> tuple[list[Structure], list[str]]:
    """Crystals from the nonpolar reference to the polar one, and sentences on them.

    Args:
        candidate: Its ferroelectric verdict holds the reference; its polarization, if known, is the estimate.
        polar: The polar end.
        least: At least so many images.

    Returns:
        All images list the same atoms in the same order; none if the candidate has no reference.

    Raises:
        StructureError: the reference and the crystal do not correspond.
    """
    nonpolar = nonpolar_reference(candidate)
    if nonpolar is None:
        return [], []
    count = images_for(candidate.value("polarization_vector"), polar.lattice.matrix, least)
    remarks = []
    if count > least:
        remarks.append(
            f"The polarization path has {count} images and not {least}: the estimated polarization, "
            f"{candidate.value('polarization'):.0f} uC/cm^2, would change too much from image to image to tell its branch."
        )
    return polar_path(nonpolar, polar, count), remarks


def images_for(
    estimate: tuple[float, ...] | None, lattice: np.ndarray, least: int, most: int = MOST_IMAGES
) -> int:
    """Number of images at which a step along the path is clearly shorter than any other reading of it.

    Args:
        estimate: Expected polarization, Cartesian, uC/cm^2; `None` if nothing is known.
        lattice: Of the polar end, A, shape `(3, 3)`.
        least: At least so many.
        most: At most so many, whatever the estimate says.
    """
    if estimate is None:
        return least
    whole = reduced_dipole(np.array(estimate), lattice)
    for count in range(least, max(most, least)):
        if ambiguity(whole / (count - 1), lattice) <= CLEAR_STEP:
            return count
    return max(most, least)
