"""Where in a sequence does one stand, and what does a word change?

    property bins | space group | (element, count)* units | (element, letter)* end

One small class for each kind of place. A state never changes: `advance` gives the next one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...core.errors import InputError
from .amounts import Shares, with_amount
from .formulas import Charges
from .placement import Room
from .vocabulary import END, PADDING

if TYPE_CHECKING:
    from .grammar import Grammar

WORDS_TOLD = 12


@dataclass(frozen=True, slots=True)
class State(ABC):
    """A place in a sequence.

    Attributes:
        grammar: The rules that it follows.
    """

    grammar: Grammar

    @property
    def is_finished(self) -> bool:
        """Whether the discrete part is complete, `end` included; only padding follows."""
        return False

    @abstractmethod
    def allowed(self) -> np.ndarray:
        """The words that may come next, shape `(nwords,)`, bool; never none. Shared: not to be written to."""

    def advance(self, token: int) -> State:
        """The state after one more word.

        Raises:
            InputError: the word may not come next.
        """
        if not 0 <= token < len(self.grammar.vocabulary) or not self.allowed()[token]:
            raise InputError(self._refusal(token))
        return self._after(int(token))

    @abstractmethod
    def _after(self, token: int) -> State: ...

    def _refusal(self, token: int) -> str:
        vocabulary = self.grammar.vocabulary
        kind, value = vocabulary.word(token)
        open_words = [vocabulary.word(i) for i in np.flatnonzero(self.allowed()).tolist()]
        told = ", ".join(f"{kind} {value}" for kind, value in open_words[:WORDS_TOLD])
        more = f" and {len(open_words) - WORDS_TOLD} more" if len(open_words) > WORDS_TOLD else ""
        return f"The {kind} {value!r} may not come next; what may is {told}{more}."


@dataclass(frozen=True, slots=True)
class PropertyState(State):
    """Before the bin of a property.

    Attributes:
        place: Which of the vocabulary's properties.
    """

    place: int

    @staticmethod
    def first(grammar: Grammar) -> State:
        """The beginning of a sequence."""
        return _before_property(grammar, 0)

    def allowed(self) -> np.ndarray:
        return self.grammar.bins[self.place]

    def _after(self, token: int) -> State:
        return _before_property(self.grammar, self.place + 1)


def _before_property(grammar: Grammar, place: int) -> State:
    return PropertyState(grammar, place) if place < len(grammar.bins) else GroupState(grammar)


@dataclass(frozen=True, slots=True)
class GroupState(State):
    """Before the space group."""

    def allowed(self) -> np.ndarray:
        return self.grammar.spacegroups

    def _after(self, token: int) -> State:
        number = int(self.grammar.vocabulary.word(token)[1])
        room = self.grammar.places(number).room
        return FormulaState(self.grammar, number, room, (), (), self.grammar.formulas.start)


@dataclass(frozen=True, slots=True)
class FormulaState(State):
    """Before an element of the formula, or the units that close it.

    Attributes:
        number: Space group number.
        room: What it offers.
        formula: Token and count of each element so far.
        shares: Their counts, in descending order.
        charges: What they may add up to.
    """

    number: int
    room: Room
    formula: tuple[tuple[int, int], ...]
    shares: Shares
    charges: Charges

    def allowed(self) -> np.ndarray:
        return self.grammar.after_count(self.room, self.shares, self.charges)

    def _after(self, token: int) -> State:
        element = self.grammar.element_of.get(token)
        if element is not None:
            return CountState(self.grammar, self, token, element)
        units = int(self.grammar.vocabulary.word(token)[1])
        elements = tuple(element for element, _ in self.formula)
        amounts = tuple(count * units for _, count in self.formula)
        return OrbitState(self.grammar, self.number, elements, amounts, 0, 0)


@dataclass(frozen=True, slots=True)
class CountState(State):
    """Before the count of an element.

    Attributes:
        before: The state before the element.
        token: Of the element.
        element: Its index among the grammar's elements.
    """

    before: FormulaState
    token: int
    element: int

    def allowed(self) -> np.ndarray:
        before = self.before
        return self.grammar.after_element(before.room, before.shares, before.charges, self.element)

    def _after(self, token: int) -> State:
        count, before = int(self.grammar.vocabulary.word(token)[1]), self.before
        return FormulaState(
            self.grammar,
            before.number,
            before.room,
            (*before.formula, (self.token, count)),
            with_amount(before.shares, count),
            self.grammar.formulas.take(before.charges, self.element, count),
        )


@dataclass(frozen=True, slots=True)
class OrbitState(State):
    """Before the element of an orbit, or the end.

    Attributes:
        number: Space group number.
        elements: Tokens of the elements that have atoms left to place.
        amounts: How many each of them has.
        first: The first place that the first of them may take.
        taken: The places without freedom that are used up, as bits.
    """

    number: int
    elements: tuple[int, ...]
    amounts: tuple[int, ...]
    first: int
    taken: int

    def allowed(self) -> np.ndarray:
        if not self.elements:
            return self.grammar.only(self.grammar.vocabulary.id_of("special", END))
        return self.grammar.only(self.elements[0])

    def _after(self, token: int) -> State:
        return LetterState(self.grammar, self) if self.elements else Finished(self.grammar)


@dataclass(frozen=True, slots=True)
class LetterState(State):
    """Before the Wyckoff letter of an orbit.

    Attributes:
        before: The state before its element.
    """

    before: OrbitState

    def allowed(self) -> np.ndarray:
        before = self.before
        return self.grammar.letters(before.number, before.amounts, before.first, before.taken)

    def _after(self, token: int) -> State:
        before, letter = self.before, str(self.grammar.vocabulary.word(token)[1])
        offered = self.grammar.places(before.number)
        amounts, first, taken = offered.after(offered.letters.index(letter), before.amounts, before.taken)
        if amounts[0]:
            return OrbitState(self.grammar, before.number, before.elements, amounts, first, taken)
        return OrbitState(self.grammar, before.number, before.elements[1:], amounts[1:], 0, taken)


@dataclass(frozen=True, slots=True)
class Finished(State):
    """Behind the end: nothing but padding."""

    @property
    def is_finished(self) -> bool:
        return True

    def allowed(self) -> np.ndarray:
        return self.grammar.only(self.grammar.vocabulary.id_of("special", PADDING))

    def _after(self, token: int) -> State:
        return self
