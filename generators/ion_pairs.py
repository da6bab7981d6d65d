"""How probable is it that one ion takes another's place in a crystal?

The model is Hautier's: a distribution over pairs of ions that stood on the same sites of two known
crystals, mined from the ICSD. The table is the one pymatgen ships, read into one array, so that all
partners of an ion are weighed at once. Te2- is not in it; it borrows the row of Se2-, one period down
(its exchange with Se2- that of Se2- with S2-).

Source: Hautier, Fischer, Ehrlacher, Jain, Ceder, Inorg. Chem. 50, 656 (2011), doi:10.1021/ic102031h.
"""

from __future__ import annotations

import inspect
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

METHOD = "Hautier 2011 substitution predictor"
UNSEEN_PAIR = -5.0
"""Weight of a pair that was never observed; Hautier's alpha, as in pymatgen."""


class Ion(NamedTuple):
    """An element with a formal charge, e."""

    symbol: str
    charge: int

    def __str__(self) -> str:
        size = str(abs(self.charge)) if abs(self.charge) != 1 else ""
        return f"{self.symbol}{size}{'-' if self.charge < 0 else '+'}"

    @classmethod
    def read(cls, text: str) -> Ion:
        """The inverse of `str`: `Ti4+`, `O2-`, `Na+`."""
        found = re.fullmatch(r"([A-Z][a-z]?)(\d*)([+-])", text)
        if not found:
            raise ValueError(f"{text!r} is not an ion such as Ti4+.")
        symbol, size, sign = found.groups()
        return cls(symbol, int(size or 1) * (1 if sign == "+" else -1))


BORROWED = {Ion("Te", -2): (Ion("Se", -2), Ion("S", -2))}
"""An ion without data: whose row it takes, and who stands to that one as that one does to it."""


class IonPairs:
    """The pair model as arrays.

    Args:
        weights: Hautier's lambda by pair of ions; symmetric, one order is enough.

    Attributes:
        ions: Sorted.
        charges: e, shape `(nions,)`.
        log_conditional: Row: the ion that stands in the crystal; column: the one that may take its
            place. Natural logarithm of the probability of the latter given the former, shape
            `(nions, nions)`; a row adds up to one over the ions that are not borrowed (the diagonal is
            the ion that stays).
    """

    def __init__(self, weights: dict[tuple[Ion, Ion], float]) -> None:
        self.ions: tuple[Ion, ...] = tuple(sorted({ion for pair in weights for ion in pair}))
        self._index = {ion: i for i, ion in enumerate(self.ions)}
        self.charges = np.array([ion.charge for ion in self.ions])
        table = np.full((len(self.ions), len(self.ions)), UNSEEN_PAIR)
        for (one, other), weight in weights.items():
            i, j = self._index[one], self._index[other]
            table[i, j] = table[j, i] = weight
        # A borrowed ion changes no mined probability: it does not enter the sums and takes its model's.
        mined = [i for i, ion in enumerate(self.ions) if ion not in BORROWED]
        norm = np.log(np.exp(table[:, mined]).sum(axis=1))
        owners = [self._index[BORROWED[ion][0] if ion in BORROWED else ion] for ion in self.ions]
        self.log_conditional = table - norm[owners, None]

    def __contains__(self, ion: Ion) -> bool:
        return ion in self._index

    def index(self, ion: Ion) -> int:
        """Row and column of an ion that is in the table."""
        return self._index[ion]

    def log_probability(self, old: Ion, new: Ion) -> float:
        """Natural logarithm of the probability that `new` takes the place of `old`.

        An ion that the table does not hold stays for certain and is never brought in but at the weight
        of an unseen pair.
        """
        if old in self and new in self:
            return float(self.log_conditional[self._index[old], self._index[new]])
        return 0.0 if old == new else UNSEEN_PAIR


@lru_cache(maxsize=1)
def ion_pairs() -> IonPairs:
    """The shipped model, read once per process."""
    import orjson
    from pymatgen.analysis.structure_prediction.substitution_probability import SubstitutionProbability

    table = Path(inspect.getfile(SubstitutionProbability)).parent / "data" / "lambda.json"
    rows = [row for row in orjson.loads(table.read_bytes()) if "D1+" not in row]
    weights = {(Ion.read(one), Ion.read(other)): float(weight) for one, other, weight in rows}
    for ion, (model, next_up) in BORROWED.items():
        weights |= _borrow(weights, ion, model, next_up)
    return IonPairs(weights)


def _borrow(
    weights: dict[tuple[Ion, Ion], float], ion: Ion, model: Ion, next_up: Ion
) -> dict[tuple[Ion, Ion], float]:
    """The pairs of an ion without data, read off its neighbour in the periodic table."""
    own: dict[tuple[Ion, Ion], float] = {}
    for (one, other), weight in weights.items():
        if model in (one, other):
            partner = other if one == model else one
            own[ion, ion if partner == model else partner] = weight
            if partner == next_up:
                own[ion, model] = weight
    return own
