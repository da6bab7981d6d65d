"""Which tokens does a question consist of?

A token is a word, a number, a sign of comparison, or a chunk that only chemistry or units write: `BaTiO3`,
`P6_3/mmc`, `eV/atom`, `Ba-Ti-O`. Unicode is brought to plain ASCII first: `BaTiO₃`, `≥ 2 eV`, `µC/cm²`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from .chemistry import special

PLAIN = str.maketrans(
    {
        "≥": " >= ", "≤": " <= ", "≧": " >= ", "≦": " <= ", "≈": " ~ ", "∼": " ~ ", "˜": " ~ ", "≃": " ~ ", "≅": " ~ ",
        "µ": "u", "μ": "u", "Å": "A", "–": "-", "—": " - ", "−": "-", "‑": "-", "‐": "-", "’": "'", "‘": "'",
        "“": '"', "”": '"', "\u00a0": " ", "\u202f": " ", "\u2009": " ", "×": "x", "·": " ", "…": " ", "κ": "k",
        "ε": "epsilon",
    }
)  # fmt: skip
"""Beside what Unicode's compatibility forms (NFKC) already bring to ASCII."""
NUMBER = r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+"
MOST_CHARACTERS = 2000


@dataclass(frozen=True)
class Token:
    """One word of a question.

    Attributes:
        text: As written, in ASCII.
        kind: `word`, `number`, `sign` (a comparison), `mark` (punctuation) or what `chemistry.special` says:
            `formula`, `system`, `group`, `anonymous`, `ion`, `id`.
        glued: Written without a space after the token before: the `free` of `lead-free`.
    """

    text: str
    kind: str
    glued: bool = False

    @property
    def lower(self) -> str:
        return self.text.lower()


def tokenise(question: str) -> list[Token]:
    """The tokens of a question, in order."""
    tokens: list[Token] = []
    for chunk in _chunks(_plain(question)):
        tokens.extend(_tokens_of(chunk))
    return tokens


def _plain(text: str) -> str:
    text = text.replace("°C", " degC").replace("℃", " degC").translate(PLAIN)
    text = unicodedata.normalize("NFKC", text).translate(PLAIN)
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    text = re.sub(r"(?<![\d.])(\d{1,3}) (\d{3})(?![\d.])", r"\1\2", text)
    text = re.sub(r"(?<=\d),(?=\d)", ".", text)
    text = re.sub(r"\s*(>=|<=|=>|=<|==|>|<|=|~)\s*", r" \1 ", text)
    text = re.sub(r"\((?:[a-h]|i{1,3}|iv|v|\d)\)|(?<!\S)(?:[a-h]|\d)[).]\s", " , ", text)
    text = re.sub(r"\bw/o\b", "without", text)
    text = re.sub(r"\bw/(?=\s|[A-Za-z])", "with ", text)
    text = re.sub(r"n't\b", " not", text)
    text = re.sub(r"'(?:s|d|m|ll|ve|re)\b", "", text)
    text = re.sub(r"\b(\w+)- (and|or) (\w+)-free\b", r"\1-free \2 \3-free", text)
    return re.sub(r"\s*\+/-\s*|\s*±\s*", " plusminus ", text)


def _chunks(text: str) -> list[str]:
    """Split at white space and punctuation; brackets that belong to a formula stay."""
    spaced = re.sub(r"([;:?!\"`])", r" \1 ", text)
    spaced = re.sub(r",", " , ", spaced)
    chunks: list[str] = []
    for chunk in spaced.split():
        chunks.extend(_without_brackets(chunk))
    return chunks


def _without_brackets(chunk: str) -> list[str]:
    found: list[str] = []
    tail: list[str] = []
    while chunk and chunk[0] in "([{" and not (special(chunk) or special(chunk.rstrip(".)]}"))):
        found.append(chunk[0])
        chunk = chunk[1:]
    while chunk and chunk[-1] in ")]}." and not _closes(chunk):
        tail.insert(0, chunk[-1])
        chunk = chunk[:-1]
    return [*found, *([chunk] if chunk else []), *tail]


def _closes(chunk: str) -> bool:
    return (chunk[-1] != "." and special(chunk) is not None) or chunk.lower() in (
        "f.u.",
        "ev/f.u.",
        "mev/f.u.",
    )


def _tokens_of(chunk: str) -> list[Token]:
    if re.fullmatch(r"[><=~]+", chunk):
        return [Token(chunk, "sign")]
    if not re.search(r"[A-Za-z0-9]", chunk):
        return [Token(chunk, "mark")]
    if kind := special(chunk):
        return [Token(chunk, kind)]
    if is_unit(chunk):
        return [Token(chunk, "word")]
    return _split(chunk)


def is_unit(chunk: str) -> bool:
    """Whether a chunk is a unit of the vocabulary, written in one piece."""
    from .vocabulary import vocabulary

    return chunk in vocabulary().unit_chunks


def _split(chunk: str) -> list[Token]:
    """A chunk of several words: `lead-free`, `2eV`, `3-6`, `20-atom`, `and/or`, `Hf/Zr`."""
    if joined := re.fullmatch(rf"(-?(?:{NUMBER}))([A-Za-z%^][^\s]*)", chunk):
        number, rest = joined.groups()
        if is_unit(rest) or (
            rest.lower() not in ("d", "f", "th", "st", "nd", "rd") and not rest[0].isdigit()
        ):
            return [Token(number, "number"), *_glued(_tokens_of(rest))]
    tokens: list[Token] = []
    for part in re.findall(
        rf"-(?=\.?\d)(?:{NUMBER})(?![A-Za-z])|(?:{NUMBER})(?![A-Za-z\d])|[A-Za-z_\d.^+']+|[-/]", chunk
    ):
        if part in "-/":
            if part == "/" or _between_numbers(tokens, chunk):
                tokens.append(Token(part, "mark", bool(tokens)))
            continue
        tokens.extend(_part(part, tokens))
    return tokens or [Token(chunk, "word")]


def _part(part: str, before: list[Token]) -> list[Token]:
    glued = bool(before)
    if re.fullmatch(rf"-(?:{NUMBER})", part):
        if before and before[-1].kind == "number":
            return [Token("-", "mark", True), Token(part[1:], "number", True)]
        if before:
            return [Token(part[1:], "number", True)]
        return [Token(part, "number")]
    if re.fullmatch(NUMBER, part):
        return [Token(part, "number", glued)]
    kind = special(part)
    if kind:
        return [Token(part, kind, glued)]
    if (joined := re.fullmatch(rf"({NUMBER})([A-Za-z^].*)", part)) and is_unit(joined[2]):
        return [Token(joined[1], "number", glued), Token(joined[2], "word", True)]
    return [Token(part.strip("."), "word", glued)]


def _between_numbers(tokens: list[Token], chunk: str) -> bool:
    return bool(tokens) and tokens[-1].kind == "number" and bool(re.search(r"\d-\d", chunk))


def _glued(tokens: list[Token]) -> list[Token]:
    return [Token(t.text, t.kind, True) for t in tokens]
