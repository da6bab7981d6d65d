"""Is a bound, of the question or of a search, said only of what obeys it?

A bound of the question may stand for what was asked, for a count whose search had it, or for materials whose
retrieved values bear it out; a limit of a search for what that search gave.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from . import mentions
from .conditions import Condition
from .ledger import Entry, Ledger
from .mentions import Mention
from .rendering import best
from .sentences import Sentence
from .several import several
from .tokens import Token
from .words import element_names

FOUND_NOUNS = several(
    """
    material materials compound compounds match matches entry entries record records result results crystal crystals
    candidate candidates structure structures phase phases polymorph polymorphs recipe recipes procedure procedures
    synthesis perovskite perovskites semiconductor semiconductors ferroelectric ferroelectrics insulator insulators
    metal metals alloy alloys solid solids substance substances example examples
    """
)
COMPOUND_ENDINGS = ("ate", "ates", "ide", "ides", "ite", "ites")
_REFERENCES = several("it its itself this these they them their those")
_DESCRIPTIONS = several(
    "compound material crystal phase polymorph one oxide nitride perovskite former latter"
)
_DENIALS = several(
    "not no none never neither nor isn't doesn't aren't don't cannot can't without fails nothing"
)
_ASKING = several(
    """
    asked ask asks question search searched looked look requirement requirements require required criterion criteria
    condition request requested wanted want threshold bound limit filter filtered query queried target window range
    """
)
_COMPOSITION = {"elemental": 1, "binary": 2, "ternary": 3, "quaternary": 4}
_NOUNS = {
    "element": "nelements",
    "elements": "nelements",
    "atoms": "nsites",
    "sites": "nsites",
    "atom": "nsites",
}
_COUNTS = ("count", "shown")


def bound_problems(found: Sequence[Sentence], ledger: Ledger, asked: Sequence[Mention]) -> Iterator[str]:
    """One sentence for each bound that is said of what does not obey it.

    Args:
        found: The answer.
        ledger: What was retrieved.
        asked: Materials that the question names.
    """
    context: list[Mention] = []
    elemental = mentions.elemental(ledger)
    for sentence in found:
        named = subjects(sentence.tokens, elemental)
        for token in sentence.tokens:
            if token.condition is not None:
                yield from _strangers(token, named, ledger, asked)
                meant = named or _meant(sentence, context, asked)
                yield from _unborne(token, token.condition, sentence, meant, ledger)
        yield from _limits(sentence, named, ledger)
        yield from _counts(sentence, ledger)
        context = named or context


def subjects(tokens: Sequence[Token], elemental: frozenset[str]) -> list[Mention]:
    """Materials that a sentence names, those of its placeholders included."""
    owners = [
        Mention(i, i, t.entry.formula, lambda entry, ref=t.entry.ref: entry.ref == ref, ref=t.entry.ref)
        for i, t in enumerate(tokens)
        if t.entry and t.entry.formula
    ]
    return [*mentions.materials(tokens, elemental), *owners]


def _meant(sentence: Sentence, context: list[Mention], asked: Sequence[Mention]) -> list[Mention]:
    """What a sentence without a name speaks of: what it refers back to, or the material of the question."""
    words = sentence.words
    described = any(a in ("the", "this", "that") and b in _DESCRIPTIONS for a, b in pairwise(words))
    if context and (described or any(word in _REFERENCES for word in words)):
        return context
    general = any(word in FOUND_NOUNS or word.endswith(COMPOUND_ENDINGS) for word in words)
    return [] if general and not described else list(asked)


def _strangers(token: Token, named: list[Mention], ledger: Ledger, asked: Sequence[Mention]) -> Iterator[str]:
    stranger = next((mention for mention in named if not _is_asked(mention, ledger, asked)), None)
    if stranger:
        yield (
            f"{token.text!r} is a bound of the question and stands beside {stranger.text}, which the question does "
            "not name: state that material's own value instead."
        )


def _is_asked(mention: Mention, ledger: Ledger, asked: Sequence[Mention]) -> bool:
    for other in asked:
        same = (mention.ref or mention.formula) == (other.ref or other.formula)
        if same and (mention.ref or mention.formula):
            return True
        if any(mention.fits(entry) and other.fits(entry) for entry in ledger):
            return True
    return False


def _unborne(
    token: Token, condition: Condition, sentence: Sentence, meant: list[Mention], ledger: Ledger
) -> Iterator[str]:
    if not meant:
        if not _generally_true(condition, sentence, ledger):
            yield f"{token.text!r} is said of materials, and neither a search nor the retrieved values bear it out."
        return
    denied = any(word in _DENIALS for word in sentence.words)
    for subject in meant:
        values = _values(condition, sentence, [entry for entry in ledger if subject.fits(entry)])
        borne = [condition.holds(value) is (not denied) for value in values]
        exact = all(mention.exact for mention in mentions.properties(sentence.tokens))
        if not values or not (all(borne) if exact else any(borne)):
            yield f"{token.text!r} is said of {subject.text}, and no retrieved value bears it out: state the value."
            return


def _generally_true(condition: Condition, sentence: Sentence, ledger: Ledger) -> bool:
    """Whether a bound without a subject is what was asked, what a search had, or what every material obeys."""
    counted = [t.entry for t in sentence.tokens if t.entry and t.entry.kind == "search"]
    if counted:
        return all(_all_obey(condition, sentence, ledger, entry) for entry in counted)
    if any(word in _ASKING for word in sentence.words):
        return True
    denied = any(word in _DENIALS for word in sentence.words)
    searches = [f"search{i}" for i in range(1, len(ledger.searches) + 1)]
    bounded = [ref for ref in searches if _has_limit(condition, ledger, ref)]
    if any((len(ledger.members[ref]) == 0) is denied for ref in bounded):
        return True
    held = [entry for ref in ledger.materials() for entry in best(ledger.of(ref))]
    values = _values(condition, sentence, held)
    return bool(values) and all(condition.holds(value) is (not denied) for value in values)


def _all_obey(condition: Condition, sentence: Sentence, ledger: Ledger, count: Entry) -> bool:
    """Whether all that a search counts obey a bound: it was part of the search, or their values say so."""
    if _has_limit(condition, ledger, count.ref):
        return True
    members = ledger.members.get(count.ref, ())
    held = [_values(condition, sentence, best(ledger.of(ref))) for ref in members]
    return len(members) == count.value and all(
        values and all(condition.holds(value) for value in values) for values in held
    )


def _has_limit(condition: Condition, ledger: Ledger, ref: str) -> bool:
    """Whether a search was bounded so."""
    held = {
        (entry.field.rpartition("_")[2], float(entry.value))
        for entry in ledger.of(ref)
        if entry.kind == "limit" and isinstance(entry.value, int | float) and _same_unit(entry, condition, 4)
    }
    numbers = condition.values
    if condition.sign == "between":
        return len(numbers) == 2 and {("min", min(numbers)), ("max", max(numbers))} <= held
    end = "min" if condition.sign in (">", ">=") else "max"
    return bool(numbers) and (end, numbers[0]) in held


def _values(condition: Condition, sentence: Sentence, entries: Sequence[Entry]) -> list[float]:
    """Numbers that a bound can be held against: of its unit, of the property and method the sentence names."""
    said = mentions.properties(sentence.tokens)
    methods = mentions.methods(sentence.tokens)
    return [
        entry.value
        for entry in entries
        if isinstance(entry.value, int | float)
        and _same_unit(entry, condition, 0)
        and (entry.kind == "fact" or not said or any(mention.fits(entry) for mention in said))
        and (entry.kind == "fact" or not methods or any(mention.fits(entry) for mention in methods))
    ]


def _same_unit(entry: Entry, condition: Condition, ending: int) -> bool:
    """Whether an entry's unit is the bound's; for counts, its field. `ending`: letters of `_min` to leave out."""
    field = entry.field[:-ending] if ending else entry.field
    if condition.units in _NOUNS:
        return field == _NOUNS[condition.units]
    if entry.kind == "fact" or field in _NOUNS.values():
        return False
    return not condition.units or entry.units == condition.units


def _limits(sentence: Sentence, named: list[Mention], ledger: Ledger) -> Iterator[str]:
    """A limit of a search beside something that this search did not give."""
    counted = {t.entry.ref for t in sentence.tokens if t.entry and t.entry.kind == "search"}
    for token in sentence.tokens:
        entry = token.entry
        if entry is None or entry.kind != "limit":
            continue
        if counted - {entry.ref}:
            yield f"{token.text} is a limit of another search than the one counted in the sentence."
        members = [held for ref in ledger.members.get(entry.ref, ()) for held in ledger.of(ref)]
        for mention in named:
            if not any(mention.fits(held) for held in members):
                yield f"{token.text} stands beside {mention.text}, which that search did not give."
                break


def _counts(sentence: Sentence, ledger: Ledger) -> Iterator[str]:
    """A count said of a class that not all of the search's materials belong to."""
    for i in sentence.places:
        entry = sentence.tokens[i].entry
        if entry is None or entry.field not in _COUNTS:
            continue
        for word in _counted_words(sentence.tokens, i):
            members = [fact for ref in ledger.members.get(entry.ref, ()) for fact in _formula(ledger, ref)]
            if any(_belongs(fact, word) is False for fact in members):
                yield f"{sentence.tokens[i].text} does not count {word!r}: the search gave others as well."


def _counted_words(tokens: Sequence[Token], i: int) -> list[str]:
    words: list[str] = []
    for token in tokens[i + 1 : i + 6]:
        if token.kind != "word" or token.lower in (
            "in",
            "with",
            "have",
            "are",
            "were",
            "match",
            "that",
            "which",
            "of",
        ):
            break
        words.append(token.lower)
    return words


def _formula(ledger: Ledger, ref: str) -> list[Entry]:
    return [entry for entry in ledger.of(ref) if entry.field == "formula"]


def _belongs(fact: Entry, word: str) -> bool | None:
    """Whether a material is an oxide, a titanium compound, binary, cubic; `None` if the word says nothing of it."""
    elements = {symbol for symbol, _ in mentions.composition(fact.formula)}
    anion = mentions.anion(word)
    if anion:
        return anion <= elements
    if word in element_names():
        return element_names()[word] in elements
    if word in _COMPOSITION:
        return len(elements) == _COMPOSITION[word]
    groups = mentions.phase_groups(word)
    return fact.spacegroup_number in groups if groups and fact.spacegroup_number else None
