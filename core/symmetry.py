"""What does spglib find, and which space groups allow a crystal to be polar?"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pymatgen.core import Structure

POLAR_SPACE_GROUPS: dict[str, range] = {
    "1": range(1, 2),
    "2": range(3, 6),
    "m": range(6, 10),
    "mm2": range(25, 47),
    "4": range(75, 81),
    "4mm": range(99, 111),
    "3": range(143, 147),
    "3m": range(156, 162),
    "6": range(168, 174),
    "6mm": range(183, 187),
}
"""Numbers of the space groups of each polar point group; International Tables A."""


def polar_point_group(spacegroup_number: int | None) -> str | None:
    """Hermann-Mauguin symbol of the point group if it is polar, else `None`."""
    return next((group for group, span in POLAR_SPACE_GROUPS.items() if spacegroup_number in span), None)


def is_polar(spacegroup_number: int | None) -> bool:
    """Whether a space group belongs to one of the ten polar point groups; an unknown one does not."""
    return polar_point_group(spacegroup_number) is not None


def dataset_at(structure: Structure, symprec: float) -> Any:
    """spglib's dataset of a crystal, or `None` if spglib gives up at this tolerance (A)."""
    import spglib

    os.environ.setdefault("SPGLIB_WARNING", "OFF")  # a rung that fails is no news; spglib writes it to stderr
    numbers = [site.specie.Z for site in structure]
    cell: Any = (structure.lattice.matrix, structure.frac_coords, numbers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return spglib.get_symmetry_dataset(cell, symprec=symprec)
        except spglib.SpglibError:
            return None
