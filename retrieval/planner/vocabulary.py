"""What do the phrases of `data/vocabulary.toml` mean?

Phrases are found by role (`group`, `compound`, `property`, `comparator`, ...), the longest first. A phrase is
met in singular and plural and with or without hyphens. The file itself says what each role is for.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ...core.properties import PROPERTIES
from ...core.settings import data_file

if TYPE_CHECKING:
    from .words import Token

FILE_NAME = "vocabulary.toml"
IRREGULAR = {
    "moduli": "modulus", "indices": "index", "gases": "gas", "phases": "phase", "axes": "axis", "spinels": "spinel",
    "halides": "halide", "formulae": "formula", "lattices": "lattice", "responses": "response", "spaces": "space",
    "synthesises": "synthesis", "syntheses": "synthesis", "less": "less", "gas": "gas", "ps": "ps", "axis": "axis",
    "synthesis": "synthesis", "this": "this", "is": "is", "as": "as", "has": "has", "was": "was", "does": "does",
    "gpas": "gpa", "analyses": "analysis",
}  # fmt: skip
CONDITIONS = ("group", "compound", "symmetry", "word", "known", "property", "structure", "superlative")
CASED = frozenset(["K", "C", "A3", "A^3"])
"""Tokens of units that mean something else in another case."""


@dataclass(frozen=True)
class Entry:
    """One meaning.

    Attributes:
        role: The part of the file: `group`, `compound`, `word`, `unit`.
        phrase: The first of its phrases, for messages.
        fields: As the file has them.
    """

    role: str
    phrase: str
    fields: dict[str, Any] = field(default_factory=dict, hash=False)

    def __getattr__(self, name: str) -> Any:
        return self.fields.get(name)


@dataclass
class _Node:
    """Phrases that begin alike."""

    next: dict[str, _Node] = field(default_factory=dict)
    entry: Entry | None = None


class Vocabulary:
    """The file, indexed by role.

    Args:
        data: The parsed TOML.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self._roots: dict[str, _Node] = {}
        self.words: set[str] = set()
        self.unit_chunks: set[str] = set()
        self.english: dict[str, Any] = data["english"]
        self._phrases: list[str] = []
        for role, phrases, fields in _entries(data):
            entry = Entry(role, phrases[0], fields)
            for phrase in phrases:
                self._add(role, phrase, entry)
            if role in CONDITIONS:
                self._phrases.extend(phrases)
            if role == "unit":
                self.unit_chunks.update(p for p in phrases if " " not in p)

    def _add(self, role: str, phrase: str, entry: Entry) -> None:
        node = self._roots.setdefault(role, _Node())
        parts = phrase.split() if role == "unit" else phrase.replace("-", " ").split()
        for part in parts:
            part = part if role == "unit" and part in CASED else part.lower()
            node = node.next.setdefault(part, _Node())
        node.entry = node.entry or entry
        if role not in ("unit", "comparator", "after"):
            self.words.update(part.lower() for part in parts if part.isalpha() and len(part) > 2)

    def phrases_with(self, word: str) -> list[str]:
        """Phrases of conditions that hold a word, shortest first."""
        return sorted(
            (p for p in self._phrases if word in p.lower().replace("-", " ").split()),
            key=lambda p: (len(p), p),
        )

    def match(self, role: str, tokens: Sequence[Token], start: int) -> tuple[int, Entry] | None:
        """The longest phrase of a role that begins at a token, and the index after it."""
        root = self._roots.get(role)
        return _longest(root, tokens, start, role == "unit") if root else None


def _longest(node: _Node, tokens: Sequence[Token], at: int, cased: bool) -> tuple[int, Entry] | None:
    found = (at, node.entry) if node.entry else None
    if at >= len(tokens) or (tokens[at].kind == "mark" and tokens[at].text not in ("+",)):
        return found
    for form in _forms(tokens[at].text, cased):
        if form in node.next:
            longer = _longest(node.next[form], tokens, at + 1, cased)
            if longer and (found is None or longer[0] > found[0]):
                found = longer
    return found


def _forms(text: str, cased: bool) -> Iterator[str]:
    """A token as a phrase may have it: as it is, and in the singular."""
    if cased and text in CASED:
        yield text
        return
    lower = text.lower()
    yield lower
    if lower in IRREGULAR:
        yield IRREGULAR[lower]
        return
    if cased and len(lower) < 4:
        return
    if lower.endswith("ies") and len(lower) > 4:
        yield lower[:-3] + "y"
    if lower.endswith("s") and not lower.endswith("ss") and len(lower) > 3:
        yield lower[:-1]


def is_plural(text: str) -> bool:
    """Whether a noun of a question stands for several: `oxides`."""
    return (
        text.lower().endswith("s") and not text.lower().endswith("ss") and text.lower() not in ("gas", "is")
    )


def _entries(data: dict[str, Any]) -> Iterator[tuple[str, list[str], dict[str, Any]]]:
    for role in ("group", "compound", "symmetry", "word", "known", "unit"):
        for row in data[role]:
            yield role, row["phrases"], row
    for row in data["property"]:
        yield "property", row["phrases"], row
        for direction in ("most", "least"):
            if row.get(direction):
                sort = ("-" if direction == "most" else "") + row["name"]
                yield "superlative", row[direction], {"sort": sort}
    for name, row in PROPERTIES.items():
        if not row.vector:
            yield "property", [name, name.replace("_", " ")], {"name": name}
    for name in ("nsites", "nelements", "spacegroup_number"):
        yield "property", [name], {"name": name}
    for name, symbol in data["oxyanions"].items():
        yield "compound", [name], {"all": f"{symbol} O"}
    for name, count in data["arity"].items():
        yield "arity", [name], {"count": count}
    for name, formula in data["names"].items():
        yield "name", [name], {"formula": formula}
    for kind, phrases in data["structures"].items():
        yield "structure", phrases, {"structure_type": kind}
    for phrase, sort in data["superlatives"].items():
        yield "superlative", [phrase], {"sort": sort}
    for slug, phrases in data["methods"].items():
        yield "method", phrases, {"slug": slug}
    for sign, phrases in data["comparators"].items():
        role = sign if sign.startswith("after") else "comparator"
        yield role, phrases, {"sign": sign}
    for part in ("negators", "holding", "ask", "harmless"):
        for role, phrases in data[part].items():
            for phrase in phrases:
                yield f"{part}.{role}", [phrase], {}


@lru_cache(maxsize=64)
def english(name: str) -> frozenset[str]:
    """A list of words of the file's `[english]`."""
    words = vocabulary().english[name]
    return frozenset(words.split() if isinstance(words, str) else words)


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The shipped vocabulary, or the user's own under `HYSTERON_HOME`/data.

    Raises:
        MissingDataError: there is none.
    """
    return Vocabulary(tomllib.loads(data_file(FILE_NAME).read_text(encoding="utf-8")))
