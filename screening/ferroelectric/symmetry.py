"""Does the symmetry of a crystal allow a spontaneous polarization?

Only ten of the 32 point groups have a direction that no operation reverses. Source: International
Tables for Crystallography A (2016), section 3.2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...core.errors import StructureError
from ...core.identity import require_ordered
from ...core.symmetry import dataset_at

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
