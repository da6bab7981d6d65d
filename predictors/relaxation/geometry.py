"""From bare arrays back to a crystal with its species and site properties."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..cell import Cell

if TYPE_CHECKING:
    from pymatgen.core import Structure


def with_geometry(structure: Structure, cell: Cell) -> Structure:
    """The same sites, species and site properties at another geometry."""
    from pymatgen.core import Lattice, Structure

    return Structure(
        Lattice(cell.lattice),
        structure.species,
        cell.positions,
        coords_are_cartesian=True,
        to_unit_cell=True,
        site_properties={k: list(v) for k, v in structure.site_properties.items()},
    )


def plain_structure(cell: Cell) -> Structure:
    """Elements and geometry alone."""
    from pymatgen.core import Element, Lattice, Structure

    species = [Element.from_Z(int(z)) for z in cell.numbers]
    return Structure(Lattice(cell.lattice), species, cell.positions, coords_are_cartesian=True)
