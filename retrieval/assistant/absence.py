"""Does an answer say that nothing was found only where nothing was found?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from . import mentions
from .bounds import COMPOUND_ENDINGS, FOUND_NOUNS, subjects
from .ledger import Ledger
from .mentions import Mention
from .sentences import Sentence
from .several import several

_NOTHING = frozenset({"none", "nothing"})
_FINDING = several(
    "found match matches matched exist exists was were is are of meets meet satisfies satisfy on"
)
_GIVING = several("found returned gave are were is was there yielded")
_OF_RECIPES = several("recipe recipes procedure procedures synthesis route routes made preparation")
_OF_RECORDS = several(
    "record records value values data listed entry entries available given known limit information"
)
_VANISHING = several("vanishes vanish vanishing vanished gapless")
_REACHES = 5


def absence_problems(found: Sequence[Sentence], ledger: Ledger) -> Iterator[str]:
    """One sentence for each absence that the searches do not bear out."""
    elemental = mentions.elemental(ledger)
    context: list[Mention] = []
    for sentence in found:
        named = subjects(sentence.tokens, elemental)
        yield from _zeros(sentence, named or context, ledger)
        context = named or context
        phrase = _denied_find(sentence)
        if phrase and not _borne_out(sentence, ledger, named):
            yield (
                f"{phrase!r} says that nothing was found, and no search bears it out: "
                "write the count, such as {{search1.count}}."
            )


def _borne_out(sentence: Sentence, ledger: Ledger, named: list[Mention]) -> bool:
    if any(word in _OF_RECIPES for word in sentence.words):
        missing = [mentions.composition(formula) for formula in ledger.missing_recipes]
        spoken = [mention.formula for mention in named if mention.formula]
        return bool(missing) and all(formula in missing for formula in spoken)
    retrieved = [entry for entry in ledger.materials().values() for mention in named if mention.fits(entry)]
    empty = any(search.total == 0 for search in ledger.searches)
    return empty and not (named and retrieved)


def _zeros(sentence: Sentence, meant: list[Mention], ledger: Ledger) -> Iterator[str]:
    """`has no gap`, `the gap vanishes`: a zero in words, true only where the record says zero."""
    tokens = sentence.tokens
    if any(word in _OF_RECORDS for word in sentence.words):
        return
    for said in mentions.properties(tokens):
        before = [token.lower for token in tokens[max(0, said.at - 2) : said.at]]
        denied = any(word in ("no", "without", "lacks", "lack") for word in before)
        if not denied and not any(word in _VANISHING for word in sentence.words):
            continue
        values = [
            entry.value
            for entry in ledger
            if entry.kind == "property"
            and said.fits(entry)
            and (not meant or any(m.fits(entry) for m in meant))
        ]
        if not values or any(value != 0 for value in values):
            yield f"{said.text!r} is said to be nothing, and the records do not say so: write the value's placeholder."


def _denied_find(sentence: Sentence) -> str | None:
    """The words that deny a find: `no oxides`, `none`, `could not find`."""
    words = sentence.words
    for i, word in enumerate(words):
        following = words[i + 1 : i + 1 + _REACHES]
        before = words[i - 1] if i else ""
        if word in _NOTHING and (
            (following[:1] and following[0] in _FINDING) or before in _GIVING or not before
        ):
            return word
        if word == "no" and _noun_at(following):
            return f"no {' '.join(following[: _noun_at(following)])}"
        if word in ("not", "cannot", "didn't", "couldn't") and any(
            w in ("find", "found", "any") for w in following[:3]
        ):
            return " ".join([word, *following[:2]])
    return None


def _noun_at(following: Sequence[str]) -> int:
    """How many words behind `no` a noun for what is searched stands; 0 if none does."""
    for i, word in enumerate(following[:4], start=1):
        if word in ("other", "further", "more", "longer"):
            return 0
        if word in FOUND_NOUNS or word.endswith(COMPOUND_ENDINGS):
            return i
        if word in ("of", "with", "in", "for", "and", "is", "are", "value", "data", "gap", "need", "doubt"):
            return 0
    return 0
