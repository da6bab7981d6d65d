"""What does a model's answer say once every disguise is taken off?

The result is what is checked and what is delivered, so nothing can hide between the two: entities are decoded,
letters of other shapes become plain ones, invisible characters and markup go, lists lose their numbers.
"""

from __future__ import annotations

import html
import re
import unicodedata

LONGEST = 12_000
"""Characters of an answer; a longer one is sent back unread."""

PLACEHOLDER = re.compile(r"\{\{[ ]*([^{}\n]{1,200}?)[ ]*\}\}")
BULLET = "* "

_PRIVATE = 0xE000
_MOST_PLACEHOLDERS = 2000
_REPLACEMENT = "\ufffd"
_LONG_DASHES = "\u2014\u2015\ufe58"
_DASHES = "\u2012\u2013\u2043\ufe63"
_HYPHENS = "\u2010\u2011\uff0d"
_QUOTES = dict.fromkeys("\u2018\u2019\u201a", "'") | dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"')
_BULLETS = "\u2022\u2023\u25e6\u25aa\u25cf"
_ABBREVIATIONS = (
    (r"\b[Ee]\. ?g\.", "for example"),
    (r"\b[Ii]\. ?e\.", "that is"),
    (r"\b[Vv]s\.?(?=\s)", "versus"),
    (r"\b[Cc]f\.", "compare"),
    (r"\b[Aa]pprox\.", "approximately"),
    (r"\bca\.(?= )", "about"),
    (r"\bet al\.", "and others"),
    (r"\betc\.(?=\s+[a-z]|[,;)])", "and so on"),
    (r"\betc\.", "and so on."),
)


def plain(text: str) -> str:
    """The answer in plain letters, without markup or invisible characters.

    Characters that have no plain form are left for the reader of the text to refuse.
    """
    masked, held = _mask(_visible(_decoded(text)))
    return _unmask(_tidy(_lists(_without_markup(masked))), held)


def _decoded(text: str) -> str:
    for _ in range(4):
        decoded = html.unescape(text)
        if decoded == text:
            break
        text = decoded
    return text


def _visible(text: str) -> str:
    """Compatibility forms resolved, format characters gone, accents taken off plain letters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    for shapes, shape in ((_LONG_DASHES, "\u2014"), (_DASHES, "\u2013"), (_HYPHENS, "-")):
        text = text.translate(dict.fromkeys(map(ord, shapes), shape))
    letters: list[str] = []
    for char in unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text)):
        kind = unicodedata.category(char)
        after_letter = bool(letters) and letters[-1].isascii() and letters[-1].isalpha()
        if kind == "Cf" or (kind == "Mn" and after_letter):
            continue
        if kind == "Zs":
            letters.append(" ")
        elif kind in ("Cc", "Co", "Cn", "Cs") and char != "\n":
            letters.append(_REPLACEMENT)
        elif char in _BULLETS:
            letters.append("-")
        else:
            letters.append(_QUOTES.get(char, char))
    return "".join(letters)


def _mask(text: str) -> tuple[str, list[str]]:
    """Placeholders as single private characters, which the text itself cannot hold any more."""
    held: list[str] = []

    def hold(match: re.Match[str]) -> str:
        if len(held) >= _MOST_PLACEHOLDERS:
            return _REPLACEMENT
        held.append(f"{{{{{match.group(1)}}}}}")
        return chr(_PRIVATE + len(held) - 1)

    return PLACEHOLDER.sub(hold, text), held


def _unmask(text: str, held: list[str]) -> str:
    return "".join(held[ord(c) - _PRIVATE] if 0 <= ord(c) - _PRIVATE < len(held) else c for c in text)


def _without_markup(text: str) -> str:
    text = re.sub(r"(?m)^[ ]*(?:#{1,6}|>)[ ]+", "", text)
    text = re.sub(r"(?m)^[ ]*[*+-][ ]+", "\x01", text)
    text = text.replace("`", "")
    text = re.sub(r"[~\u2248\u223c\u2243][ ]*(?=[\ue000-\uf8ff])", "about ", text)
    text = re.sub(r"[ ]*=[ ]*(?=[\ue000-\uf8ff])", ": ", text)
    text = re.sub(r"\*+(?=\S)|(?<=\S)\*+", "", text)
    text = re.sub(r"(?<=[A-Za-z])_(?=[A-Za-z])", " ", text)
    text = re.sub(r"(?<![A-Za-z0-9])_+|_+(?![A-Za-z0-9])", "", text)
    for pattern, words in _ABBREVIATIONS:
        text = re.sub(pattern, words, text)
    text = re.sub(r"[ ]*\u2014[ ]*|[ ]+\u2013[ ]+", ", ", text)
    return text.replace("\u2013", "-").replace("\x01", BULLET)


def _lists(text: str) -> str:
    """Items counted from 1 upwards lose their numbers; any other number at a line's start stays to be refused."""
    expected, lines = 1, []
    for line in text.split("\n"):
        match = re.match(r"[ ]*(\d{1,2})[.)][ ]+(?=\S)", line)
        if match and match.group(1) == str(expected):
            line, expected = BULLET + line[match.end() :], expected + 1
        lines.append(line)
    return "\n".join(lines)


def _tidy(text: str) -> str:
    text = re.sub(r"(?<=\S)[ ]+--?[ ]+(?=\S)", ", ", text)
    text = re.sub(r"[ ]{2,}", " ", text)
    text = re.sub(r"[ ]+(?=[.,;!?](?:\s|$))", "", text)
    text = re.sub(r"[ ]*\n[ ]*", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
