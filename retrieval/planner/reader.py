"""Which conditions, connectives and wishes stand in a question, in order?

From each token on the rules are tried in turn; each reads what it understands and says where it ended. What no
rule understands is kept as unknown, and one unknown word is enough to refuse the question: a condition that is
not understood is never dropped.
"""

from __future__ import annotations

from .chemistry import reduced
from .concepts import concept, longest_concept, negation
from .measures import measure
from .quantities import number_at
from .reading import Reading
from .substances import elements, formula_at, group_at, nothing_but, system_of
from .vocabulary import english, is_plural
from .words import Token


def read(tokens: list[Token]) -> Reading:
    """Everything that a question says."""
    reading = Reading(tokens)
    i = 0
    while i < len(tokens):
        end = next((end for rule in RULES if (end := rule(reading, i)) is not None), None)
        if end is None:
            reading.unknown.append(tokens[i])
            end = i + 1
        i = end
    return reading


def _connective(reading: Reading, i: int) -> int | None:
    token = reading.tokens[i]
    if token.kind == "mark":
        if token.text in (",", ";"):
            reading.joint = reading.joint or ","
        if token.text == "/":
            reading.joint = "or"
        return i + 1
    if token.lower in ("and", "&"):
        reading.joint = "or" if reading.word(i + 1) in ("/", "or") else "and"
        return i + 1
    if token.lower in ("or", "alternatively"):
        reading.joint = "or"
        return i + 1
    if token.lower == "either" and reading.joint != "or":
        reading.joint = "either"
    return i + 1 if token.lower in ("either", "both", "but", "yet") and not _leads_to_no(reading, i) else None


def _leads_to_no(reading: Reading, i: int) -> bool:
    return (found := reading.find("negators.phrases", i)) is not None and found[0] > i + 1


def _synthesis(reading: Reading, i: int) -> int | None:
    """Reads `how to make LiFePO4`, `synthesis of LiFePO4`."""
    found = reading.find("ask.synthesis", i)
    if not found:
        return None
    j = reading.skip(found[0], ("the", "a", "compound", "material", "of", "for", "phase", "pure"))
    targets = []
    while j < len(reading.tokens) and reading.tokens[j].kind == "formula":
        targets.append(reduced(reading.tokens[j].text) or "")
        j = reading.skip(j + 1, (",", "and", "or"))
    if not targets and not (reading.targets and found[1].phrase in english("afterwards")):
        return None
    reading.kind = "synthesis"
    reading.targets.extend(t for t in targets if t and t not in reading.targets)
    if not targets:
        return found[0]
    tail = reading.find("ask.synthesis", reading.skip(j, ("be", "been", "it", "can", "is")))
    return tail[0] if tail else j


def _count(reading: Reading, i: int) -> int | None:
    found = reading.find("ask.count", i)
    if not found or (i + 1 < len(reading.tokens) and reading.find("property", i) is not None):
        return None
    if reading.word(found[0]) in english("weak"):
        return None
    reading.kind = "count"
    return found[0]


def _limit(reading: Reading, i: int) -> int | None:
    """Reads `top 10`, `ten oxides`, `five examples`."""
    top = reading.find("ask.top", i)
    found = number_at(reading.tokens, reading.skip(top[0] if top else i, ("the",)))
    if not found or not found[1].is_integer() or found[1] < 1:
        return None
    end, value = found
    if not top and not _noun_follows(reading, end):
        return None
    reading.limit = int(value)
    reading.ranked = reading.ranked or bool(top)
    rows = reading.skip(end, ("rows", "hits", "results", "entries", "items", "lines"))
    return reading.skip(rows, ("max", "maximum", ".", "please")) if rows > end else end


def _noun_follows(reading: Reading, i: int) -> bool:
    """Whether a class of materials comes before anything else that a number could count."""
    for j in range(i, min(i + 12, len(reading.tokens))):
        if reading.word(j) in english("generic") or _is_noun(reading, j):
            return True
        if reading.tokens[j].kind in ("number", "mark", "sign") or reading.find("comparator", j):
            return False
    return False


def _is_noun(reading: Reading, i: int) -> bool:
    """Whether a class of materials is named: `oxides`, `perovskites`, `ferroelectrics`."""
    named = any(reading.find(role, i) for role in ("compound", "structure", "known"))
    return named or reading.word(i).rstrip("s") in english("nouns")


def _like(reading: Reading, i: int) -> int | None:
    """Reads `perovskites like BaTiO3`: the example illustrates, unless nothing else says what is wanted."""
    found = reading.find("ask.like", i)
    if not found or (reading.mentioned is not None and i - reading.mentioned <= 2):
        return None
    j = reading.skip(found[0], ("the", ":", "well", "known"))
    examples = []
    while j < len(reading.tokens) and reading.tokens[j].kind == "formula":
        examples.append(reading.tokens[j].text)
        end = j + 1
        j = reading.skip(end, (",", "and", "or"))
    if not examples:
        return None
    reading.examples.extend(examples)
    return end


def _harmless(reading: Reading, i: int) -> int | None:
    roles = ("harmless.phrases", "ask.value", "harmless.words", "holding.phrases", "holding.each_all")
    found = [f for role in roles if (f := reading.find(role, i))]
    best = max(found, key=lambda f: f[0], default=None)
    if best is None:
        return i + 1 if _refers_back(reading, i) else None
    if reading.word(i) in english("generic"):
        reading.nouns.append(is_plural(reading.tokens[i].text))
    return next((k for k in range(i + 1, best[0]) if _goes_further(reading, k, best[0])), best[0])


def _refers_back(reading: Reading, i: int) -> bool:
    """Whether a noun repeats a part of the property spoken of last: "and tell me that modulus"."""
    return reading.last is not None and reading.word(i) in reading.last.name.split("_") and i > 0


def _goes_further(reading: Reading, i: int, end: int) -> bool:
    """Whether a condition begins inside words that would be passed over: "that have a gap"."""
    found = longest_concept(reading, i)
    return found is not None and found[0] > end


def _weak(reading: Reading, i: int) -> int | None:
    return i + 1 if reading.word(i) in english("weak") else None


RULES = (
    _synthesis, nothing_but, system_of, measure, _limit, _count, concept, _connective, negation, _like, elements,
    formula_at, group_at, _harmless, _weak,
)  # fmt: skip
