"""What do the gradients seen so far say about the curvature, and where does the next step go?

Damped BFGS that starts from a model Hessian M = L L^T, in the coordinates L^T x in which M is the unit
matrix. There all that was learnt lives in the space of the gradients seen, one dimension an evaluation: the
curvature is a small matrix on that space and one everywhere else. So after one Cholesky factorisation a
step costs triangular solves and an eigenvalue problem as large as the number of evaluations, not of atoms.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import cholesky, solve_triangular

DAMPING = 0.2  # of the expected curvature is kept at least (Nocedal and Wright)
SOFTEST = 0.6  # relative to the model: floor of the curvature in a step, against wild moves
NEGLIGIBLE = 1e-8  # part of a vector that is outside a space and still counts as inside
RADIUS_TOLERANCE = 0.03  # a step may be this much shorter than the radius
MAX_BISECTIONS = 40


class Curvature:
    """Second derivatives, as far as known.

    Args:
        model: First guess, symmetric and positive definite, shape `(n, n)`.
    """

    def __init__(self, model: np.ndarray) -> None:
        self._root = cholesky(model, lower=True)
        self._basis = np.zeros((0, len(model)))
        self._known = np.zeros((0, 0))

    def learn(self, move: np.ndarray, change: np.ndarray) -> None:
        """Take in the change of the gradient along a move; the curvature stays positive where the surface is not.

        Source: Nocedal and Wright, Numerical Optimization, 2nd ed. (2006), procedure 18.2.
        """
        move, change = self._root.T @ move, self._unrooted(change)
        self._extend(move)
        self._extend(change)
        move, change = self._basis @ move, self._basis @ change
        felt = self._known @ move
        stiffness, expected = move @ change, move @ felt
        if not expected > 0:
            return
        if stiffness < DAMPING * expected:
            keep = (1 - DAMPING) * expected / (expected - stiffness)
            change = keep * change + (1 - keep) * felt
            stiffness = move @ change
        self._known += np.outer(change, change) / stiffness - np.outer(felt, felt) / expected

    def along(self, move: np.ndarray) -> float:
        """Second derivative along a move, times its length squared."""
        move = self._root.T @ move
        inside = self._basis @ move
        return float(inside @ self._known @ inside + move @ move - inside @ inside)

    def step(self, gradient: np.ndarray, length: Callable[[np.ndarray], float], radius: float) -> np.ndarray:
        """The move to the minimum of the quadratic model within a radius, in any norm.

        Curvatures are raised to `SOFTEST`, then all by one number until the move is short enough.
        """
        gradient = self._unrooted(gradient)
        curvatures, modes = np.linalg.eigh(self._known)
        curvatures = np.maximum(curvatures, SOFTEST)
        modes = modes.T @ self._basis
        slopes = modes @ gradient
        modes = solve_triangular(self._root, modes.T, lower=True, trans=1, check_finite=False)
        rest = gradient - self._basis.T @ (self._basis @ gradient)
        rest = solve_triangular(self._root, rest, lower=True, trans=1, check_finite=False)

        def move(shift: float) -> np.ndarray:
            return -modes @ (slopes / (curvatures + shift)) - rest / (1 + shift)

        return _just_short_enough(move, length, radius)

    def _unrooted(self, gradient: np.ndarray) -> np.ndarray:
        return solve_triangular(self._root, gradient, lower=True, check_finite=False)

    def _extend(self, vector: np.ndarray) -> None:
        """Let the space of what is known hold a vector; what is new there has the model's curvature, one."""
        rest = vector
        for _ in range(2):
            rest = rest - self._basis.T @ (self._basis @ rest)
        size, known = np.linalg.norm(rest), len(self._basis)
        if known == len(vector) or size <= NEGLIGIBLE * np.linalg.norm(vector):
            return
        self._basis = np.vstack([self._basis, rest / size])
        larger = np.eye(known + 1)
        larger[:known, :known] = self._known
        self._known = larger


def _just_short_enough(
    move: Callable[[float], np.ndarray], length: Callable[[np.ndarray], float], radius: float
) -> np.ndarray:
    """The move of the smallest shift, none if possible, that does not go beyond the radius."""
    if length(move(0.0)) <= radius:
        return move(0.0)
    low, high = 0.0, 1.0
    while length(move(high)) > radius:
        low, high = high, 4 * high
    for _ in range(MAX_BISECTIONS):
        if length(move(high)) > (1 - RADIUS_TOLERANCE) * radius:
            break
        middle = (low + high) / 2
        low, high = (middle, high) if length(move(middle)) > radius else (low, middle)
    return move(high)
