"""What share of a set of crystals is sound, keeps its symmetry, is new, and is stable?

Plain functions of crystals and of what a relaxation made of them. Whatever could not be measured (a relaxation that failed or
did not come to rest, a composition without a hull) stays in the denominator and counts against the set.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..core.candidate import Candidate
from ..core.contracts import Hull, Known, Relaxation
from ..core.errors import HullError
from ..core.identity import SYMPREC_ANGSTROM, IdentityIndex
from ..core.symmetry import is_polar
from .generation_displacement import root_mean_square_displacement, volume_change
from .generation_intervals import Figures, median, share

if TYPE_CHECKING:
    from pymatgen.core import Structure

SHORTEST_ANGSTROM = 0.5
SMALLEST_VOLUME_A3 = 0.1
COARSE_SYMPREC_ANGSTROM = 0.1
"""For relaxed crystals, whose atoms stop within 0.05 eV/A of their place."""
SYMPRECS_ANGSTROM = (SYMPREC_ANGSTROM, COARSE_SYMPREC_ANGSTROM)
METASTABLE_EV_PER_ATOM = 0.1
HEIGHTS_EV_PER_ATOM = (0.0, 0.05, METASTABLE_EV_PER_ATOM)
FAR_BELOW_EV_PER_ATOM = -0.1
"""A crystal so far below the hull says that the hull lacks a phase there, rather than that a new one was found."""


@dataclass(frozen=True)
class Made:
    """A crystal of a set.

    Attributes:
        structure: As handed out.
        spacegroup_number: The group it was written in, or as found where it was not written in one.
        log_probability: Of the generator, if it has one.
    """

    structure: Structure
    spacegroup_number: int
    log_probability: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a crystal of a set.

    Attributes:
        made: The crystal.
        relaxation: Its own.
        height: Energy above hull after relaxation, eV/atom; `None` if there is none.
    """

    made: Made
    relaxation: Relaxation
    height: float | None

    @property
    def relaxed(self) -> Structure | None:
        """The geometry at rest; `None` if it did not come to rest."""
        return self.relaxation.structure if self.relaxation.converged else None

    @property
    def is_metastable(self) -> bool:
        """Whether it lies at most 0.1 eV/atom above the hull."""
        return self.height is not None and self.height <= METASTABLE_EV_PER_ATOM

    @cached_property
    def kept_its_group(self) -> bool:
        """Whether the relaxed crystal has the group it was written in, at 0.1 A."""
        relaxed, wanted = self.relaxed, self.made.spacegroup_number
        return relaxed is not None and symmetry_of(relaxed, COARSE_SYMPREC_ANGSTROM)[0] == wanted

    @property
    def is_beyond_doubt(self) -> bool:
        """Whether the generator found it rather than the relaxer, where the hull seems complete."""
        return self.kept_its_group and self.height is not None and self.height >= FAR_BELOW_EV_PER_ATOM


def outcomes_of(made: Sequence[Made], relaxations: Sequence[Relaxation], hull: Hull) -> list[Outcome]:
    """Crystals with what relaxing made of them; only those at rest have an energy above hull."""
    queries = [
        (i, (one.structure.composition, result.energy_per_atom, ()))
        for i, (one, result) in enumerate(zip(made, relaxations, strict=True))
        if result.converged and result.energy_per_atom is not None
    ]
    found = hull.distances([query for _, query in queries])  # type: ignore[misc]
    heights: dict[int, float] = {
        i: float(distance.energy_above_hull)
        for (i, _), distance in zip(queries, found, strict=True)
        if not isinstance(distance, HullError)
    }
    pairs = zip(made, relaxations, strict=True)
    return [Outcome(one, result, heights.get(i)) for i, (one, result) in enumerate(pairs)]


def is_sound(structure: Structure) -> bool:
    """Whether the cell has a volume and no two atoms, periodic images included, are nearer than 0.5 A."""
    if not np.isfinite(structure.lattice.matrix).all() or structure.volume < SMALLEST_VOLUME_A3:
        return False
    return len(structure.get_neighbor_list(SHORTEST_ANGSTROM)[3]) == 0


def validity(structures: Sequence[Structure]) -> Figures:
    """Share of sound ones."""
    return share(sum(map(is_sound, structures)), len(structures))


def symmetry_of(structure: Structure, symprec: float) -> tuple[int, int]:
    """Space group number and number of operations of the cell as it is (translations included); (1, 1) for none.

    Args:
        structure: Any cell.
        symprec: A.
    """
    os.environ.setdefault("SPGLIB_WARNING", "OFF")
    import spglib

    numbers = list(structure.atomic_numbers)
    dataset = spglib.get_symmetry_dataset(
        (structure.lattice.matrix.tolist(), structure.frac_coords.tolist(), numbers), symprec=symprec
    )
    return (1, 1) if dataset is None else (int(dataset.number), len(dataset.rotations))


def groups_as_made(made: Sequence[Made]) -> Figures:
    """Share of those found in the group they were written in, by tolerance."""
    return {
        _at(symprec): share(
            sum(symmetry_of(one.structure, symprec)[0] == one.spacegroup_number for one in made), len(made)
        )
        for symprec in SYMPRECS_ANGSTROM
    }


def groups_after(outcomes: Sequence[Outcome]) -> Figures:
    """What relaxing did to the group, by tolerance; one that did not come to rest has not kept it."""
    return {_at(symprec): _groups_at(outcomes, symprec) for symprec in SYMPRECS_ANGSTROM}


def _groups_at(outcomes: Sequence[Outcome], symprec: float) -> Figures:
    """`raised` and `lowered` compare the number of operations of one cell; `other` has as many but another group."""
    fates: Counter[str] = Counter()
    polar = polar_still = 0
    for outcome in outcomes:
        if outcome.relaxed is None:
            fates["not_at_rest"] += 1
            continue
        number, operations = symmetry_of(outcome.relaxed, symprec)
        before = symmetry_of(outcome.made.structure, SYMPREC_ANGSTROM)[1]
        wanted = outcome.made.spacegroup_number
        fates[_fate(number, operations, wanted, before)] += 1
        polar += is_polar(number)
        polar_still += is_polar(number) and (number != 1 or wanted == 1)
    n = len(outcomes)
    named = ("raised", "lowered", "other", "not_at_rest")
    return {
        "kept": share(fates["kept"], n),
        "polar": share(polar, n),
        "polar_and_not_fallen_to_P1": share(polar_still, n),
        **{name: share(fates[name], n) for name in named},
    }


def _fate(number: int, operations: int, wanted: int, before: int) -> str:
    if number == wanted:
        return "kept"
    if operations == before:
        return "other"
    return "raised" if operations > before else "lowered"


def _at(symprec: float) -> str:
    return f"symprec_{symprec:g}_A"


def distinct(structures: Sequence[Structure]) -> list[bool]:
    """Which ones to count so that each crystal counts once; the choice does not depend on the order of the set."""
    return [is_new for _, _, is_new in IdentityIndex().assign_all(structures)]


def is_novel(structure: Structure, known: Known) -> bool:
    """Whether it is none of the known crystals."""
    return known.find(Candidate("asked", structure)) is None


def novelty(structures: Sequence[Structure], known: Known, known_formulas: frozenset[str]) -> Figures:
    """Shares of different, of novel ones, and of those whose reduced formula is novel."""
    n = len(structures)
    are_first = distinct(structures)
    are_novel = [is_novel(structure, known) for structure in structures]
    new_formulas = sum(s.composition.reduced_formula not in known_formulas for s in structures)
    both = sum(first and novel for first, novel in zip(are_first, are_novel, strict=True))
    return {
        "unique": share(sum(are_first), n),
        "novel": share(sum(are_novel), n),
        "unique_and_novel": share(both, n),
        "novel_by_formula": share(new_formulas, n),
    }


def stability(outcomes: Sequence[Outcome], seed: int) -> Figures:
    """Energies above hull of a whole set; what has none counts as infinitely high."""
    n = len(outcomes)
    heights = [outcome.height for outcome in outcomes]
    known = [height for height in heights if height is not None]
    return {
        **{
            f"within_{limit:g}_eV_per_atom": share(sum(h <= limit for h in known), n)
            for limit in HEIGHTS_EV_PER_ATOM
        },
        "far_below_the_hull": share(sum(h < FAR_BELOW_EV_PER_ATOM for h in known), n),
        "energy_above_hull_eV_per_atom": median([math.inf if h is None else h for h in heights], seed),
        "of_those_at_rest_eV_per_atom": median(known, seed),
        "at_rest": share(sum(o.relaxed is not None for o in outcomes), n),
        "failed": sum(o.relaxation.failure is not None for o in outcomes),
        "not_at_rest": sum(o.relaxed is None and o.relaxation.failure is None for o in outcomes),
        "without_a_hull": sum(o.relaxed is not None and o.height is None for o in outcomes),
        "median_steps": float(np.median([o.relaxation.steps for o in outcomes])) if n else None,
    }


def sun(
    outcomes: Sequence[Outcome],
    known: Known,
    which: Callable[[Sequence[Structure]], list[bool]] = distinct,
) -> Figures:
    """Metastable, unique and novel ones, of all that were relaxed; looked at after relaxation.

    Of several metastable novel ones that relaxed into one crystal, one counts.

    Args:
        outcomes: Of a whole set.
        known: What is not novel.
        which: Of several crystals says which ones to count so that each counts once.
    """
    found = [
        o.relaxed
        for o in outcomes
        if o.is_metastable and o.relaxed is not None and is_novel(o.relaxed, known)
    ]
    counted = share(sum(which(found)), len(outcomes))
    per_thousand = None if counted["share"] is None else 1000 * counted["share"]
    return {**counted, "per_1000_relaxations": per_thousand, "repeats_left_out": len(found) - counted["hits"]}


def displacement(outcomes: Sequence[Outcome], seed: int) -> Figures:
    """How far atoms moved, A, and by how much volumes changed, from generated to relaxed.

    `all` counts what did not come to rest as infinitely far; its end may therefore be `None`.
    """
    moved = [
        (
            root_mean_square_displacement(o.made.structure, o.relaxed),
            volume_change(o.made.structure, o.relaxed),
        )
        for o in outcomes
        if o.relaxed is not None
    ]
    far = [distance for distance, _ in moved]
    changes = [change for _, change in moved]
    return {
        "all_A": median([*far, *[math.inf] * (len(outcomes) - len(far))], seed),
        "at_rest_A": median(far, seed),
        "at_rest_quantile_90_A": float(np.quantile(far, 0.9)) if far else None,
        "volume_change": median(changes, seed),
        "absolute_volume_change": median([abs(change) for change in changes], seed),
    }
