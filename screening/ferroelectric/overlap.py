"""Do atoms of a crystal lie upon one another?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...core.checks import LEAST_SHARE_OF_COVALENT_RADII

if TYPE_CHECKING:
    from pymatgen.core import Structure


def overlap(structure: Structure) -> str | None:
    """Two atoms closer than `LEAST_SHARE_OF_COVALENT_RADII` allows, as `Nb-O 0.93 A`."""
    from ase.data import covalent_radii

    radii = covalent_radii[np.array(structure.atomic_numbers)]
    reach = 2 * LEAST_SHARE_OF_COVALENT_RADII * float(radii.max())
    i, j, _, distances = structure.get_neighbor_list(reach)
    if not len(distances):
        return None
    shares = distances / (radii[i] + radii[j])
    k = int(shares.argmin())
    if shares[k] >= LEAST_SHARE_OF_COVALENT_RADII:
        return None
    first, second = sorted(structure[int(site)].specie.symbol for site in (i[k], j[k]))
    return f"{first}-{second} {distances[k]:.2f} A"
