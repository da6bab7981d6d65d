"""Which crystals does the diffusion model learn from, and how do they become its table?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from ..wyckoff.crystal import WyckoffCrystal
from ..wyckoff.examples import LABELS, Example
from ..wyckoff.lattice import FREE_PARAMETERS, crystal_system
from ..wyckoff.positions import PRIMITIVE_VECTORS, space_group
from .adapters import SPACEGROUP, group_features
from .elements import ANIONS
from .entries import plain_entry, symmetric_entry
from .settings import DataTable
from .table import Table, padded

SYSTEMS = tuple(FREE_PARAMETERS)
PROPERTIES = tuple(LABELS)
ADAPTED = (*PROPERTIES, SPACEGROUP)
"""What there may be adapters for."""


def lessons(taught: Sequence[Example], data: DataTable, near_hull: bool = True) -> list[Example]:
    """Those of the domain.

    Args:
        taught: All there are.
        data: Says the domain.
        near_hull: Whether the limit of the distance from the hull holds; adapters learn from what lies higher as well.
    """
    return [e for e in taught if _is_inside(e, data, near_hull)]


def _is_inside(example: Example, data: DataTable, near_hull: bool) -> bool:
    if not formula_is_inside(example.crystal, data):
        return False
    height = example.properties.get("energy_above_hull")
    return not near_hull or (height is not None and height <= data.near_hull)


def table_of(taught: Sequence[Example], on_done: Callable[[int], None] | None = None) -> Table:
    """Crystals as arrays, with their symmetry and without."""
    symmetric, plain = [], []
    for i, example in enumerate(taught):
        symmetric.append(symmetric_entry(example.crystal))
        plain.append(plain_entry(example.crystal))
        if on_done and i % 500 == 499:
            on_done(500)
    properties = {
        name: torch.tensor([e.properties.get(name, float("nan")) for e in taught], dtype=torch.float32)
        for name in PROPERTIES
    }
    properties[SPACEGROUP] = group_features([group_kinds(e.crystal.spacegroup_number) for e in taught])
    return Table(
        padded(symmetric), padded(plain), properties, torch.tensor([e.split == "train" for e in taught])
    )


def group_kinds(number: int) -> tuple[int, int, int, int]:
    """Number, crystal system, centring and point group of a space group, each counted from 0."""
    group = space_group(number)
    centring = list(PRIMITIVE_VECTORS).index(group.centring)
    return number - 1, SYSTEMS.index(crystal_system(number)), centring, _point_group(number)


_FIRST_OF_POINT_GROUP = (
    1, 2, 3, 6, 10, 16, 25, 47, 75, 81, 83, 89, 99, 111, 123, 143, 147, 149, 156, 162, 168, 174, 175, 177, 183, 187, 191, 195,
    200, 207, 215, 221,
)  # fmt: skip


def _point_group(number: int) -> int:
    """Which of the 32; the groups of one follow one another in International Tables."""
    return sum(number >= first for first in _FIRST_OF_POINT_GROUP) - 1


def formula_is_inside(crystal: WyckoffCrystal, data: DataTable) -> bool:
    """Whether a crystal's elements are of the domain."""
    return not data.anions or bool(set(crystal.amounts) & set(ANIONS))
