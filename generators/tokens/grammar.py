"""Which word may come next?

Only one from which the sequence can still be finished as what was asked for: a formula that is neutral (see
`charges.py`), made of the elements that the request lets in, in a space group whose Wyckoff positions hold
all its atoms. So nothing is written in vain and nothing has to be thrown away: a sequence that follows the
grammar ends, and what it says can be.

A request that nothing can meet is refused when the grammar is made, with the reason. The grammar of one
request serves any number of sequences; they share what it has worked out.

The space group is that of the places, and the crystal may have more symmetry than it: where only positions
without freedom are taken, for example. The grammar does not look at that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ...core.errors import InputError, nearest
from ..charges import NEUTRAL_ATOM, ions
from ..wyckoff.positions import FIRST_GROUP, LAST_GROUP
from .amounts import Shares, shares_table
from .formulas import Charges, Formulas
from .placement import Places, Room, places
from .refusals import Refusals
from .request import Request, in_order
from .states import PropertyState, State
from .vocabulary import ANY, Vocabulary

OUTLOOKS_KEPT, MASKS_KEPT = 4096, 2**15
"""What is kept of what was worked out; some 50 MB for a request that leaves all free."""


@dataclass(frozen=True, eq=False)
class Outlook:
    """What may follow the shares that are written, in one room.

    Attributes:
        rows: Rows of the shares that may follow.
        finishable: Rows of `Formulas.next_finishable` united, shape `(ncolumns,)`.
        counts: What the next element's count may be.
        rows_after: For each count the rows of the shares that may follow then.
    """

    rows: np.ndarray
    finishable: np.ndarray
    counts: tuple[int, ...]
    rows_after: tuple[np.ndarray, ...]

    @property
    def may_stop(self) -> bool:
        """Whether what is written can stand as it is."""
        return bool(self.rows.min() == 0)


class Grammar:
    """The words that may come next, for one request.

    Attributes:
        vocabulary: The words.
        request: What is asked for.
        natoms: Least and greatest number of atoms in the primitive cell.
        formulas: What the elements can make.
        groups: The space groups in which the request can be met.

    Raises:
        InputError: the request cannot be met; the sentence says why.
    """

    def __init__(self, vocabulary: Vocabulary, request: Request | None = None) -> None:
        self.vocabulary = vocabulary
        self.request = request or Request()
        refusals = Refusals(self.request, vocabulary.most_atoms)
        self.natoms = refusals.natoms
        self.outlook = lru_cache(maxsize=OUTLOOKS_KEPT)(self._outlook)
        self.units = lru_cache(maxsize=MASKS_KEPT)(self._units)
        self.after_element = lru_cache(maxsize=MASKS_KEPT)(self._after_element)
        self.after_count = lru_cache(maxsize=MASKS_KEPT)(self._after_count)
        self.letters = lru_cache(maxsize=MASKS_KEPT)(self._letters)
        self.only = lru_cache(maxsize=len(vocabulary))(self._only)
        self.bins = [self._bins_of(bins.name) for bins in vocabulary.properties]
        self.formulas = self._make_formulas(refusals)
        self.groups = self._make_groups(refusals)

    def start(self) -> State:
        """The beginning of a sequence."""
        return PropertyState.first(self)

    def allowed(self, states: Sequence[State]) -> np.ndarray:
        """Which words may come next in each of several sequences, shape `(nsequences, nwords)`, bool."""
        return np.array([state.allowed() for state in states])

    def first_refused(self, tokens: Sequence[int]) -> int | None:
        """Which word of a sequence may not stand where it stands, as an index; `None` if all of them may.

        For a sequence that breaks off it is its length.
        """
        state = self.start()
        for i, token in enumerate(tokens):
            if not state.allowed()[token]:
                return i
            state = state.advance(token)
        return None if state.is_finished else len(tokens)

    def places(self, number: int) -> Places:
        """The places of a space group."""
        return places(number, self.vocabulary.most_atoms)

    def mask(self, kind: str, values: Sequence[str | int]) -> np.ndarray:
        """A mask that allows these words of one kind, shape `(nwords,)`."""
        mask = np.zeros(len(self.vocabulary), bool)
        mask[[self.vocabulary.id_of(kind, value) for value in values]] = True
        mask.flags.writeable = False
        return mask

    @cached_property
    def spacegroups(self) -> np.ndarray:
        """Mask of the space groups."""
        return self.mask("spacegroup", self.groups)

    @cached_property
    def element_tokens(self) -> np.ndarray:
        """Tokens of `formulas.symbols`."""
        return np.array([self.vocabulary.id_of("element", symbol) for symbol in self.formulas.symbols])

    @cached_property
    def element_of(self) -> dict[int, int]:
        """Index in `formulas.symbols` by token."""
        return {int(token): i for i, token in enumerate(self.element_tokens)}

    def _only(self, token: int) -> np.ndarray:
        kind, value = self.vocabulary.word(token)
        return self.mask(kind, [value])

    def _after_count(self, room: Room, written: Shares, charges: Charges) -> np.ndarray:
        """Mask of what may follow some elements with their counts: another element, or the units."""
        mask = np.zeros(len(self.vocabulary), bool)
        outlook = self.outlook(room, written)
        mask[self.element_tokens[self.formulas.elements(charges, outlook.finishable)]] = True
        if outlook.may_stop and self.formulas.is_finished(charges):
            mask[[self.vocabulary.id_of("units", units) for units in self.units(room, written)]] = True
        mask.flags.writeable = False
        return mask

    def _after_element(self, room: Room, written: Shares, charges: Charges, element: int) -> np.ndarray:
        """Mask of the counts that an element may have."""
        outlook = self.outlook(room, written)
        columns = self.formulas.columns_after(charges, element)
        finishable = {column: self._finishable(outlook, column) for column in columns}
        allowed = [
            count
            for i, count in enumerate(outlook.counts)
            if any(
                bits & finishable[column][i] for column, bits in self.formulas.take(charges, element, count)
            )
        ]
        return self.mask("count", allowed)

    def _finishable(self, outlook: Outlook, column: int) -> list[int]:
        """The charges that can be brought to zero after each count, as bits."""
        table = self.formulas.finishable[column]
        return [int(np.bitwise_or.reduce(table[rows])) for rows in outlook.rows_after]

    def _letters(self, number: int, amounts: tuple[int, ...], first: int, taken: int) -> np.ndarray:
        """Mask of the letters that the present element may take next."""
        offered = self.places(number)
        chosen = offered.next_letters(amounts, first, taken)
        return self.mask("letter", [offered.letters[place] for place in chosen])

    def _outlook(self, room: Room, written: Shares) -> Outlook:
        if written:
            before = self.outlook(room, written[:-1])
            rows = before.rows_after[before.counts.index(written[-1])]
        else:
            rows = self._rows_in(room)
        rows_after = self.formulas.shares.rows_without(rows)
        finishable = np.bitwise_or.reduce(self.formulas.next_finishable[rows], axis=0)
        return Outlook(rows, finishable, tuple(rows_after), tuple(rows_after.values()))

    def _rows_in(self, room: Room) -> np.ndarray:
        """Rows of the shares of all formulas that the room holds in some number of units."""
        shares = self.formulas.shares
        held = [row for row in self._cells if room.holds(shares.rows[row])]
        return np.unique(shares.reduced_rows[held])

    @cached_property
    def _cells(self) -> np.ndarray:
        """Rows of the shares of all cells that hold a number of units of some formula."""
        shares = self.formulas.shares
        is_in_range = (shares.atoms >= self.natoms[0]) & (shares.atoms <= self.natoms[1])
        return np.flatnonzero(is_in_range & self.formulas.is_writable[shares.reduced_rows])

    def _units(self, room: Room, shares: Shares) -> tuple[int, ...]:
        """How many formula units a cell may hold."""
        low, high = self.natoms
        atoms = sum(shares)
        return tuple(
            units
            for units in range(-(-low // atoms), high // atoms + 1)
            if room.holds(tuple(units * amount for amount in shares))
        )

    def _bins_of(self, name: str) -> np.ndarray:
        unknown = set(self.request.bins) - {bins.name for bins in self.vocabulary.properties}
        if unknown:
            known = [bins.name for bins in self.vocabulary.properties]
            first = min(unknown)
            raise InputError(f"The model is not conditioned on {first!r}. {nearest(first, known)}")
        return self.mask(name, self.request.bins.get(name, (ANY,)))

    def _make_formulas(self, refusals: Refusals) -> Formulas:
        request = self.request
        known = [str(value) for kind, value in self.vocabulary.words if kind == "element"]
        refusals.require_words(known)
        charged = ions()
        chosen = [symbol for symbol in in_order(known) if request.lets_in(symbol)]
        if request.intermetallics:
            own = dict.fromkeys(chosen, NEUTRAL_ATOM)
        else:
            refusals.require_ions(chosen)
            own = {symbol: charged[symbol] for symbol in chosen if symbol in charged}
        formulas = Formulas(own, shares_table(self.natoms[1]), request.required, request.amounts)
        refusals.require_formula(formulas)
        return formulas

    def _make_groups(self, refusals: Refusals) -> tuple[int, ...]:
        cells = [self.formulas.shares.rows[row] for row in self._cells]
        asked = sorted(set(self.request.spacegroups or range(FIRST_GROUP, LAST_GROUP + 1)))
        groups = [number for number in asked if any(map(self.places(number).room.holds, cells))]
        refusals.require_group(groups)
        return tuple(groups)
