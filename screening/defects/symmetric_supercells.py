"""Which supercell keeps the symmetry of its crystal?

The smallest supercell with images far enough apart is often a skewed one: nine cells of a cubic perovskite fit, but no
rotation of the cube maps their lattice on itself. A hop in it has lost the operation that exchanges its ends. Here only
superlattices that every rotation of the crystal leaves alone are looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...core.supercells import (
    APART_ANGSTROM,
    ATOMS_MAX,
    SAME_LENGTH_ANGSTROM,
    SYMPREC_ANGSTROM,
    Supercell,
    hermite_normal_forms,
    primitive_of,
    supercell_for,
)
from ...core.symmetry import dataset_at

if TYPE_CHECKING:
    from pymatgen.core import Structure

NEARLY = 0.8
"""Part of the distance wanted for which symmetry is worth more than the rest of it."""
INTEGER = 1e-6
"""Coordinates that differ from an integer by less are one."""


def symmetric_supercell(
    host: Structure, apart_angstrom: float = APART_ANGSTROM, atoms_max: int = ATOMS_MAX
) -> Supercell:
    """The smallest supercell with the symmetry of the crystal whose images are far enough apart.

    Args:
        host: Ordered; in any setting, primitive or not.
        apart_angstrom: Shortest lattice vector wanted, A.
        atoms_max: Size that is not exceeded.

    Returns:
        If there is none within `atoms_max`, the symmetric one with the farthest images, if they are nearly as far as
        wanted, else what `supercell_for` gives; `enough` says whether they are.

    Raises:
        StructureError: as `supercell_for`.
    """
    primitive = primitive_of(host)
    dataset = dataset_at(primitive, SYMPREC_ANGSTROM)
    rotations = np.eye(3)[None] if dataset is None else np.unique(dataset.rotations, axis=0)
    farthest: tuple[float, np.ndarray] | None = None
    for n in range(1, atoms_max // len(primitive) + 1):
        for apart, basis in (_shortest(form, primitive) for form in _invariant(n, rotations)):
            if farthest is None or apart > farthest[0] + SAME_LENGTH_ANGSTROM:
                farthest = apart, basis
        if farthest is not None and farthest[0] >= apart_angstrom - SAME_LENGTH_ANGSTROM:
            return Supercell(farthest[1], _repeated(primitive, farthest[1]), farthest[0], True, primitive)
    if farthest is not None and farthest[0] >= NEARLY * apart_angstrom:
        return Supercell(farthest[1], _repeated(primitive, farthest[1]), farthest[0], False, primitive)
    return supercell_for(primitive, apart_angstrom, atoms_max)


def _invariant(n: int, rotations: np.ndarray) -> np.ndarray:
    """Superlattices of `n` cells, rows, that all rotations (of fractional columns) map on themselves, shape `(k, 3, 3)`."""
    forms = hermite_normal_forms(n).astype(float)
    inverses = np.linalg.inv(forms)
    keeps = np.ones(len(forms), dtype=bool)
    for rotation in rotations:
        steps = forms @ rotation.T @ inverses
        keeps &= np.abs(steps - np.round(steps)).max(axis=(1, 2)) < INTEGER
    return forms[keeps]


def _shortest(form: np.ndarray, primitive: Structure) -> tuple[float, np.ndarray]:
    """Shortest vector of a superlattice, A, and its reduced basis, integers, right-handed as the primitive one."""
    from ase.geometry.minkowski_reduction import minkowski_reduce

    short, steps = minkowski_reduce(form @ primitive.lattice.matrix)
    basis = np.round(steps @ form).astype(int)
    basis = basis if np.linalg.det(basis) > 0 else -basis
    return float(np.linalg.norm(short, axis=1).min()), basis


def _repeated(primitive: Structure, basis: np.ndarray) -> Structure:
    whole = primitive.copy()
    whole.add_site_property("origin", list(range(len(whole))))
    return whole * basis.tolist()
