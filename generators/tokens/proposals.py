"""Which crystals come of filling the masks of a template?

One for every element, or combination of elements, with which it is what was asked for: with the coordinates of the
template, room for its ions (see `fitting.py`), and the space group that the filled crystal really has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...core.errors import InputError, StructureError
from ..charges import TABLE_IN_WORDS
from ..wyckoff.decode import decode
from ..wyckoff.encode import encode
from .fillings import fillings
from .fitting import Fitting, scaled
from .masks import Mask, marked
from .request import Request, in_order

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..wyckoff.crystal import WyckoffCrystal

SAME_NUMBER = 3
"""Decimals to which two fillings agree that are one crystal."""


@dataclass(frozen=True)
class Proposal:
    """A filled crystal.

    Attributes:
        exchange: In words: `Ti -> Zr`; empty for the template as it is.
        crystal: In the words of its own space group.
        volume_spread: How far its volume is believed to be off, as a logarithm.
        details: For the provenance.
    """

    exchange: str
    crystal: WyckoffCrystal
    volume_spread: float
    details: dict[str, Any] = field(default_factory=dict)


def proposals(
    structure: Structure, masks: Sequence[Mask], request: Request, fitting: Fitting, most_atoms: int
) -> list[Proposal]:
    """The template filled in every way that was asked for, except as it is; each crystal once.

    Args:
        structure: The template.
        masks: Of its sites.
        request: What the filled crystals shall be.
        fitting: Of the template.
        most_atoms: In the primitive cell.

    Raises:
        InputError: there is none; the sentence says why.
    """
    bare, marks = marked(structure, masks)
    crystal = encode(bare, most_atoms)
    places = [[i for i, orbit in enumerate(crystal.orbits) if orbit.element == mark] for mark in marks]
    old = [site.specie.symbol for site in structure]
    found: dict[tuple, Proposal] = {}
    refused: Counter[str] = Counter()
    for filling in fillings(crystal, places, request):
        new = _symbols(old, masks, filling.elements)
        if new == old:
            continue
        try:
            filled = encode(decode(filling.crystal), most_atoms)
        except StructureError:
            refused["have no symmetry that could be made out"] += 1
            continue
        if not _is_asked_for(filled, request):
            refused["have another space group or number of atoms than was asked for"] += 1
        elif (key := _key(filled)) not in found:
            found[key] = _fitted(filled, _exchange(masks, filling.elements), new, fitting)
    if not found:
        raise InputError(_nothing(structure, masks, request, refused))
    return list(found.values())


def _symbols(old: Sequence[str], masks: Sequence[Mask], elements: Sequence[str]) -> list[str]:
    """The element of each site of the template once the masks are filled."""
    comes = {site: element for mask, element in zip(masks, elements, strict=True) for site in mask.sites}
    return [comes.get(site, symbol) for site, symbol in enumerate(old)]


def _exchange(masks: Sequence[Mask], elements: Sequence[str]) -> str:
    """`Ti -> Zr, O at 2 -> F`; a mask that holds what it held is not told."""
    pairs = zip(masks, elements, strict=True)
    return ", ".join(f"{mask.name} -> {new}" for mask, new in pairs if mask.holds != (new,))


def _is_asked_for(crystal: WyckoffCrystal, request: Request) -> bool:
    low, high = request.natoms or (1, crystal.natoms)
    has_group = request.spacegroups is None or crystal.spacegroup_number in request.spacegroups
    return has_group and low <= crystal.natoms <= high


def _key(crystal: WyckoffCrystal) -> tuple:
    """Equal for fillings that are one crystal, but for rounding."""
    orbits = tuple((o.element, o.letter, *(round(x, SAME_NUMBER) for x in o.free)) for o in crystal.orbits)
    return crystal.spacegroup_number, orbits, tuple(round(x, SAME_NUMBER) for x in crystal.lattice)


def _fitted(filled: WyckoffCrystal, exchange: str, symbols: Sequence[str], fitting: Fitting) -> Proposal:
    states, origin = fitting.states(symbols)
    factor, method = fitting.volume_factor(symbols, states)
    details = {
        "exchange": exchange,
        "oxidation_states": states,
        "oxidation_states_method": origin,
        "volume_factor": round(factor, 6),
        "volume_method": method,
    }
    return Proposal(exchange, scaled(filled, factor), fitting.volume_spread, details)


def _nothing(structure: Structure, masks: Sequence[Mask], request: Request, refused: Counter[str]) -> str:
    """Why no crystal is left, in words."""
    where = f"{structure.composition.reduced_formula} with {', '.join(mask.name for mask in masks)} masked"
    if refused:
        reason, count = refused.most_common(1)[0]
        return f"None of the {refused.total()} ways to fill {where} will do: {count} of them {reason}."
    among = f" with nothing but {', '.join(in_order(request.elements))}" if request.elements else ""
    rule = "" if request.intermetallics else f" that is neutral under {TABLE_IN_WORDS}"
    return (
        f"Nothing but what is there fills {where}{among} so that it is what was asked for: no such formula{rule}. "
        "Mask other sites or let in other elements."
    )
