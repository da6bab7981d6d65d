"""Which ions surround an ion in a crystal, how large is it there, and do ions overlap?

A neighbour counts by its weight in Hoppe's effective coordination number, so that the coordination of a
distorted octahedron is about six and changes smoothly. Radii are Shannon's, with the gaps of his table
filled by SMACT's extension, interpolated between the coordinations that are tabulated.

Sources: Shannon, Acta Cryst. A 32, 751 (1976), doi:10.1107/S0567739476001551; Baloch et al., Phys. Rev.
Materials 5, 043804 (2021), doi:10.1103/PhysRevMaterials.5.043804; Hoppe, Z. Kristallogr. 150, 23 (1979).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from .ion_pairs import Ion

if TYPE_CHECKING:
    from pymatgen.core import Structure

CONTACT_CUTOFF_ANGSTROM = 5.0
FARTHEST_BOND_ANGSTROM = 10.0
LEAST_BOND_WEIGHT = 0.02
UNLIKE_CONTACT = 0.7
LIKE_CONTACT = 0.5
"""Ions of unlike and of like charge are no closer than this share of the sum of their radii."""
SMALLEST_RADIUS_ANGSTROM = 0.1
"""For contacts; a proton's Shannon radius is negative."""
UNKNOWN_SIZE_CHANGE_ANGSTROM = 0.5
"""Taken for an exchange of ions without radii: a poor match."""


@dataclass(frozen=True)
class Surroundings:
    """The bonds and contacts of a crystal whose ions are known.

    Attributes:
        ions: One per site.
        cations: Site at the positive end of each bond, shape `(nbonds,)`.
        anions: Site at the negative end, shape `(nbonds,)`.
        lengths: A, shape `(nbonds,)`.
        weights: Share in the cation's effective coordination number, shape `(nbonds,)`.
        coordination: Effective coordination number of each site, shape `(nsites,)`.
        contacts: Sites of every pair closer than the cut-off, shape `(2, npairs)`.
        distances: Their distances, A, shape `(npairs,)`.
    """

    ions: tuple[Ion, ...]
    cations: np.ndarray
    anions: np.ndarray
    lengths: np.ndarray
    weights: np.ndarray
    coordination: np.ndarray
    contacts: np.ndarray
    distances: np.ndarray

    @cached_property
    def mean_coordination(self) -> dict[Ion, float]:
        """Effective coordination number of each ion, the mean over its sites."""
        numbers: dict[Ion, list[float]] = defaultdict(list)
        for ion, number in zip(self.ions, self.coordination, strict=True):
            numbers[ion].append(float(number))
        return {ion: sum(values) / len(values) for ion, values in numbers.items()}


def surroundings(structure: Structure, ions: Sequence[Ion]) -> Surroundings | None:
    """Bonds between unlike ions; `None` if a cation has no anion within 10 A."""
    charges = np.array([ion.charge for ion in ions])
    cutoff = CONTACT_CUTOFF_ANGSTROM
    while True:
        i, j, _, distances = structure.get_neighbor_list(cutoff)
        unlike = (charges[i] > 0) & (charges[j] < 0)
        if np.isin(np.flatnonzero(charges > 0), i[unlike]).all():
            break
        cutoff *= 1.4
        if cutoff > FARTHEST_BOND_ANGSTROM:
            return None
    cations, anions, lengths = i[unlike], j[unlike], distances[unlike]
    weights = _bond_weights(cations, lengths, len(ions))
    kept = weights > LEAST_BOND_WEIGHT
    cations, anions, lengths, weights = cations[kept], anions[kept], lengths[kept], weights[kept]
    coordination = sum(np.bincount(ends, weights=weights, minlength=len(ions)) for ends in (cations, anions))
    return Surroundings(
        tuple(ions), cations, anions, lengths, weights, np.asarray(coordination), np.array([i, j]), distances
    )


def _bond_weights(centres: np.ndarray, lengths: np.ndarray, nsites: int) -> np.ndarray:
    """Hoppe's weights exp(1 - (d / d_mean)^6), the weighted mean found by iteration from the shortest bond."""
    mean = np.full(nsites, np.inf)
    np.minimum.at(mean, centres, lengths)
    weights = np.zeros_like(lengths)
    for _ in range(30):
        weights = np.exp(1 - (lengths / mean[centres]) ** 6)
        total = np.bincount(centres, weights=weights, minlength=nsites)
        sums = np.bincount(centres, weights=weights * lengths, minlength=nsites)
        new = np.divide(sums, total, out=np.full(nsites, np.inf), where=total > 0)
        settled = np.allclose(new[centres], mean[centres], atol=1e-5, rtol=0)
        mean = new
        if settled:
            break
    return weights


def ionic_radius(ion: Ion, coordination: float) -> float | None:
    """Radius of an ion at an effective coordination number, A; `None` if no coordination is tabulated.

    Interpolated between tabulated coordinations, constant beyond them; the mean over spin states.
    """
    table = _radii(ion)
    return float(np.interp(coordination, *table)) if table else None


@lru_cache(maxsize=4096)
def _radii(ion: Ion) -> tuple[np.ndarray, np.ndarray] | None:
    from smact.data_loader import lookup_element_shannon_radius_data_extendedML

    by_coordination: dict[float, list[float]] = defaultdict(list)
    for row in lookup_element_shannon_radius_data_extendedML(ion.symbol, copy=False) or ():
        if int(row["charge"]) == ion.charge:
            number = float(str(row["coordination"]).split("_")[0])
            by_coordination[number].append(float(row["ionic_radius"]))
    if not by_coordination:
        return None
    numbers = sorted(by_coordination)
    return np.array(numbers), np.array([np.mean(by_coordination[n]) for n in numbers])


def size_change(around: Surroundings, pairs: Sequence[tuple[Ion, Ion]]) -> float:
    """Largest change of radius among the ions that are exchanged, where they stand, A.

    Where a radius is missing, the change is taken as `UNKNOWN_SIZE_CHANGE_ANGSTROM`.
    """
    return max(
        (_radius_change(old, new, round(around.mean_coordination[old], 2)) for old, new in pairs), default=0.0
    )


@lru_cache(maxsize=65536)
def _radius_change(old: Ion, new: Ion, coordination: float) -> float:
    before, after = ionic_radius(old, coordination), ionic_radius(new, coordination)
    if before is None or after is None:
        return UNKNOWN_SIZE_CHANGE_ANGSTROM
    return abs(after - before)


def overlapping(around: Surroundings, ions: Sequence[Ion], scale: float) -> bool:
    """Whether ions would stand too close if the crystal held these ions and its lengths were scaled.

    Args:
        around: Of the crystal as it is.
        ions: New ions, one per site.
        scale: New length over old length.
    """
    radii = np.array([_contact_radius(ion, n) for ion, n in zip(ions, around.coordination, strict=True)])
    charges = np.array([ion.charge for ion in ions])
    i, j = around.contacts
    share = np.where(charges[i] * charges[j] < 0, UNLIKE_CONTACT, LIKE_CONTACT)
    return bool((scale * around.distances < share * (radii[i] + radii[j])).any())


def _contact_radius(ion: Ion, coordination: float) -> float:
    """The ionic radius; where it is not tabulated, the atomic radius of the element."""
    from pymatgen.core import Element

    radius = ionic_radius(ion, coordination)
    if radius is None:
        radius = float(Element(ion.symbol).atomic_radius or 1.0)
    return max(radius, SMALLEST_RADIUS_ANGSTROM)
