"""Of which pieces does an answer consist?

Placeholders with their entries, conditions of the question, permitted names, units, words and punctuation. What is
none of these is `bad`, with the sentence that says why.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from . import conditions, records, units
from .ledger import Entry, Ledger, Unresolved
from .permitted import FORMULA, Name, Permitted
from .text import BULLET, PLACEHOLDER

Kind = Literal["place", "condition", "name", "unit", "word", "punct", "line", "bullet", "bad"]

_SPACES = re.compile(r"[ ]+")
_LINES = re.compile(r"\n+")
_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?(?![A-Za-z])")
_POSSESSIVE = re.compile(r"(?<=[A-Za-z0-9)])'s(?![A-Za-z0-9])")
_PUNCTUATION = ".,:;!?()\"'/&-"
_WITH_DIGITS = re.compile(r"[^\s{}()\[\],;:!?\"']*?\d(?:[^\s{}()\[\];!?\"']*[\w%])?")
_ADDRESS = re.compile(
    r"(?i)(?:https?|ftp|www)\b[^\s]*|[^\s]*://[^\s]*|[a-z0-9-]+\.(?:org|com|net|io|edu|gov)\b[^\s]*"
)


@dataclass(frozen=True)
class Token:
    """One piece of an answer.

    Attributes:
        kind: What it is.
        text: As it stands.
        start: Offset in the answer.
        entry: Of a placeholder; its text includes a unit that repeats the entry's own.
        condition: Of a condition.
        name: Of a permitted name.
        problem: Of a bad piece, a sentence.
    """

    kind: Kind
    text: str
    start: int
    entry: Entry | None = None
    condition: conditions.Condition | None = None
    name: Name | None = None
    problem: str = ""

    @property
    def end(self) -> int:
        """Offset behind it."""
        return self.start + len(self.text)

    @property
    def lower(self) -> str:
        """In lower case."""
        return self.text.lower()


def scan(prose: str, ledger: Ledger, allowed: Permitted) -> list[Token]:
    """Cut an answer into pieces; spaces are left out.

    Args:
        prose: As `text.plain` gives it.
        ledger: What placeholders may name.
        allowed: Names and conditions that may stand.
    """
    return list(_Scanner(prose, ledger, allowed))


class _Scanner:
    def __init__(self, prose: str, ledger: Ledger, allowed: Permitted) -> None:
        self._prose, self._ledger, self._allowed = prose, ledger, allowed
        self._names = allowed.pattern
        self._conditions = conditions.pattern(allowed.conditions)

    def __iter__(self) -> Iterator[Token]:
        at = 0
        while at < len(self._prose):
            token = self._token(at)
            if token is None:
                at += 1
                continue
            yield token
            at = max(token.end, at + 1)

    def _token(self, at: int) -> Token | None:
        prose = self._prose
        if _SPACES.match(prose, at):
            return None
        line = _LINES.match(prose, at)
        if line:
            return Token("line", line.group(), at)
        if prose.startswith(BULLET, at) and (at == 0 or prose[at - 1] == "\n"):
            return Token("bullet", BULLET, at)
        placeholder = PLACEHOLDER.match(prose, at)
        if placeholder:
            return self._placeholder(placeholder)
        return self._condition(at) or self._name(at) or self._plain(at)

    def _placeholder(self, match: re.Match[str]) -> Token:
        try:
            entry = self._ledger.resolve(match.group(1).strip())
        except Unresolved as missing:
            return Token("bad", match.group(), match.start(), problem=str(missing))
        end = units.repeated(self._prose, match.end(), entry.units)
        return Token("place", self._prose[match.start() : end], match.start(), entry=entry)

    def _condition(self, at: int) -> Token | None:
        match = self._conditions.match(self._prose, at) if self._conditions else None
        if not match or match.lastgroup is None:
            return None
        which = next(
            int(name[1:]) for name, text in match.groupdict().items() if text and re.fullmatch(r"c\d+", name)
        )
        return Token("condition", match.group(), at, condition=self._allowed.conditions[which])

    def _name(self, at: int) -> Token | None:
        match = self._names.match(self._prose, at) if self._names else None
        if match:
            return Token("name", match.group(), at, name=self._allowed.names[match.group()])
        written = FORMULA.match(self._prose, at)
        if written:
            found = records.amounts(written.group())
            if found is not None and found in self._allowed.formulas:
                return Token("name", written.group(), at, name=Name("formula", found))
        return None

    def _plain(self, at: int) -> Token:
        prose = self._prose
        address = _ADDRESS.match(prose, at)
        if address:
            return Token("bad", address.group(), at, problem=_ADDRESSES)
        unit = units.pattern().match(prose, at)
        if unit:
            return Token("unit", unit.group(), at)
        digits = _WITH_DIGITS.match(prose, at)
        if digits:
            return Token("bad", digits.group(), at, problem=_number(digits.group()))
        word = _WORD.match(prose, at) or _POSSESSIVE.match(prose, at)
        if word:
            return Token("word", word.group(), at)
        char = prose[at]
        if char in _PUNCTUATION:
            return Token("punct", char, at)
        return Token("bad", char, at, problem=_character(char))


_ADDRESSES = "Addresses are written by the program: leave out links and web pages."


def _number(text: str) -> str:
    if re.search(r"[A-Za-z]", text):
        return (
            f"{text!r} holds digits and is no formula, id, space group or method of the records or the question: "
            "name only what was retrieved."
        )
    return f"The number {text!r} stands in your text: write a placeholder such as {{{{ref.field}}}} or leave it out."


def _character(char: str) -> str:
    if char in "{}":
        return "A brace without its partner: a placeholder is written {{ref.field}}, with nothing inside it but that."
    if char == "|":
        return "No tables: the program adds the table itself; write sentences."
    name = unicodedata.name(char, f"U+{ord(char):04X}")
    return f"The character {char!a} ({name}) is not allowed: write plain English words in plain letters."
