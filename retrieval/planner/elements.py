"""Which elements are asked for or excluded?

Reads a list such as "Ti, Zr or Hf", "barium and one of Ti or Zr", "any alkali metal", "lead".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.filters import Filter
from .chemistry import ENGLISH, element_names, is_symbol
from .trees import conjunction, holds_all, holds_any, holds_only
from .vocabulary import Entry, english, vocabulary
from .words import Token

OR = frozenset(["or", "/", "nor", "and/or"])
AND = frozenset(["and", "&", "plus", "+", "with"])


@dataclass(frozen=True)
class Item:
    """One element, or a group of them."""

    symbols: tuple[str, ...]
    group: Entry | None = None


@dataclass(frozen=True)
class Elements:
    """A list as it stands: every one of `parts` is asked for, each by any of its items.

    Attributes:
        parts: Items that "or" joins stand together.
        joined: Whether an "and" (no comma alone) joins single elements.
    """

    parts: tuple[tuple[Item, ...], ...]
    joined: bool = False

    @property
    def symbols(self) -> list[str]:
        return [symbol for part in self.parts for item in part for symbol in item.symbols]

    @property
    def groups(self) -> list[Entry]:
        return [item.group for part in self.parts for item in part if item.group]

    def all(self) -> Filter:
        """Every part is in it."""
        single = [
            symbol
            for part in self.parts
            if len(part) == 1 and not part[0].group
            for symbol in part[0].symbols
        ]
        terms: list[Filter] = [holds_all(single)] if single else []
        choices = [part for part in self.parts if len(part) > 1 or any(item.group for item in part)]
        terms.extend(holds_any([symbol for item in part for symbol in item.symbols]) for part in choices)
        return conjunction(terms)

    def any(self) -> Filter:
        """Any of the symbols is in it."""
        return holds_any(self.symbols)

    def only(self) -> Filter:
        """Nothing else is in it."""
        return holds_only(self.symbols)


def elements_at(
    tokens: Sequence[Token], i: int, inside: bool = False, adjacent: bool = True
) -> tuple[int, Elements] | None:
    """A list of elements that begins at a token.

    Args:
        tokens: Of the question.
        i: Where it may begin.
        inside: Whether a word such as "containing" came before, so that `In` is indium.
        adjacent: Whether names without a connective between them go on ("barium strontium").

    Returns:
        The index after it, and the list.
    """
    found = _item(tokens, i, inside)
    if not found:
        return None
    end, first = found
    items, joints = [first], []
    while end < len(tokens):
        joint, j = _joint(tokens, end)
        following = _item(tokens, j, True)
        if not following or _begins_compound(tokens, j, joint):
            break
        if not joint and (not adjacent or items[-1].group or following[1].group):
            break
        joints.append(joint)
        items.append(following[1])
        end = following[0]
    return end, _grouped(items, joints)


def _joint(tokens: Sequence[Token], i: int) -> tuple[str, int]:
    """The connective before the next item: `or`, `and`, `,` or nothing; and where the item may begin."""
    joint = ""
    while i < len(tokens):
        word = tokens[i].lower
        if word in OR:
            joint = "or"
        elif word in AND or (vocabulary().match("holding.each_all", tokens, i) and word not in ("all",)):
            found = vocabulary().match("holding.each_all", tokens, i)
            i = found[0] - 1 if found else i
            joint = "and"
        elif word == "," or word == "either":
            joint = joint or ","
        else:
            break
        i += 1
    return joint, i


def _begins_compound(tokens: Sequence[Token], i: int, joint: str) -> bool:
    """Whether the element belongs to a noun after it, in a list of nouns: "lead oxides and tin sulfides"."""
    item = _item(tokens, i, True)
    if not item or not joint or i == 0:
        return False
    noun = vocabulary().match("compound", tokens, item[0])
    before = tokens[i - 1].lower if joint else ""
    return bool(noun) and before in OR | AND | {","} and _noun_before(tokens, i)


def _noun_before(tokens: Sequence[Token], i: int) -> bool:
    """Whether what stands before the connective is a compound noun itself."""
    j = i - 1
    while j >= 0 and tokens[j].lower in OR | AND | {","}:
        j -= 1
    return j >= 0 and vocabulary().match("compound", tokens, j) is not None


def _item(tokens: Sequence[Token], i: int, inside: bool) -> tuple[int, Item] | None:
    start = i
    while i < len(tokens) and tokens[i].lower in english("before_elements") and tokens[i].kind == "word":
        i += 1
    chosen = vocabulary().match("holding.each_any", tokens, start)
    if chosen and chosen[0] > i:
        i = chosen[0]
        while i < len(tokens) and tokens[i].lower in ("the", "of", "following", "elements", ":"):
            i += 1
    if i >= len(tokens):
        return None
    group = vocabulary().match("group", tokens, i)
    if group:
        return _but(tokens, _past_tail(tokens, group[0]), group[1])
    adjective = i + 1 < len(tokens) and (tokens[i + 1].glued or tokens[i + 1].lower in english("absent"))
    symbol = symbol_of(tokens[i], inside or i > start or adjective)
    if symbol is None or _is_more(tokens, i):
        return None
    return _past_tail(tokens, i + 1), Item((symbol,))


def _but(tokens: Sequence[Token], i: int, group: Entry) -> tuple[int, Item]:
    """A group, less the elements after "other than" or "except"."""
    symbols = group.elements.split()
    words = [token.lower for token in tokens[i : i + 2]]
    size = (
        2
        if words in (["other", "than"], ["except", "for"], ["apart", "from"])
        else int(words[:1] in (["except"], ["besides"]))
    )
    kept = elements_at(tokens, i + size, True) if size else None
    if not kept:
        return i, Item(tuple(symbols), group)
    fields = {"elements": " ".join(symbol for symbol in symbols if symbol not in kept[1].symbols)}
    phrase = f"{group.phrase} but {' '.join(kept[1].symbols)}"
    return kept[0], Item(tuple(fields["elements"].split()), Entry("group", phrase, fields))


def _is_more(tokens: Sequence[Token], i: int) -> bool:
    """Whether a longer phrase of another kind begins here: "tin" is not meant in "lead perovskite type"."""
    longer = [
        vocabulary().match(role, tokens, i) for role in ("structure", "word", "known", "name", "compound")
    ]
    return any(found and found[0] > i + 1 for found in longer)


def symbol_of(token: Token, inside: bool) -> str | None:
    """The element that a token names, by symbol or English name."""
    if token.kind == "word" and (name := element_names().get(token.lower)):
        return name
    if not is_symbol(token.text) or (token.text in ENGLISH and not inside):
        return None
    return token.text


def _past_tail(tokens: Sequence[Token], i: int) -> int:
    while i < len(tokens) and tokens[i].lower in english("after_elements"):
        i += 1
    return i


def _grouped(items: Sequence[Item], joints: Sequence[str]) -> Elements:
    """A comma takes the meaning of the next spoken connective; "or" binds more closely than "and"."""
    resolved: list[str] = []
    for i, joint in enumerate(joints):
        spoken = next((j for j in joints[i:] if j in ("or", "and")), "and")
        if joint == "," and i and joints[i - 1] == "or":
            spoken = "and"
        resolved.append(spoken if joint == "," else joint or "and")
    parts: list[list[Item]] = [[items[0]]]
    for item, joint in zip(items[1:], resolved, strict=True):
        if joint == "or":
            parts[-1].append(item)
        else:
            parts.append([item])
    return Elements(tuple(tuple(part) for part in parts), "and" in joints)
