"""Which names with digits, and which words beyond the dictionary, does this answer have a right to?

Those of the ledger (formulas, ids, space groups, methods) and those of the question, and no others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ...core.properties import method_slug
from . import records
from .conditions import Condition, conditions
from .ledger import Ledger
from .numerals import made_of_numbers, number_word, roman
from .text import plain
from .units import unit_of
from .words import known

NameKind = Literal["formula", "id", "group", "method"]
Amounts = frozenset[tuple[str, float]]

_QUESTION_ID = re.compile(r"(?<![A-Za-z0-9-])(?:mp|mvc)-[0-9]{1,10}(?![A-Za-z0-9-])")
_QUESTION_NAME = re.compile(r"(?<![A-Za-z0-9.-])[A-Z][A-Za-z0-9()\[\]/_-]*(?![A-Za-z0-9])")
_BOUND = r"(?<![A-Za-z0-9_.^+-])(?:{})(?![A-Za-z0-9_^]|[.,+/-]\d|\()"


@dataclass(frozen=True)
class Name:
    """A token that may stand in an answer.

    Attributes:
        kind: What it names.
        value: Amounts of a formula, the id, the number of a space group, the slug of a method.
    """

    kind: NameKind
    value: Amounts | str | int


@dataclass(frozen=True)
class Permitted:
    """What one answer may say beside plain English.

    Attributes:
        names: Tokens with their meaning.
        formulas: Compositions of the ledger and of the question, in whatever order of elements.
        symbols: Of the elements in those formulas.
        words: Of the question, numbers and units aside.
        conditions: The bounds that the question sets.
    """

    names: dict[str, Name]
    formulas: frozenset[Amounts]
    symbols: frozenset[str]
    words: frozenset[str]
    conditions: list[Condition]

    @property
    def pattern(self) -> re.Pattern[str] | None:
        """One of the names as a token of its own."""
        if not self.names:
            return None
        longest_first = sorted(self.names, key=len, reverse=True)
        return re.compile(_BOUND.format("|".join(map(re.escape, longest_first))))


FORMULA = re.compile(_BOUND.format(r"[A-Z][A-Za-z0-9()\[\]]*[0-9)\]]|(?:[A-Z][a-z]?){2,}"))
"""What may be a formula; whether it is one, `Permitted.formulas` says."""


def permitted(ledger: Ledger, question: str) -> Permitted:
    """Collect what the ledger and the question allow."""
    names = _of_ledger(ledger)
    names = _of_question(question) | names
    formulas = {name.value for name in names.values() if name.kind == "formula"}
    return Permitted(
        names,
        frozenset(f for f in formulas if isinstance(f, frozenset)),
        frozenset(symbol for f in formulas if isinstance(f, frozenset) for symbol, _ in f),
        _words(question),
        conditions(question),
    )


def _of_ledger(ledger: Ledger) -> dict[str, Name]:
    names: dict[str, Name] = {}
    for text in _searched(ledger):
        _add_formula(names, text)
    for entry in ledger:
        if entry.kind not in ("search", "limit"):
            names[entry.ref] = Name("id", entry.ref)
        for text in (entry.formula, *(entry.value if isinstance(entry.value, tuple) else ())):
            _add_formula(names, text)
        if entry.field == "spacegroup_symbol":
            for text in (str(entry.value), str(entry.value).replace("_", "")):
                names[text] = Name("group", entry.spacegroup_number or 0)
        if entry.method and entry.method != records.UNNAMED:
            for text in _method_names(entry.method):
                names[text] = Name("method", method_slug(text))
    return names


def _searched(ledger: Ledger) -> list[str]:
    """Compounds that were searched for, whether or not they were found."""
    filters = [found.plan.filter or "" for found in ledger.searches]
    written = [text for each in filters for text in re.findall(r'formula = "([A-Za-z0-9()]+)"', each)]
    return [text for text in [*written, *ledger.missing_recipes] if len(records.amounts(text) or ()) > 1]


def _method_names(method: str) -> list[str]:
    """A method in full, and each of its words that looks like a name: `CHGNet 0.3.0`, `CHGNet`."""
    words = re.findall(r"[A-Za-z0-9+()/-]+(?: \d+\.\d+(?:\.\d+)?)?", method)
    named = [w for w in words if re.search(r"[A-Z]{2}|\d", w)]
    return list(dict.fromkeys([*named, *(w.split(" ")[0] for w in named)]))


def _of_question(question: str) -> dict[str, Name]:
    text = plain(question)
    names = {match.group(): Name("id", match.group()) for match in _QUESTION_ID.finditer(text)}
    groups = records.spacegroup_symbols()
    for match in _QUESTION_NAME.finditer(text):
        token = match.group()
        if token in groups and re.search(r"\d|[a-z-]", token):
            names[token] = Name("group", groups[token])
        else:
            _add_formula(names, token)
    return names


def _add_formula(names: dict[str, Name], text: object) -> None:
    if not isinstance(text, str) or number_word(text) or unit_of(text):
        return
    found = records.amounts(text)
    if found is not None and not _reads_as_word(text):
        names[text] = Name("formula", found)


def _reads_as_word(text: str) -> bool:
    """`In`, `As`, `I`, `V`: an element's symbol that is also a word or a Roman number."""
    return len(text) == 1 or text in ("In", "As", "At", "No", "He", "Be", "Am", "Os")


def _words(question: str) -> frozenset[str]:
    found = re.findall(r"(?<![A-Za-z0-9])[A-Za-z]{2,}(?![A-Za-z0-9])", plain(question))
    return frozenset(
        word.lower()
        for word in found
        if number_word(word) is None
        and unit_of(word) is None
        and not roman(word)
        and (known(word) or not made_of_numbers(word))
    )
