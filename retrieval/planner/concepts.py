"""Which words of the vocabulary are conditions by themselves, and which are excluded?"""

from __future__ import annotations

from ...core.filters import Comparison, Name
from .chemistry import ENGLISH, is_symbol
from .elements import Elements, elements_at
from .measures import measure
from .quantities import comparison_after
from .reading import Reading
from .substances import exclude, formula_at, group_at, tell_groups
from .trees import conjunction, formula, of_entry
from .vocabulary import Entry, english, is_plural

CONCEPTS = ("known", "word", "structure", "compound", "symmetry", "arity", "name")


def concept(reading: Reading, i: int) -> int | None:
    """A word of the vocabulary that is a condition; the longest wins."""
    found = longest_concept(reading, i)
    if not found:
        return None
    end, entry = found
    if reading.word(i) == "metal" and reading.find("compound", i + 1):
        return i + 1
    if entry.role == "word" and (start := _named_before_a_number(reading, i, end)) is not None:
        return start
    longer = elements_at(reading.tokens, i)
    if longer and longer[0] > end and entry.role not in ("structure", "known", "word"):
        return None
    if reading.word(end) in ("free", "less") and reading.tokens[end].glued and entry.role == "compound":
        exclude(reading, [of_entry(entry)])
        return end + 1
    _take_concept(reading, entry, reading.tokens[end - 1].text)
    if any("gap" in reading.word(k) for k in range(i, end)):
        reading.last = Name("band_gap")
    if entry.role == "structure" and reading.word(end) == "like" and reading.tokens[end].glued:
        return end + 1
    return reading.skip(end, ("type", "structured")) if entry.role == "structure" else end


def _named_before_a_number(reading: Reading, i: int, end: int) -> int | None:
    """Where a property begins in a phrase such as "with a band gap" or "wide band gap", if a number follows it."""
    if comparison_after(reading.tokens, end) is None:
        return None
    if reading.word(i) in ("direct", "indirect"):
        return None
    starts = (k for k in range(i, end) if (found := reading.find("property", k)) and found[0] >= end)
    return next(starts, None)


def longest_concept(reading: Reading, i: int) -> tuple[int, Entry] | None:
    matches = [found for role in CONCEPTS if (found := reading.find(role, i))]
    return max(matches, key=lambda found: found[0], default=None)


def _take_concept(reading: Reading, entry: Entry, last_word: str) -> None:
    plural = is_plural(last_word)
    if entry.role == "structure":
        tree = Comparison(Name("structure_type"), "=", entry.structure_type)
        reading.nouns.append(plural)
        reading.add(tree, "structure", plural)
    elif entry.role == "arity":
        reading.add(Comparison(Name("nelements"), "=", entry.count), "arity", plural)
        if plural:
            reading.nouns.append(plural)
    elif entry.role == "name":
        reading.add(formula(entry.formula), "formula", plural, f"{entry.phrase}: {entry.formula}")
    else:
        kind = "symmetry system" if entry.role == "symmetry" and not entry.says else entry.role
        if entry.role in ("compound", "known") or last_word.lower().rstrip("s") in english("nouns"):
            reading.nouns.append(plural)
        reading.add(of_entry(entry), kind, plural, entry.says)


def _tree_of(entry: Entry):
    if entry.role == "structure":
        return Comparison(Name("structure_type"), "=", entry.structure_type)
    if entry.role == "arity":
        return Comparison(Name("nelements"), "=", entry.count)
    return formula(entry.formula) if entry.role == "name" else of_entry(entry)


def negation(reading: Reading, i: int) -> int | None:
    """Reads `without lead`, `not magnetic`, `no alkali metals or halogens`."""
    found = reading.find("negators.phrases", i)
    if not found:
        return None
    joint = reading.joint
    j = _past_articles(reading, found[0])
    if j >= len(reading.tokens):
        return None
    end = _excluded_elements(reading, j) or _excluded_concepts(reading, j) or _excluded_measure(reading, j)
    if end is None:
        reading.joint = joint
    return end


def _past_articles(reading: Reading, i: int) -> int:
    while i < len(reading.tokens) and reading.word(i) in english("after_no"):
        if reading.tokens[i].text in ENGLISH and is_symbol(reading.tokens[i].text):
            break
        i += 1
    return i


def _excluded_elements(reading: Reading, i: int) -> int | None:
    elements = elements_at(reading.tokens, i, True, adjacent=False)
    if not elements:
        return None
    end, listed = elements
    noun = reading.find("compound", end)
    if noun:
        return None
    exclude(reading, [listed.any()])
    tell_groups(reading, listed)
    while reading.word(reading.skip(end, (",",))) in ("nor", "or", "and"):
        more_at = _past_articles(reading, reading.skip(end, (",", "nor", "or", "and")))
        concept = longest_concept(reading, more_at)
        if not concept or concept[1].role != "compound" or reading.word(reading.skip(end, (",",))) == "and":
            break
        exclude(reading, [of_entry(concept[1])])
        end = concept[0]
    return end


def _excluded_concepts(reading: Reading, i: int) -> int | None:
    """One concept or several that "or", "nor" or a list of one kind joins."""
    trees, end, kind = [], None, None
    j = i
    while True:
        found = longest_concept(reading, j)
        adjective = elements_at(reading.tokens, j, True)
        noun = reading.find("compound", adjective[0]) if adjective else None
        if adjective and noun and (not found or adjective[0] > j):
            trees.append(_both(adjective[1], noun[1]))
            end, role = noun[0], "compound"
        elif found:
            role = found[1].role
            trees.append(_tree_of(found[1]))
            if found[1].says:
                reading.tell(found[1].says)
            end = found[0]
        else:
            return _finish(reading, trees, end)
        kind = kind or role
        k = reading.skip(end, (",", "or", "nor", "and"))
        joints = [reading.word(n) for n in range(end, k)]
        following = longest_concept(reading, _past_articles(reading, k))
        if (
            not joints
            or not following
            or ("and" in joints and following[1].role != kind)
            or (joints == [","] and following[1].role != kind)
        ):
            return _finish(reading, trees, end)
        j = _past_articles(reading, k)


def _both(elements: Elements, noun: Entry):

    return conjunction([elements.all(), of_entry(noun)])


def _finish(reading: Reading, trees: list, end: int | None) -> int | None:
    if end is None:
        return None
    exclude(reading, trees)
    return reading.skip(end, english("generic"))


def _excluded_measure(reading: Reading, i: int) -> int | None:
    """A formula, a space group, or a comparison that must not hold."""
    inner = Reading(reading.tokens)
    end = formula_at(inner, i) or group_at(inner, i) or measure(inner, i)
    if end is None or not inner.conditions:
        return None
    for sentence in inner.said:
        reading.tell(sentence)
    exclude(reading, [condition.tree for condition in inner.conditions])
    return end
