"""Which known ferroelectrics are at hand, and which compounds are like them in chemistry and size?

A known ferroelectric is at hand if a crystal has the formula and the polar space group of a row of
`data/known_ferroelectrics.csv` on which the field agrees. Its controls are in no row of that table. The rule, fixed before any
crystal was ranked: a control has the positive's family of chemistry, its number of elements, its number of atoms within
a factor of 1.5, at most 0.1 eV/atom above the hull (as the positives), and a PBE gap above 0.1 eV if the positive has one,
and none if it has none. Where that leaves too few, the factor is 3, and then any family with the same kind of anion will
do. One crystal stands for a formula, and no formula stands twice in a table.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Literal

import numpy as np

from ..core.chemistry_families import chemistry_family
from ..core.crystals import CrystalRecord
from ..core.polar_pairs import Pair
from ..core.symmetry import dataset_at, is_polar
from .controls import deal, in_random_order
from .enrichment import Group

TABLE = "known_ferroelectrics.csv"
MOST_ATOMS = 40
"""In the primitive cell."""
SYMPREC_TIGHT = 0.01
SYMPREC_LOOSE = 0.1
HULL_MAX = 0.1
"""eV/atom."""
GAP_MIN = 0.1
"""eV, PBE; below it the label calls the crystal a metal."""
CENTRIC_POINT_GROUPS = frozenset(
    {"-1", "2/m", "mmm", "4/m", "4/mmm", "-3", "-3m", "6/m", "6/mmm", "m-3", "m-3m"}
)
Kind = Literal["centric", "polar"]
KINDS: tuple[Kind, ...] = ("centric", "polar")


@dataclass(frozen=True)
class Known:
    """One polar phase of the table.

    Attributes:
        formula: Reduced.
        spacegroup: Of the polar phase.
        primitive_atoms: In the primitive cell of the polar phase; `None` if the table does not tell.
        agreed: Whether the field agrees that it switches; if not, it is neither positive nor control.
        verified: Whether a text that says so was read for the table.
        family: Structural family in words.
    """

    formula: str
    spacegroup: int
    primitive_atoms: int | None
    agreed: bool
    verified: bool
    family: str


@dataclass(frozen=True)
class Likeness:
    """How like a control must be.

    Attributes:
        size_factor: Between the numbers of atoms.
        same_family: Of chemistry; if not, the kind of anion is enough.
    """

    size_factor: float
    same_family: bool


LIKENESSES = (Likeness(1.5, True), Likeness(3.0, True), Likeness(3.0, False))
"""The first is the rule; the others are for positives of which there are few like ones."""


@dataclass(frozen=True)
class Symmetry:
    """What spglib finds; 0 where it finds nothing."""

    tight: int
    loose: int
    centric: bool
    primitive_atoms: int

    def is_kind(self, kind: Kind) -> bool:
        """Centrosymmetric at the tight tolerance, or polar at both."""
        return self.centric if kind == "centric" else is_polar(self.tight) and is_polar(self.loose)


@dataclass(frozen=True, eq=False)
class Crystal:
    """A crystal at hand, with the labels that the choice of controls needs.

    Attributes:
        record: Its geometry.
        elements: Their number.
        energy_above_hull: eV/atom; `None` if it has no label.
        band_gap: PBE, eV; `None` likewise.
    """

    record: CrystalRecord
    elements: int
    energy_above_hull: float | None
    band_gap: float | None

    @property
    def id(self) -> str:
        """Of the material."""
        return self.record.material_id

    @property
    def formula(self) -> str:
        """Reduced."""
        return self.record.reduced_formula

    @property
    def has_gap(self) -> bool:
        """By its PBE label."""
        return self.band_gap is not None and self.band_gap > GAP_MIN

    @cached_property
    def symmetry(self) -> Symmetry:
        """As spglib finds it."""
        structure = self.record.structure()
        tight, loose = (dataset_at(structure, symprec) for symprec in (SYMPREC_TIGHT, SYMPREC_LOOSE))
        return Symmetry(
            tight=0 if tight is None else int(tight.number),
            loose=0 if loose is None else int(loose.number),
            centric=tight is not None and tight.pointgroup in CENTRIC_POINT_GROUPS,
            primitive_atoms=0 if tight is None else len(set(tight.mapping_to_primitive)),
        )

    @cached_property
    def family(self) -> str:
        """Of chemistry."""
        return _family(self.formula)

    def like(self, positive: Crystal, likeness: Likeness = LIKENESSES[0]) -> bool:
        """Whether it is of like chemistry and size as a positive."""
        ratio = self.record.nsites / positive.record.nsites
        return (
            self.elements == positive.elements
            and 1 / likeness.size_factor <= ratio <= likeness.size_factor
            and self.energy_above_hull is not None
            and self.energy_above_hull <= HULL_MAX
            and self.has_gap == positive.has_gap
            and self.of_family(positive.family, likeness.same_family)
        )

    def of_family(self, family: str, same: bool) -> bool:
        """Whether it has a family of chemistry, or else the same kind of anion."""
        return self.family == family if same else self.family.split("|")[0] == family.split("|")[0]


@dataclass(frozen=True)
class Positive:
    """A known ferroelectric with the crystal that stands for it."""

    known: Known
    crystal: Crystal


def read_known() -> list[Known]:
    """The shipped table."""
    from pymatgen.core import Composition

    text = resources.files("hysteron.data").joinpath(TABLE).read_text(encoding="utf-8")
    return [
        Known(
            formula=Composition(row["formula"]).reduced_formula,
            spacegroup=int(row["polar_spacegroup"]),
            primitive_atoms=int(row["primitive_atoms"]) if row["primitive_atoms"] else None,
            agreed=row["agreed"] == "yes",
            verified=row["verified"] == "yes",
            family=row["family"],
        )
        for row in csv.DictReader(text.splitlines())
    ]


def crystal_of(record: CrystalRecord) -> Crystal:
    """A crystal of the data folder."""
    labels = record.labels
    return Crystal(record, len(set(record.species)), labels.get("e_above_hull"), labels.get("band_gap"))


def crystal_of_pair(pair: Pair) -> Crystal:
    """The polar end of a DFT workflow, of which no energy above the hull is known."""
    record = CrystalRecord(
        material_id=f"{pair.polar_id}-dft",
        reduced_formula=pair.formula,
        lattice=pair.polar.lattice.matrix.tolist(),
        species=[site.specie.symbol for site in pair.polar],
        frac_coords=pair.polar.frac_coords.tolist(),
        labels={"band_gap": pair.band_gap},
    )
    return crystal_of(record)


@cache
def _family(formula: str) -> str:
    from pymatgen.core import Composition

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # noble gases have no electronegativity
        return chemistry_family(Composition(formula))


def find_positives(
    known: Sequence[Known], crystals: Iterable[Crystal], more: Iterable[Crystal] = ()
) -> tuple[list[Positive], list[str]]:
    """One crystal for each agreed phase of the table, and the phases of which there is none.

    The phase's group must be found at the tight or at the loose tolerance, not far above the hull; a tight match comes before
    a loose one, then the lower energy above the hull. What is in `more` is only asked where no crystal fits.
    """
    agreed = [phase for phase in known if phase.agreed]
    formulas = {phase.formula for phase in agreed}
    first, second = ([c for c in source if c.formula in formulas] for source in (crystals, more))
    found, absent, taken = [], [], set()
    for phase in agreed:
        fitting = _fitting(phase, first, taken) or _fitting(phase, second, taken)
        if fitting:
            best = min(fitting, key=lambda crystal: _preference(phase, crystal))
            taken.add(best.id)
            found.append(Positive(phase, best))
        else:
            absent.append(f"{phase.formula} ({phase.spacegroup})")
    return found, absent


def _fitting(phase: Known, crystals: Sequence[Crystal], taken: set[str]) -> list[Crystal]:
    return [
        crystal
        for crystal in crystals
        if crystal.formula == phase.formula and crystal.id not in taken and _is_phase(crystal, phase)
    ]


def _is_phase(crystal: Crystal, phase: Known) -> bool:
    seen, height = crystal.symmetry, crystal.energy_above_hull
    return (
        0 < seen.primitive_atoms <= MOST_ATOMS
        and phase.primitive_atoms in (None, seen.primitive_atoms)
        and phase.spacegroup in (seen.tight, seen.loose)
        and (height is None or height <= HULL_MAX)
    )


def _preference(phase: Known, crystal: Crystal) -> tuple[bool, float, str]:
    height = crystal.energy_above_hull
    return (
        crystal.symmetry.tight != phase.spacegroup,
        np.inf if height is None else height,
        crystal.id,
    )


def find_controls(
    positives: Sequence[Positive],
    crystals: Sequence[Crystal],
    known: Sequence[Known],
    kind: Kind,
    count: int,
    seed: int,
) -> list[Group[Crystal]]:
    """Unlabelled compounds of like chemistry and size for each positive, without replacement.

    The positives take turns, so that those of one family share what there is of it. Each takes formulas in random order,
    and of a formula the crystal of that kind that is lowest above the hull.

    Args:
        positives: For which.
        crystals: Among which.
        known: No formula of these is a control.
        kind: Centric or polar.
        count: At most so many for each.
        seed: Of the order.
    """
    used = {phase.formula for phase in known}
    queues = [
        [_queue(one.crystal, crystals, kind, used, likeness, seed) for one in positives]
        for likeness in LIKENESSES
    ]
    dealt = deal(queues, count, used)
    return [Group(one.crystal, tuple(own)) for one, own in zip(positives, dealt, strict=True)]


def _queue(
    positive: Crystal,
    crystals: Sequence[Crystal],
    kind: Kind,
    used: set[str],
    likeness: Likeness,
    seed: int,
) -> Iterator[Crystal]:
    """Controls of one positive as long as there are any; `used` grows meanwhile."""
    rng = np.random.default_rng([seed, KINDS.index(kind), *positive.id.encode()])
    return in_random_order(
        crystals,
        used,
        lambda one: one.like(positive, likeness),
        lambda one: one.symmetry.is_kind(kind),
        rng,
    )
