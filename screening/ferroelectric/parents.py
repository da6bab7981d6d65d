"""Which nonpolar crystals is a polar one a distortion of?

Two searches, and the union of what they find. The *ladder* raises the tolerance of the symmetry search step by
step, and each nonpolar group met on the way gives a parent (`symmetrise`): it sees all operations at once, but only
while spglib still recognises them. The *pseudosymmetry* search (`pseudosymmetry`) tries one operation at a time and
reaches parents from which atoms have moved by more than an angstrom. How often they are right is what the benchmark
`ferroelectric` measures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.cell import nearest_whole
from ...core.primitive import Primitive
from ...core.symmetry import dataset_at
from .group_frequency import log_frequency
from .overlap import overlap
from .pseudosymmetry import pseudosymmetric
from .symmetrise import symmetrise
from .symmetry import HIGHEST_POINT_GROUPS, POLAR_POINT_GROUPS, Symmetry

if TYPE_CHECKING:
    from pymatgen.core import Structure

PARENT_SYMPREC_ANGSTROM = 1e-3
"""The symmetrised parent must show its group at this tolerance."""
RUNG_RATIOS = ((0.1, 1.3), (0.5, 1.12), (np.inf, 1.04))
"""Below a tolerance (A), the factor to the next rung. LiNbO3 shows R-3c only between 1.09 and 1.2 A."""
FIRST_RUNG_RATIO = 1.2
"""First rung of the ladder over the tolerance of the crystal's own symmetry."""
LARGEST_DISPLACEMENT_ANGSTROM = 2.0
"""99% of the 170 DFT pairs of Smidt et al. (2020) that tell it move no atom further."""
LARGEST_STRAIN = 0.15
ANGSTROM_PER_DOUBLING = 0.06
ANGSTROM_PER_E_FOLD = 0.015
"""When parents are ranked, this much of the root mean square displacement is outweighed by twice as many symmetry
operations, and by a space group that is e times as frequent among known crystals. Of P4/mmm and Pm-3m, equally far from
a tetragonal perovskite, the latter is meant. Chosen on the 182 preferred and the other pairs of Smidt et al. (2020);
the benchmark `ferroelectric` shows what weights found on other formulas give."""
EXPANDED = 4
"""Of the parents that the first operation reaches, the best few are searched again for what lies beyond them."""
SAME_DISPLACEMENT_ANGSTROM = 0.01


@dataclass(frozen=True)
class Parent:
    """A nonpolar crystal, atom by atom matched with the polar one.

    Attributes:
        structure: Same order of atoms, setting and orientation as the polar crystal.
        symmetry: Its group, found again at `PARENT_SYMPREC_ANGSTROM`.
        displacements: Polar minus parent in the polar cell, Cartesian, A, shape `(nsites, 3)`; mean zero.
        strain: Largest principal strain of the parent's cell relative to the polar one, absolute.
        index: How many times as many operations as the polar crystal, lattice translations included.
        found_by: `ladder`, `pseudosymmetry` or both.
    """

    structure: Structure
    symmetry: Symmetry
    displacements: np.ndarray
    strain: float
    index: float
    found_by: tuple[str, ...]

    @property
    def distortion_max(self) -> float:
        """Largest displacement of an atom, A."""
        return float(np.linalg.norm(self.displacements, axis=1).max())

    @property
    def distortion_rms(self) -> float:
        """Root mean square displacement of the atoms, A."""
        return float(np.sqrt(np.mean(np.sum(self.displacements**2, axis=1))))

    @property
    def rank(self) -> float:
        """A; parents are ranked by it, the least first: the displacement, less for symmetry and for a frequent group."""
        symmetry = ANGSTROM_PER_DOUBLING * float(np.log2(self.index))
        frequency = ANGSTROM_PER_E_FOLD * log_frequency(self.symmetry.spacegroup_number)
        return self.distortion_rms - symmetry - frequency

    def record(self) -> dict[str, Any]:
        """As JSON, without the structure."""
        return {
            "spacegroup_number": self.symmetry.spacegroup_number,
            "symbol": self.symmetry.symbol,
            "point_group": self.symmetry.point_group,
            "distortion_max": self.distortion_max,
            "strain": self.strain,
            "index": self.index,
            "found_by": list(self.found_by),
        }


def find_parents(structure: Structure, symprec: float, limit: int = 5) -> list[Parent]:
    """Nonpolar parents of different space groups, ranked by displacement and symmetry (`Parent.rank`).

    Args:
        structure: Ordered and polar.
        symprec: Tolerance at which it is polar, A.
        limit: At most so many.

    Returns:
        The first is the reference of polarization and path; empty if none is found.
    """
    return sorted(all_parents(structure, symprec), key=lambda parent: parent.rank)[:limit]


def all_parents(structure: Structure, symprec: float) -> list[Parent]:
    """Of each space group the parent with the smallest displacement, unranked; arguments as `find_parents`."""
    whole = Primitive.of(structure, symprec)
    if whole is None:
        return []
    found: dict[int, Parent] = {}
    for ideal, search in _ideals(whole.small, symprec):
        _keep_nearest(found, _parent(whole.small, ideal, whole.operations, search))
    for step in sorted(found.values(), key=lambda parent: parent.rank)[:EXPANDED]:
        for ideal in pseudosymmetric(step.structure, PARENT_SYMPREC_ANGSTROM):
            _keep_nearest(found, _parent(whole.small, ideal, whole.operations, "pseudosymmetry"))
    return [_expanded(parent, whole) for parent in found.values()]


def _ideals(structure: Structure, symprec: float) -> Iterator[tuple[Structure, str]]:
    """Nonpolar crystals near a primitive polar one, and which search found them."""
    for ideal in ladder(structure, FIRST_RUNG_RATIO * symprec):
        yield ideal, "ladder"
    for ideal in pseudosymmetric(structure, symprec):
        yield ideal, "pseudosymmetry"


def ladder(structure: Structure, first: float) -> Iterator[Structure]:
    """What nonpolar symmetry a crystal shows at rising tolerances, each group once.

    Args:
        structure: Ordered and polar.
        first: Lowest tolerance, A.
    """
    # spglib starts from the first of the rarest elements; a heavy atom has moved least (LiNbO3: Nb, not Li).
    order = np.argsort([-z for z in structure.atomic_numbers], kind="stable")
    heavy_first = structure.from_sites([structure[i] for i in order])
    met: set[int] = set()
    for symprec in tolerance_ladder(first):
        dataset = dataset_at(heavy_first, symprec)
        if dataset is None or dataset.pointgroup in POLAR_POINT_GROUPS or dataset.number in met:
            continue
        ideal = symmetrise(heavy_first, symprec)
        if ideal is None:
            continue
        met.add(dataset.number)
        yield ideal.from_sites([ideal[i] for i in np.argsort(order)])
        if dataset.pointgroup in HIGHEST_POINT_GROUPS:
            return


def tolerance_ladder(first: float = 0.012, last: float = 1.7) -> list[float]:
    """Tolerances from `first` to `last`, A, ascending; the steps narrow where a group shows itself only briefly."""
    rungs = [first]
    while True:
        ratio = next(ratio for below, ratio in RUNG_RATIOS if rungs[-1] < below)
        if rungs[-1] * ratio > last:
            return rungs
        rungs.append(rungs[-1] * ratio)


def _parent(polar: Structure, ideal: Structure, own_operations: int, search: str) -> Parent | None:
    """`None` if the ideal crystal is polar after all, strained or displaced too far, or its atoms overlap."""
    from pymatgen.core import Structure

    dataset = dataset_at(ideal, PARENT_SYMPREC_ANGSTROM)
    strain = _largest_strain(polar, ideal)
    if dataset is None or dataset.pointgroup in POLAR_POINT_GROUPS or strain > LARGEST_STRAIN:
        return None
    steps = polar.frac_coords - ideal.frac_coords
    steps -= nearest_whole(steps - steps.mean(axis=0))
    steps -= steps.mean(axis=0)
    placed = Structure(ideal.lattice, [site.specie for site in polar], polar.frac_coords - steps)
    symmetry = Symmetry(
        int(dataset.number), dataset.international, dataset.pointgroup, PARENT_SYMPREC_ANGSTROM
    )
    index = len(dataset.rotations) / own_operations
    parent = Parent(placed, symmetry, steps @ polar.lattice.matrix, strain, index, (search,))
    too_far = parent.distortion_max > LARGEST_DISPLACEMENT_ANGSTROM
    return None if too_far or overlap(placed) else parent


def _expanded(parent: Parent, whole: Primitive) -> Parent:
    """A parent of the primitive cell as one of the whole crystal."""
    structure, displacements = whole.expanded(parent.structure)
    return replace(parent, structure=structure, displacements=displacements)


def _keep_nearest(found: dict[int, Parent], parent: Parent | None) -> None:
    """Into `found`, by space group, unless a nearer one is there."""
    if parent is not None:
        number = parent.symmetry.spacegroup_number
        found[number] = _nearer(found[number], parent) if number in found else parent


def _nearer(one: Parent, other: Parent) -> Parent:
    """The one with the smaller displacement, of equal ones the less strained; found by both searches if they are equal."""
    near, far = sorted((one, other), key=lambda parent: parent.distortion_rms)
    if far.distortion_rms - near.distortion_rms > SAME_DISPLACEMENT_ANGSTROM:
        return near
    least = min(one, other, key=lambda parent: (round(parent.strain, 4), parent.distortion_rms))
    return replace(least, found_by=tuple(dict.fromkeys((*one.found_by, *other.found_by))))


def _largest_strain(structure: Structure, ideal: Structure) -> float:
    """Absolute, from the polar cell to the parent's; the deformation is symmetric by construction."""
    deformation = np.linalg.solve(structure.lattice.matrix, ideal.lattice.matrix)
    return float(np.abs(np.linalg.eigvalsh((deformation + deformation.T) / 2) - 1).max())
