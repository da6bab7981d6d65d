"""What has been read of a question so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...core.filters import Filter, Name
from .combine import Condition
from .vocabulary import Entry, vocabulary
from .words import Token


@dataclass
class Reading:
    """The question's tokens, and what they were found to mean.

    Attributes:
        tokens: In order.
        conditions: In order.
        said: Assumptions, each once.
        asks: Properties to be told.
        sort: As `Plan.sort`.
        ranked: Whether a superlative or "top" gave the sort.
        limit: As `Plan.limit`.
        kind: As `Plan.kind`.
        targets: Formulas whose synthesis is asked for.
        examples: Formulas after "like".
        unknown: Tokens that nobody understood.
        joint: The connective since the last condition.
        nouns: Class nouns, with whether each was plural.
        last: The property spoken of last, which a number with a unit alone may go on about.
        mentioned: Where the last mention of a property without a number ended.
        mentions: All such mentions: first token, the one after the last, and the property.
    """

    tokens: Sequence[Token]
    conditions: list[Condition] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    asks: list[str] = field(default_factory=list)
    sort: str | None = None
    ranked: bool = False
    limit: int | None = None
    kind: str = "materials"
    targets: list[str] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)
    unknown: list[Token] = field(default_factory=list)
    joint: str = ""
    nouns: list[bool] = field(default_factory=list)
    last: Name | None = None
    mentioned: int | None = None
    mentions: list[tuple[int, int, Name]] = field(default_factory=list)

    def add(self, tree: Filter, kind: str, plural: bool = False, says: str | None = None) -> None:
        """Take in a condition, with the connective that stands before it."""
        self.conditions.append(Condition(tree, kind, self.joint if self.conditions else "", plural))
        self.joint = ""
        if says:
            self.tell(says)

    def tell(self, sentence: str) -> None:
        """Note an assumption, once."""
        if sentence not in self.said:
            self.said.append(sentence)

    def ask(self, name: str) -> None:
        """Note a property to be told, once."""
        if name not in self.asks:
            self.asks.append(name)

    def word(self, i: int) -> str:
        """A token in lower case; nothing past the end."""
        return self.tokens[i].lower if 0 <= i < len(self.tokens) else ""

    def find(self, role: str, i: int) -> tuple[int, Entry] | None:
        """The longest phrase of a role at a token."""
        return vocabulary().match(role, self.tokens, i)

    def skip(self, i: int, words: frozenset[str] | tuple[str, ...]) -> int:
        """The first token from `i` on that is none of the words."""
        while i < len(self.tokens) and self.tokens[i].lower in words:
            i += 1
        return i
