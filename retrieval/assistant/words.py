"""Is a word plain English, so that it cannot be a number in disguise?

Only what is in the dictionary that ships, in the field's own list, or built from either by a regular ending or
prefix. Whatever else stands in an answer is sent back: that is what keeps invented spellings of numbers out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

from . import numerals
from .records import element_symbols
from .several import several
from .terms import ACRONYMS, FALSE_FRIENDS, NAMES, PREFIXES, SCIENTIFIC_ENDINGS, SHORT, TERMS

DICTIONARY = "english.txt"
LEAST_SCIENTIFIC = 8
"""Letters from which on a word may be known by its ending alone."""

_ENDINGS = (
    ("ies", ("y",)),
    ("es", ("", "e")),
    ("s", ("",)),
    ("ied", ("y",)),
    ("ed", ("", "e")),
    ("ing", ("", "e")),
    ("ily", ("y",)),
    ("ly", ("", "le", "e")),
    ("ally", ("",)),
    ("ier", ("y",)),
    ("iest", ("y",)),
    ("er", ("", "e")),
    ("est", ("", "e")),
    ("ness", ("",)),
    ("less", ("",)),
    ("like", ("",)),
    ("wise", ("",)),
    ("able", ("", "e")),
)
_CONTRACTIONS = several(
    "isn't aren't wasn't weren't don't doesn't didn't can't couldn't shouldn't wouldn't won't hasn't haven't hadn't "
    "it's that's there's here's what's let's i'm i've i'd i'll we've we're we'd we'll you're you've you'd they're "
    "they've who's"
)


def known(word: str) -> bool:
    """Whether a word may stand in an answer.

    Args:
        word: Letters, perhaps an apostrophe; any case.
    """
    if word in ACRONYMS or word in NAMES:
        return True
    small = word.lower()
    if "'" in small:
        return small in _CONTRACTIONS or (small.endswith("'s") and known(word[:-2]))
    return _known(small) if _sane_case(word) else False


def _sane_case(word: str) -> bool:
    """Lower case, capitalised, or a short heading in capitals."""
    return word.islower() or word[1:].islower() or len(word) == 1 or (word.isupper() and len(word) > 3)


@lru_cache(maxsize=16384)
def _known(word: str) -> bool:
    if len(word) <= 3:
        return word in SHORT or word in TERMS or word in element_names()
    if word in FALSE_FRIENDS:
        return False
    if _listed(word):
        return True
    for prefix in PREFIXES:
        rest = word.removeprefix(prefix)
        if rest != word and len(rest) >= 4 and _listed(rest):
            return True
    return _scientific(word)


def _listed(word: str, endings: int = 2) -> bool:
    """Whether a list has the word, or one of which it is a form; `warnings` has two endings."""
    if any(word in each for each in (dictionary(), TERMS, SHORT, element_names())):
        return True
    return endings > 0 and any(_listed(base, endings - 1) for base in _bases(word))


def _bases(word: str) -> list[str]:
    """Words of at least three letters of which this one may be a form."""
    found = []
    for ending, replacements in _ENDINGS:
        if not word.endswith(ending):
            continue
        stem = word[: -len(ending)]
        found += [stem + replacement for replacement in replacements]
        if ending in ("ed", "ing", "er", "est") and stem[-1:] == stem[-2:-1]:
            found.append(stem[:-1])
    return [base for base in found if len(base) >= 3 and base not in FALSE_FRIENDS]


def _scientific(word: str) -> bool:
    if len(word) < LEAST_SCIENTIFIC or not re.search("[aeiouy]", word) or numerals.made_of_numbers(word):
        return False
    stems = [word.removesuffix(ending) for ending in SCIENTIFIC_ENDINGS if word.endswith(ending)]
    return bool(stems) and not any(
        numerals.number_word(stem) or numerals.made_of_numbers(stem) for stem in stems
    )


@lru_cache(maxsize=1)
def dictionary() -> frozenset[str]:
    """The words that ship in the data folder, number words left out."""
    text = resources.files("hysteron.data").joinpath(DICTIONARY).read_text(encoding="utf-8")
    words = (line for line in text.splitlines() if line and not line.startswith("#"))
    return frozenset(word for word in words if numerals.number_word(word) is None)


@lru_cache(maxsize=1)
def element_names() -> dict[str, str]:
    """Names of the elements in lower case, with their symbols."""
    from pymatgen.core import Element

    elements = [Element(symbol) for symbol in element_symbols()]
    names = {str(element.long_name).lower(): element.symbol for element in elements}
    return names | {"sulphur": "S", "aluminum": "Al", "caesium": "Cs", "cesium": "Cs"}
