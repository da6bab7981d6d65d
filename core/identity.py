"""When are two crystals the same one, and what is it called?

Two crystals can only be the same if they share a bucket: reduced formula, space group, and the Wyckoff
sequence made canonical under the Euclidean normaliser of the group (an origin shift by half a cell
swaps letters in SrTiO3, TiO2 and NaCl). Inside a bucket pymatgen's `StructureMatcher` decides, at the
tolerances named below; no rounded cell enters that decision.

A crystal that matches none of its bucket gets a name of its own: a digest of the bucket and of its average minimum
distances (a continuous invariant of a periodic set). So the names of different crystals do not depend
on the order in which they arrive, and a crystal that matches a known one takes the known one's name.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from .errors import StructureError

if TYPE_CHECKING:
    from pymatgen.core import Structure

SYMPREC_ANGSTROM = 0.01
MATCH_LENGTH_TOLERANCE = 0.1
"""Relative difference of lattice lengths. CHGNet and PBE cells of one crystal differ by some percent."""
MATCH_SITE_TOLERANCE = 0.2
"""Root mean square displacement over (V/N)^(1/3)."""
MATCH_ANGLE_TOLERANCE_DEGREE = 5.0
DISTANCE_STEP = 0.02
"""Relative step in which average minimum distances enter a name; 10^4 times the noise of a change of setting."""
NEIGHBOUR_COUNTS = (1, 4, 12)


@dataclass(frozen=True)
class Bucket:
    """What two crystals must share to be the same one."""

    formula: str
    spacegroup_number: int
    wyckoff: str

    def __str__(self) -> str:
        return f"{self.formula}|{self.spacegroup_number}|{self.wyckoff}"


def bucket_of(structure: Structure) -> Bucket:
    """The bucket of an ordered crystal, at symprec 0.01 A.

    Raises:
        StructureError: the structure is empty or disordered.
    """
    os.environ.setdefault("SPGLIB_WARNING", "OFF")
    import spglib

    require_ordered(structure)
    formula = structure.composition.reduced_formula
    numbers = list(structure.atomic_numbers)
    cell = (structure.lattice.matrix.tolist(), structure.frac_coords.tolist(), numbers)
    dataset = spglib.get_symmetry_dataset(cell, symprec=SYMPREC_ANGSTROM)
    if dataset is None:
        return Bucket(formula, 1, "")
    orbits = {
        int(orbit): (letter, site.specie.symbol)
        for orbit, letter, site in zip(
            dataset.crystallographic_orbits, dataset.wyckoffs, structure, strict=True
        )
    }
    return Bucket(formula, dataset.number, canonical_wyckoff(dataset.number, list(orbits.values())))


def canonical_wyckoff(spacegroup_number: int, orbits: Sequence[tuple[str, str]]) -> str:
    """The Wyckoff sequence that all equivalent choices of origin and axes share.

    Args:
        spacegroup_number: International number.
        orbits: (Wyckoff letter, element) of each orbit.

    Returns:
        The smallest string over the Euclidean normaliser: `Na:a Cl:b` as `a:Cl b:Na`.

    Source: International Tables A, section 3.5; the tables are pyxtal's.
    """
    return min(
        " ".join(sorted(f"{relabel[letter]}:{element}" for letter, element in orbits))
        for relabel in _relabellings(spacegroup_number)
    )


@lru_cache(maxsize=230)
def _relabellings(spacegroup_number: int) -> tuple[dict[str, str], ...]:
    from pyxtal.symmetry import Group

    rows = [row.split() for row in Group(spacegroup_number).get_alternatives()["Transformed WP"]]
    letters = sorted(rows[0], key=lambda letter: (letter.isupper(), letter))
    return tuple(dict(zip(letters, row, strict=True)) for row in rows)


def matcher():
    """The `StructureMatcher` that decides inside a bucket. Cells are compared unscaled."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    return StructureMatcher(
        ltol=MATCH_LENGTH_TOLERANCE,
        stol=MATCH_SITE_TOLERANCE,
        angle_tol=MATCH_ANGLE_TOLERANCE_DEGREE,
        primitive_cell=True,
        scale=False,
    )


def same_crystal(a: Structure, b: Structure) -> bool:
    """Whether two ordered crystals are the same one: same bucket, and the matcher agrees."""
    return bucket_of(a) == bucket_of(b) and matcher().fit(a, b)


def average_minimum_distances(structure: Structure, counts: Sequence[int] = NEIGHBOUR_COUNTS) -> np.ndarray:
    """Mean distance of a site to its k-th neighbour, A, shape `(len(counts),)`.

    Invariant under rotation, choice of cell, origin and order of sites, and continuous in the
    coordinates.

    Source: Widdowson, Mosca, Pulido, Cooper, Kurlin, MATCH 87, 529 (2022), definition 4.
    """
    wanted = max(counts)
    radius = 1.5 * (structure.volume / len(structure) * wanted) ** (1 / 3)
    while True:
        centres, _, _, distances = structure.get_neighbor_list(radius)
        sizes = np.bincount(centres, minlength=len(structure))
        if sizes.min() >= wanted:
            break
        radius *= 1.5
    rows = [np.sort(distances[centres == i])[:wanted] for i in range(len(structure))]
    return np.mean(rows, axis=0)[np.asarray(counts) - 1]


def candidate_id(structure: Structure, bucket: Bucket | None = None, fineness: int = 0) -> str:
    """The name of a crystal that matches no known one, such as `BaTiO3-99-3f2a9c81d0`.

    Args:
        structure: Ordered, at least one site.
        bucket: Its bucket, if it is at hand.
        fineness: Raised when a crystal that does not match holds the coarser name already.

    Raises:
        StructureError: the structure is empty or disordered.
    """
    bucket = bucket or bucket_of(structure)
    step = DISTANCE_STEP / 10**fineness
    # The offset keeps textbook values (a = 4.0 A) away from the edges of the steps.
    cells = np.floor(np.log(average_minimum_distances(structure)) / step + 0.377)
    text = f"{bucket}|{','.join(str(int(c)) for c in cells)}|{fineness}"
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return f"{bucket.formula}-{bucket.spacegroup_number}-{digest}"


def require_ordered(structure: Structure) -> None:
    """Refuse what has no single crystal structure.

    Raises:
        StructureError: no sites, partial occupancy, or a flat cell.
    """
    if len(structure) == 0:
        raise StructureError("The structure has no sites.")
    if not structure.is_ordered:
        partial = [i for i, site in enumerate(structure) if not site.is_ordered]
        shown = ", ".join(map(str, partial[:5])) + (", ..." if len(partial) > 5 else "")
        raise StructureError(
            f"{structure.composition.reduced_formula} has {len(partial)} partially occupied sites ({shown}). "
            "Order it first, for instance with pymatgen's OrderDisorderedStructureTransformation."
        )
    if not np.isfinite(structure.lattice.matrix).all() or structure.volume < 1e-3:
        raise StructureError(f"{structure.composition.reduced_formula} has a cell without volume.")


class IdentityIndex:
    """The crystals known so far, by bucket; gives each new one its id.

    Args:
        known: (candidate_id, structure) of crystals that have an id already.
    """

    def __init__(self, known: Iterable[tuple[str, Structure]] = ()) -> None:
        self._buckets: dict[Bucket, list[tuple[str, Structure]]] = defaultdict(list)
        self._ids: set[str] = set()
        self._matcher = matcher()
        for identifier, structure in known:
            self.add(identifier, structure)

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._ids

    def add(self, identifier: str, structure: Structure, bucket: Bucket | None = None) -> None:
        """Take in a crystal whose id is fixed."""
        self._buckets[bucket or bucket_of(structure)].append((identifier, structure))
        self._ids.add(identifier)

    def find(self, structure: Structure, bucket: Bucket | None = None) -> str | None:
        """The id of the known crystal that this one is; the smallest if several match."""
        bucket = bucket or bucket_of(structure)
        matches = [i for i, other in self._buckets.get(bucket, ()) if self._matcher.fit(structure, other)]
        return min(matches, default=None)

    def assign(self, structure: Structure, bucket: Bucket | None = None) -> tuple[str, int, bool]:
        """Give a crystal its id and take it in.

        Args:
            structure: The crystal.
            bucket: Its bucket, if it is at hand.

        Returns:
            The id, the space group number, and whether the crystal is new.

        Raises:
            StructureError: the structure is empty or disordered.
        """
        bucket = bucket or bucket_of(structure)
        known = self.find(structure, bucket)
        if known is not None:
            return known, bucket.spacegroup_number, False
        fineness = 0
        while (identifier := candidate_id(structure, bucket, fineness)) in self._ids:
            fineness += 1
        self.add(identifier, structure, bucket)
        return identifier, bucket.spacegroup_number, True

    def assign_all(self, structures: Sequence[Structure]) -> list[tuple[str, int, bool]]:
        """`assign` for many, in an order of their own: the ids do not depend on the order of the list.

        Returns:
            One (id, space group number, is new) per structure, in the order given.
        """

        def rank(i: int) -> tuple:
            return str(bucket_of(structures[i])), *average_minimum_distances(structures[i]).round(6)

        given: dict[int, tuple[str, int, bool]] = {}
        for i in sorted(range(len(structures)), key=rank):
            given[i] = self.assign(structures[i])
        return [given[i] for i in range(len(structures))]
