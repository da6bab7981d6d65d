"""Which branch of the polarization lies nearest, and how sure is that?

The polarization of a crystal is known only modulo the quantum e a_i / V along each lattice vector a_i. Here
it is a dipole in units of e along the lattice vectors ("reduced"), so that the quantum is 1 in any cell. Along a
path whose cell changes, changes of the reduced dipole are those of the proper polarization.

Source: King-Smith and Vanderbilt (1993), doi:10.1103/PhysRevB.47.1651; Vanderbilt (2000),
doi:10.1016/S0022-3697(99)00273-5, for the proper polarization.
"""

from __future__ import annotations

import itertools

import numpy as np

from ..core.polarization import E_PER_A2_IN_UC_PER_CM2

_AROUND = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
"""In a reduced basis the two points nearest to any place are among these neighbours of the rounded one."""


def reduced_basis(lattice: np.ndarray) -> np.ndarray:
    """Short, nearly orthogonal vectors of the same lattice, A, shape `(3, 3)`."""
    from pymatgen.core import Lattice

    return Lattice(lattice).get_lll_reduced_lattice().matrix


def nearest_step(step: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """The shortest of all steps that differ from this one by quanta.

    Args:
        step: Change of the reduced dipole, e, shape `(3,)`.
        lattice: Rows are lattice vectors, A, shape `(3, 3)`.

    Returns:
        Reduced, e, shape `(3,)`. Shortest in Cartesian space: in a skewed cell that is not always the one
        with the smallest components.
    """
    basis = reduced_basis(lattice)
    places = _places(step, lattice, basis)
    shortest = places[np.argmin(np.linalg.norm(places @ basis, axis=1))]
    # Whole numbers are taken off, so that what came in with five decimals goes out with them.
    quanta = np.rint((shortest @ basis) @ np.linalg.inv(lattice) - step)
    return step + quanta


def ambiguity(step: np.ndarray, lattice: np.ndarray) -> float:
    """Length of a step over that of the nearest other step the same numbers could mean.

    Args:
        step: Change of the reduced dipole, e, shape `(3,)`.
        lattice: A, shape `(3, 3)`.

    Returns:
        0: no doubt. 1: a tie. More: another branch is nearer than this one.
    """
    basis = reduced_basis(lattice)
    coordinates = (step @ lattice) @ np.linalg.inv(basis)
    others = _places(step, lattice, basis)
    lengths = np.linalg.norm(others @ basis, axis=1)
    itself = np.all(np.abs(others - coordinates) < 1e-6, axis=1)
    return float(np.linalg.norm(step @ lattice) / lengths[~itself].min())


def _places(step: np.ndarray, lattice: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """The steps that could be the shortest, in the reduced basis, shape `(27, 3)`."""
    coordinates = (step @ lattice) @ np.linalg.inv(basis)
    return coordinates - np.rint(coordinates) + _AROUND


def polarization(reduced: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """From reduced dipoles, e, to Cartesian polarizations, uC/cm^2, of the same shape `(..., 3)`."""
    return E_PER_A2_IN_UC_PER_CM2 * (reduced @ lattice) / abs(np.linalg.det(lattice))


def reduced_dipole(polarization_vector: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """The inverse of `polarization`."""
    volume = abs(np.linalg.det(lattice))
    return polarization_vector * volume / E_PER_A2_IN_UC_PER_CM2 @ np.linalg.inv(lattice)
