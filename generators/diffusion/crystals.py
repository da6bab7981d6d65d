"""What crystals are what the sampler gives, and which of them can be handed out?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...core.errors import InputError, StructureError
from ..charges import neutral_states
from ..soundness import LARGEST_VOLUME_PER_ATOM, NO_CELL, SMALLEST_VOLUME, TOO_NEAR, examined, overlaps
from ..wyckoff.crystal import WyckoffCrystal
from .entries import crystal_of
from .lattices import cells_of
from .table import Batch

if TYPE_CHECKING:
    from pymatgen.core import Structure

SETTLING_ANGSTROM = 0.1
"""Atoms of a crystal made without symmetry that lie this near to places of higher symmetry are put there."""
NOT_NEUTRAL, OTHER_ELEMENTS = "not neutral", "elements missing"


def structures_of(batch: Batch) -> list[Structure]:
    """As structures, whatever they are."""
    from pymatgen.core import Lattice, Structure

    cells = cells_of(batch.lattice, batch.frames, batch.natoms.to(batch.lattice)).double().cpu().numpy()
    sites, types, present = (x.cpu().numpy() for x in (batch.sites.double(), batch.types, batch.present))
    return [
        Structure(Lattice(cell), list(own[there]), place[there])
        for cell, own, place, there in zip(cells, types, sites, present, strict=True)
    ]


def symmetric_crystals(batch: Batch, skeletons: Sequence[WyckoffCrystal]) -> list[WyckoffCrystal | None]:
    """In the words of their space groups; none where there is no sensible cell."""
    cells = cells_of(batch.lattice, batch.frames, batch.natoms.to(batch.lattice)).double().cpu().numpy()
    free = batch.free.double().cpu().numpy()
    found: list[WyckoffCrystal | None] = []
    for skeleton, cell, values in zip(skeletons, cells, free, strict=True):
        try:
            found.append(crystal_of(skeleton, values, cell))
        except (InputError, StructureError):
            found.append(None)
    return found


def examined_symmetric(crystal: WyckoffCrystal | None) -> tuple[Structure, str] | tuple[None, str]:
    """The primitive cell, or none and why the crystal is not sound."""
    return (None, NO_CELL) if crystal is None else examined(crystal)


def examined_plain(structure: Structure, intermetallics: bool) -> tuple[Structure, str] | tuple[None, str]:
    """The crystal in its space group, or none and why it is not sound.

    Args:
        structure: As the sampler gives it.
        intermetallics: Whether ions that are not neutral are let through.
    """
    if not SMALLEST_VOLUME <= structure.volume <= LARGEST_VOLUME_PER_ATOM * len(structure):
        return None, NO_CELL
    if overlaps(structure):
        return None, TOO_NEAR
    amounts = {symbol: int(n) for symbol, n in structure.composition.get_el_amt_dict().items()}
    if not intermetallics and neutral_states(amounts) is None:
        return None, NOT_NEUTRAL
    return settled(structure), ""


def settled(structure: Structure) -> Structure:
    """Symmetrised at `SETTLING_ANGSTROM`, in a primitive cell; as it is where that finds nothing or puts atoms together."""
    os.environ.setdefault("SPGLIB_WARNING", "OFF")
    import spglib
    from pymatgen.core import Element, Lattice, Structure

    cell: Any = (structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers)
    found = spglib.standardize_cell(cell, to_primitive=True, no_idealize=False, symprec=SETTLING_ANGSTROM)
    if found is None:
        return structure
    vectors, sites, numbers = found
    better = Structure(Lattice(vectors), [Element.from_Z(int(number)) for number in numbers], sites)
    is_same = better.composition.reduced_formula == structure.composition.reduced_formula
    return better if is_same and not overlaps(better) else structure
