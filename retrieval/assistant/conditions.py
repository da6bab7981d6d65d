"""Which numbers of the question may an answer repeat?

Only as the condition that they were: a comparator, the number, its unit. `above 2 eV` may come back as `greater than
2 eV`, never as `2 eV` on its own, never with another unit or the other way round.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ..number_words import SMALL
from . import units
from .numerals import number_word
from .several import several
from .text import plain

Sign = Literal[">", ">=", "<", "<=", "between"]

COMPARATORS: dict[Sign, tuple[str, ...]] = {
    ">": (
        "above",
        "over",
        "more than",
        "greater than",
        "larger than",
        "higher than",
        "wider than",
        "bigger than",
        "exceeding",
        "exceeds",
        "exceed",
        "beyond",
        "in excess of",
        ">",
    ),
    ">=": ("at least", "no less than", "not less than", "a minimum of", "no smaller than", ">="),
    "<": (
        "below",
        "under",
        "less than",
        "smaller than",
        "lower than",
        "fewer than",
        "narrower than",
        "closer than",
        "<",
    ),
    "<=": ("at most", "up to", "no more than", "not more than", "a maximum of", "within", "<="),
}
_NUMBER = r"-?\d+(?:\.\d+)?"
_NOUN = r"[a-z]{3,}"

_SMALL_NUMBERS = {word: str(i) for i, word in enumerate(SMALL[:13])}
"""No larger one is read."""


@dataclass(frozen=True)
class Condition:
    """A bound that the question sets.

    Attributes:
        sign: How the number bounds.
        numbers: One, or the two ends of a range, as the question writes them.
        units: The unit of the property table, another unit, a noun (`elements`), or nothing.
    """

    sign: Sign
    numbers: tuple[str, ...]
    units: str

    @property
    def values(self) -> list[float]:
        """The numbers; those that are words without a digit are read too, if they are small."""
        return [float(_SMALL_NUMBERS.get(number, number)) for number in self.numbers if _is_read(number)]

    def holds(self, value: float) -> bool | None:
        """Whether a value obeys it; `None` if its numbers are words that are not read."""
        ends = self.values
        if len(ends) < len(self.numbers):
            return None
        if self.sign == "between":
            return min(ends) <= value <= max(ends)
        bound = ends[0]
        return {">": value > bound, ">=": value >= bound, "<": value < bound, "<=": value <= bound}[self.sign]


def _is_read(number: str) -> bool:
    return number in _SMALL_NUMBERS or number[-1].isdigit()


def conditions(question: str) -> list[Condition]:
    """The bounds that a question sets, in order."""
    text = plain(question)
    found: list[Condition] = []
    for match in _range_pattern(_NUMBER).finditer(text):
        ends = match.group("low", "high") if match.group("low") else match.group("first", "last")
        found.append(Condition("between", (ends[0], ends[1]), _units(text, match.end())))
    for sign, words in COMPARATORS.items():
        for match in _one_sided(words, f"{_NUMBER}|[a-z]+").finditer(text):
            number = match.group("number")
            if number[-1].isdigit() or number_word(number):
                found.append(Condition(sign, (number,), _units(text, match.end())))
    return found


def pattern(found: list[Condition]) -> re.Pattern[str] | None:
    """What matches one of the conditions as an answer may write it; group `c0`, `c1`, ... tells which."""
    if not found:
        return None
    return re.compile("|".join(f"(?P<c{i}>{_as_written(each)})" for i, each in enumerate(found)))


def _as_written(condition: Condition) -> str:
    numbers = [re.escape(number) for number in condition.numbers]
    if condition.sign == "between":
        low, high = numbers
        body = rf"(?:between[ ]+{low}[ ]+and|(?:from[ ]+)?{low}[ ]*(?:to|-)(?=[ \d]))[ ]*{high}"
    else:
        words = "|".join(re.escape(word).replace(r"\ ", "[ ]+") for word in COMPARATORS[condition.sign])
        body = rf"(?:(?i:{words}))[ ]*{numbers[0]}"
    return rf"(?<![A-Za-z0-9.-]){body}{_unit_pattern(condition.units)}(?![A-Za-z0-9])(?!\.\d)"


def _unit_pattern(unit: str) -> str:
    written = [surface for surface, meant in units.surfaces().items() if meant == unit] if unit else []
    if not unit:
        return rf"(?!{units.after_placeholder().pattern.replace('?P<unit>', '?:')})"
    either = "|".join(
        re.escape(w).replace(r"\ ", "[ ]+") for w in sorted(written or [unit], key=len, reverse=True)
    )
    return rf"[ ]*(?:{either})" if written else rf"[ ]+(?:{either})"


def _units(text: str, end: int) -> str:
    match = units.after_placeholder().match(text, end)
    if match:
        return units.unit_of(match.group("unit")) or ""
    noun = re.compile(rf"[ ]+({_NOUN})\b").match(text, end)
    return noun.group(1) if noun and noun.group(1) not in _NO_NOUNS else ""


_NO_NOUNS = several("and with that which but for from near the are was were has have not can without")


def _one_sided(words: tuple[str, ...], number: str) -> re.Pattern[str]:
    either = "|".join(re.escape(word).replace(r"\ ", "[ ]+") for word in words)
    return re.compile(rf"(?<![A-Za-z0-9])(?i:{either})[ ]*(?P<number>{number})(?![\w]|\.\d)|(?!)")


def _range_pattern(number: str) -> re.Pattern[str]:
    joined = rf"between[ ]+(?P<low>{number})[ ]+and[ ]+(?P<high>{number})"
    spanned = rf"(?:from[ ]+)?(?P<first>{number})[ ]*(?:to|-)[ ]*(?P<last>{number})"
    return re.compile(rf"(?<![A-Za-z0-9.-])(?:{joined}|{spanned})(?![\w]|\.\d)")
