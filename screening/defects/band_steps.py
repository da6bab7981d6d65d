"""Which way does an elastic band move next?

What moves it (improved tangents, springs along the band, a climbing top) is no gradient of an energy, so no line is
searched: a limited-memory BFGS step over all images, that starts from a model of the crystal's bonds and is kept within a
radius, is taken as it is; the radius shrinks where the forces grow.

Sources: Henkelman, Jonsson, J. Chem. Phys. 113, 9978 (2000), doi:10.1063/1.1323224 (tangents); Henkelman, Uberuaga,
Jonsson, J. Chem. Phys. 113, 9901 (2000), doi:10.1063/1.1329672 (climbing); Sheppard, Terrell, Henkelman, J. Chem. Phys.
128, 134106 (2008), doi:10.1063/1.2841941 (L-BFGS over the whole band).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...core.springs import ATOM_STIFFNESS, CUTOFF_ANGSTROM, between_atoms, springs

if TYPE_CHECKING:
    from pymatgen.core import Structure

SPRING = 3.0
"""eV/A^2, between neighbouring images. About the stiffness of an atom, so that one step suits both."""
LARGEST_RADIUS = 0.2  # A, largest move of an atom in a step
SMALLEST_RADIUS = 0.02
CAREFUL_RADIUS = 0.05
GROWTH, SHRINKAGE = 1.5, 0.5  # of the radius
MUCH_WORSE = 1.5  # times the forces before
TURNED = -0.7  # of the force along the step; beyond it the step went too far
MEMORY = 20  # steps
LEAST_CURVATURE = 1e-3  # cosine between a step and what the forces lost; below, nothing is learnt from it


def tangents(points: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """Unit vectors along the band at the moving images, shape `(images - 2, nsites, 3)`.

    Args:
        points: Positions, A, shape `(images, nsites, 3)`.
        energies: eV, shape `(images,)`.
    """
    found = []
    for i in range(1, len(points) - 1):
        ahead, behind = points[i + 1] - points[i], points[i] - points[i - 1]
        rise, fall = energies[i + 1] - energies[i], energies[i - 1] - energies[i]
        if rise > 0 > fall:
            tangent = ahead
        elif rise < 0 < fall:
            tangent = behind
        else:
            most, least = max(abs(rise), abs(fall)), min(abs(rise), abs(fall))
            weights = (most, least) if energies[i + 1] > energies[i - 1] else (least, most)
            if most == 0:
                weights = (1.0, 1.0)
            tangent = weights[0] * ahead + weights[1] * behind
        found.append(tangent / max(float(np.linalg.norm(tangent)), np.finfo(float).tiny))
    return np.array(found)


def band_forces(points: np.ndarray, energies: np.ndarray, forces: np.ndarray, climbs: bool) -> np.ndarray:
    """What moves the images, eV/A, shape `(images - 2, nsites, 3)`.

    Args:
        points: Positions, A, shape `(images, nsites, 3)`.
        energies: eV, shape `(images,)`.
        forces: On the atoms, eV/A, shape of `points`.
        climbs: Whether the highest image climbs; it does not where an end is higher.
    """
    along = tangents(points, energies)
    lengths = np.linalg.norm((points[1:] - points[:-1]).reshape(len(points) - 1, -1), axis=1)
    parts = np.einsum("mna,mna->m", forces[1:-1], along)
    pushes = SPRING * (lengths[1:] - lengths[:-1]) - parts
    top = int(np.argmax(energies))
    if climbs and 0 < top < len(points) - 1:
        pushes[top - 1] = -2 * parts[top - 1]
    return forces[1:-1] + pushes[:, None, None] * along


def largest(forces: np.ndarray) -> float:
    """Largest norm of a row."""
    return float(np.sqrt((forces**2).sum(axis=-1).max()))


class Steps:
    """Steps of one band.

    Args:
        images: The moving ones, as they start; their bonds say how stiff they are.
    """

    def __init__(self, images: Sequence[Structure]) -> None:
        self.radius = LARGEST_RADIUS
        self._inverses = [_softness(image) for image in images]
        self._moves: list[np.ndarray] = []
        self._losses: list[np.ndarray] = []

    def propose(self, forces: np.ndarray) -> np.ndarray:
        """The next move, A, from `band_forces`; both of shape `(images - 2, nsites, 3)`."""
        move = self._newton(forces)
        if np.sum(move * forces) < 0:
            self._forget()
            move = self._newton(forces)
        length = largest(move)
        return move * (self.radius / length) if length > self.radius else move

    def learn(self, move: np.ndarray, before: np.ndarray, after: np.ndarray) -> None:
        """Take in the forces before and after a move."""
        loss = before - after
        worse = np.linalg.norm(after) > MUCH_WORSE * np.linalg.norm(before)
        if worse or np.sum(move * after) < TURNED * np.sum(move * before):
            self.radius = max(SHRINKAGE * min(self.radius, largest(move)), SMALLEST_RADIUS)
        elif np.linalg.norm(after) < np.linalg.norm(before):
            self.radius = min(GROWTH * self.radius, LARGEST_RADIUS)
        if np.sum(move * loss) > LEAST_CURVATURE * np.linalg.norm(move) * np.linalg.norm(loss):
            self._moves = [*self._moves, move][-MEMORY:]
            self._losses = [*self._losses, loss][-MEMORY:]
        elif worse:
            self._forget()

    def retreat(self) -> None:
        """Begin anew, carefully."""
        self._forget()
        self.radius = CAREFUL_RADIUS

    def _forget(self) -> None:
        self._moves, self._losses = [], []

    def _newton(self, forces: np.ndarray) -> np.ndarray:
        """Two-loop recursion: Nocedal and Wright, Numerical Optimization, 2nd ed. (2006), algorithm 7.4."""
        left, parts = forces.copy(), []
        pairs = list(zip(self._moves, self._losses, strict=True))
        for move, loss in reversed(pairs):
            parts.append(np.sum(move * left) / np.sum(move * loss))
            left -= parts[-1] * loss
        step = np.array(
            [
                (inverse @ part.ravel()).reshape(-1, 3)
                for inverse, part in zip(self._inverses, left, strict=True)
            ]
        )
        for (move, loss), part in zip(pairs, reversed(parts), strict=True):
            step += move * (part - np.sum(loss * step) / np.sum(move * loss))
        return step


def _softness(image: Structure) -> np.ndarray:
    """Displacements per force by the model of the bonds, A^2/eV, shape `(3 * nsites, 3 * nsites)`."""
    first, second, shifts, _ = image.get_neighbor_list(CUTOFF_ANGSTROM)
    # each bond between two atoms once; an atom does not move against its own images
    once = first < second
    first, second = first[once], second[once]
    vectors = image.cart_coords[second] - image.cart_coords[first] + shifts[once] @ image.lattice.matrix
    numbers = np.array([site.specie.Z for site in image])
    stiffness = between_atoms(first, second, springs(numbers[first], numbers[second], vectors), len(image))
    return np.linalg.inv(stiffness + ATOM_STIFFNESS * np.eye(len(stiffness)))
