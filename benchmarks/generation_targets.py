"""Of which formulas is the structure predicted, and which ones does the diffusion model not know?

Formulas of the test split; no training crystal has one of them. Of each formula the test crystal of at most 20 atoms that is
lowest above the hull is what has to be found. The model's domain is that of its training: crystals with one of its anions, within
its distance from the hull, of elements of its table.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..core.crystals import CrystalRecord
from ..core.errors import StructureError
from ..generators.diffusion.elements import ANIONS
from ..generators.diffusion.network import HEAVIEST
from ..generators.diffusion.settings import DataTable
from ..generators.wyckoff.crystal import WyckoffCrystal
from ..generators.wyckoff.decode import decode
from ..generators.wyckoff.encode import encode
from .generation_intervals import Figures
from .generation_world import World

if TYPE_CHECKING:
    from pymatgen.core import Structure

NO_ANION = "none of the anions that the model learnt"
TOO_HIGH = "no crystal as near to the hull as those that the model learnt"
TOO_LARGE = "more atoms in the cell than the model makes"
STRANGE = "an element beyond the model's table"


@dataclass(frozen=True)
class Target:
    """A crystal that has to be found.

    Attributes:
        key: Its id.
        crystal: In the words of its space group.
    """

    key: str
    crystal: WyckoffCrystal

    @property
    def formula(self) -> str:
        """Reduced."""
        return self.crystal.formula

    @cached_property
    def structure(self) -> Structure:
        """Its primitive cell."""
        return decode(self.crystal)

    @property
    def is_abx3(self) -> bool:
        """Whether it has five atoms, three of them one anion, and two other elements."""
        amounts = sorted((n, symbol) for symbol, n in self.crystal.amounts.items())
        return [n for n, _ in amounts] == [1, 1, 3] and amounts[-1][1] in ANIONS


@dataclass(frozen=True)
class Targets:
    """What has to be found, and what is left out.

    Attributes:
        chosen: In a random order.
        formulas: Of the test split.
        small: Of those, the ones that have a crystal of at most 20 atoms.
        outside: How many of the small ones lie outside the domain, by the first reason.
        unsaid: How many were passed over because their crystal cannot be said in Wyckoff positions.
    """

    chosen: tuple[Target, ...]
    formulas: int
    small: int
    outside: Counter[str]
    unsaid: int

    def told(self) -> Figures:
        """For the row."""
        left_out = self.outside.total()
        return {
            "test_formulas": self.formulas,
            "of_at_most_20_atoms": self.small,
            "outside_the_domain": {"formulas": left_out, "by_reason": dict(self.outside)},
            "inside_the_domain": self.small - left_out,
            "not_said_in_wyckoff_positions": self.unsaid,
            "predicted": len(self.chosen),
            "five_atom_ABX3": sum(one.is_abx3 for one in self.chosen),
        }


def targets(world: World) -> Targets:
    """As many as the plan says, if there are so many."""
    data, outside = world.diffusion.data, Counter[str]()
    formulas, lowest = 0, []
    for _, records in sorted(world.reference.records.items()):
        of_test = [r for r in records if r.labels.get("split") == "test"]
        small = [r for r in of_test if r.nsites <= data.most_atoms]
        formulas += bool(of_test)
        if small:
            lowest.append(min(small, key=lambda r: (_height(r), r.material_id)))
    inside = []
    for record in lowest:
        reason = left_out_for(record, data)
        if reason is None:
            inside.append(record)
        else:
            outside[reason] += 1
    order = world.rng("structure prediction").permutation(len(inside))
    chosen, unsaid = _said([inside[i] for i in order], world.plan.predicted)
    return Targets(tuple(chosen), formulas, len(lowest), outside, unsaid)


def left_out_for(record: CrystalRecord, data: DataTable) -> str | None:
    """Why a crystal lies outside the domain; nothing if it lies inside."""
    from pymatgen.core import Element

    if data.anions and not set(record.species) & set(ANIONS):
        return NO_ANION
    if record.nsites > data.most_atoms:
        return TOO_LARGE
    if any(Element(symbol).Z >= HEAVIEST for symbol in set(record.species)):
        return STRANGE
    return TOO_HIGH if _height(record) > data.near_hull else None


def _said(records: list[CrystalRecord], count: int) -> tuple[list[Target], int]:
    """The first ones that can be said in Wyckoff positions, and how many before the last of them cannot."""
    found: list[Target] = []
    unsaid = 0
    for record in records:
        if len(found) == count:
            break
        try:
            found.append(Target(record.material_id, encode(record.structure())))
        except StructureError:
            unsaid += 1
    return found, unsaid


def _height(record: CrystalRecord) -> float:
    """Above the hull, eV/atom; infinite where it is not known."""
    height = record.labels.get("e_above_hull")
    return math.inf if height is None else float(height)
