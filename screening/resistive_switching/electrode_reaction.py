"""Does a metal electrode react with a host that it touches?

On the hull of competing phases, along the line that mixes host and metal: how far the most stable mixture of phases lies below
host and metal side by side, where it lies deepest. The host counts with the hull's energy at its composition, so that what it
gains by falling apart alone is not counted as a reaction. That depth is convex in
the mixing ratio, so the deepest of some points and its neighbours bound the deepest of all.
Thermodynamics only: a reaction that is allowed may be slow.

Source: Richards, Miara, Wang, Kim, Ceder, Chem. Mater. 28, 266 (2016), doi:10.1021/acs.chemmater.5b04082, eq. 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.contracts import HullDistance
from ...core.errors import HullError

if TYPE_CHECKING:
    from pymatgen.core import Composition

    from ...core.contracts import Hull

POINTS = 33
"""Of the line that are looked at together; the deepest and its neighbours bound the next look."""
LOOKS = 3
"""The mixing ratio is then found to 1e-4, and the energy to some 0.1 meV/atom."""
PRESENT = 1e-4
"""Of the atoms; a phase with less is numerical noise."""
NO_REACTION_EV = 1e-4
"""Per atom; less is rounding."""


@dataclass(frozen=True)
class ElectrodeReaction:
    """The deepest point of the line between host and metal.

    Attributes:
        metal: Symbol.
        energy: eV per atom of the mixture, 0 or negative.
        metal_fraction: Atoms of metal per atom of the mixture; 0 where nothing reacts.
        products: Formulas of the phases, most atoms first; empty where nothing reacts.
        hull: Its name.
    """

    metal: str
    energy: float
    metal_fraction: float
    products: tuple[str, ...]
    hull: str

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "metal": self.metal,
            "energy": self.energy,
            "metal_fraction": self.metal_fraction,
            "products": list(self.products),
            "hull": self.hull,
        }


def electrode_reaction(
    host: Composition, metal: str, hull: Hull, energy_per_atom: float | None = None
) -> ElectrodeReaction | str:
    """The reaction of a host with a metal; a sentence if the hull lacks an element.

    Args:
        host: Any amount of it.
        metal: Symbol.
        hull: With the competing phases.
        energy_per_atom: Of the host by the hull's potential, eV/atom; counts where it lies below a hull that does not list it.
    """
    part, pure = _fractions(host), {metal: 1.0}
    try:
        own, of_metal = (
            hull.lowest_energy(_mixture(part, pure, 0.0)),
            hull.lowest_energy(_mixture(part, pure, 1.0)),
        )
        if energy_per_atom is not None:
            own = min(own, energy_per_atom)
        x, found = _deepest(part, pure, own, of_metal, hull)
    except HullError as error:
        return f"Whether {metal} reacts with {host.reduced_formula} is not known: {error}"
    energy = -found.energy_above_hull
    if energy > -NO_REACTION_EV:
        return ElectrodeReaction(metal, 0.0, 0.0, (), hull.name)
    products = sorted(
        (one for one in found.decomposition if one[2] > PRESENT), key=lambda one: (-one[2], one[1])
    )
    return ElectrodeReaction(metal, energy, x, tuple(formula for _, formula, _ in products), hull.name)


def _deepest(
    part: dict[str, float], pure: dict[str, float], own: float, of_metal: float, hull: Hull
) -> tuple[float, HullDistance]:
    """The mixing ratio at which host and metal side by side lie farthest above the hull, and how far."""
    low, high = 0.0, 1.0
    for _ in range(LOOKS):
        ratios = np.linspace(low, high, POINTS)
        found = hull.distances(
            [(_mixture(part, pure, x), float((1 - x) * own + x * of_metal), ()) for x in ratios]
        )
        distances = [one for one in found if isinstance(one, HullDistance)]
        if len(distances) < len(found):
            raise next(one for one in found if isinstance(one, HullError))
        best = int(np.argmax([one.energy_above_hull for one in distances]))
        if best == 0:
            return 0.0, distances[0]
        low, high = ratios[best - 1], ratios[min(best + 1, POINTS - 1)]
    return float(ratios[best]), distances[best]


def _fractions(composition: Composition) -> dict[str, float]:
    amounts = composition.element_composition.get_el_amt_dict()
    total = sum(amounts.values())
    return {symbol: amount / total for symbol, amount in amounts.items()}


def _mixture(part: dict[str, float], pure: dict[str, float], x: float) -> Composition:
    from pymatgen.core import Composition

    symbols = part.keys() | pure.keys()
    return Composition({s: (1 - x) * part.get(s, 0.0) + x * pure.get(s, 0.0) for s in sorted(symbols)})
