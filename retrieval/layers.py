"""Is a crystal made of layers with nothing but van der Waals contact between them?

Atoms closer than the sum of their covalent radii plus `BOND_SLACK_ANGSTROM` are bonded. A bonded piece that
repeats in n independent directions is n-dimensional; a layered crystal has pieces of dimension 2 and none
of dimension 3.

Source: Larsen, Pandey, Strange, Jacobsen, Phys. Rev. Materials 3, 034003 (2019), section II.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pymatgen.core import Structure

BOND_SLACK_ANGSTROM = 0.45
"""Usual slack of a covalent bond; Cambridge Structural Database convention (0.4 to 0.45 A)."""


def dimensionality(structure: Structure) -> int:
    """Largest number of directions in which a bonded piece of the crystal repeats, 0 to 3.

    Args:
        structure: Ordered, any cell.
    """
    starts, ends, images = _bonds(structure)
    largest = 0
    seen: dict[int, np.ndarray] = {}
    for root in range(len(structure)):
        if root not in seen:
            largest = max(largest, _rank_of_piece(root, starts, ends, images, seen))
    return largest


def _bonds(structure: Structure) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bonded pairs, both directions: site, site, lattice translation of the second, shape `(n, 3)`."""
    from ase.data import covalent_radii

    radii = np.array([covalent_radii[site.specie.Z] for site in structure])
    reach = 2 * radii.max() + BOND_SLACK_ANGSTROM
    starts, ends, images, distances = structure.get_neighbor_list(reach)
    bonded = distances < radii[starts] + radii[ends] + BOND_SLACK_ANGSTROM
    return starts[bonded], ends[bonded], images[bonded].astype(int)


def _rank_of_piece(root: int, starts, ends, images, seen: dict[int, np.ndarray]) -> int:
    """Walk a bonded piece; closed walks that end in another cell span its directions."""
    seen[root] = np.zeros(3, dtype=int)
    stack, closed = [root], []
    while stack:
        i = stack.pop()
        for bond in np.flatnonzero(starts == i):
            j, cell = int(ends[bond]), seen[i] + images[bond]
            if j not in seen:
                seen[j] = cell
                stack.append(j)
            elif (cell != seen[j]).any():
                closed.append(cell - seen[j])
    return int(np.linalg.matrix_rank(np.array(closed))) if closed else 0
