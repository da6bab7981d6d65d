"""Which known resistive-switching materials are at hand, and which compounds are like them in chemistry and size?

A known material is at hand if a crystal has the formula, and the space group where one is named, of a row of
`data/known_resistive_switching.csv` on which the field agrees. Its controls are in no row of that table. The rule, fixed before
any crystal was ranked: a control has the positive's family of chemistry, its number of elements, its number of atoms within
a factor of 1.5, and lies at most 0.1 eV/atom above the hull, as the positives do. Where that leaves too few, the factor is 3, and
then any family with the same kind of anion will do. Nothing is asked of the gap: the classes of mechanism differ in it. One
crystal stands for a formula. Hydrogen, noble gases and elements without a stable isotope are left out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np

from ..screening.supply.elements import element_facts
from .controls import deal, in_random_order
from .enrichment import Group
from .ferroelectric_selection import HULL_MAX, LIKENESSES, Crystal, Likeness

TABLE = "known_resistive_switching.csv"
MOST_ATOMS = 60
"""In the cell."""
LEFT_OUT = frozenset({"H", "He", "Ne", "Ar", "Kr", "Xe"})


@dataclass(frozen=True)
class KnownSwitch:
    """One row of the table.

    Attributes:
        formula: Reduced.
        spacegroup: Of the phase, where the devices have a certain one; many are amorphous.
        mechanisms: `VCM`, `ECM`, `PCM`, `MIT`, `ECRAM`, `halide`, `layered`; the first is the usual one.
        agreed: Whether the field agrees that it switches; if not, it is neither positive nor control.
        verified: Whether a text that says so was read for the table.
    """

    formula: str
    spacegroup: int | None
    mechanisms: tuple[str, ...]
    agreed: bool
    verified: bool


@dataclass(frozen=True)
class Switch:
    """A known material with the crystal that stands for it."""

    known: KnownSwitch
    crystal: Crystal


def read_known() -> list[KnownSwitch]:
    """The shipped table."""
    from pymatgen.core import Composition

    text = resources.files("hysteron.data").joinpath(TABLE).read_text(encoding="utf-8")
    return [
        KnownSwitch(
            formula=Composition(row["formula"]).reduced_formula,
            spacegroup=int(row["spacegroup"]) if row["spacegroup"] else None,
            mechanisms=tuple(row["mechanism"].split(";")),
            agreed=row["agreed"] == "yes",
            verified=row["verified"] == "yes",
        )
        for row in csv.DictReader(text.splitlines())
    ]


def find_positives(
    known: Sequence[KnownSwitch], crystals: Iterable[Crystal]
) -> tuple[list[Switch], list[str]]:
    """One crystal for each agreed material, the lowest above the hull that fits, and the formulas of which there is none."""
    agreed = {one.formula: one for one in known if one.agreed}
    fitting: dict[str, list[Crystal]] = {formula: [] for formula in agreed}
    for crystal in crystals:
        if crystal.formula in agreed and _is_phase(crystal, agreed[crystal.formula]):
            fitting[crystal.formula].append(crystal)
    found = [
        Switch(one, min(fitting[formula], key=_preference))
        for formula, one in agreed.items()
        if fitting[formula]
    ]
    return found, [formula for formula in agreed if not fitting[formula]]


def _is_phase(crystal: Crystal, known: KnownSwitch) -> bool:
    height = crystal.energy_above_hull
    if height is None or height > HULL_MAX or crystal.record.nsites > MOST_ATOMS:
        return False
    return known.spacegroup is None or known.spacegroup in (crystal.symmetry.tight, crystal.symmetry.loose)


def _preference(crystal: Crystal) -> tuple[float, str]:
    return crystal.energy_above_hull or 0.0, crystal.id


def find_controls(
    positives: Sequence[Switch],
    crystals: Sequence[Crystal],
    known: Sequence[KnownSwitch],
    count: int,
    seed: int,
) -> list[Group[Crystal]]:
    """Unlabelled compounds of like chemistry and size for each positive, without replacement.

    Args:
        positives: For which.
        crystals: Among which.
        known: No formula of these is a control.
        count: At most so many for each.
        seed: Of the order.
    """
    used = {one.formula for one in known}
    asked = [crystal for crystal in crystals if _may_be_control(crystal)]
    queues = [
        [_queue(one.crystal, asked, used, likeness, seed) for one in positives] for likeness in LIKENESSES
    ]
    dealt = deal(queues, count, used)
    return [Group(one.crystal, tuple(own)) for one, own in zip(positives, dealt, strict=True)]


def is_like(crystal: Crystal, positive: Crystal, likeness: Likeness) -> bool:
    """Whether a crystal is of like chemistry and size as a positive, and as near to the hull."""
    ratio = crystal.record.nsites / positive.record.nsites
    return (
        crystal.elements == positive.elements
        and 1 / likeness.size_factor <= ratio <= likeness.size_factor
        and crystal.energy_above_hull is not None
        and crystal.energy_above_hull <= HULL_MAX
        and crystal.of_family(positive.family, likeness.same_family)
    )


def _may_be_control(crystal: Crystal) -> bool:
    elements = set(crystal.record.species)
    facts = element_facts()
    stable = all(symbol in facts and facts[symbol].stable for symbol in elements)
    return stable and not elements & LEFT_OUT and crystal.record.nsites <= MOST_ATOMS


def _queue(
    positive: Crystal, crystals: Sequence[Crystal], used: set[str], likeness: Likeness, seed: int
) -> Iterator[Crystal]:
    rng = np.random.default_rng(np.random.SeedSequence([seed, *positive.id.encode()]))
    return in_random_order(
        crystals, used, lambda one: is_like(one, positive, likeness), lambda one: True, rng
    )
