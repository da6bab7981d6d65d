"""Along which way does the search for a hop's saddle begin?

Every atom goes its shortest way from one end to the other: straight, or so that distances between atoms change
evenly, which steers the hopping ion around its neighbours instead of through them.

Source: Smidstrup, Pedersen, Stokbro, Jonsson, J. Chem. Phys. 140, 214106 (2014), doi:10.1063/1.4878664 (image-dependent
pair potential, equations 3 and 4).
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pymatgen.core import Structure

PAIRS_WITHIN_ANGSTROM = 6.0
ITERATIONS = 100


def shortest_moves(initial: Structure, final: Structure) -> np.ndarray:
    """Final minus initial, each atom to its nearest periodic image, without the common drift.

    Args:
        initial: First end.
        final: The other one, same atoms in the same order, in the same cell.

    Returns:
        Cartesian, A, shape `(nsites, 3)`; mean zero.
    """
    cell = initial.lattice.matrix
    moves = final.frac_coords - initial.frac_coords
    moves = (moves - np.round(moves)) @ cell
    images = moves[:, None] + np.array(list(product((-1, 0, 1), repeat=3))) @ cell
    nearest = np.argmin(np.linalg.norm(images, axis=2), axis=1)
    moves = images[np.arange(len(moves)), nearest]
    return moves - moves.mean(axis=0)


def straight_path(initial: Structure, moves: np.ndarray, images: int) -> np.ndarray:
    """Positions with every atom on a straight line.

    Args:
        initial: First end.
        moves: Of `shortest_moves`.
        images: Both ends counted.

    Returns:
        Cartesian, A, not wrapped into the cell, shape `(images, nsites, 3)`.
    """
    return initial.cart_coords + np.linspace(0, 1, images)[:, None, None] * moves


def even_path(initial: Structure, moves: np.ndarray, images: int) -> np.ndarray:
    """As `straight_path`, with the distances between atoms as close to the mean of both ends' as they can be."""
    path = straight_path(initial, moves, images)
    for i, part in enumerate(np.linspace(0, 1, images)[1:-1], start=1):
        path[i] = _evened(initial, moves, float(part))
    return path


def _evened(initial: Structure, moves: np.ndarray, part: float) -> np.ndarray:
    """Positions of one image; close pairs weigh most, by the inverse fourth power of their distance."""
    from pymatgen.core import Structure
    from scipy.optimize import minimize

    start = initial.cart_coords + part * moves
    image = Structure(initial.lattice, initial.species, start, coords_are_cartesian=True)
    first, second, shifts, _ = image.get_neighbor_list(PAIRS_WITHIN_ANGSTROM)
    once = first < second
    first, second, shifts = first[once], second[once], shifts[once] @ initial.lattice.matrix
    before = initial.cart_coords[second] - initial.cart_coords[first] + shifts
    after = before + moves[second] - moves[first]
    wanted = (1 - part) * np.linalg.norm(before, axis=1) + part * np.linalg.norm(after, axis=1)

    def misfit(flat: np.ndarray) -> tuple[float, np.ndarray]:
        positions = flat.reshape(-1, 3)
        vectors = positions[second] - positions[first] + shifts
        lengths = np.linalg.norm(vectors, axis=1)
        short = wanted - lengths
        slopes = -2 * short / lengths**4 - 4 * short**2 / lengths**5
        pulls = vectors * (slopes / lengths)[:, None]
        gradient = np.zeros_like(positions)
        np.add.at(gradient, second, pulls)
        np.subtract.at(gradient, first, pulls)
        return float(np.sum(short**2 / lengths**4)), gradient.ravel()

    found = minimize(misfit, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS})
    return found.x.reshape(-1, 3)
