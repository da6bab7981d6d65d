"""Which numbers of a compound tell how it conducts?

Fourteen, all from the composition: what decides between band, Mott and charge-transfer insulators and metals (Zaanen,
Sawatzky, Allen, Phys. Rev. Lett. 55, 418 (1985), doi:10.1103/PhysRevLett.55.418; Torrance et al., Physica C 182, 351
(1991)): how many d electrons, how dearly a second one sits on the metal, how easily the metal takes one
from the anion, how wide the bands can be.

They are those of the active cation: of the transition metals with an open d shell the one that takes electrons most easily
(largest ionisation energy into its valence), which has the smallest charge-transfer energy. Polymorphs are not told apart.
Distances and Madelung potentials of crystals were tried beside them and told families left out no better (see the card).

The table's own features were computed from crystals it does not hold; none of them is used.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ...core.errors import InputError
from .families import Ions, ions_of
from .valences import group, nominal_valences, row

if TYPE_CHECKING:
    from pymatgen.core import Composition

FEATURES = (
    "closed_shells",
    "d_electrons",
    "period",
    "valence_fraction",
    "valence",
    "electron_affinity",
    "repulsion",
    "cation_electronegativity",
    "anion_electronegativity",
    "others_per_metal",
    "anions_per_metal",
    "others_radius",
    "others_electronegativity",
    "open_4f_share",
)
"""Affinity and repulsion in eV, radius in A, electronegativity after Pauling; means are weighted by amounts."""
OPEN_SHELL = (0.4, 9.6)
"""Numbers of d electrons between which a shell counts as open."""
NO_OPEN_SHELL = -3.0
"""Stands for d electrons where no shell is open, away from all that are."""
NO_METAL = (3.0, 6.0)
"""Stand for other cations and anions per transition metal where there is none."""
LARGEST_REPULSION_EV = 45.0
"""That of a noble-gas core is larger and tells no more."""
LANTHANIDES = range(58, 71)
"""Ce to Yb: a 4f shell that may be open."""


def features(composition: Composition) -> np.ndarray:
    """The numbers named in `FEATURES`, shape `(14,)`; the same for any multiple of a formula.

    Raises:
        InputError: it has no anion or no cation, or an element without ionisation energies, radius or electronegativity.
    """
    ions = ions_of(composition)
    valences = nominal_valences(ions)
    open_ = [s for s in sorted(ions.metals) if OPEN_SHELL[0] < _d_electrons(s, valences[s]) < OPEN_SHELL[1]]
    pool = open_ or sorted(ions.metals) or sorted(ions.others)
    active = max(pool, key=lambda symbol: (_affinity(symbol, valences[symbol]), symbol))
    anions, metals, others = ions.counts
    valence, count = valences[active], _d_electrons(active, valences[active])
    values = (
        float(not open_),
        count if open_ else NO_OPEN_SHELL,
        float(row(active)) if open_ else 0.0,
        abs(count - round(count)) if open_ else 0.0,
        valence,
        _affinity(active, valence),
        repulsion(active, valence),
        _electronegativity(active),
        _mean(ions, ions.anions, {s: _electronegativity(s) for s in ions.anions}),
        others / metals if metals else NO_METAL[0],
        anions / metals if metals else NO_METAL[1],
        _mean(ions, ions.others, {s: _radius(s, valences[s]) for s in ions.others}),
        _mean(ions, ions.others, {s: _electronegativity(s) for s in ions.others}),
        _mean(ions, ions.others, {s: float(_number(s) in LANTHANIDES) for s in ions.others}),
    )
    if not np.isfinite(values).all():
        raise InputError(
            f"{composition.reduced_formula} holds an element without an electronegativity, so its conduction is not classified."
        )
    return np.array(values)


def has_open_shell(composition: Composition) -> bool:
    """Whether a transition metal keeps some but not all of its d electrons.

    Raises:
        InputError: as `features`.
    """
    return features(composition)[0] == 0.0


def repulsion(symbol: str, valence: float) -> float:
    """What it costs to move an electron between two ions of this valence far apart, eV, at most 45.

    The ionisation energy out of the valence less that into it; of a mixed valence the lower ion counts.
    """
    energies = _ionisation_energies(symbol)
    lower = max(int(np.floor(valence + 1e-6)), 1)
    if lower >= len(energies):
        return LARGEST_REPULSION_EV
    return min(energies[lower] - energies[lower - 1], LARGEST_REPULSION_EV)


def _affinity(symbol: str, valence: float) -> float:
    """Energy an ion of this valence gains by an electron, eV; between whole valences a straight line."""
    energies = _ionisation_energies(symbol)
    return float(np.interp(valence - 1, np.arange(len(energies)), energies))


def _d_electrons(symbol: str, valence: float) -> float:
    return group(symbol) - valence


def _mean(ions: Ions, symbols: frozenset[str], values: dict[str, float]) -> float:
    """Weighted by amounts; 0 of nothing."""
    total = sum(ions.amounts[symbol] for symbol in symbols)
    return sum(ions.amounts[symbol] * values[symbol] for symbol in symbols) / total if total else 0.0


@lru_cache(maxsize=128)
def _ionisation_energies(symbol: str) -> tuple[float, ...]:
    """eV, the first one first, up to the first that is not known. Source: NIST, as pymatgen has them."""
    from pymatgen.core import Element

    known: list[float] = []
    for energy in Element(symbol).ionization_energies:
        if not energy:
            break
        known.append(float(energy))
    if not known:
        raise InputError(f"No ionisation energy of {symbol} is known, so its conduction is not classified.")
    return tuple(known)


@lru_cache(maxsize=1024)
def _radius(symbol: str, valence: float) -> float:
    """Ionic radius at the nearest tabulated valence of the same sign, A; Shannon's, as pymatgen has them."""
    from pymatgen.core import Element

    element = Element(symbol)
    tabulated = {float(state): float(radius) for state, radius in element.ionic_radii.items()}
    alike = [state for state in tabulated if (state > 0) == (valence > 0)]
    if alike:
        return tabulated[min(alike, key=lambda state: (abs(state - valence), state))]
    if element.atomic_radius is None:
        raise InputError(f"No radius of {symbol} is known, so its conduction is not classified.")
    return float(element.atomic_radius)


@lru_cache(maxsize=128)
def _electronegativity(symbol: str) -> float:
    from pymatgen.core import Element

    return float(Element(symbol).X)


@lru_cache(maxsize=128)
def _number(symbol: str) -> int:
    from pymatgen.core import Element

    return int(Element(symbol).Z)
