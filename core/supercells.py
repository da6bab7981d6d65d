"""Which supercell keeps a defect far from its images with the fewest atoms?

All superlattices of the primitive cell are looked at, by their Hermite normal forms: an elongated or skewed cell has
its most compact supercell off the diagonal. A superlattice is known by its shortest vector, the distance of nearest
images, which does not depend on how the cell is set; of the smallest ones that suffice the most compact is taken.

Source: Hart and Forcade, Phys. Rev. B 77, 224115 (2008), doi:10.1103/PhysRevB.77.224115, for the enumeration.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from .errors import StructureError
from .primitive import Primitive

if TYPE_CHECKING:
    from pymatgen.core import Structure

APART_ANGSTROM = 8.0
ATOMS_MAX = 120
SYMPREC_ANGSTROM = 0.01
"""At which the primitive cell and equal sites are found."""
DENSEST = math.sqrt(2.0)
"""A lattice whose shortest vector is L has at least the volume L^3 / sqrt(2): that of the face-centred cubic one."""
SAME_LENGTH_ANGSTROM = 1e-4
SHELL_DECIMALS = 3  # of lengths in A, when lattices are compared
LATTICES_AT_ONCE = 4000
VECTORS_AT_ONCE = 4


@dataclass(frozen=True)
class Supercell:
    """A primitive cell repeated.

    Attributes:
        matrix: Lattice vectors of the supercell in those of `primitive`, integers, rows, shape `(3, 3)`.
        structure: The supercell; its site property `origin` is the index of each site in `primitive`.
        images_apart_angstrom: Shortest lattice vector.
        enough: Whether that reaches what was asked for.
        primitive: What is repeated.
    """

    matrix: np.ndarray
    structure: Structure
    images_apart_angstrom: float
    enough: bool
    primitive: Structure

    @property
    def copies(self) -> int:
        """Number of primitive cells."""
        return len(self.structure) // len(self.primitive)


def supercell_for(
    host: Structure, apart_angstrom: float = APART_ANGSTROM, atoms_max: int = ATOMS_MAX
) -> Supercell:
    """The smallest supercell whose images are far enough apart.

    Args:
        host: Ordered; in any setting, primitive or not.
        apart_angstrom: Shortest lattice vector wanted, A.
        atoms_max: Size that is not exceeded, but by a primitive cell that has more atoms itself.

    Returns:
        If none is far enough apart within `atoms_max`, the one whose nearest images are farthest, with `enough` false.

    Raises:
        StructureError: no primitive cell is found, as when atoms overlap.
    """
    primitive = primitive_of(host)
    matrix = primitive.lattice.matrix
    sizes = range(1, max(1, atoms_max // len(primitive)) + 1)
    basis, apart = _best(matrix, apart_angstrom, sizes)
    basis = _reduced(basis, matrix)
    return Supercell(
        matrix=basis,
        structure=_repeated(primitive, basis),
        images_apart_angstrom=apart,
        enough=apart >= apart_angstrom - SAME_LENGTH_ANGSTROM,
        primitive=primitive,
    )


def primitive_of(host: Structure) -> Structure:
    """The primitive cell of a crystal, its atoms where they were; no site properties.

    Raises:
        StructureError: spglib finds no symmetry.
    """
    if not host.is_ordered:
        raise StructureError(f"{host.formula} has partially occupied sites; order it first.")
    found = Primitive.of(host, SYMPREC_ANGSTROM)
    if found is None:
        raise StructureError(
            f"{host.composition.reduced_formula} has no primitive cell by spglib at {SYMPREC_ANGSTROM:g} A; "
            "two atoms may overlap. Relax it first."
        )
    return found.small


def _best(matrix: np.ndarray, apart: float, sizes: range) -> tuple[np.ndarray, float]:
    """Basis (integers, rows) and shortest vector (A) of the superlattice to take."""
    volume = abs(float(np.linalg.det(matrix)))
    least = apart - SAME_LENGTH_ANGSTROM
    too_short = _short_vectors(matrix, least)
    for n in sizes:
        if n * volume * DENSEST >= least**3:
            forms = _without(hermite_normal_forms(n), too_short, n)
            if len(forms):
                return _most_compact(matrix, n, forms)
    tried = [_most_compact(matrix, n, hermite_normal_forms(n)) for n in sizes]
    longest = max(length for _, length in tried)
    return next(found for found in tried if found[1] >= longest - SAME_LENGTH_ANGSTROM)


def _most_compact(matrix: np.ndarray, n: int, forms: np.ndarray) -> tuple[np.ndarray, float]:
    """Of some superlattices of `n` cells the one whose short vectors, one after the other, are longest; and the shortest.

    Args:
        matrix: Primitive lattice, rows, A, shape `(3, 3)`.
        n: Number of primitive cells.
        forms: Hermite normal forms, shape `(k, 3, 3)`.
    """
    longest_possible = (DENSEST * n * abs(float(np.linalg.det(matrix)))) ** (1 / 3)
    vectors = _short_vectors(matrix, longest_possible + SAME_LENGTH_ANGSTROM)
    lengths = np.linalg.norm(vectors @ matrix, axis=1)
    inside = np.concatenate([_contained(vectors, part, n) for part in _parts(forms)])
    first = lengths[inside.argmax(axis=1)]
    best = np.flatnonzero(first >= first.max() - SAME_LENGTH_ANGSTROM)
    shells = [np.round(lengths[inside[k]], SHELL_DECIMALS).tolist() for k in best]
    chosen = max(
        range(len(best)), key=lambda i: [*shells[i], math.inf]
    )  # fewer short vectors: the next is far
    return forms[best[chosen]], float(first[best[chosen]])


def _without(forms: np.ndarray, vectors: np.ndarray, n: int) -> np.ndarray:
    """Those superlattices that contain none of the vectors; a few at a time, since most drop out early."""
    for start in range(0, len(vectors), VECTORS_AT_ONCE):
        some = vectors[start : start + VECTORS_AT_ONCE]
        kept = [part[~_contained(some, part, n).any(axis=1)] for part in _parts(forms)]
        forms = np.concatenate(kept) if kept else forms
    return forms


def _parts(forms: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(forms), LATTICES_AT_ONCE):
        yield forms[start : start + LATTICES_AT_ONCE]


def _contained(vectors: np.ndarray, forms: np.ndarray, n: int) -> np.ndarray:
    """Which vectors belong to which superlattice, bool, shape `(nforms, nvectors)`.

    A vector v is an integer combination of the rows of H if v adj(H) is a multiple of det(H) = n.
    """
    a, b, c = forms[:, 0, 0], forms[:, 1, 1], forms[:, 2, 2]
    d, e, f = forms[:, 1, 0], forms[:, 2, 0], forms[:, 2, 1]
    zero = np.zeros_like(a)
    adjugate = np.stack(
        [
            np.stack([b * c, zero, zero], axis=1),
            np.stack([-d * c, a * c, zero], axis=1),
            np.stack([d * f - b * e, -a * f, a * b], axis=1),
        ],
        axis=1,
    )
    return ~(np.einsum("vi,kij->kvj", vectors, adjugate) % n).any(axis=2)


@lru_cache(maxsize=256)
def hermite_normal_forms(n: int) -> np.ndarray:
    """All superlattices of `n` cells, once each: lower triangular, integers, shape `(k, 3, 3)`."""
    forms = []
    for a in _divisors(n):
        for b in _divisors(n // a):
            c = n // a // b
            d, e, f = np.meshgrid(np.arange(a), np.arange(a), np.arange(b), indexing="ij")
            some = np.zeros((d.size, 3, 3), dtype=np.int32)
            some[:, 0, 0], some[:, 1, 1], some[:, 2, 2] = a, b, c
            some[:, 1, 0], some[:, 2, 0], some[:, 2, 1] = d.ravel(), e.ravel(), f.ravel()
            forms.append(some)
    return np.concatenate(forms)


def _divisors(n: int) -> list[int]:
    return [i for i in range(1, n + 1) if n % i == 0]


def _short_vectors(matrix: np.ndarray, radius: float) -> np.ndarray:
    """Lattice vectors up to `radius` (A), one of each pair, the shortest first, as integers, shape `(nvectors, 3)`."""
    heights = 1 / np.linalg.norm(np.linalg.inv(matrix), axis=0)
    steps = [np.arange(-k, k + 1) for k in np.floor(radius / heights + 1e-9).astype(int)]
    grid = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    half = grid[len(grid) // 2 + 1 :]  # the other half are their negatives, zero in the middle
    lengths = np.linalg.norm(half @ matrix, axis=1)
    order = np.argsort(lengths, kind="stable")
    return half[order][lengths[order] <= radius].astype(np.int32)


def _reduced(basis: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The basis of a superlattice with the shortest vectors, right-handed as the primitive one."""
    from ase.geometry.minkowski_reduction import minkowski_reduce

    _, steps = minkowski_reduce(basis @ matrix)
    found = np.round(steps @ basis).astype(int)
    return found if np.linalg.det(found) > 0 else -found


def _repeated(primitive: Structure, basis: np.ndarray) -> Structure:
    whole = primitive.copy()
    whole.add_site_property("origin", list(range(len(whole))))
    return whole * basis.tolist()
