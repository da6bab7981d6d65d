"""Why can a request not be met?

Checks that `grammar.py` makes at the door, each with a sentence that says what came in, what stands against
it, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...core.errors import InputError
from ..charges import TABLE_IN_WORDS, ions, neutral_states
from ..wyckoff.positions import space_group
from .formulas import HIGHEST_CHARGE, LOWEST_CHARGE, Formulas
from .placement import places
from .request import Request, in_order

if TYPE_CHECKING:
    from .amounts import Shares

FAR_ATOMS = 120
"""Up to how many atoms a refusal looks for a cell that would do."""
SWITCH = "let intermetallics through, which lifts the rule of charges"


class Refusals:
    """The checks of one request.

    Attributes:
        natoms: Least and greatest number of atoms in the primitive cell, as far as a sequence goes.

    Raises:
        InputError: a sequence does not hold so many atoms.
    """

    def __init__(self, request: Request, most_atoms: int) -> None:
        self.request = request
        low, high = request.natoms or (1, most_atoms)
        if low > most_atoms:
            raise InputError(
                f"Cells of {low} to {high} atoms were asked for; the sequence takes {most_atoms} at most."
            )
        self.natoms = low, min(high, most_atoms)
        self._most_atoms = most_atoms

    def require_words(self, known: Sequence[str]) -> None:
        """That the vocabulary has the elements."""
        strange = in_order(self.request.required - set(known))
        if strange:
            raise InputError(
                f"The model has no word for {', '.join(strange)}; its elements go from {known[0]} to "
                f"{known[-1]}."
            )

    def require_ions(self, symbols: Sequence[str]) -> None:
        """That the elements can have a charge.

        Args:
            symbols: What the request lets in.
        """
        neutral = in_order(self.request.required - set(ions()))
        if neutral:
            verb = "has" if len(neutral) == 1 else "have"
            raise InputError(
                f"{', '.join(neutral)} {verb} no oxidation state in {TABLE_IN_WORDS}, so that no neutral "
                f"formula can hold it. Leave it out, or {SWITCH}."
            )
        if len(symbols) == 1:
            raise InputError(
                f"{symbols[0]} alone is no compound of ions under {TABLE_IN_WORDS}. Let in other elements, "
                f"or {SWITCH}."
            )

    def require_formula(self, formulas: Formulas) -> None:
        """That there is a formula of these elements, neutral and not too large."""
        request, (low, high) = self.request, self.natoms
        if request.amounts:
            atoms = sum(request.amounts.values())
            if atoms > self._most_atoms:
                raise InputError(
                    f"{request.formula} has {atoms} atoms to the formula unit; the sequence takes "
                    f"{self._most_atoms} at most."
                )
            if high // atoms < -(-low // atoms):
                raise InputError(
                    f"{request.formula} has {atoms} atoms to the formula unit: no number of units makes a "
                    f"cell of {_range(low, high)}. Widen the range of atoms."
                )
            if not request.intermetallics and neutral_states(request.amounts) is None:
                raise InputError(
                    f"{request.formula} is not neutral under {TABLE_IN_WORDS}, with one oxidation state for "
                    "each element and the positive ones less electronegative. Change the formula, or "
                    f"{SWITCH}."
                )
            if not formulas.is_writable.any():
                raise InputError(
                    f"The ions of {request.formula} pass beyond {LOWEST_CHARGE} to {HIGHEST_CHARGE} e while "
                    f"they are written, more than the grammar counts. Change the formula, or {SWITCH}."
                )
        if len(request.required) > high:
            raise InputError(
                f"{'-'.join(in_order(request.required))} are {len(request.required)} elements, too many for "
                f"{_range(low, high)}. Allow more atoms."
            )
        if not formulas.is_writable.any():
            kind = "formula" if request.intermetallics else f"neutral formula (under {TABLE_IN_WORDS})"
            way_out = "" if request.intermetallics else f", or {SWITCH}"
            raise InputError(
                f"No {kind} can be written with {self._elements()} and {_range(1, high)}. Let in other "
                f"elements or more atoms{way_out}."
            )

    def require_group(self, groups: Sequence[int]) -> None:
        """That some group holds what is asked for."""
        if groups:
            return
        asked = sorted(set(self.request.spacegroups or ()))
        what = self.request.formula or f"a formula of {self._elements()}"
        cell = f"{_range(*self.natoms)} in the primitive cell"
        if len(asked) == 1:
            symbol = space_group(asked[0]).symbol
            raise InputError(
                f"Space group {asked[0]} ({symbol}) cannot hold {what} with {cell}: {_offer(asked[0])}. "
                f"{self._way_out(asked[0])}"
            )
        which = f"None of the {len(asked)} space groups asked for" if asked else "No space group"
        raise InputError(
            f"{which} can hold {what} with {cell}. Ask for other groups or another number of atoms."
        )

    def _elements(self) -> str:
        named = in_order(self.request.system or self.request.required)
        among = in_order(self.request.elements or ())
        if named:
            return "-".join(named)
        return f"elements out of {', '.join(among)}" if among else "the elements let in"

    def _way_out(self, number: int) -> str:
        if not self.request.amounts:
            return "Ask for another group or other elements."
        shares: Shares = tuple(sorted(self.request.amounts.values(), reverse=True))
        room = places(number, FAR_ATOMS).room
        for units in range(1, FAR_ATOMS // sum(shares) + 1):
            if room.holds(tuple(units * amount for amount in shares)):
                atoms = units * sum(shares)
                if atoms < self.natoms[0]:
                    continue
                limit = (
                    f", more than the {self._most_atoms} of a sequence" if atoms > self._most_atoms else ""
                )
                return f"The smallest cell that would do has {atoms} atoms{limit}. Ask for another group."
        return "Ask for another group."


def _offer(number: int) -> str:
    """What a group offers, in words."""
    offered = places(number, FAR_ATOMS)
    once = [size for size, is_free in zip(offered.sizes, offered.are_free, strict=True) if not is_free]
    often = sorted({size for size, is_free in zip(offered.sizes, offered.are_free, strict=True) if is_free})
    parts = []
    if once:
        parts.append(f"{', '.join(map(str, once))} atoms, once each")
    if often:
        parts.append(f"{', '.join(map(str, often))} atoms, any number of times")
    return f"its Wyckoff positions hold {' or '.join(parts)}"


def _range(low: int, high: int) -> str:
    return f"{low} atom{'s' * (low > 1)}" if low == high else f"{low} to {high} atoms"
