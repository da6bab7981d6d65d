"""Is every word of an answer a plain word, and no number said in letters?

A number word is refused in any language; the few English ones that are also something else (`one of`, `single
crystal`, `at once`) pass only where they are that something else. A word that no list has is refused as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .ledger import Ledger
from .numerals import made_of_numbers, number_word, roman
from .permitted import Permitted
from .records import element_symbols
from .several import several
from .terms import PREFIXES
from .tokens import Token
from .words import known

_ONE_BEFORE = several("no each this that which any every another other the former latter latest only right")
_NOT_AFTER_ONE = several("point half quarter comma dot and to")
_CLOSED = several(
    "is was has with of in that which and but for by to at shows appears from can would does on"
)
_LIKE_AN_ADJECTIVE = ("er", "est", "al", "ic", "ar", "nt", "le", "ed", "ing", "ve", "ous", "id", "ry", "ct")
_DETERMINERS = several("the a an this that another each every any its")
_MODALS = several("can could may might must should would needs wants")
_COUNTABLE = several(
    """
    atoms sites elements materials compounds records matches steps polymorphs entries results candidates structures
    phases oxides nitrides perovskites titanates halides recipes procedures cases reasons ways studies examples hits
    """
)
_HYPHENATED = PREFIXES | several("ex mid cross")
_ORBITALS = several(
    "type doped orbital orbitals electron electrons state states band bands block channel character like"
)
_SITES = several("axis axes plane site sites cation cations rays ray direction")
_HEAVY = several("heusler heuslers metal metals metallic cell cells reaction reactions filled")
_CRYSTALLINE = several(
    "crystal crystals crystalline phase phases layer layers point step source entry-point domain domains formula "
    "site family family's bond bonds"
)
_BEFORE_POINT = several(
    "melting boiling starting data fixed single main key this that the decomposition critical saddle end working "
    "good reference interesting no"
)
_AFTER_POINT = several("group groups out to of is that where defect defects symmetry at towards toward")
_PRONOUN_VERBS = several(
    """
    found find have had could can cannot did do am was will would should searched looked suggest recommend retrieved list
    give gave see saw note must may might only also used asked checked compared get got obtain obtained read report think
    believe hope know expect assume conclude propose choose pick prefer need mean include show present rank ranked sort
    sorted chose picked
    """
)
_BEFORE_PRONOUN = {"", "\n"} | several(
    ', and but that which so if because as when what here below whether than thus ( : . ! ? " yes no'
)
_ENDS = frozenset({"", ".", "!", "?", ":", "\n"})
_COMPOSITION_WORDS = {
    "unary": 1,
    "elemental": 1,
    "binary": 2,
    "binaries": 2,
    "ternary": 3,
    "ternaries": 3,
    "quaternary": 4,
    "quaternaries": 4,
    "quinary": 5,
    "senary": 6,
}
_BANNED = {
    "second": "says a number",
    "seconds": "says a number",
    "dot": "is part of a spelled number",
    "comma": "is part of a spelled number",
    "tens": "says a number",
    "grand": "can stand for a number",
    "prime": "can stand for a number",
    "primes": "can stand for a number",
    "integer": "can stand for a number",
    "integers": "can stand for a number",
    "subtract": "asks the reader to calculate",
    "multiply": "asks the reader to calculate",
    "divide": "asks the reader to calculate",
    "digit": "speaks of a number",
    "digits": "speaks of a number",
    "numeral": "speaks of a number",
    "numerals": "speaks of a number",
    "numerically": "speaks of a number",
    "protons": "can stand for a number",
    "fingers": "can stand for a number",
    "dice": "can stand for a number",
}


def wording_problems(tokens: Sequence[Token], allowed: Permitted, ledger: Ledger) -> Iterator[str]:
    """One sentence for each word or mark that cannot stand."""
    for i, token in enumerate(tokens):
        if token.kind == "word":
            problem = _word_problem(tokens, i, allowed, ledger)
            if problem:
                yield problem
    yield from _riddles(tokens)
    yield from _spelled_out(tokens)
    yield from _punctuation(tokens)


def _riddles(tokens: Sequence[Token]) -> Iterator[str]:
    """`the number of sides of a triangle`: only what is counted in records may be counted."""
    for i, token in enumerate(tokens):
        if token.lower == "number" and _neighbour(tokens, i, +1) == "of":
            following = [t.lower for t in tokens[i + 2 : i + 6]]
            if not any(word in _COUNTABLE for word in following):
                yield f"'number of {' '.join(following[:2])}' can stand for a number: leave it out."


def _word_problem(tokens: Sequence[Token], i: int, allowed: Permitted, ledger: Ledger) -> str | None:
    word = tokens[i].text
    if word == "'s":
        return None
    before, after = _neighbour(tokens, i, -1), _neighbour(tokens, i, +1)
    if len(word) == 1:
        return _letter_problem(word, tokens, i, allowed)
    if roman(word) and word not in allowed.symbols:
        return f"{word!r} reads as a Roman number: leave it out."
    if word.lower() == "one" and i > 1 and tokens[i - 2].lower in _DETERMINERS and _is_plain(after):
        return None
    special = _SPECIAL.get(word.lower())
    if special:
        return special(word, before, after)
    kind = number_word(word)
    if kind:
        return f"{word!r} is {kind}: write a placeholder or say it without a number."
    if _BANNED.get(word.lower()):
        return f"{word!r} {_BANNED[word.lower()]}: leave it out."
    count = _COMPOSITION_WORDS.get(word.lower())
    if count is not None and word.lower() not in allowed.words:
        return _composition_problem(word, count, ledger)
    if word.lower() in _HYPHENATED and i + 1 < len(tokens) and tokens[i + 1].text == "-":
        return None
    if known(word) or word.lower() in allowed.words or word in allowed.symbols:
        return None
    if word in element_symbols() and len(word) == 2:
        return f"{word!r} is in no retrieved record: name only elements that were retrieved or asked for."
    if made_of_numbers(word):
        return f"{word!r} reads as a number: write a placeholder or leave it out."
    return f"{word!r} is not a word I know; use plain English words, and names only of retrieved materials."


def _neighbour(tokens: Sequence[Token], i: int, step: int) -> str:
    """The next token in lower case; a hyphen between is skipped; empty at either end."""
    j = i + step
    if 0 <= j < len(tokens) and tokens[j].text == "-":
        j += step
    if not 0 <= j < len(tokens):
        return ""
    return "\n" if tokens[j].kind in ("line", "bullet") else tokens[j].lower


def _letter_problem(word: str, tokens: Sequence[Token], i: int, allowed: Permitted) -> str | None:
    before, after = _neighbour(tokens, i, -1), _neighbour(tokens, i, +1)
    if word == "a" and re.fullmatch(r"[a-z{(\"].*|[A-Z].*", after or "."):
        return None if after not in _ENDS and len(after) > 1 else "'a' stands where a number could: rephrase."
    if word == "A" and before in _ENDS and len(after) > 1:
        return None
    if word == "I" and (after in _PRONOUN_VERBS or (before in _BEFORE_PRONOUN and known(after or "?"))):
        return None
    joined = i + 1 < len(tokens) and tokens[i + 1].text == "-"
    if joined and ((word in "spdfn" and after in _ORBITALS) or (word in "abcxABX" and after in _SITES)):
        return None
    if word in allowed.symbols and _in_list_of_symbols(tokens, i, allowed):
        return None
    return f"The single letter {word!r} can be read as a number: write the element's name or rephrase."


def _in_list_of_symbols(tokens: Sequence[Token], i: int, allowed: Permitted) -> bool:
    """`Ba, Ti and O`: another symbol or formula stands beside, commas and `and` aside."""
    for step in (-1, 1):
        j = i + step
        while 0 <= j < len(tokens) and tokens[j].text in (",", "and", "or", "-"):
            j += step
        if 0 <= j < len(tokens) and (len(tokens[j].text) == 2 and tokens[j].text in allowed.symbols):
            return True
    return False


def _one(word: str, before: str, after: str) -> str | None:
    comparative = len(before) > 3 and before.endswith(_LIKE_AN_ADJECTIVE)
    pronoun = before in _ONE_BEFORE or comparative
    plain = pronoun and after not in _NOT_AFTER_ONE and _is_plain(after)
    fine = plain or after in ("of", "another", "hand", "side")
    if fine or (after in _MODALS and before in _ENDS | {",", "and", "but", "that", "so"}):
        return None
    return f"{word!r} is a number word: write a placeholder or say 'a' or 'the'."


def _is_plain(after: str) -> bool:
    """Whether what follows cannot be counted: the end, a mark, a verb or a preposition."""
    return after in _ENDS or after in _CLOSED or after in (",", ";", ")", "(")


def _number(word: str, before: str, after: str) -> str | None:
    fine = before not in (
        "atomic",
        "mass",
        "quantum",
        "lucky",
        "magic",
        "prime",
        "whole",
        "even",
        "odd",
        "same",
    )
    return None if fine else f"'{before} {word}' can stand for a number: leave it out."


def _score(word: str, before: str, after: str) -> str | None:
    fine = before not in ("a", "and")
    return None if fine else f"'a {word}' says a number: rephrase."


def _ones(word: str, before: str, after: str) -> str | None:
    fine = before in ("the", "these", "those", "other", "only") or (
        len(before) > 3 and before.endswith(("er", "est"))
    )
    return None if fine else f"{word!r} is a number word: rephrase."


def _half(word: str, before: str, after: str) -> str | None:
    fine = after in _HEAVY or after == "way"
    return None if fine else f"{word!r} says a number: write a placeholder or rephrase."


def _double(word: str, before: str, after: str) -> str | None:
    fine = after in (
        "perovskite",
        "perovskites",
        "layer",
        "layers",
        "layered",
        "hydroxide",
        "hydroxides",
        "check",
    )
    return None if fine else f"{word!r} says a number: write a placeholder or rephrase."


def _single(word: str, before: str, after: str) -> str | None:
    fine = after in _CRYSTALLINE
    return None if fine else f"{word!r} says a count: write {{{{search1.count}}}} or rephrase."


def _point(word: str, before: str, after: str) -> str | None:
    fine = (before in _BEFORE_POINT and number_word(after) is None) or after in _AFTER_POINT
    return None if fine else f"{word!r} reads as a decimal point here: rephrase."


def _once(word: str, before: str, after: str) -> str | None:
    subject = after in (
        "the",
        "it",
        "they",
        "again",
        "more",
        "all",
        "a",
        "this",
        "these",
        "formed",
        "cooled",
        "mixed",
    )
    fine = before == "at" or subject or (before in ("mixed", "formed") and after in _ENDS)
    return None if fine else f"{word!r} says a number: rephrase."


def _pair(word: str, before: str, after: str) -> str | None:
    fine = before in ("lone", "electron", "hole")
    return None if fine else f"{word!r} says a count: write 'both' or rephrase."


def _couple(word: str, before: str, after: str) -> str | None:
    fine = before in ("can", "to", "strongly", "weakly", "may", "modes") and after in (
        "to",
        "with",
        "strongly",
        "weakly",
    )
    return None if fine else f"{word!r} says a count: rephrase."


def _first(word: str, before: str, after: str) -> str | None:
    fine = number_word(after) is None and after not in ("point", "half")
    return None if fine else f"{word!r} says a number here: rephrase."


_SPECIAL = {
    "number": _number,
    "numbers": _number,
    "score": _score,
    "one": _one,
    "ones": _ones,
    "half": _half,
    "double": _double,
    "single": _single,
    "sole": _single,
    "point": _point,
    "points": _point,
    "once": _once,
    "pair": _pair,
    "pairs": _pair,
    "couple": _couple,
    "first": _first,
}


def _composition_problem(word: str, count: int, ledger: Ledger) -> str | None:
    held = {entry.value for entry in ledger if entry.field == "nelements"}
    if count in held:
        return None
    return f"{word!r} says a number of elements that no retrieved material has: leave it out."


def _spelled_out(tokens: Sequence[Token]) -> Iterator[str]:
    """Letters, or scraps of words, that make a number word together."""
    run: list[Token] = []
    for token in (*tokens, Token("line", "\n", 0)):
        if token.kind == "word":
            run.append(token)
        elif token.text not in (".", "-", ",", "'", "/", "&", "(", ")", '"'):
            yield from _joined(run)
            run = []


def _joined(run: Sequence[Token]) -> Iterator[str]:
    letters = 0
    for i, token in enumerate(run):
        letters = letters + 1 if len(token.text) == 1 else 0
        if letters >= 3:
            yield "Letters standing one by one spell something: write whole words."
            return
        for count in (2, 3):
            scraps = [t.lower for t in run[i : i + count]]
            whole = "".join(scraps)
            odd = min(map(len, scraps)) <= 3 and not all(known(scrap) for scrap in scraps)
            if len(scraps) == count and odd and number_word(whole):
                yield f"{' '.join(scraps)!r} spells a number: leave it out."


def _punctuation(tokens: Sequence[Token]) -> Iterator[str]:
    text = "".join(
        t.text if t.kind == "punct" else (" " if t.kind in ("line", "bullet") else "w") for t in tokens
    )
    if re.search(r"[.\-]{2,}", text):
        yield "Runs of dots or dashes can spell a number: write plain sentences."
    if re.search(r"(?:[^\w\s]){5,}", text) or re.search(r"(['\"!?,:;/&])\1{2,}", text):
        yield "Runs of punctuation marks can count something: write plain sentences."
    for i, token in enumerate(tokens):
        if token.text in ("-", "/", "&", "'") and token.kind == "punct" and _loose(tokens, i):
            yield f"The mark {token.text!r} stands alone and can be read as a sign: leave it out."
        if token.text in (".", ",", ":") and token.kind == "punct" and _glued(tokens, i):
            around = tokens[i - 1].text[-12:] + token.text + tokens[i + 1].text[:12]
            yield f"{around!r} has no space behind the mark and can be read as a number: write it apart."


def _loose(tokens: Sequence[Token], i: int) -> bool:
    """A hyphen or slash that does not join two words."""
    left, right = tokens[i - 1] if i else None, tokens[i + 1] if i + 1 < len(tokens) else None
    if left is None or right is None:
        return True
    joined = left.end == tokens[i].start and tokens[i].end == right.start
    plain = left.kind in ("word", "name") and right.kind in ("word", "name")
    if tokens[i].text == "-":
        hanging = left.kind == "word" and left.end == tokens[i].start and right.text in ("and", "or")
        return not (joined and plain) and not hanging
    if tokens[i].text == "'":
        return (
            not (left.kind in ("word", "name") and left.end == tokens[i].start)
            and right.start != tokens[i].end
        )
    if tokens[i].text == "&":
        return not plain
    return not (joined and plain)


def _glued(tokens: Sequence[Token], i: int) -> bool:
    if i == 0 or i + 1 >= len(tokens):
        return False
    right = tokens[i + 1]
    return tokens[i].end == right.start and right.kind not in ("line", "punct")
