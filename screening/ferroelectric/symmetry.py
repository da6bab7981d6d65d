"""Does the symmetry of a crystal allow a spontaneous polarization?

Only ten of the 32 point groups have a direction that no operation reverses. Source: International
Tables for Crystallography A (2016), section 3.2.2.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...core.errors import StructureError
from ...core.identity import require_ordered

if TYPE_CHECKING:
    from pymatgen.core import Structure

POLAR_POINT_GROUPS = frozenset({"1", "2", "m", "mm2", "4", "4mm", "3", "3m", "6", "6mm"})
HIGHEST_POINT_GROUPS = frozenset({"m-3m", "6/mmm"})
"""No crystallographic point group stands above these."""


@dataclass(frozen=True)
class Symmetry:
    """The space group found at one tolerance.

    Attributes:
        spacegroup_number: International number.
        symbol: Hermann-Mauguin, short: `P4mm`.
        point_group: `4mm`.
        symprec: Tolerance it was found at, A.
    """

    spacegroup_number: int
    symbol: str
    point_group: str
    symprec: float

    @property
    def polar(self) -> bool:
        """Whether the point group is one of the ten polar ones."""
        return self.point_group in POLAR_POINT_GROUPS

    def __str__(self) -> str:
        return f"{self.symbol} ({self.spacegroup_number})"

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "spacegroup_number": self.spacegroup_number,
            "symbol": self.symbol,
            "point_group": self.point_group,
            "polar": self.polar,
            "symprec": self.symprec,
        }


def find_symmetry(structure: Structure, symprec: float) -> Symmetry:
    """The symmetry of an ordered crystal.

    Args:
        structure: Ordered, at least one site.
        symprec: Tolerance, A.

    Raises:
        StructureError: disordered, empty, or spglib finds no group (overlapping atoms).
    """
    require_ordered(structure)
    dataset = dataset_at(structure, symprec)
    if dataset is None:
        raise StructureError(
            f"spglib finds no space group of {structure.composition.reduced_formula} at symprec {symprec:g} A; "
            "two atoms may overlap."
        )
    return Symmetry(int(dataset.number), dataset.international, dataset.pointgroup, symprec)


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
