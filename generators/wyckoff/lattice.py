"""Which numbers does a lattice leave free, and which lattice do they make?

A cubic cell has one free number, a triclinic one six. Rhombohedral groups stand on hexagonal axes, monoclinic
ones have unique axis b. Lengths in A, angles in degrees.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ...core.errors import InputError

PARAMETERS = ("a", "b", "c", "alpha", "beta", "gamma")
LENGTHS = PARAMETERS[:3]

FREE_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "triclinic": PARAMETERS,
    "monoclinic": ("a", "b", "c", "beta"),
    "orthorhombic": ("a", "b", "c"),
    "tetragonal": ("a", "c"),
    "trigonal": ("a", "c"),
    "hexagonal": ("a", "c"),
    "cubic": ("a",),
}
"""By crystal system, in the order in which they are written."""

LAST_TRICLINIC, LAST_MONOCLINIC = 2, 15
_LAST_GROUPS = {
    "triclinic": LAST_TRICLINIC,
    "monoclinic": LAST_MONOCLINIC,
    "orthorhombic": 74,
    "tetragonal": 142,
    "trigonal": 167,
    "hexagonal": 194,
    "cubic": 230,
}


def crystal_system(number: int) -> str:
    """The crystal system of a space group: `tetragonal` for 99."""
    return next(system for system, last in _LAST_GROUPS.items() if number <= last)


def free_parameters(number: int) -> tuple[str, ...]:
    """Names of the free lattice parameters of a space group: `("a", "c")` for 99."""
    return FREE_PARAMETERS[crystal_system(number)]


def parameters_of(metric: np.ndarray) -> np.ndarray:
    """The six lattice parameters of a metric tensor.

    Args:
        metric: Dot products of the lattice vectors, A^2, shape `(..., 3, 3)`.

    Returns:
        a, b, c in A and alpha, beta, gamma in degrees, shape `(..., 6)`.
    """
    lengths = np.sqrt(np.diagonal(metric, axis1=-2, axis2=-1))
    pairs = [(1, 2), (0, 2), (0, 1)]
    cosines = np.stack([metric[..., i, j] / (lengths[..., i] * lengths[..., j]) for i, j in pairs], axis=-1)
    return np.concatenate([lengths, np.degrees(np.arccos(np.clip(cosines, -1, 1)))], axis=-1)


def free_values(metric: np.ndarray, number: int) -> tuple[float, ...]:
    """The free lattice parameters of a metric tensor that obeys the group.

    Args:
        metric: A^2, shape `(3, 3)`, of the conventional cell.
        number: Space group number.
    """
    all_six = parameters_of(metric)
    return tuple(float(all_six[PARAMETERS.index(name)]) for name in free_parameters(number))


def all_parameters(values: Sequence[float], number: int) -> tuple[float, float, float, float, float, float]:
    """All six lattice parameters of the conventional cell.

    Args:
        values: The free ones, in the order of `free_parameters`.
        number: Space group number.
    """
    given = dict(zip(free_parameters(number), values, strict=True))
    a = given["a"]
    b, c = given.get("b", a), given.get("c", a)
    gamma = 120.0 if crystal_system(number) in ("trigonal", "hexagonal") else 90.0
    return a, b, c, given.get("alpha", 90.0), given.get("beta", 90.0), given.get("gamma", gamma)


def lattice_matrix(values: Sequence[float], number: int) -> np.ndarray:
    """Lattice vectors of the conventional cell, as rows, A, shape `(3, 3)`.

    a lies along x, b in the plane of x and y; so the polar axis c of tetragonal and hexagonal groups is z.

    Args:
        values: The free lattice parameters, in the order of `free_parameters`.
        number: Space group number.
    """
    a, b, c, alpha, beta, gamma = all_parameters(values, number)
    cos_alpha, cos_beta, cos_gamma = (_cosine(angle) for angle in (alpha, beta, gamma))
    sin_gamma = math.sin(math.radians(gamma))
    c_y = (cos_alpha - cos_beta * cos_gamma) / sin_gamma
    c_z = math.sqrt(max(1 - cos_beta**2 - c_y**2, 0.0))
    return np.array([[a, 0.0, 0.0], [b * cos_gamma, b * sin_gamma, 0.0], [c * cos_beta, c * c_y, c * c_z]])


def require_cell(values: Sequence[float], number: int) -> None:
    """Refuse lattice parameters that make no cell.

    Raises:
        InputError: their number is wrong, a length or an angle is impossible, or the cell has no volume.
    """
    names = free_parameters(number)
    if len(values) != len(names):
        raise InputError(
            f"Space group {number} is {crystal_system(number)} and takes {len(names)} lattice parameters "
            f"({', '.join(names)}), not {len(values)}."
        )
    for name, value in zip(names, values, strict=True):
        greatest = math.inf if name in LENGTHS else 180.0
        if not 0 < value < greatest:
            raise InputError(f"The lattice parameter {name} cannot be {value}.")
    cosines = [_cosine(angle) for angle in all_parameters(values, number)[3:]]
    if 1 - sum(c * c for c in cosines) + 2 * math.prod(cosines) < 1e-6:
        raise InputError(f"The angles {', '.join(f'{v:g}' for v in values[3:])} make no cell.")


def _cosine(angle: float) -> float:
    """Exactly 0 at 90 degrees."""
    return 0.0 if angle == 90.0 else math.cos(math.radians(angle))
