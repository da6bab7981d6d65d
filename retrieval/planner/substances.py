"""Which elements, formulas and chemical systems are asked for?"""

from __future__ import annotations

from ...core.filters import Comparison, Name, Not
from .chemistry import anonymous_pattern, group_number
from .elements import Elements, elements_at
from .reading import Reading
from .trees import GROUP, formula, holds_all, holds_any, holds_only, system
from .vocabulary import english, is_plural


def nothing_but(reading: Reading, i: int) -> int | None:
    """Reads `made only of Ti and O`, `nothing but Hf and O`."""
    found = reading.find("holding.only", i)
    if not found:
        hold = reading.find("holding.phrases", i)
        found = reading.find("holding.only", hold[0]) if hold else None
    if not found:
        return None
    elements = elements_at(
        reading.tokens, reading.skip(found[0], ("of", "the", "elements", "element", "from", "in", "by")), True
    )
    if not elements or _names_a_class(reading, elements[0]):
        return None
    reading.add(elements[1].only(), "elements")
    return elements[0]


def _names_a_class(reading: Reading, i: int) -> bool:
    """Whether elements stand as an adjective before a noun: "only lead halides"."""
    return any(reading.find(role, i) for role in ("compound", "structure")) or reading.word(i) in (
        "free",
        "based",
    )


def system_of(reading: Reading, i: int) -> int | None:
    """Reads `chemical system of Ba, Ti and O`."""
    found = reading.find("holding.system", i)
    if not found:
        return None
    j = reading.skip(found[0], ("of", "the", ":", "between", "is", "elements"))
    if j < len(reading.tokens) and reading.tokens[j].kind == "system":
        return None
    elements = elements_at(reading.tokens, j, True)
    if (
        not elements
        or len(elements[1].symbols) < 2
        or elements[1].groups
        or _names_a_class(reading, elements[0])
    ):
        return None
    reading.add(system(elements[1].symbols), "system")
    return elements[0]


def elements(reading: Reading, i: int) -> int | None:
    """Reads `containing Ti and O`, `hafnium or zirconium`, `lead-free`, `Ti-based`."""
    hold = reading.find("holding.phrases", i)
    start = i
    if hold:
        start = reading.skip(hold[0], ("at", "the", "elements", "element", "following", ":", "all", "of"))
        if reading.word(hold[0]) == "at":
            start = hold[0]
    inside = (bool(hold) and reading.word(i) != "in") or (bool(hold) and start > i + 1)
    found = elements_at(reading.tokens, start, inside)
    if not found and hold and start != hold[0]:
        found = elements_at(reading.tokens, hold[0], True)
    if not found:
        return None
    end, listed = found
    tell_groups(reading, listed)
    word = reading.word(end)
    if word in ("free", "less") and reading.word(end + 1) != "of":
        return _free(reading, listed, end)
    if (absent := _absent(reading, end)) is not None:
        exclude(reading, [listed.any()])
        return absent
    if (tail := _nothing_else(reading, end)) is not None:
        reading.add(holds_only(listed.symbols), "elements")
        return tail
    union = not hold and listed.joined and _plural_noun_at(reading, end)
    if union:
        shown = " and ".join(
            part[0].group.phrase if part[0].group else part[0].symbols[0] for part in listed.parts
        )
        reading.tell(
            f"{shown} as adjectives of one noun: either is meant; 'containing ... and ...' asks for both"
        )
    reading.add(listed.any() if union else listed.all(), "elements")
    return end + 1 if word in english("suffixes") else end


def _absent(reading: Reading, i: int) -> int | None:
    """Reads "phosphorus is absent", "lead and cadmium are excluded"."""
    if reading.word(i) in english("absent"):
        return i + 1
    if reading.word(i) not in ("is", "are", "being", "must", "should"):
        return None
    j = reading.skip(i, ("is", "are", "being", "must", "should", "be", "to"))
    if reading.word(j) == "not" and reading.word(j + 1) in (
        "allowed",
        "present",
        "wanted",
        "permitted",
        "included",
        "in",
    ):
        return j + 2
    return j + 1 if reading.word(j) in english("absent") else None


def _free(reading: Reading, listed: Elements, end: int) -> int:
    """Reads `lead-free`: of `barium lead-free` only the last one is meant, unless the list is joined."""
    parts = listed.parts
    if len(parts) > 1 and not listed.joined:
        reading.add(Elements(parts[:-1]).all(), "elements")
        listed = Elements(parts[-1:])
    exclude(reading, [holds_any(listed.symbols)])
    return end + 1


def _nothing_else(reading: Reading, i: int) -> int | None:
    i = reading.skip(i, (",", "all", "two", "three", "four", "five")) if reading.word(i) == "," else i
    for words in (tuple(phrase.split()) for phrase in english("nothing_else")):
        if tuple(reading.word(i + k) for k in range(len(words))) == words and not _names_a_class(
            reading, i + len(words)
        ):
            return i + len(words)
    return None


def _plural_noun_at(reading: Reading, i: int) -> bool:
    found = reading.find("compound", i)
    return bool(found) and is_plural(reading.tokens[found[0] - 1].text) and found[1].all is not None


def tell_groups(reading: Reading, listed: Elements) -> None:
    for entry in listed.groups:
        reading.tell(
            f"{entry.phrase}s: {entry.elements}"
            if not entry.phrase.endswith("s")
            else f"{entry.phrase}: {entry.elements}"
        )


def formula_at(reading: Reading, i: int) -> int | None:
    token = reading.tokens[i]
    if token.kind == "formula":
        reading.add(formula(token.text), "formula")
    elif token.kind == "system":
        reading.add(system(token.text.split("-")), "system")
    elif token.kind == "ion":
        reading.add(
            Comparison(Name("possible_species"), "contains", token.text),
            "property",
            says=f"{token.text}: an oxidation state that the source gives",
        )
    elif token.kind == "id":
        reading.add(Comparison(Name("material_id"), "=", token.text.lower()), "formula")
    elif token.kind == "anonymous":
        anonymous, real = anonymous_pattern(token.text) or ("", ())
        tree = Comparison(Name("chemical_formula_anonymous"), "=", anonymous)
        reading.tell(
            f"{token.text}: chemical_formula_anonymous = {anonymous}"
            + (f", holding {', '.join(real)}" if real else "")
        )
        reading.add(tree, "anonymous")
        if real:
            reading.add(holds_all(real), "elements")
        return reading.skip(i + 1, ("type", "like", "stoichiometry"))
    else:
        return None
    return i + 1


def group_at(reading: Reading, i: int) -> int | None:
    token = reading.tokens[i]
    number = group_number(token.text) if token.kind == "group" else None
    if number is None:
        return None
    reading.add(Comparison(GROUP, "=", number), "group")
    j = reading.skip(i + 1, ("(", "no", "no.", "number", "#", ".", "sg"))
    return reading.skip(j + 1, (")",)) if j > i + 1 and reading.word(j) == str(number) else i + 1


def exclude(reading: Reading, trees: list) -> None:
    for tree in trees:
        reading.add(Not(tree), "excluded")
