"""Where do the two ends of a switching path come to rest?

The polar end relaxes freely, the nonpolar parent within its space group, where it may rest on a saddle. Then
both are looked at again: a polar end that has fallen into a nonpolar group is not polar by this potential,
and a parent that has lost its group is none. A reversed polar state, which needs no centric parent, relaxes
freely as the polar end does. Either both ends of a pair are relaxed or neither, so that their difference
compares like with like.

What it is worth: of the 182 preferred DFT pairs of Smidt et al., Sci. Data 7, 72 (2020), both ends as DFT left
them, CHGNet (0.05 eV/A) lets 12 polar ends collapse, none of them among the 62 with 5 uC/cm^2 or more and a lower
polar end; at 0.02 eV/A (n=178) 27 collapse, 2 of them among those. The energy difference does not gain where the
geometries are DFT's already: mean absolute error 6.3 meV/atom after relaxing and 4.7 before (medians 1.9 and 1.3).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.contracts import Relaxation, Relaxer, Tools
from ...core.errors import StructureError
from ...core.polar_path import displacements_between
from .symmetry import Symmetry, find_symmetry

if TYPE_CHECKING:
    from pymatgen.core import Structure

TIGHT_SYMPREC_ANGSTROM = 0.01
LOOSE_SYMPREC_ANGSTROM = 0.05
"""A free relaxation leaves atoms some 0.01 A off a special position, so a group is read at both."""
UNRELAXED = "ends unrelaxed"


@dataclass(frozen=True)
class Ends:
    """Both ends of a path, atoms in the same order, no common drift between them.

    Attributes:
        parent: The nonpolar end, or the reversed polar state.
        polar: The polar end.
        parent_symmetry: At `TIGHT_SYMPREC_ANGSTROM`.
        tight: Symmetry of the polar end at `TIGHT_SYMPREC_ANGSTROM`.
        loose: Symmetry of the polar end at `LOOSE_SYMPREC_ANGSTROM`.
        displacements: Polar minus parent in the polar cell, Cartesian, A, shape `(nsites, 3)`; mean zero.
        relaxed: Whether both ends are.
        method: How they were relaxed, as a clause for a method: `ends relaxed, parent in R-3c`.
        notes: What happened on the way, one sentence each.
    """

    parent: Structure
    polar: Structure
    parent_symmetry: Symmetry
    tight: Symmetry
    loose: Symmetry
    displacements: np.ndarray
    relaxed: bool
    method: str
    notes: tuple[str, ...] = ()

    @property
    def collapsed(self) -> bool:
        """Whether the relaxed polar end is not polar any more, at the tight tolerance or the loose one."""
        return self.relaxed and not (self.tight.polar and self.loose.polar)

    @property
    def state(self) -> str:
        """In two words, the same for all crystals, for the method of a property."""
        return "ends relaxed" if self.relaxed else UNRELAXED

    @property
    def reversed(self) -> bool:
        """Whether the other end is polar too: a reversed state in place of a nonpolar parent."""
        return self.parent_symmetry.polar

    @property
    def distortion_max(self) -> float:
        """Largest displacement of an atom, A."""
        return float(np.linalg.norm(self.displacements, axis=1).max())

    def record(self) -> dict[str, Any]:
        """As JSON, without the structures; the group of the polar end is that of the loose tolerance."""
        return {
            "method": self.method,
            "relaxed": self.relaxed,
            "polar": self.loose.record() | {"collapsed": self.collapsed, "tight": self.tight.record()},
            "parent": self.parent_symmetry.record(),
            "distortion_max": self.distortion_max,
            "notes": list(self.notes),
        }


def relax_ends(pairs: Sequence[tuple[Structure, Structure]], tools: Tools) -> list[Ends | str]:
    """Relax both ends of many paths: one call for all that move freely, one for all parents.

    Args:
        pairs: The nonpolar parent, exactly symmetric (or the reversed polar state), and the polar crystal; atoms
            in the same order and lattice setting.
        tools: `relaxer` for polar ends; `parent_relaxer` for parents, or `relaxer` if there is none and the
            parent keeps its group in it.

    Returns:
        One per pair, in order. Where an end cannot be relaxed, both are as given and `notes` says why; a
        sentence if the ends do not correspond even so.
    """
    given = [_as_given(parent, polar) for parent, polar in pairs]
    usable = [i for i, ends in enumerate(given) if not isinstance(ends, str)]
    found: list[Ends | str] = list(given)
    for i, ends in zip(usable, _relaxed([given[i] for i in usable], tools), strict=True):  # type: ignore[misc]
        found[i] = ends
    return found


def _as_given(parent: Structure, polar: Structure) -> Ends | str:
    try:
        return _ends(parent, polar, False, UNRELAXED)
    except StructureError as error:
        return str(error)


def _ends(parent: Structure, polar: Structure, relaxed: bool, method: str, notes: Sequence[str] = ()) -> Ends:
    displacements = displacements_between(parent, polar)
    moves = displacements @ np.linalg.inv(polar.lattice.matrix)
    return Ends(
        parent=_at(parent, polar.frac_coords - moves),
        polar=polar,
        parent_symmetry=find_symmetry(parent, TIGHT_SYMPREC_ANGSTROM),
        tight=find_symmetry(polar, TIGHT_SYMPREC_ANGSTROM),
        loose=find_symmetry(polar, LOOSE_SYMPREC_ANGSTROM),
        displacements=displacements,
        relaxed=relaxed,
        method=method,
    )


def _at(structure: Structure, positions: np.ndarray) -> Structure:
    """The same atoms in the same cell at other fractional positions."""
    from pymatgen.core import Structure

    return Structure(structure.lattice, [site.specie for site in structure], positions)


def _relaxed(given: Sequence[Ends], tools: Tools) -> list[Ends]:
    if tools.relaxer is None:
        return list(given)
    held = tools.parent_relaxer or tools.relaxer
    free = [ends.polar for ends in given] + [ends.parent for ends in given if ends.reversed]
    moved = iter(_results(tools.relaxer, free))
    polars = [next(moved) for _ in given]
    parents = iter(_results(held, [ends.parent for ends in given if not ends.reversed]))
    others = [next(moved) if ends.reversed else next(parents) for ends in given]
    keeps = tools.parent_relaxer is not None
    return [_judged(*results, keeps) for results in zip(given, polars, others, strict=True)]


def _results(relaxer: Relaxer, structures: Sequence[Structure]) -> list[Relaxation]:
    """One per structure, in order; the same object, which may be an end of several paths, is relaxed once."""
    once = {id(structure): structure for structure in structures}
    if not once:
        return []
    found = dict(zip(once, relaxer.relax(list(once.values())), strict=True))
    return [found[id(structure)] for structure in structures]


def _judged(given: Ends, polar: Relaxation, other: Relaxation, keeps_group: bool) -> Ends:
    """The relaxed ends if they are still the two ends of one path, else the given ones and why."""
    try:
        return _relaxed_ends(given, polar, other, keeps_group)
    except StructureError as error:
        return dataclasses.replace(given, notes=(f"Ends left unrelaxed: {str(error).rstrip('.')}.",))


def _relaxed_ends(given: Ends, polar: Relaxation, other: Relaxation, keeps_group: bool) -> Ends:
    """As relaxed, with what changed.

    Raises:
        StructureError: an end could not be relaxed, or is no longer what it was.
    """
    ends = _ends(
        _geometry(other, _name_of(given)), _geometry(polar, "polar end"), True, _method(given, keeps_group)
    )
    notes = [*_polar_notes(given, ends), *_other_notes(given, ends, keeps_group)]
    for name, result in (("polar end", polar), (_name_of(given), other)):
        if result.note:
            notes.append(f"The {name} is not at rest: {result.note}")
    return dataclasses.replace(ends, notes=tuple(notes))


def _name_of(given: Ends) -> str:
    return "reversed end" if given.reversed else "nonpolar parent"


def _method(given: Ends, keeps_group: bool) -> str:
    if given.reversed:
        return "both polar ends relaxed"
    held = "held in" if keeps_group else "found again in"
    return f"ends relaxed, parent {held} {given.parent_symmetry.symbol}"


def _geometry(result: Relaxation, name: str) -> Structure:
    if result.structure is None or result.failure:
        raise StructureError(f"the {name} could not be relaxed: {result.failure}")
    return result.structure


def _polar_notes(given: Ends, ends: Ends) -> list[str]:
    if ends.collapsed:
        at = ends.loose if ends.tight.polar else ends.tight
        return [f"The polar end relaxes from {given.tight} to {at}, not polar (symprec {at.symprec:g} A)."]
    if ends.loose.spacegroup_number != given.loose.spacegroup_number:
        return [f"The polar end relaxes from {given.loose} to {ends.loose}, another polar group."]
    return []


def _other_notes(given: Ends, ends: Ends, keeps_group: bool) -> list[str]:
    before, after = given.parent_symmetry, ends.parent_symmetry
    if before.spacegroup_number == after.spacegroup_number:
        return []
    if given.reversed and after.polar:
        return [f"The reversed end relaxes from {before} to {after}."]
    if after.polar or not (keeps_group or given.reversed):
        raise StructureError(f"the parent relaxes out of {before} into {after}.")
    return [f"The parent relaxes from {before} into {after}."]
