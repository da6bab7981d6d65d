"""What crystal does an exchange of ions make, and can it be one?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.charge_balance import is_charge_balanced, is_ionic
from .cell_scaling import volume_factor
from .exchanges import Exchange
from .ion_sizes import overlapping
from .parents import Parent

if TYPE_CHECKING:
    from pymatgen.core import Structure


@dataclass(frozen=True)
class Product:
    """A crystal after an exchange.

    Attributes:
        structure: Sites in the parent's order; fractional coordinates and angles are the parent's.
        volume_factor: New volume over the parent's.
        volume_method: How the factor was found.
    """

    structure: Structure
    volume_factor: float
    volume_method: str


def product_of(parent: Parent, exchange: Exchange) -> Product | None:
    """The crystal, or `None` if SMACT finds it unbalanced, it is no compound of ions, or its ions overlap."""
    from pymatgen.core import Composition, Lattice, Structure

    ions = exchange.applied_to(parent.around.ions)
    symbols = [ion.symbol for ion in ions]
    kinds = set(ions)
    mixed_valence = len(kinds) > len(set(symbols))
    formula = Composition("".join(symbols)).reduced_formula
    if not is_ionic(kinds) or not is_charge_balanced(formula, mixed_valence):
        return None
    old = parent.seed.structure
    factor, method = volume_factor(old, parent.around, ions)
    scale = factor ** (1 / 3)
    if overlapping(parent.around, ions, scale):
        return None
    structure = Structure(Lattice(old.lattice.matrix * scale), symbols, old.frac_coords)
    return Product(structure, factor, method)
