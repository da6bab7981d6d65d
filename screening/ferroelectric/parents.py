"""Which nonpolar crystal is a polar one a distortion of?

The tolerance of the symmetry search is raised step by step, from just above that at which the crystal is
polar; each nonpolar group met on the way gives a parent (`symmetrise`). The ladder reaches a parent only
while spglib still recognises it: it finds Pm-3m from P4mm and R3m perovskites, R-3c from LiNbO3, Fm-3m from
Pca2_1 HfO2 and from GeTe, but not P6_3/mmc from wurtzite (ZnO, AlN). How often it is right is what the
benchmark `ferroelectric-parents` measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .symmetrise import symmetrise
from .symmetry import POLAR_POINT_GROUPS, Symmetry, dataset_at

if TYPE_CHECKING:
    from pymatgen.core import Structure

PARENT_SYMPREC_ANGSTROM = 1e-3
"""The symmetrised parent must show its group at this tolerance."""
RUNG_RATIOS = ((0.1, 1.3), (0.5, 1.12), (np.inf, 1.04))
"""Below a tolerance (A), the factor to the next rung. LiNbO3 shows R-3c only between 1.09 and 1.2 A."""
HIGHEST_POINT_GROUPS = frozenset({"m-3m", "6/mmm"})
"""No crystallographic point group stands above these: the ladder ends there."""


@dataclass(frozen=True)
class Parent:
    """A nonpolar crystal, atom by atom matched with the polar one.

    Attributes:
        structure: Same order of atoms, setting and orientation as the polar crystal.
        symmetry: Its group, found again at `PARENT_SYMPREC_ANGSTROM`.
        displacements: Polar minus parent in the polar cell, Cartesian, A, shape `(nsites, 3)`; mean zero.
        symprec: Tolerance at which the ladder met it, A.
        strain: Largest principal strain of the parent's cell relative to the polar one, absolute.
    """

    structure: Structure
    symmetry: Symmetry
    displacements: np.ndarray
    symprec: float
    strain: float

    @property
    def distortion_max(self) -> float:
        """Largest displacement of an atom, A."""
        return float(np.linalg.norm(self.displacements, axis=1).max())

    def record(self) -> dict[str, Any]:
        """As JSON, without the structure."""
        return {
            "spacegroup_number": self.symmetry.spacegroup_number,
            "symbol": self.symmetry.symbol,
            "distortion_max": self.distortion_max,
            "symprec": self.symprec,
            "strain": self.strain,
        }


def tolerance_ladder(first: float = 0.012, last: float = 1.7) -> list[float]:
    """Tolerances from `first` to `last`, A, ascending; the steps narrow where a group shows itself only briefly."""
    rungs = [first]
    while True:
        ratio = next(ratio for below, ratio in RUNG_RATIOS if rungs[-1] < below)
        if rungs[-1] * ratio > last:
            return rungs
        rungs.append(rungs[-1] * ratio)


def find_parents(structure: Structure, tolerances: Sequence[float], limit: int = 5) -> list[Parent]:
    """Nonpolar parents in the order in which the ladder meets them, so the least distorted mostly first.

    Args:
        structure: Ordered and polar.
        tolerances: Rungs of the ladder, A, ascending.
        limit: Stop after so many different parents.

    Returns:
        Parents of different space groups; empty if the ladder reaches none.
    """
    # spglib starts from the first of the rarest elements; a heavy atom has moved least (LiNbO3: Nb, not Li).
    order = np.argsort([-z for z in structure.atomic_numbers], kind="stable")
    heavy_first = structure.from_sites([structure[i] for i in order])
    parents: list[Parent] = []
    met: set[int] = set()
    for symprec in tolerances:
        dataset = dataset_at(heavy_first, symprec)
        if dataset is None or dataset.pointgroup in POLAR_POINT_GROUPS or dataset.number in met:
            continue
        ideal = symmetrise(heavy_first, symprec)
        parent = None if ideal is None else _parent(structure, _reordered(ideal, order), symprec)
        if parent is None:
            continue
        met |= {int(dataset.number), parent.symmetry.spacegroup_number}
        parents.append(parent)
        if len(parents) == limit or parent.symmetry.point_group in HIGHEST_POINT_GROUPS:
            break
    return parents


def _reordered(ideal: Structure, order: np.ndarray) -> Structure:
    return ideal.from_sites([ideal[i] for i in np.argsort(order)])


def _parent(structure: Structure, ideal: Structure, symprec: float) -> Parent | None:
    dataset = dataset_at(ideal, PARENT_SYMPREC_ANGSTROM)
    if dataset is None or dataset.pointgroup in POLAR_POINT_GROUPS:
        return None
    symmetry = Symmetry(
        int(dataset.number), dataset.international, dataset.pointgroup, PARENT_SYMPREC_ANGSTROM
    )
    displacements = (structure.frac_coords - ideal.frac_coords) @ structure.lattice.matrix
    return Parent(ideal, symmetry, displacements, symprec, _largest_strain(structure, ideal))


def _largest_strain(structure: Structure, ideal: Structure) -> float:
    """Absolute, from the polar cell to the parent's; the deformation is symmetric by construction."""
    deformation = np.linalg.solve(structure.lattice.matrix, ideal.lattice.matrix)
    return float(np.abs(np.linalg.eigvalsh((deformation + deformation.T) / 2) - 1).max())
