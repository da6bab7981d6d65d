"""How far below its elements does a compound lie? From the elemental phases of a hull."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from .contracts import Hull
from .errors import HullError

if TYPE_CHECKING:
    from pymatgen.core import Composition

    from .candidate import Candidate


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


def expected_distances(candidates: Sequence[Candidate], hull: Hull) -> list[float | None]:
    """Distance from the hull that a predicted formation energy means, eV/atom, in order.

    `None` for a candidate without `formation_energy_per_atom`, or of elements or phases that the hull does not hold.
    """
    references = reference_energies(
        hull, sorted({str(e) for c in candidates for e in c.structure.composition})
    )
    found: list[float | None] = [None] * len(candidates)
    places, queries = [], []
    for i, candidate in enumerate(candidates):
        formation = candidate.value("formation_energy_per_atom")
        composition = candidate.structure.composition
        if formation is None:
            continue
        try:
            queries.append((composition, float(formation) + elemental_energy(composition, references), ()))
            places.append(i)
        except HullError:
            continue
    for i, distance in zip(places, hull.distances(queries), strict=True):
        found[i] = None if isinstance(distance, HullError) else distance.energy_above_hull
    return found
