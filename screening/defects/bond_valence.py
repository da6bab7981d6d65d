"""Which hops look passable before any energy is computed?

Along the straight way of a hop through the unrelaxed crystal two things are followed. The bond valence of the moving ion
says how strongly it is bonded: far above its value at home it is squeezed between the ions of opposite charge, far below it has
lost its bonds. And the bottleneck is the room that the other ions leave around the straight way; where none is left, an ion
stands in the way. Both are rough and no barrier. The site energies of the package BVlain 0.25 were tried as well: they
are those of an ion in a sublattice emptied of its kind, and put quartz (0.6 eV) below SrTiO3 (1.9 eV).

Sources: Adams, Acta Cryst. B 57, 278 (2001), doi:10.1107/S0108768101003068 (valence mismatch along a way); O'Keeffe and
Brese, J. Am. Chem. Soc. 113, 3226 (1991), doi:10.1021/ja00009a002 (parameters).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.bond_valences import bond_valence_length
from ...core.oxidation import oxidation_states
from .hops import Hop, Hops

if TYPE_CHECKING:
    from pymatgen.core import Structure

POINTS = 11
"""On the straight way, both ends counted."""
REACH_ANGSTROM = 5.0
ANION_ELECTRONEGATIVITY = 2.2
"""Pauling's, above which an element without a known charge counts as an anion: C 2.55, Se 2.55, Te 2.1, Sb 2.05."""
SOFTNESS_ANGSTROM = 0.37
"""The usual constant of bond valences; Brown and Altermatt, Acta Cryst. B 41, 244 (1985), doi:10.1107/S0108768185002063."""


@dataclass(frozen=True)
class FirstLook:
    """What the geometry alone says of a hop.

    Attributes:
        mismatch: Largest change of the ion's bond valence on the way, relative to its valence at home; `None` without
            parameters for an element.
        bottleneck_angstrom: Least distance of another ion from the way, less that ion's radius.
        at: Where that is, as a fraction of the way.
        by: Which element stands there.
    """

    mismatch: float | None
    bottleneck_angstrom: float
    at: float
    by: str


def first_looks(hops: Hops) -> list[FirstLook]:
    """What the geometry says of every class of hops, in order."""
    surroundings = _Surroundings(hops.primitive, hops.element)
    return [surroundings.look(hop) for hop in hops.classes]


class _Surroundings:
    """The unrelaxed crystal around a moving ion."""

    def __init__(self, primitive: Structure, element: str) -> None:
        symbols = [site.specie.symbol for site in primitive]
        charges = _charges(primitive, symbols)
        self.primitive = primitive
        self.symbols = symbols
        self.radii = np.array([ionic_radius(*ion) for ion in zip(symbols, charges, strict=True)])
        lengths = [bond_valence_length(element, symbol) for symbol in symbols]
        self.lengths = np.array([np.nan if length is None else length for length in lengths])
        self.opposite = np.sign(charges) == -np.sign(charges[symbols.index(element)])

    def look(self, hop: Hop) -> FirstLook:
        """What stands along the straight way of a hop."""
        fractions = np.linspace(0, 1, POINTS)
        valences, rooms = zip(*(self._at(hop, x) for x in fractions), strict=True)
        change = np.abs(np.array(valences) / (valences[0] or np.nan) - 1).max()
        room, by, x = min((room, by, float(x)) for (room, by), x in zip(rooms, fractions, strict=True))
        return FirstLook(None if np.isnan(change) else float(change), room, x, by)

    def _at(self, hop: Hop, fraction: float) -> tuple[float, tuple[float, str]]:
        """Bond valence of the ion at a point, and the room there with whom it is shared."""
        start = self.primitive.frac_coords[hop.start]
        end = self.primitive.frac_coords[hop.end] + hop.translation
        lattice = self.primitive.lattice
        point = lattice.get_cartesian_coords(end + fraction * (start - end))
        found: Any = lattice.get_points_in_sphere(
            self.primitive.frac_coords, point, REACH_ANGSTROM, zip_results=False
        )
        places, distances, sites, _ = found
        gone = [np.abs(np.array(places) - one).max(axis=1) < 1e-6 for one in (start, end)]
        stays = ~(gone[0] | gone[1])
        sites, distances = np.array(sites, dtype=int)[stays], np.array(distances)[stays]
        bonds = self.opposite[sites]
        valence = np.exp((self.lengths[sites[bonds]] - distances[bonds]) / SOFTNESS_ANGSTROM).sum()
        room = distances - self.radii[sites]
        nearest = int(room.argmin())
        return float(valence), (float(room[nearest]), self.symbols[sites[nearest]])


def _charges(primitive: Structure, symbols: list[str]) -> np.ndarray:
    """Oxidation states, or where there are none -1 for elements that can be anions and 1 for others, shape `(nsites,)`."""
    from pymatgen.core import Element

    charges = oxidation_states(primitive)
    if charges is not None and all(charges):
        return np.array(charges)
    return np.array([-1.0 if Element(symbol).X > ANION_ELECTRONEGATIVITY else 1.0 for symbol in symbols])


@lru_cache(maxsize=1024)
def ionic_radius(symbol: str, charge: float) -> float:
    """Shannon's radius of an ion, mean over coordinations, A; the atom's own where there is none.

    Source: Shannon, Acta Cryst. A 32, 751 (1976), doi:10.1107/S0567739476001551, as pymatgen has it.
    """
    from pymatgen.core import Element, Species

    element = Element(symbol)
    mean = element.average_anionic_radius if charge < 0 else element.average_cationic_radius
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exact = Species(symbol, round(charge)).ionic_radius
    return float(exact or mean or element.atomic_radius or 0.0)
