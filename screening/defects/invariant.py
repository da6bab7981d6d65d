"""Where does a crystal come to rest without leaving its symmetry, its cell held fixed?

Every operation of the crystal's group turns the forces and hands them to the atoms' images; the displacements that all
operations leave alone are a subspace, and the crystal moves in it. At a saddle whose unstable direction an operation
reverses, that direction is not in the subspace: there the saddle is a minimum. Many crystals share the batches of the
potential; what happens to one does not depend on the others.

A quasi-Newton (BFGS) minimiser under a trust radius; its first curvature is that of springs between the atoms.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...core.contracts import Calculation, Potential
from ...core.springs import ATOM_STIFFNESS, CUTOFF_ANGSTROM, between_atoms, springs
from ...core.symmetry import dataset_at
from ..batch import calculate_each

if TYPE_CHECKING:
    from pymatgen.core import Structure

SYMPREC_ANGSTROM = 0.02
IN_THE_SUBSPACE = 0.5
"""Eigenvalues of a projector are 0 and 1."""
FIRST_RADIUS_ANGSTROM, LARGEST_RADIUS_ANGSTROM = 0.12, 0.25
"""Longest move of an atom in a step, at first and at most."""
STUCK_ANGSTROM = 1e-3
"""A trust radius below which nothing is gained any more."""
GROWTH, SHRINKAGE = 1.5, 0.4
NOISE_EV_PER_ATOM = 2e-6
"""Single precision: no rise that small is a rise."""


@dataclass(frozen=True)
class Subspace:
    """The displacements of a crystal's atoms that keep its group.

    Attributes:
        basis: Orthonormal columns, shape `(3 * nsites, n)`.
        order: Number of operations of the group.
    """

    basis: np.ndarray
    order: int

    def of(self, vectors: np.ndarray) -> np.ndarray:
        """The part of forces or displacements that keeps the group, shape `(nsites, 3)`."""
        return (self.basis @ (self.basis.T @ vectors.ravel())).reshape(-1, 3)


@dataclass(frozen=True)
class Rest:
    """Where a crystal has come to rest.

    Attributes:
        structure: The lowest geometry met.
        energy: eV, of the cell.
        max_force: eV/A, on an atom, of the forces that keep the symmetry.
        steps: Evaluations of the potential.
        converged: Whether `max_force` fell below what was asked for.
    """

    structure: Structure
    energy: float
    max_force: float
    steps: int
    converged: bool


@dataclass(frozen=True)
class Effort:
    """How far relaxations go.

    Attributes:
        max_force: eV/A.
        steps: Evaluations of the potential for one structure.
        stop_at: When all is given back as it is, as by `time.monotonic`.
    """

    max_force: float
    steps: int
    stop_at: float = math.inf


def subspace_of(structure: Structure) -> Subspace:
    """What the crystal's own group leaves free; everything where spglib finds no group."""
    dataset = dataset_at(structure, SYMPREC_ANGSTROM)
    if dataset is None:
        return Subspace(np.eye(3 * len(structure)), 1)
    return kept_by(structure, dataset.rotations, dataset.translations)


def kept_by(structure: Structure, rotations: np.ndarray, translations: np.ndarray) -> Subspace:
    """What the operations of a group leave free.

    Args:
        structure: A crystal that has the group.
        rotations: In fractional coordinates, acting on columns, shape `(n, 3, 3)`.
        translations: Fractional, shape `(n, 3)`.
    """
    n, sites = len(structure), np.arange(len(structure))
    columns = structure.lattice.matrix.T
    projector = np.zeros((n, 3, n, 3))
    for rotation, translation in zip(rotations, translations, strict=True):
        turn = columns @ rotation @ np.linalg.inv(columns)
        projector[images_of(structure, rotation, translation), :, sites, :] += turn
    values, vectors = np.linalg.eigh(projector.reshape(3 * n, 3 * n) / len(rotations))
    return Subspace(vectors[:, values > IN_THE_SUBSPACE], len(rotations))


def images_of(structure: Structure, rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    """The site that each site is carried to by an operation in fractional coordinates, shape `(nsites,)`."""
    carried = structure.frac_coords @ rotation.T + translation
    gaps = carried[:, None, :] - structure.frac_coords[None, :, :]
    distances = np.linalg.norm((gaps - np.round(gaps)) @ structure.lattice.matrix, axis=2)
    return distances.argmin(axis=1)


def descend(
    structures: Sequence[Structure],
    subspaces: Sequence[Subspace],
    potential: Potential,
    effort: Effort,
) -> list[Rest | str]:
    """The nearest minima in the subspaces, all crystals in one batch a step.

    Args:
        structures: Where to begin.
        subspaces: One for each.
        potential: Of energies and forces.
        effort: What has not come to rest by then is given back as it is; at least one evaluation is made.

    Returns:
        One per structure, in order; a sentence where the potential refuses.
    """
    runs = [_Run(s, subspace, effort.max_force) for s, subspace in zip(structures, subspaces, strict=True)]
    while moving := [run for run in runs if not run.done and run.steps < effort.steps]:
        for run, found in zip(moving, calculate_each(potential, [run.trial for run in moving]), strict=True):
            run.take(found)
        if time.monotonic() > effort.stop_at:
            break
    return [run.result() for run in runs]


class _Run:
    """One crystal on its way."""

    def __init__(self, structure: Structure, subspace: Subspace, max_force: float) -> None:
        self.start, self.subspace, self.max_force = structure, subspace, max_force
        self.trial, self.best, self.steps = structure, structure, 0
        self.energy, self.gradient, self.force = np.inf, np.zeros(0), np.inf
        self.curvature = subspace.basis.T @ spring_constants(structure) @ subspace.basis
        self.radius = FIRST_RADIUS_ANGSTROM
        self.move = np.zeros(subspace.basis.shape[1])
        self.failure: str | None = None

    @property
    def done(self) -> bool:
        return bool(self.failure) or self.force < self.max_force or self.radius < STUCK_ANGSTROM

    def take(self, found: Calculation | str) -> None:
        """Take in what the potential says of the trial, and choose the next."""
        self.steps += 1
        if isinstance(found, str) or not np.isfinite(found.forces).all():
            self.failure = found if isinstance(found, str) else "The forces are not finite."
            return
        gradient = -(self.subspace.basis.T @ found.forces.ravel())
        force = float(np.linalg.norm((self.subspace.basis @ gradient).reshape(-1, 3), axis=1).max())
        if self.steps > 1:
            self._learn(gradient - self.gradient)
        if found.energy > self.energy + NOISE_EV_PER_ATOM * len(self.start) and force > self.force:
            self.radius = SHRINKAGE * min(self.radius, self._length(self.move))
        else:
            if self._length(self.move) > 0.9 * self.radius:
                self.radius = min(GROWTH * self.radius, LARGEST_RADIUS_ANGSTROM)
            self.best, self.energy, self.gradient, self.force = self.trial, found.energy, gradient, force
        if not self.done:
            self._propose()

    def _learn(self, change: np.ndarray) -> None:
        """The BFGS update, left out where the energy curves downwards along the move."""
        along = float(self.move @ change)
        stiff = self.curvature @ self.move
        if along > 1e-3 * float(self.move @ self.move):
            self.curvature = (
                self.curvature
                + np.outer(change, change) / along
                - np.outer(stiff, stiff) / float(self.move @ stiff)
            )

    def _propose(self) -> None:
        move = -np.linalg.solve(self.curvature, self.gradient)
        self.move = move * min(1.0, self.radius / max(self._length(move), 1e-12))
        self.trial = moved(self.best, (self.subspace.basis @ self.move).reshape(-1, 3))

    def _length(self, move: np.ndarray) -> float:
        return float(np.linalg.norm((self.subspace.basis @ move).reshape(-1, 3), axis=1).max())

    def result(self) -> Rest | str:
        if self.failure:
            return self.failure
        return Rest(self.best, float(self.energy), self.force, self.steps, self.force < self.max_force)


def moved(structure: Structure, displacements: np.ndarray) -> Structure:
    """The crystal with its atoms displaced, A, shape `(nsites, 3)`."""
    from pymatgen.core import Structure

    return Structure(
        structure.lattice,
        structure.species,
        structure.cart_coords + displacements,
        coords_are_cartesian=True,
    )


def spring_constants(structure: Structure) -> np.ndarray:
    """Second derivatives of the energy if atoms were joined by springs, eV/A^2, shape `(3 * nsites,) * 2`."""
    first, second, cells, _ = structure.get_neighbor_list(CUTOFF_ANGSTROM)
    vectors = (
        structure.frac_coords[second] + cells - structure.frac_coords[first]
    ) @ structure.lattice.matrix
    numbers = np.array(structure.atomic_numbers)
    halves = springs(numbers[first], numbers[second], vectors) / 2  # every pair is listed from both its ends
    n = len(structure)
    return between_atoms(first, second, halves, n) + ATOM_STIFFNESS * np.eye(3 * n)
