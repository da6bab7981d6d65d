"""What must be known of a published crystal to decide whether the catalogue takes it?

Composition and labels are read off the record; symmetry, structure type and layers are computed.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ...core.bonded_pieces import dimensionality
from ...core.charge_balance import is_charge_balanced
from ...core.crystals import CrystalRecord
from ...core.identity import SYMPREC_ANGSTROM
from ...core.symmetry import polar_point_group
from ..prototypes import prototype_of

if TYPE_CHECKING:
    from pymatgen.core import Structure

LOOSE_SYMPREC_ANGSTROM = 0.1
MAX_SITES = 20


def elements(words: str) -> frozenset[str]:
    """A set of element symbols, written with blanks between them."""
    return frozenset(words.split())


FAMILIES = {
    "F": "fluoride",
    "O": "oxide",
    "Cl": "chloride",
    "N": "nitride",
    "Br": "bromide",
    "I": "iodide",
    "S": "sulfide",
    "Se": "selenide",
    "Te": "telluride",
}
"""By anion, falling electronegativity (Pauling): the first that a compound holds names its family."""
LANTHANIDES = elements("Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu")
RADIOACTIVE = elements("Tc Pm Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr")
LEFT_OUT = RADIOACTIVE | elements("He Ne Ar Kr Xe H C")
"""Radioactive elements, noble gases, and H and C: hydrates and molecular crystals are not switched."""


def eligible(record: CrystalRecord) -> bool:
    """Whether a crystal may enter at all: a small, charge-balanced compound of usable elements."""
    present = set(record.species)
    return (
        record.nsites <= MAX_SITES
        and len(present) > 1
        and not present & LEFT_OUT
        and any(anion in present for anion in FAMILIES)
        and record.labels.get("e_above_hull") is not None
        and charge_balanced(record.reduced_formula)
    )


def charge_balanced(formula: str) -> bool:
    """Whether common oxidation states add up to zero, mixed valence (Fe3O4) allowed."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Mixed-valence expansion")  # too many ways: counted as none
        return is_charge_balanced(formula)


@dataclass(frozen=True)
class Profile:
    """A published crystal as the selection sees it; what costs time is computed when it is asked for.

    Attributes:
        record: The crystal as published.
    """

    record: CrystalRecord

    @property
    def material_id(self) -> str:
        """Materials Project id."""
        return self.record.material_id

    @property
    def formula(self) -> str:
        """Reduced formula."""
        return self.record.reduced_formula

    @property
    def nsites(self) -> int:
        """Atoms in the cell."""
        return self.record.nsites

    @property
    def energy_above_hull(self) -> float:
        """PBE, eV/atom, as published."""
        return max(0.0, float(self.record.labels["e_above_hull"]))

    @property
    def band_gap(self) -> float | None:
        """PBE, eV, as published."""
        return self.record.labels.get("band_gap")

    @cached_property
    def elements(self) -> frozenset[str]:
        """Symbols."""
        return frozenset(self.record.species)

    @cached_property
    def family(self) -> str:
        """By the most electronegative anion: `oxide`."""
        return FAMILIES[next(anion for anion in FAMILIES if anion in self.elements)]

    @cached_property
    def _symmetry(self) -> tuple[int, tuple[str, ...]]:
        """Space group number and Wyckoff letter of each orbit, at symprec 0.01 A."""
        import spglib

        data = spglib.get_symmetry_dataset(_cell(self.record), symprec=SYMPREC_ANGSTROM)
        if data is None:
            return 1, ()
        letters = dict(zip(data.crystallographic_orbits, data.wyckoffs, strict=True))
        return int(data.number), tuple(letters.values())

    def with_symmetry(self) -> Profile:
        """Itself, once the space group is known; the slow part of a profile that every crystal needs."""
        _ = self._symmetry
        return self

    @property
    def spacegroup_number(self) -> int:
        """At symprec 0.01 A."""
        return self._symmetry[0]

    @cached_property
    def loose_spacegroup_number(self) -> int:
        """At symprec 0.1 A; the tight one where spglib finds none."""
        import spglib

        data = spglib.get_symmetry_dataset(_cell(self.record), symprec=LOOSE_SYMPREC_ANGSTROM)
        return self.spacegroup_number if data is None else int(data.number)

    @cached_property
    def prototype(self) -> str | None:
        """Name of the structure type, if it is a well-known one."""
        from pymatgen.core import Composition

        anonymous = Composition(self.formula).anonymized_formula
        return prototype_of(anonymous, *self._symmetry)

    @cached_property
    def layered(self) -> bool:
        """Whether it is made of layers."""
        return dimensionality(self.record.structure()) == 2

    @cached_property
    def series(self) -> tuple[str, int]:
        """Formula with every lanthanide after La written `Ln`, and space group: equal along a series."""
        from pymatgen.core import Composition

        amounts: dict[str, float] = {}
        for element, amount in Composition(self.formula).get_el_amt_dict().items():
            name = "Ln" if element in LANTHANIDES else element
            amounts[name] = amounts.get(name, 0) + amount
        return " ".join(f"{e}{a:g}" for e, a in sorted(amounts.items())), self.spacegroup_number

    @cached_property
    def polar_group(self) -> str | None:
        """Polar point group at symprec 0.01 A, if a polar group is left at 0.1 A; else `None`."""
        tight = polar_point_group(self.spacegroup_number)
        return tight if tight and polar_point_group(self.loose_spacegroup_number) else None

    @property
    def nonpolar(self) -> bool:
        """Whether neither tolerance finds a polar group."""
        groups = (self.spacegroup_number, self.loose_spacegroup_number)
        return all(polar_point_group(number) is None for number in groups)


def _cell(record: CrystalRecord) -> tuple:
    return spglib_cell(record.structure())


def spglib_cell(structure: Structure) -> tuple:
    """What spglib wants: lattice rows, fractional coordinates, atomic numbers."""
    return structure.lattice.matrix, structure.frac_coords, [site.specie.Z for site in structure]
