"""Which phases compete within a set of elements, and which mixture of them is the lowest?

Phases are kept in families: those of exactly the same elements. A system of elements joins the families
of all its subsets, and of phases with equal composition only the lowest can be part of a mixture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...core.errors import HullError
from .formula import formula_fractions
from .limits import potential_limits
from .lower_hull import LowerHull, Mixture
from .phase import Phase

SMALLEST_SHARE = 1e-6  # fraction of atoms below which a phase is not part of a decomposition
SAME_COMPOSITION = 9  # decimals of atomic fractions

Shares = list[tuple[Phase, float]]
"""Phases with their fractions of atoms, the largest first."""


class Family:
    """The phases that hold exactly these elements, those of equal composition together, the lowest first.

    Attributes:
        elements: Sorted symbols.
        phases: In order.
        fractions: Atomic fractions, shape `(nphases, nelements)`.
        energies: eV/atom, shape `(nphases,)`.
        lowest: Index of the lowest phase of each composition.
    """

    def __init__(self, elements: tuple[str, ...], phases: Sequence[Phase]) -> None:
        rows = [(tuple(x for _, x in formula_fractions(p.formula)), p.energy_per_atom) for p in phases]
        keys = [(tuple(round(x, SAME_COMPOSITION) for x in shares), energy) for shares, energy in rows]
        order = sorted(range(len(phases)), key=keys.__getitem__)
        self.elements = elements
        self.phases = [phases[i] for i in order]
        self.fractions = np.array([rows[i][0] for i in order]).reshape(len(phases), len(elements))
        self.energies = np.array([rows[i][1] for i in order])
        self._compositions = [keys[i][0] for i in order]
        self.lowest = self.lowest_without(frozenset())

    def lowest_without(self, leave_out: frozenset[str]) -> np.ndarray:
        """Index of the lowest phase of each composition that is left."""
        chosen: list[int] = []
        last = None
        for i, composition in enumerate(self._compositions):
            if composition != last and self.phases[i].material_id not in leave_out:
                chosen.append(i)
                last = composition
        return np.array(chosen, dtype=int)


@dataclass(frozen=True)
class _Columns:
    """Competing phases as arrays."""

    phases: list[Phase]
    hull: LowerHull


class Subsystem:
    """The phases within a set of elements, with the lower hull found so far.

    Args:
        elements: Sorted symbols.
        families: Those of all subsets of `elements` that have phases.
    """

    def __init__(self, elements: tuple[str, ...], families: Sequence[Family]) -> None:
        self.elements = elements
        self.families = families
        self._missing = self._without_reference(frozenset())
        self._columns = None if self._missing else self._join(frozenset())

    @property
    def phases(self) -> list[Phase]:
        """All of them."""
        return [phase for family in self.families for phase in family.phases]

    def lowest_mixtures(
        self, targets: np.ndarray, leave_out: Sequence[frozenset[str]]
    ) -> list[tuple[float, Shares] | HullError]:
        """Energy (eV/atom) and phases of the best mixture at each target, or why there is none.

        Args:
            targets: Atomic fractions of `elements`, shape `(ntargets, nelements)`.
            leave_out: For each target the ids that do not compete. Only where one of them takes part in
                the best mixture of all phases is another mixture looked for.
        """
        if self._columns is None:
            return [self._refusal(self._missing) for _ in targets]
        try:
            mixtures = self._columns.hull.mixtures(targets)
        except HullError as error:
            return [error for _ in targets]
        found: list[tuple[float, Shares] | HullError] = []
        for target, mixture, ids in zip(targets, mixtures, leave_out, strict=True):
            shares = _named(mixture, self._columns.phases)
            if ids:
                found.append(self._without(target, ids, (mixture.energy, shares)))
            else:
                found.append((mixture.energy, shares))
        return found

    def potential_limits(self, element: str, target: np.ndarray, energy: float) -> tuple[float, float]:
        """Lowest and highest chemical potential of an element, eV, with which a composition is in equilibrium.

        Args:
            element: One of `elements`.
            target: Atomic fractions, shape `(nelements,)`.
            energy: eV/atom of what stands there, not above the hull.

        Raises:
            HullError: an element has no phase of its own, or the energy is above the hull.
        """
        if self._columns is None:
            raise self._refusal(self._missing)
        hull = self._columns.hull
        return potential_limits(hull.fractions, hull.energies, target, energy, self.elements.index(element))

    def _without(
        self, target: np.ndarray, ids: frozenset[str], best: tuple[float, Shares]
    ) -> tuple[float, Shares] | HullError:
        """The best mixture without some phases, given the best one with them."""
        missing = self._without_reference(ids)
        if missing:
            return self._refusal(missing)
        if not any(phase.material_id in ids for phase, _ in best[1]):
            return best
        columns = self._join(ids)
        try:
            mixture = columns.hull.mixtures(target[None])[0]
        except HullError as error:
            return error
        return mixture.energy, _named(mixture, columns.phases)

    def _join(self, leave_out: frozenset[str]) -> _Columns:
        """The lowest phase of each composition, without those left out."""
        place = {element: i for i, element in enumerate(self.elements)}
        phases: list[Phase] = []
        fractions, energies = [], []
        for family in self.families:
            touched = leave_out and any(phase.material_id in leave_out for phase in family.phases)
            chosen = family.lowest_without(leave_out) if touched else family.lowest
            rows = np.zeros((len(chosen), len(self.elements)))
            rows[:, [place[element] for element in family.elements]] = family.fractions[chosen]
            fractions.append(rows)
            energies.append(family.energies[chosen])
            phases.extend(family.phases[i] for i in chosen)
        return _Columns(phases, LowerHull(np.concatenate(fractions).T, np.concatenate(energies)))

    def _without_reference(self, leave_out: frozenset[str]) -> list[str]:
        """Elements of which no phase is left."""
        there = {
            family.elements[0]
            for family in self.families
            if len(family.elements) == 1 and any(p.material_id not in leave_out for p in family.phases)
        }
        return [element for element in self.elements if element not in there]

    def _refusal(self, missing: Sequence[str]) -> HullError:
        return HullError(
            f"energy_above_hull needs a phase of pure {', '.join(missing)}; the hull has none, "
            "and it is never taken as zero."
        )


def _named(mixture: Mixture, phases: Sequence[Phase]) -> Shares:
    shares = [
        (phases[i], float(x))
        for i, x in zip(mixture.columns, mixture.shares, strict=True)
        if x > SMALLEST_SHARE
    ]
    return sorted(shares, key=lambda item: -item[1])
