"""Which words does the sequence have?

Each word has a kind and a value, and one id: `("spacegroup", 99)`, `("element", "Ti")`, `("letter", "b")`.
Ids of one kind are consecutive, so a sampler can allow or forbid a kind as a slice. Properties come last:
other bins leave the ids of everything else as they are.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ...core.errors import InputError, nearest
from ..wyckoff.encode import MOST_ATOMS
from ..wyckoff.positions import FIRST_GROUP, LAST_GROUP

PADDING, END, MASK = "padding", "end", "mask"
SPECIAL_WORDS = (PADDING, END, MASK)
"""What fills a batch; what closes the orbits; a place that the model shall fill."""
ANY = "any"
"""The bin of a property that nothing is asked or known of."""
LETTERS = tuple("abcdefghijklmnopqrstuvwxyzA")
LAST_ELEMENT = 103  # lawrencium

Word = tuple[str, str | int]


@dataclass(frozen=True)
class PropertyBins:
    """A property cut into bins.

    Attributes:
        name: Of the property table.
        edges: Ascending, in its unit; n edges make n + 1 bins, the outer ones open.
    """

    name: str
    edges: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.edges or any(low >= high for low, high in zip(self.edges, self.edges[1:], strict=False)):
            raise InputError(f"The bins of {self.name} need edges in ascending order, not {self.edges}.")

    @property
    def words(self) -> tuple[str | int, ...]:
        """`any`, then the numbers of the bins."""
        return (ANY, *range(len(self.edges) + 1))

    def bin_of(self, value: float | None) -> str | int:
        """The bin that holds a value; `any` if there is none. A value on an edge belongs to the bin above."""
        if value is None or not math.isfinite(value):
            return ANY
        return bisect.bisect_right(self.edges, value)

    def bins_within(self, low: float, high: float) -> tuple[int, ...]:
        """The bins that lie in a range; those that overlap it if none lies in it.

        Raises:
            InputError: the range is empty.
        """
        if not low < high:
            raise InputError(f"The range {low:g}..{high:g} of {self.name} is empty.")
        ends = (0.0 if self.name in NEVER_NEGATIVE else -math.inf, *self.edges, math.inf)
        spans = list(itertools.pairwise(ends))
        inside = tuple(i for i, (least, most) in enumerate(spans) if low <= least and most <= high)
        return inside or tuple(i for i, (least, most) in enumerate(spans) if least < high and low < most)


NEVER_NEGATIVE = frozenset({"band_gap", "energy_above_hull"})
"""Properties whose lowest bin begins at 0."""
PROPERTIES = (
    PropertyBins("band_gap", (0.01, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0)),
    PropertyBins(
        "formation_energy_per_atom",
        (-3.5, -3.0, -2.5, -2.0, -1.5, -1.0, -0.75, -0.5, -0.25, 0.0, 0.5),
    ),
    PropertyBins("energy_above_hull", (0.001, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5)),
)
"""eV, eV/atom, eV/atom."""


@dataclass(frozen=True)
class Vocabulary:
    """All words and their ids.

    Attributes:
        properties: In the order in which a sequence opens with them.
        most_atoms: Greatest number in a formula, and of formula units in a cell.
    """

    properties: tuple[PropertyBins, ...] = PROPERTIES
    most_atoms: int = MOST_ATOMS

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """By id."""
        from pymatgen.core import Element

        numbers = range(1, self.most_atoms + 1)
        kinds: list[tuple[str, Iterable[str | int]]] = [
            ("special", SPECIAL_WORDS),
            ("spacegroup", range(FIRST_GROUP, LAST_GROUP + 1)),
            ("element", [Element.from_Z(z).symbol for z in range(1, LAST_ELEMENT + 1)]),
            ("letter", LETTERS),
            ("count", numbers),
            ("units", numbers),
            *((bins.name, bins.words) for bins in self.properties),
        ]
        return tuple((kind, value) for kind, values in kinds for value in values)

    @cached_property
    def _ids(self) -> dict[Word, int]:
        return {word: i for i, word in enumerate(self.words)}

    @cached_property
    def _slices(self) -> dict[str, slice]:
        slices: dict[str, slice] = {}
        for i, (kind, _) in enumerate(self.words):
            slices[kind] = slice(slices[kind].start if kind in slices else i, i + 1)
        return slices

    def id_of(self, kind: str, value: str | int) -> int:
        """The id of a word.

        Raises:
            InputError: there is no such word.
        """
        try:
            return self._ids[kind, value]
        except KeyError:
            ids = self.ids(kind)
            first, last = self.words[ids.start][1], self.words[ids.stop - 1][1]
            raise InputError(f"There is no {kind} {value!r} in the vocabulary ({first} to {last}).") from None

    def word(self, token: int) -> Word:
        """Kind and value of an id.

        Raises:
            InputError: there is no such id.
        """
        if not 0 <= token < len(self):
            raise InputError(f"Token {token} does not exist; there are {len(self)}.")
        return self.words[token]

    def ids(self, kind: str) -> slice:
        """The ids of one kind.

        Raises:
            InputError: there is no such kind.
        """
        if kind not in self._slices:
            raise InputError(f"The vocabulary has no {kind!r}. {nearest(kind, self._slices)}")
        return self._slices[kind]
