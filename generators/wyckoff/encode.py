"""How is a structure said in the words of its space group?

spglib finds the group and brings the crystal into the standard setting; `canonical` picks one description of
it. The tolerance is 0.01 A; where the symmetry found at it contradicts itself, finer ones are tried.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.errors import StructureError
from ...core.identity import SYMPREC_ANGSTROM, require_ordered
from .canonical import PlacedOrbit, canonical
from .crystal import WyckoffCrystal
from .positions import space_group

if TYPE_CHECKING:
    from pymatgen.core import Structure

MOST_ATOMS = 20
"""In the primitive cell, of what the generators learn and write."""
FINER_SYMPRECS_ANGSTROM = (0.003, 0.001, 1e-4)
"""Tried in turn where 0.01 A gives no consistent symmetry."""


def encode(structure: Structure, most_atoms: int = MOST_ATOMS) -> WyckoffCrystal:
    """The crystal in its space group.

    Equal for every cell, origin, orientation and order of sites of one crystal (see `canonical.py`).
    Oxidation states and other properties of the sites are left out; what differs by less than symprec is
    symmetrised.

    Args:
        structure: Ordered, any cell.
        most_atoms: How many atoms the primitive cell may hold.

    Raises:
        StructureError: the structure is empty, disordered, too large, holds something that is no element, or
            has no symmetry that could be made out.
    """
    require_ordered(structure)
    elements = _elements(structure)
    reasons: list[str] = []
    for symprec in (SYMPREC_ANGSTROM, *FINER_SYMPRECS_ANGSTROM):
        dataset = _dataset(structure, symprec)
        if dataset is None:
            reasons.append("spglib finds no symmetry")
            continue
        _require_size(structure, dataset, most_atoms)
        try:
            return canonical(int(dataset.number), _metric(dataset), _orbits(dataset, elements))
        except StructureError as error:
            reasons.append(str(error))
    formula, reason = structure.composition.reduced_formula, reasons[0].rstrip(".")
    raise StructureError(f"{formula} cannot be written in Wyckoff positions: {reason}.")


def _elements(structure: Structure) -> dict[int, str]:
    """Symbols by atomic number; deuterium is hydrogen here."""
    from pymatgen.core import DummySpecies, Element

    for specie in structure.elements:
        if isinstance(specie, DummySpecies):
            raise StructureError(f"{specie} in {structure.composition.formula} is not an element.")
    return {number: Element.from_Z(number).symbol for number in set(structure.atomic_numbers)}


def _dataset(structure: Structure, symprec: float) -> Any:
    """spglib's dataset in the setting of `positions.py`; `None` if there is none."""
    os.environ.setdefault("SPGLIB_WARNING", "OFF")
    import spglib

    cell: Any = (structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers)
    dataset = spglib.get_symmetry_dataset(cell, symprec=symprec)
    if dataset is None:
        return None
    wanted = space_group(int(dataset.number)).hall_number
    if dataset.hall_number == wanted:
        return dataset
    return spglib.get_symmetry_dataset(cell, symprec=symprec, hall_number=wanted)


def _require_size(structure: Structure, dataset: Any, most_atoms: int) -> None:
    natoms = len(set(dataset.mapping_to_primitive.tolist()))
    if natoms > most_atoms:
        raise StructureError(
            f"{structure.composition.reduced_formula} has {natoms} atoms in its primitive cell; "
            f"the sequence takes {most_atoms} at most."
        )


def _metric(dataset: Any) -> np.ndarray:
    vectors = np.asarray(dataset.std_lattice)
    return vectors @ vectors.T


def _orbits(dataset: Any, elements: dict[int, str]) -> list[PlacedOrbit]:
    """The orbits of the standardised conventional cell."""
    known = {
        int(atom): (int(orbit), str(letter))
        for atom, orbit, letter in zip(
            dataset.mapping_to_primitive, dataset.crystallographic_orbits, dataset.wyckoffs, strict=True
        )
    }
    of_sites = [known[int(atom)] for atom in dataset.std_mapping_to_primitive]
    group = space_group(int(dataset.number))
    orbits = []
    for orbit, letter in sorted(set(of_sites)):
        members = [i for i, found in enumerate(of_sites) if found == (orbit, letter)]
        if len(members) != group.position(letter).multiplicity:
            raise StructureError(f"An orbit of {len(members)} sites was put on Wyckoff position {letter}.")
        element = elements[int(dataset.std_types[members[0]])]
        orbits.append(PlacedOrbit(element, letter, np.asarray(dataset.std_positions)[members]))
    return orbits
