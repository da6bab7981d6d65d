"""Does a larger potential rank stability better? SevenNet-l3i5 beside CHGNet where all competitors can be computed.

Single points at the published geometries for both, candidates and all competitors alike, SevenNet's brought to the Materials
Project's corrected scale. Only test candidates whose systems hold few atoms are affordable, so these are simpler chemistries than
the whole. Both potentials were trained on most of these crystals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.contracts import Potential
from ..core.errors import MissingDataError, NotFoundError
from ..predictors.cell import Cell
from ..predictors.hull.phase import Phase
from ..predictors.hull.table import ELEMENT, PhaseTable
from ..predictors.potentials.mp2020 import mp2020_corrected
from .properties_training import say

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from .properties_stability import Candidate

POTENTIAL = "sevennet-l3i5"
MOST_ATOMS = 6000
MOST_CANDIDATES = 100
PER_BATCH = 64


def sevennet_distances(
    candidates: Sequence[Candidate],
    table: PhaseTable,
    cells: Mapping[str, Cell],
    chgnet: Mapping[str, float],
    most_atoms: int = MOST_ATOMS,
) -> dict[str, Any] | str:
    """Candidates of the smallest systems, and their distances by both potentials' single points.

    Args:
        candidates: To choose from.
        table: Phases that compete.
        cells: By id; a system with a phase that has no cell is left out.
        chgnet: Energies of these, eV/atom, by id.
        most_atoms: To be computed in all.

    Returns:
        `chosen`, `sevennet` and `chgnet` (eV/atom, in the order of `chosen`); a sentence if the potential is not there.
    """
    from ..flows import toolbox
    from .properties_stability import distances

    try:
        potential = toolbox.potential(POTENTIAL)
    except (MissingDataError, NotFoundError) as error:
        return f"not measured: {error}"
    chosen, ids = smallest_systems(candidates, table, cells, most_atoms)
    if not chosen:
        return "not measured: no system is small enough"
    say(f"stability: {POTENTIAL} on {len(ids)} phases of {len(chosen)} candidates ...")
    formulas = {phase.material_id: phase.formula for phase in table.phases}
    energies = corrected_energies(potential, {key: cells[key] for key in ids})
    found: dict[str, Any] = {"chosen": chosen, "phases": len(ids)}
    for name, values in (("sevennet", energies), ("chgnet", chgnet)):
        some = PhaseTable([Phase(key, formulas[key], values[key], False) for key in ids], table.card)
        found[name] = distances(chosen, some, {}, {})
    return found


def smallest_systems(
    candidates: Sequence[Candidate], table: PhaseTable, cells: Mapping[str, Cell], most_atoms: int
) -> tuple[list[Candidate], list[str]]:
    """Candidates whose systems hold the fewest atoms, while all of them fit, and the ids of all their phases."""
    by_elements: dict[frozenset[str], list[str]] = {}
    for phase in table.phases:
        by_elements.setdefault(frozenset(ELEMENT.findall(phase.formula)), []).append(phase.material_id)
    systems: dict[frozenset[str], list[str]] = {}
    for candidate in candidates:
        elements = frozenset(ELEMENT.findall(candidate.formula))
        if elements not in systems:
            systems[elements] = [key for of, keys in by_elements.items() if of <= elements for key in keys]
    whole = {elements: keys for elements, keys in systems.items() if all(key in cells for key in keys)}
    sizes = {elements: sum(len(cells[key].numbers) for key in keys) for elements, keys in whole.items()}
    chosen: list[Candidate] = []
    ids: set[str] = set()
    atoms = 0
    system_of = {c.key: frozenset(ELEMENT.findall(c.formula)) for c in candidates}
    affordable = [c for c in candidates if system_of[c.key] in whole]
    for candidate in sorted(affordable, key=lambda c: (sizes[system_of[c.key]], c.key)):
        new = set(whole[system_of[candidate.key]]) - ids
        atoms += sum(len(cells[key].numbers) for key in new)
        if atoms > most_atoms or len(chosen) == MOST_CANDIDATES:
            break
        chosen.append(candidate)
        ids |= new
    return chosen, sorted(ids)


def corrected_energies(potential: Potential, cells: Mapping[str, Cell]) -> dict[str, float]:
    """Single points on the corrected scale of the Materials Project, eV/atom, by id."""
    keys = list(cells)
    found: dict[str, float] = {}
    for first in range(0, len(keys), PER_BATCH):
        some = keys[first : first + PER_BATCH]
        structures = [structure_of(cells[key]) for key in some]
        for key, structure, result in zip(some, structures, potential.calculate(structures), strict=True):
            found[key] = mp2020_corrected(result.energy / len(structure), structure)
    return found


def structure_of(cell: Cell) -> Structure:
    """The pymatgen structure of bare arrays."""
    from pymatgen.core import Element, Lattice, Structure

    species = [Element.from_Z(int(z)) for z in cell.numbers]
    return Structure(Lattice(cell.lattice), species, np.asarray(cell.positions), coords_are_cartesian=True)
