"""Which elements may stand where a crystal was masked?

A template keeps its space group, places, coordinates and lattice; orbits whose element is masked get every
element with which the crystal is still what was asked for. There are few enough of these fillings to look
at all of them: a model then says how probable each one is.

The coordinates are those of the template. Where two neighbours become alike, the crystal has more symmetry
than its template: encode it anew before it is told to a model.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ...core.errors import InputError
from ..charges import ions, neutral_states
from ..wyckoff.crystal import Orbit, WyckoffCrystal, electronegativity_rank
from .request import Request, in_order
from .vocabulary import LAST_ELEMENT

MOST_FILLINGS = 20_000
"""Combinations that are tried, at most: two masks with all elements free, more if the request names some."""


@dataclass(frozen=True)
class Filling:
    """A way to fill the masks.

    Attributes:
        elements: Of each mask.
        crystal: What becomes of the template.
    """

    elements: tuple[str, ...]
    crystal: WyckoffCrystal


def fillings(
    template: WyckoffCrystal, masked: Sequence[Sequence[int]], request: Request | None = None
) -> Iterator[Filling]:
    """Every way to fill the masks, the template's own among them if it is sound.

    Args:
        template: The crystal.
        masked: For each mask the orbits (counted from 0) that it covers; they get one element together.
        request: What the filled crystal shall be. Elements that are allowed or excluded are those that fill the masks; what
            is not masked may stay. Its `spacegroups` and `natoms` are the template's affair.

    Raises:
        InputError: a mask covers no orbit or one that is not there, two cover the same, or there are too
            many ways to try.
    """
    request = request or Request()
    _require_masks(template, masked)
    kept = {orbit.element for i, orbit in enumerate(template.orbits) if i not in set().union(*masked)}
    if request.system is not None and not kept <= request.system:
        return
    known = ions()
    chosen = [s for s in _elements() if request.lets_in(s) and (request.intermetallics or s in known)]
    if len(chosen) ** len(masked) > MOST_FILLINGS:
        raise InputError(
            f"{len(masked)} masks and {len(chosen)} elements give {len(chosen) ** len(masked)} combinations; "
            f"{MOST_FILLINGS} are tried at most. Mask less, or name the elements that may stand there."
        )
    for symbols in itertools.product(chosen, repeat=len(masked)):
        filled = _filled(template, masked, symbols)
        if _is_sound(filled.reduced_amounts, request):
            yield Filling(symbols, filled)


def _require_masks(template: WyckoffCrystal, masked: Sequence[Sequence[int]]) -> None:
    covered = [i for mask in masked for i in mask]
    strange = [i for i in covered if not 0 <= i < len(template.orbits)]
    if strange:
        raise InputError(
            f"There is no orbit {strange[0]} in {template.formula}; it has {len(template.orbits)}."
        )
    if not masked or not all(masked) or len(set(covered)) < len(covered):
        raise InputError("A mask covers one orbit or more, and no orbit is covered twice.")


def _elements() -> list[str]:
    from pymatgen.core import Element

    return in_order(Element.from_Z(z).symbol for z in range(1, LAST_ELEMENT + 1))


def _filled(
    template: WyckoffCrystal, masked: Sequence[Sequence[int]], symbols: Sequence[str]
) -> WyckoffCrystal:
    new = {i: symbol for mask, symbol in zip(masked, symbols, strict=True) for i in mask}
    orbits = [replace(orbit, element=new.get(i, orbit.element)) for i, orbit in enumerate(template.orbits)]
    return replace(template, orbits=tuple(sorted(orbits, key=_place)))


def _place(orbit: Orbit) -> tuple[int, bool, str, tuple[float, ...]]:
    return electronegativity_rank(orbit.element), orbit.letter.isupper(), orbit.letter, orbit.free


def _is_sound(amounts: Mapping[str, int], request: Request) -> bool:
    if not request.required <= set(amounts) or (request.amounts and amounts != request.amounts):
        return False
    return request.intermetallics or neutral_states(amounts) is not None
