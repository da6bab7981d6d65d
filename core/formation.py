"""How far below its elements does a compound lie? From the elemental phases of a hull."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from .contracts import Hull
from .errors import HullError

if TYPE_CHECKING:
    from pymatgen.core import Composition


def reference_energies(hull: Hull, elements: Iterable[str]) -> dict[str, float | HullError]:
    """Energy of each element in the hull's reference phase, eV/atom, or why there is none."""
    from pymatgen.core import Composition

    names = list(elements)
    found = hull.distances([(Composition(element), 0.0, ()) for element in names])
    return {
        element: distance if isinstance(distance, HullError) else -distance.energy_above_hull
        for element, distance in zip(names, found, strict=True)
    }


def elemental_energy(composition: Composition, references: Mapping[str, float | HullError]) -> float:
    """Energy of the elements in their reference phases, eV/atom of the compound.

    Raises:
        HullError: an element has no reference phase.
    """
    total = 0.0
    for element, amount in composition.get_el_amt_dict().items():
        reference = references[element]
        if isinstance(reference, HullError):
            raise reference
        total += reference * amount
    return total / composition.num_atoms
