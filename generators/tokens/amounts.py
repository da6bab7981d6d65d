"""In how many ways can some atoms be shared out, no matter to which elements?

Whether amounts fit into a space group does not depend on which element has which amount, so what is worked
out for a formula is worked out for its *shares*: `(3, 1, 1)` for BaTiO3 and for every other ABC3. There are
2,714 of them with up to 20 atoms, few enough for tables with a row for each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property, lru_cache

import numpy as np

Shares = tuple[int, ...]
"""Amounts of the elements, in descending order."""


class SharesTable:
    """All shares of up to so many atoms, one a row; row 0 is `()`.

    Attributes:
        rows: The shares, by number of atoms.
        row_of: Their rows.
        atoms: Number of atoms, shape `(nrows,)`.
        is_reduced: Whether the amounts have no common divisor, shape `(nrows,)`.
        reduced_rows: The row of the amounts without their common divisor, shape `(nrows,)`.
    """

    def __init__(self, most_atoms: int) -> None:
        self.rows = tuple(shares for n in range(most_atoms + 1) for shares in _shares_of(n, n))
        self.row_of = {shares: i for i, shares in enumerate(self.rows)}
        self.atoms = np.array([sum(shares) for shares in self.rows])
        self.reduced_rows = np.array([self.row_of[_reduced(shares)] for shares in self.rows])
        self.is_reduced = (self.reduced_rows == np.arange(len(self.rows))) & (self.atoms > 0)

    @cached_property
    def pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Every row with each of its different amounts taken away once.

        Returns:
            Where the pairs of each row begin, shape `(nrows + 1,)`; the amount taken and the row of what is
            left, both of shape `(npairs,)`, amounts of a row in descending order.
        """
        different = [sorted(set(shares), reverse=True) for shares in self.rows]
        begins = np.concatenate([[0], np.cumsum([len(amounts) for amounts in different])])
        taken = [amount for amounts in different for amount in amounts]
        left = [
            self.row_of[without(shares, amount)]
            for shares, amounts in zip(self.rows, different, strict=True)
            for amount in amounts
        ]
        return begins, np.array(taken, int), np.array(left, int)

    def rows_without(self, rows: np.ndarray) -> dict[int, np.ndarray]:
        """For each amount, ascending: those of these rows that have it, as the rows of what is left."""
        begins, taken, left = self.pairs
        numbers = begins[rows + 1] - begins[rows]
        within = np.arange(numbers.sum()) - np.repeat(np.cumsum(numbers) - numbers, numbers)
        pairs = np.repeat(begins[rows], numbers) + within
        pairs = pairs[np.argsort(taken[pairs], kind="stable")]
        amounts, first = np.unique(taken[pairs], return_index=True)
        return (
            dict(zip(amounts.tolist(), np.split(left[pairs], first[1:]), strict=True)) if len(pairs) else {}
        )


@lru_cache(maxsize=4)
def shares_table(most_atoms: int) -> SharesTable:
    """The table of all shares of up to so many atoms; made once."""
    return SharesTable(most_atoms)


def with_amount(shares: Shares, amount: int) -> Shares:
    """The shares with one element more."""
    return tuple(sorted((*shares, amount), reverse=True))


def without(shares: Shares, amount: int) -> Shares:
    """The shares with one element of this amount less."""
    at = shares.index(amount)
    return shares[:at] + shares[at + 1 :]


def _reduced(shares: Shares) -> Shares:
    divisor = math.gcd(*shares)
    return tuple(amount // divisor for amount in shares)


def _shares_of(atoms: int, largest: int) -> Iterator[Shares]:
    if atoms == 0:
        yield ()
    for first in range(min(atoms, largest), 0, -1):
        for rest in _shares_of(atoms - first, first):
            yield (first, *rest)
