"""Which candidates should DFT answer next, so that the front of what is known moves furthest?

Goals are to be large, each in its own direction. The front is what no other known point reaches in all goals at once, and
its hypervolume the space that it encloses with a reference point. A candidate's *improvement* is the hypervolume it is
expected to add, its values being uncertain; its *bound* what it would add if every goal came out one standard deviation
better than expected (upper confidence bound).

The space that the front leaves is cut along the front's coordinates into cells. A point adds, cell by cell, the product of
how far it reaches into each side, so with independent normal goals the expectation is a sum of products of one-dimensional
expected improvements: exact in any number of goals, the formula of Emmerich et al. for two.

A batch is chosen one by one: whoever is chosen is believed to come out as expected and joins the front, and of its siblings
(same chemistry and prototype) part of the uncertainty goes with it, so that ten siblings are not chosen for one promise.

BoTorch and Ax do the same and much more with Gaussian processes and gradients, and bring GPyTorch and Pyro with them. Here the
candidates are a list and their distributions are given: what is left to compute is this file, in numpy.

Source: Emmerich, Deutz and Klinkenberg, IEEE CEC (2011), doi:10.1109/CEC.2011.5949880; Jones, Schonlau and Welch, J. Global
Optim. 13, 455 (1998) for one goal; Ginsbourger et al. (2010), doi:10.1007/978-3-642-10701-6_6 for believing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import numpy as np

Kind = Literal["improvement", "bound"]
OPTIMISM = 1.0
"""Standard deviations by which a bound is better than what is expected."""
SHARED = 0.5
"""Part of a candidate's variance that goes once a sibling of it is answered. Ours, 2026: errors of a method go with the
chemistry, and the offset of a class is learned from its first answers (`predictors.lessons`)."""
NOTHING = 1e-9
"""An improvement below it, of the space between reference and 1, is none."""


@dataclass(frozen=True)
class Choice:
    """One of a batch.

    Attributes:
        index: Of the candidate.
        gain: What it is expected, or hoped, to add to the hypervolume when it was chosen; 0: nothing was expected of anybody
            any more, and it is simply the first that is left.
    """

    index: int
    gain: float


def expected_improvement(mean: np.ndarray, deviation: np.ndarray, best: np.ndarray) -> np.ndarray:
    """E[max(Y - best, 0)] of normal Y; arguments broadcast, and a deviation of 0 is a certain value."""
    from scipy.special import ndtr

    sure = np.maximum(mean - best, 0.0)
    safe = np.where(deviation > 0, deviation, 1.0)
    z = np.where(np.isfinite(best), (mean - best) / safe, -np.inf)
    density = np.exp(-0.5 * np.where(np.isfinite(z), z, 0.0) ** 2) / np.sqrt(2 * np.pi)
    hoped = np.where(
        np.isfinite(z), np.where(np.isfinite(best), mean - best, 0.0) * ndtr(z) + safe * density, 0.0
    )
    return np.where(deviation > 0, np.maximum(hoped, 0.0), sure)


def front_of(points: np.ndarray) -> np.ndarray:
    """The points that no other one reaches in all goals at once, each once, shape `(k, m)`."""
    points = np.unique(np.asarray(points, dtype=float), axis=0)
    reaches = (points[None] >= points[:, None]).all(-1) & (points[None] > points[:, None]).any(-1)
    return points[~reaches.any(-1)]


class Space:
    """What a front leaves to be gained.

    Args:
        front: Points known, shape `(k, m)`; k may be 0.
        reference: Nothing below it counts, shape `(m,)`.
    """

    def __init__(self, front: np.ndarray, reference: np.ndarray) -> None:
        self.reference = np.asarray(reference, dtype=float)
        inside = (
            front[(front > self.reference).all(1)] if len(front) else front.reshape(0, len(self.reference))
        )
        self.front = front_of(inside) if len(inside) else inside
        self._low = [np.append(r, np.unique(self.front[:, j])) for j, r in enumerate(self.reference)]
        self._high = [np.append(low[1:], np.inf) for low in self._low]
        self._free = self._undominated()

    @property
    def hypervolume(self) -> float:
        """What the front encloses."""
        if not len(self.front):
            return 0.0
        top = self.front.max(0)
        return float(np.prod(top - self.reference) - self.gained(top[None])[0])

    def gained(self, points: np.ndarray) -> np.ndarray:
        """Hypervolume that each point would add alone, shape `(n,)`, of points shaped `(n, m)`."""
        return self._sum([
            np.minimum(np.maximum(points[:, j, None] - low, 0.0), high - low)
            for j, (low, high) in enumerate(zip(self._low, self._high, strict=True))
        ])  # fmt: skip

    def expected(self, means: np.ndarray, deviations: np.ndarray) -> np.ndarray:
        """Hypervolume that each candidate is expected to add, its goals being normal and independent, shape `(n,)`.

        Args:
            means: Shape `(n, m)`.
            deviations: Shape `(n, m)`; 0 is a certain value.
        """
        parts = []
        for j, (low, high) in enumerate(zip(self._low, self._high, strict=True)):
            mean, deviation = means[:, j, None], deviations[:, j, None]
            parts.append(
                expected_improvement(mean, deviation, low) - expected_improvement(mean, deviation, high)
            )
        return self._sum(parts)

    def _undominated(self) -> np.ndarray:
        """Which cells no point of the front reaches over, one axis for each goal."""
        shape = tuple(len(low) for low in self._low)
        free = np.ones(shape, dtype=bool)
        for point in self.front:
            reached = [high <= x for high, x in zip(self._high, point, strict=True)]
            free &= ~reduce(np.logical_and.outer, reached)
        return free

    def _sum(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Sum over free cells of the product of the parts, each shaped `(n, cells along the goal)`."""
        total = np.tensordot(parts[0], self._free.astype(float), axes=(1, 0))
        for part in parts[1:]:
            total = np.einsum("nc,nc...->n...", part, total)
        return total


def choose(
    draws: np.ndarray,
    known: np.ndarray,
    count: int,
    kind: Kind = "improvement",
    siblings: Sequence[str] = (),
    reference: np.ndarray | None = None,
) -> list[Choice]:
    """A batch of candidates, chosen one by one.

    Args:
        draws: What DFT might say of each: equally likely values of the goals, shape `(n, ndraws, m)`.
        known: Points that DFT has answered, shape `(k, m)`; without any the front is that of the expected values.
        count: How many to choose at most.
        kind: By expected improvement or by upper confidence bound.
        siblings: The kin of each candidate; by default all are strangers.
        reference: By default 0 in every goal.

    Returns:
        In the order of choice; of equal ones the first in the list is chosen first.
    """
    n, _, m = draws.shape
    kin = np.array(siblings or [str(i) for i in range(n)])
    means, deviations = draws.mean(1), draws.std(1)
    reference = np.zeros(m) if reference is None else reference
    front = np.asarray(known, dtype=float).reshape(-1, m) if len(known) else means
    shrunk, left, chosen = np.ones(n), np.ones(n, dtype=bool), list[Choice]()
    for _ in range(min(count, n)):
        space = Space(front, reference)
        if kind == "improvement":
            spread = means[:, None] + shrunk[:, None, None] * (draws - means[:, None])
            gains = space.gained(spread.reshape(-1, m)).reshape(n, -1).mean(1)
        else:
            gains = space.gained(means + OPTIMISM * shrunk[:, None] * deviations)
        gains = np.where(left, np.where(gains > NOTHING, gains, 0.0), -1.0)
        best = int(np.argmax(gains))
        chosen.append(Choice(best, float(gains[best])))
        left[best] = False
        front = np.vstack([front, means[best]])
        shrunk[kin == kin[best]] *= np.sqrt(1 - SHARED)
    return chosen
