"""Where does a sentence of an answer begin and end?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .tokens import Token

_ENDS = (".", "!", "?")


@dataclass(frozen=True)
class Sentence:
    """A sentence, a line or an item of a list.

    Attributes:
        tokens: Without line breaks and bullets.
        heading: Whether it ends in a colon and a line break, and so speaks for the lines below.
    """

    tokens: tuple[Token, ...]
    heading: bool = False

    @property
    def places(self) -> list[int]:
        """Positions of the placeholders among the tokens."""
        return [i for i, token in enumerate(self.tokens) if token.kind == "place"]

    @property
    def words(self) -> list[str]:
        """Its words in lower case."""
        return [token.lower for token in self.tokens if token.kind == "word"]


def sentences(tokens: Sequence[Token]) -> list[Sentence]:
    """Cut an answer at full stops, question marks and line breaks."""
    found: list[Sentence] = []
    held: list[Token] = []
    for i, token in enumerate(tokens):
        broken = token.kind in ("line", "bullet")
        if not broken:
            held.append(token)
        if held and (broken or _ends(tokens, i)):
            found.append(Sentence(tuple(held), broken and held[-1].text == ":"))
            held = []
    return [*found, Sentence(tuple(held), held[-1].text == ":")] if held else found


def _ends(tokens: Sequence[Token], i: int) -> bool:
    token = tokens[i]
    following = tokens[i + 1] if i + 1 < len(tokens) else None
    if token.text not in _ENDS:
        return False
    return following is None or (following.start > token.end and following.text not in _ENDS)
