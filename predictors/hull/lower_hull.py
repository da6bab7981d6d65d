"""Which mixture of phases has the lowest energy at a composition?

A linear programme with one row per element: minimise the energy of the mixture whose atoms add up to the
composition. Its solutions are the simplices of the lower convex hull. They are found by the primal simplex
method as targets ask for them, and kept: a simplex that no phase lies below is the answer for every
composition inside it, which one product with its inverse decides for many targets at once.

Source: G. B. Dantzig, Linear Programming and Extensions (1963), chapter 9; R. G. Bland, Math. Oper. Res. 2,
103 (1977), for the rule that cannot cycle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.errors import HullError

BELOW = 1e-9  # eV/atom: a phase this far under a simplex is below it; bounds the error of the energy
INSIDE = 1e-9  # fraction of atoms: a target this far outside a simplex is in it
SMALLEST_PIVOT = 1e-10
STEPS_BEFORE_BLAND = 60  # the usual number is two or three per element; ties alone need more
MOST_STEPS = 2000
MOST_SIMPLICES = 256  # kept per set of phases
TARGETS_AT_ONCE = 1000


@dataclass(frozen=True)
class Simplices:
    """Simplices of the lower hull.

    Attributes:
        corners: Columns of the phases, shape `(k, nelements)`.
        inverses: Of the matrices of their fractions, shape `(k, nelements, nelements)`.
        prices: Chemical potentials of the elements, eV/atom, shape `(k, nelements)`.
    """

    corners: np.ndarray
    inverses: np.ndarray
    prices: np.ndarray

    def __len__(self) -> int:
        return len(self.corners)

    def and_(self, other: Simplices) -> Simplices:
        """Both together."""
        return Simplices(
            np.concatenate([self.corners, other.corners]),
            np.concatenate([self.inverses, other.inverses]),
            np.concatenate([self.prices, other.prices]),
        )


@dataclass(frozen=True)
class Mixture:
    """The best mixture: its energy, eV/atom, and the columns of its phases with their shares of the atoms."""

    energy: float
    columns: np.ndarray
    shares: np.ndarray


class LowerHull:
    """Best mixtures of a set of phases.

    Args:
        fractions: Atomic fractions of the phases, shape `(nelements, nphases)`; no two alike, and each
            element among them.
        energies: eV/atom, shape `(nphases,)`.
    """

    def __init__(self, fractions: np.ndarray, energies: np.ndarray) -> None:
        self.fractions = fractions
        self.energies = energies
        self._elements = fractions.argmax(axis=1)
        bound = energies < energies[self._elements] @ fractions - BELOW
        bound[self._elements] = True
        self._columns = np.flatnonzero(
            bound
        )  # a phase above the mixture of its elements is never in the best
        n = len(fractions)
        self._known = Simplices(np.zeros((0, n), int), np.zeros((0, n, n)), np.zeros((0, n)))

    def mixtures(self, targets: np.ndarray) -> list[Mixture]:
        """The best mixture at each target.

        Threads may ask at the same time: the simplices are replaced as a whole, and one that is lost
        by that is only found again.

        Args:
            targets: Atomic fractions, shape `(ntargets, nelements)`.

        Raises:
            HullError: a target holds values that no mixture has.
        """
        found: list[Mixture] = []
        for start in range(0, len(targets), TARGETS_AT_ONCE):
            found.extend(self._some(targets[start : start + TARGETS_AT_ONCE]))
        return found

    def _some(self, targets: np.ndarray) -> list[Mixture]:
        found: dict[int, Mixture] = {}
        left = np.arange(len(targets))
        simplices = self._known
        while len(left):
            if len(simplices):
                shares = np.einsum("kij,tj->tki", simplices.inverses, targets[left])
                inside = shares.min(axis=2) >= -INSIDE
                for row in np.flatnonzero(inside.any(axis=1)):
                    k = int(inside[row].argmax())
                    i = int(left[row])
                    energy = float(simplices.prices[k] @ targets[i])
                    found[i] = Mixture(energy, simplices.corners[k], shares[row, k])
                left = left[~inside.any(axis=1)]
            if len(left):
                i, left = int(left[0]), left[1:]
                found[i], simplices = self._new(targets[i])
        return [found[i] for i in range(len(targets))]

    def _new(self, target: np.ndarray) -> tuple[Mixture, Simplices]:
        """The best mixture at a target, and its simplex, which is kept."""
        corners = self._descend(target)
        simplex = self._checked(corners, target) if corners is not None else None
        if simplex is None:
            n = len(target)
            return self._by_highs(target), Simplices(
                np.zeros((0, n), int), np.zeros((0, n, n)), np.zeros((0, n))
            )
        if len(self._known) < MOST_SIMPLICES:
            self._known = self._known.and_(simplex)
        shares = simplex.inverses[0] @ target
        return Mixture(float(simplex.prices[0] @ target), simplex.corners[0], shares), simplex

    def _descend(self, target: np.ndarray) -> np.ndarray | None:
        """Corners of the simplex below a target, from the elements downhill; `None` if it takes too long."""
        fractions, energies = self.fractions[:, self._columns], self.energies[self._columns]
        corners = np.searchsorted(self._columns, self._elements)
        inverse, shares = np.eye(len(target)), target.astype(float)
        for step in range(MOST_STEPS):
            heights = energies - (energies[corners] @ inverse) @ fractions
            careful = step >= STEPS_BEFORE_BLAND
            entering = int((heights < -BELOW).argmax() if careful else heights.argmin())
            if heights[entering] >= -BELOW:
                return self._columns[corners]
            direction = inverse @ fractions[:, entering]
            leaving = _leaving(direction, shares, corners, careful)
            if leaving is None:
                return None
            row = inverse[leaving] / direction[leaving]
            amount = shares[leaving] / direction[leaving]
            inverse = inverse - np.outer(direction, row)
            inverse[leaving] = row
            shares = np.maximum(shares - direction * amount, 0.0)
            shares[leaving] = amount
            corners[leaving] = entering
        return None

    def _checked(self, corners: np.ndarray, target: np.ndarray) -> Simplices | None:
        """The simplex computed afresh; `None` if rounding has left its mark on it."""
        matrix = self.fractions[:, corners]
        try:
            inverse = np.linalg.inv(matrix)
        except np.linalg.LinAlgError:
            return None
        prices = self.energies[corners] @ inverse
        shares = inverse @ target
        lowest = (self.energies - prices @ self.fractions).min()
        right = (
            shares.min() >= -INSIDE and abs(matrix @ shares - target).max() < INSIDE and lowest >= -2 * BELOW
        )
        return Simplices(corners[None], inverse[None], prices[None]) if right else None

    def _by_highs(self, target: np.ndarray) -> Mixture:
        """By scipy's HiGHS, for what the simplex method here leaves in doubt."""
        from scipy.optimize import linprog

        found = linprog(
            self.energies[self._columns],
            A_eq=self.fractions[:, self._columns],
            b_eq=target,
            bounds=(0, None),
            method="highs",
        )
        if found.status != 0:
            raise HullError(f"No mixture of phases was found: {found.message}")
        return Mixture(float(found.fun), self._columns, found.x)


def _leaving(direction: np.ndarray, shares: np.ndarray, corners: np.ndarray, careful: bool) -> int | None:
    """The corner that is used up first; among equals the largest pivot, or Bland's choice."""
    used_up = np.flatnonzero(direction > SMALLEST_PIVOT)
    if not len(used_up):
        return None
    ratios = shares[used_up] / direction[used_up]
    first = used_up[ratios <= ratios.min() + 1e-14]
    return int(first[corners[first].argmin()] if careful else first[direction[first].argmax()])
