"""Which formulas can a beginning still become?

A formula is written element by element, and only what can be finished may be written. What is to go depends
on little: the shares that are left to give out (`amounts.py`), the elements that are left, and the charge so
far. For each of these a dynamic programme, run once from the last element to the first, notes all charges
that can still be brought to zero, as the bits of one number.

The rule of `charges.py` has positive ions less electronegative than negative ones. The elements come in
*nearly* that order (SMACT and pymatgen differ about Pb, W, Hg and a few more), so the programme also keeps
the most electronegative positive and the least electronegative negative ion, as far as elements to come can
tell the difference. These three (place, positive limit, negative limit) are a *column* of its tables.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import lru_cache

import numpy as np

from ..charges import Ion
from .amounts import SharesTable

LOWEST_CHARGE, HIGHEST_CHARGE = -12, 51
"""e for one formula unit, from the first element to any other: what 64 bits hold. A formula that passes
beyond on its way is not written: none of up to 19 O2-, 17 N3- or 12 C4- does. (Below zero go only formulas
in which a negative ion stands before a positive one: PbTe, WTe2.)"""
_ALL_BITS = 2**64 - 1
_NO_CHARGE = 1 << -LOWEST_CHARGE

Charges = tuple[tuple[int, int], ...]
"""How a beginning may be charged: for each column that it may stand at, the possible charges as bits."""


class Formulas:
    """The formulas that some elements can make.

    Attributes:
        symbols: The elements, in the order in which a formula lists them.
        shares: The rows of the tables.
        start: The charges of a formula of which nothing is written yet.
        finishable: For each row and column the charges that can be brought to zero by giving the shares of
            the row to elements from the column's place on; bits, shape `(ncolumns, nrows)`.
        next_finishable: The same where the element at the column's place is one of them, shape
            `(nrows, ncolumns)`.
        is_writable: Whether some formula has the shares of the row, shape `(nrows,)`.
    """

    def __init__(
        self,
        ions: Mapping[str, Ion],
        shares: SharesTable,
        required: Set[str] = frozenset(),
        counts: Mapping[str, int] | None = None,
    ) -> None:
        """
        Args:
            ions: The elements that may be used, in the order in which a formula lists them.
            shares: The shares that count.
            required: Elements that no formula may lack.
            counts: The only count that an element may have, for those that are not free.
        """
        self.symbols = tuple(ions)
        self.shares = shares
        self._ions = tuple(ions.values())
        self._required = [symbol in required for symbol in self.symbols]
        self._counts = [(counts or {}).get(symbol) for symbol in self.symbols]
        columns = list(_columns(self._ions))
        self._skip = _indices(columns, [_after(column, self._ions, None) for column in columns])
        self._positive = _indices(columns, [_after(column, self._ions, True) for column in columns])
        self._negative = _indices(columns, [_after(column, self._ions, False) for column in columns])
        self._places = [place for place, _, _ in columns]
        self.start: Charges = ((0, _NO_CHARGE),)
        self._chains = self._make_chains()
        self.finishable, self.next_finishable = self._make_tables()
        self.is_writable = self._make_is_writable()
        self.take = lru_cache(maxsize=2**16)(self._take)

    def elements(self, charges: Charges, finishable: np.ndarray) -> np.ndarray:
        """Which elements may come next.

        Args:
            charges: Of the beginning.
            finishable: Rows of `next_finishable` united, those of the shares that may follow, shape
                `(ncolumns,)`.

        Returns:
            Shape `(nelements,)`, bool.
        """
        allowed = np.zeros(len(self.symbols), bool)
        for column, bits in charges:
            allowed |= (finishable[self._chains[column]] & np.uint64(bits)) != 0
        return allowed

    def is_finished(self, charges: Charges) -> bool:
        """Whether the beginning is a formula by itself: neutral, and with all that is required."""
        return any(int(self.finishable[column, 0]) & bits for column, bits in charges)

    def columns_after(self, charges: Charges, element: int) -> list[int]:
        """The columns that an element leads to, without those that no sequence reaches."""
        reached = [self._chains[column][element] for column, _ in charges]
        return sorted({way[column] for column in reached for way in (self._positive, self._negative)} - {-1})

    def _take(self, charges: Charges, element: int, count: int) -> Charges:
        """The charges of the beginning with so many atoms of an element written after it."""
        ion, only = self._ions[element], self._counts[element]
        found: dict[int, int] = {}
        if only not in (None, count):
            return ()
        for column, bits in charges:
            at = self._chains[column][element]
            for after, states in ((self._positive[at], ion.positive), (self._negative[at], ion.negative)):
                if after >= 0:
                    for state in states:
                        found[after] = found.get(after, 0) | _shifted(bits, count * state)
        return tuple(sorted((column, bits) for column, bits in found.items() if bits))

    def _make_chains(self) -> np.ndarray:
        """For each column the columns of later places if nothing is taken until there; -1 where none is.

        Shape `(ncolumns + 1, nelements)`. The last row and column, of index -1, stand for what cannot be.
        """
        chains = np.full((len(self._places) + 1, len(self.symbols)), -1)
        for column in reversed(range(len(self._places))):
            place = self._places[column]
            if place < len(self.symbols):
                if not self._required[place]:
                    chains[column] = chains[self._skip[column]]
                chains[column, place] = column
        return chains

    def _make_tables(self) -> tuple[np.ndarray, np.ndarray]:
        nrows = len(self.shares.rows)
        finishable = np.zeros((len(self._places) + 1, nrows), np.uint64)
        next_finishable = np.zeros((nrows, len(self._places) + 1), np.uint64)
        for column in reversed(range(len(self._places))):
            place = self._places[column]
            if place == len(self.symbols):
                finishable[column, 0] = _NO_CHARGE
                continue
            taken = self._table_of_taken(finishable, column)
            next_finishable[:, column] = taken
            finishable[column] = taken
            if not self._required[place]:
                finishable[column] |= finishable[self._skip[column]]
        return finishable, next_finishable

    def _table_of_taken(self, finishable: np.ndarray, column: int) -> np.ndarray:
        """One column of `next_finishable`, shape `(nrows,)`."""
        begins, counts, left = self.shares.pairs
        place = self._places[column]
        ion = self._ions[place]
        found = np.zeros(len(counts), np.uint64)
        after = finishable[self._positive[column]][left]
        for state in ion.positive:
            found |= after >> (counts * state).astype(np.uint64)
        after = finishable[self._negative[column]][left]
        for state in ion.negative:
            found |= after << (counts * -state).astype(np.uint64)
        only = self._counts[place]
        if only is not None:
            found[counts != only] = 0
        taken = np.zeros(len(begins) - 1, np.uint64)
        if len(found):
            taken[1:] = np.bitwise_or.reduceat(found, begins[1:-1])
        return taken

    def _make_is_writable(self) -> np.ndarray:
        reached = self.next_finishable[:, self._chains[0]] & np.uint64(_NO_CHARGE)
        return (reached != 0).any(axis=1) & self.shares.is_reduced


def _shifted(bits: int, charge: int) -> int:
    return (bits << charge if charge >= 0 else bits >> -charge) & _ALL_BITS


Column = tuple[int, float, float]
"""Place of the next element; electronegativity above which it may be negative; below which positive."""


def _columns(ions: Sequence[Ion]) -> Iterator[Column]:
    """All columns that a sequence can reach, place by place."""
    reached = {_start()}
    for _ in range(len(ions) + 1):
        yield from sorted(reached)
        steps = (_after(column, ions, way) for column in reached for way in (None, True, False))
        reached = {column for column in steps if column is not None}


def _indices(columns: Sequence[Column], wanted: Sequence[Column | None]) -> list[int]:
    """Where each of these columns stands; -1 for none."""
    known = {column: i for i, column in enumerate(columns)}
    return [-1 if column is None else known[column] for column in wanted]


def _start() -> Column:
    return 0, -math.inf, math.inf


def _after(column: Column, ions: Sequence[Ion], is_positive: bool | None) -> Column | None:
    """The column behind an element: skipped (`None`), positive or negative. `None` if that cannot be."""
    place, above, below = column
    if place == len(ions):
        return None
    ion = ions[place]
    if is_positive is True:
        if not ion.positive or ion.electronegativity >= below:
            return None
        above = max(above, ion.electronegativity)
    if is_positive is False:
        if not ion.negative or ion.electronegativity <= above:
            return None
        below = min(below, ion.electronegativity)
    return place + 1, *_seen_by(ions[place + 1 :], above, below)


def _seen_by(ions: Sequence[Ion], above: float, below: float) -> tuple[float, float]:
    """The limits as far as they matter for these elements."""
    hindered = [ion.electronegativity for ion in ions if ion.negative and ion.electronegativity <= above]
    barred = [ion.electronegativity for ion in ions if ion.positive and ion.electronegativity >= below]
    return max(hindered, default=-math.inf), min(barred, default=math.inf)
