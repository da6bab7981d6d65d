"""Which crystal does a record describe?

Each orbit's free coordinates go through the operations of its Wyckoff position; nothing is drawn at random
and nothing is searched, so thousands of crystals take a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .crystal import WyckoffCrystal
from .lattice import lattice_matrix
from .positions import space_group, wrapped

if TYPE_CHECKING:
    from pymatgen.core import Structure


def decode(crystal: WyckoffCrystal, primitive: bool = True) -> Structure:
    """The crystal as a structure, sites in the order of its orbits.

    Args:
        crystal: Space group, orbits and free lattice parameters.
        primitive: Whether the standard primitive cell is wanted (spglib's choice of axes), or else the
            conventional one. Both stand in the same frame.

    Returns:
        A structure whose space group is that of the record, or one that contains it if the coordinates
        happen to be more symmetric.
    """
    from pymatgen.core import Lattice, Structure

    vectors, symbols, sites = cell_of(crystal, primitive)
    return Structure(Lattice(vectors), symbols, sites)


def cell_of(crystal: WyckoffCrystal, primitive: bool = True) -> tuple[np.ndarray, list[str], np.ndarray]:
    """The same as plain arrays, for those who look at many.

    Args:
        crystal: Space group, orbits and free lattice parameters.
        primitive: Whether the primitive cell is wanted, or else the conventional one.

    Returns:
        Lattice vectors as rows (A, shape `(3, 3)`), element symbols, and fractional coordinates in [0, 1)
        (shape `(natoms, 3)`).
    """
    group = space_group(crystal.spacegroup_number)
    vectors = lattice_matrix(crystal.lattice, crystal.spacegroup_number)
    symbols: list[str] = []
    sites = []
    for orbit in crystal.orbits:
        position = group.positions[orbit.letter]
        free = np.array(orbit.free)
        if primitive:
            sites.append(position.primitive_rotations @ free + position.primitive_translations)
        else:
            sites.append(position.sites(free))
        symbols.extend([orbit.element] * len(sites[-1]))
    coordinates = np.concatenate(sites)
    if primitive:
        vectors, coordinates = group.primitive_vectors @ vectors, coordinates @ group.to_primitive
    return vectors, symbols, wrapped(coordinates)
