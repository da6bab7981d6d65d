"""How does a crystal in the words of its space group become what the diffusion moves, and back?"""

from __future__ import annotations

import os
from functools import lru_cache

import numpy as np
from pymatgen.core import Element

from ..wyckoff.crystal import Orbit, WyckoffCrystal
from ..wyckoff.decode import cell_of
from ..wyckoff.lattice import crystal_system, free_values, lattice_matrix
from ..wyckoff.positions import space_group, wrapped
from .lattices import HEXAGONAL, allowed, coefficients_of
from .table import Entry


def symmetric_entry(crystal: WyckoffCrystal) -> Entry:
    """The crystal in its standard primitive cell; symmetry dictates what it can."""
    number = crystal.spacegroup_number
    group = space_group(number)
    types, free, freedom, offsets, orbits = [], [], [], [], []
    for orbit in crystal.orbits:
        position = group.positions[orbit.letter]
        natoms = position.primitive_multiplicity
        into = np.zeros((natoms, 3, 3))
        into[:, :, list(position.free)] = (
            np.swapaxes(position.primitive_rotations, 1, 2) @ group.to_primitive
        ).swapaxes(1, 2)
        values = np.zeros(3)
        values[list(position.free)] = orbit.free
        orbits += [len(types)] * natoms
        types += [Element(orbit.element).Z] * natoms
        free += [values] * natoms
        freedom.append(into)
        offsets.append(position.primitive_translations @ group.to_primitive)
    return Entry(
        types=np.array(types),
        free=np.array(free),
        freedom=np.concatenate(freedom),
        offsets=np.concatenate(offsets),
        orbits=np.array(orbits),
        polar=np.array([axis in group.polar_axes for axis in range(3)], float),
        frame=frame_of(number),
        lattice=coefficients_of(
            group.primitive_vectors @ lattice_matrix(crystal.lattice, number), frame_of(number), len(types)
        ),
        allowed=_allowed(number),
        symmetric=True,
    )


def plain_entry(crystal: WyckoffCrystal) -> Entry:
    """The crystal in Niggli's reduced cell, every atom on its own."""
    import spglib

    os.environ.setdefault("SPGLIB_WARNING", "OFF")
    vectors, symbols, sites = cell_of(crystal)
    reduced = spglib.niggli_reduce(vectors)
    if reduced is None:
        reduced = vectors
    if np.linalg.det(reduced) * np.linalg.det(vectors) < 0:
        reduced = -reduced
    return plain_entry_of(
        np.array([Element(symbol).Z for symbol in symbols]),
        wrapped(sites @ vectors @ np.linalg.inv(reduced)),
        reduced,
    )


def plain_entry_of(types: np.ndarray, sites: np.ndarray, vectors: np.ndarray) -> Entry:
    """Atoms without symmetry.

    Args:
        types: Atomic numbers, shape `(natoms,)`.
        sites: Fractional, shape `(natoms, 3)`.
        vectors: Rows, A, shape `(3, 3)`.
    """
    natoms = len(types)
    return Entry(
        types=types,
        free=sites,
        freedom=np.broadcast_to(np.eye(3), (natoms, 3, 3)),
        offsets=np.zeros((natoms, 3)),
        orbits=np.arange(natoms),
        polar=np.ones(3),
        frame=np.eye(3),
        lattice=coefficients_of(vectors, np.eye(3), natoms),
        allowed=np.eye(6),
        symmetric=False,
    )


def crystal_of(skeleton: WyckoffCrystal, free: np.ndarray, vectors: np.ndarray) -> WyckoffCrystal:
    """A skeleton with other free coordinates and another lattice.

    Args:
        skeleton: Space group, elements and letters.
        free: Of each atom of `symmetric_entry(skeleton)`, shape `(natoms, 3)`.
        vectors: Of the primitive cell, rows, A, shape `(3, 3)`; they obey the group.
    """
    number = skeleton.spacegroup_number
    group = space_group(number)
    conventional = np.linalg.solve(group.primitive_vectors, vectors)
    orbits, first = [], 0
    for orbit in skeleton.orbits:
        position = group.positions[orbit.letter]
        values = wrapped(np.asarray(free[first], float)[list(position.free)])
        orbits.append(Orbit(orbit.element, orbit.letter, tuple(float(v) for v in values)))
        first += position.primitive_multiplicity
    return WyckoffCrystal(number, tuple(orbits), free_values(conventional @ conventional.T, number))


@lru_cache(maxsize=230)
def frame_of(number: int) -> np.ndarray:
    """The frame of the primitive cell of a space group, rows, shape `(3, 3)`."""
    return space_group(number).primitive_vectors @ _conventional_frame(number)


def _conventional_frame(number: int) -> np.ndarray:
    return HEXAGONAL if crystal_system(number) in ("trigonal", "hexagonal") else np.eye(3)


@lru_cache(maxsize=230)
def _allowed(number: int) -> np.ndarray:
    return allowed(space_group(number).general.rotations, _conventional_frame(number))
