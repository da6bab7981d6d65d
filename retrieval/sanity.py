"""Is a structure read from a file a crystal that can be worked with?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import StructureError
from ..core.identity import require_ordered

if TYPE_CHECKING:
    from pymatgen.core import Structure

MAX_SITES = 500
MIN_LENGTH_ANGSTROM = 1.0
"""The shortest lattice vector of a known crystal is above 2 A."""
MAX_LENGTH_ANGSTROM = 500.0
MIN_DISTANCE_ANGSTROM = 0.5
"""The shortest bond there is, H2, has 0.74 A."""
VOLUME_PER_ATOM_ANGSTROM3 = (1.0, 1000.0)
MAX_FRACTIONAL = 1000.0
ISOTOPES = ("D", "T")


def usable(structure: Structure) -> tuple[Structure, dict[str, Any]]:
    """A plain, ordered copy of a structure: elements and positions, wrapped into the cell.

    Args:
        structure: As a parser gave it; left untouched.

    Returns:
        The copy, and what was changed, for the provenance.

    Raises:
        StructureError: disordered, empty, too large, or absurd (see the constants of this file).
    """
    from pymatgen.core import Structure

    _require_finite(structure)
    _require_size(structure)
    _require_elements(structure)
    plain = structure.copy()
    notes: dict[str, Any] = {}
    if any(getattr(specie, "oxi_state", None) is not None for site in plain for specie in site.species):
        notes["oxidation_states_removed"] = True
    plain.remove_oxidation_states()
    require_ordered(plain)
    _require_distances(plain)
    species = [site.specie for site in plain]
    return Structure(plain.lattice, species, plain.frac_coords, to_unit_cell=True), notes


def _require_finite(structure: Structure) -> None:
    if not (np.isfinite(structure.lattice.matrix).all() and np.isfinite(structure.frac_coords).all()):
        raise StructureError("The cell or the coordinates hold numbers that are not finite.")
    if len(structure) and np.abs(structure.frac_coords).max() > MAX_FRACTIONAL:
        raise StructureError(f"An atom lies more than {MAX_FRACTIONAL:.0f} cells away from the origin.")


def _require_size(structure: Structure) -> None:
    require_site_count(len(structure))
    lengths = np.array(structure.lattice.abc)
    if lengths.min() < MIN_LENGTH_ANGSTROM or lengths.max() > MAX_LENGTH_ANGSTROM:
        shown = ", ".join(f"{length:.4g}" for length in lengths)
        raise StructureError(
            f"The cell's edges are {shown} A; {MIN_LENGTH_ANGSTROM:g} to {MAX_LENGTH_ANGSTROM:g} A is accepted."
        )
    low, high = VOLUME_PER_ATOM_ANGSTROM3
    volume = structure.volume / len(structure)
    if not low <= volume <= high:
        raise StructureError(
            f"The cell has {volume:.4g} A^3 per atom; {low:g} to {high:g} A^3 per atom is accepted."
        )


def require_site_count(count: int) -> None:
    """Refuse an empty cell and one that is too large to be treated.

    Raises:
        StructureError: no sites, or more than `MAX_SITES`.
    """
    if count < 1:
        raise StructureError("The structure has no sites.")
    if count > MAX_SITES:
        raise StructureError(f"{count} atoms in the cell; at most {MAX_SITES} are accepted.")


def _require_elements(structure: Structure) -> None:
    from pymatgen.core import DummySpecies

    for site in structure:
        for specie in site.species:
            if isinstance(specie, DummySpecies):
                raise StructureError(f"{specie.symbol!r} is a placeholder, not a chemical element.")
            name = getattr(specie, "element", specie).name  # of deuterium, pymatgen's `symbol` is H
            if name in ISOTOPES:
                raise StructureError(f"{name} is an isotope; write H for hydrogen, its element.")


def _require_distances(structure: Structure) -> None:
    centres, others, _, distances = structure.get_neighbor_list(MIN_DISTANCE_ANGSTROM)
    if len(distances):
        k = int(distances.argmin())
        i, j = int(centres[k]), int(others[k])
        raise StructureError(
            f"Sites {i} ({structure[i].species_string}) and {j} ({structure[j].species_string}) are "
            f"{distances[k]:.3f} A apart; at least {MIN_DISTANCE_ANGSTROM:g} A is accepted."
        )
