"""Which plan does this question make?

    plan("lead-free polar oxides with a band gap above 2 eV near the hull").filter

Plain words, no language model, and nothing guessed: every word is either understood or named in the refusal, and
every meaning that was a choice is among the plan's assumptions.
"""

from __future__ import annotations

import difflib
from dataclasses import replace

from ...core.errors import InputError
from ...core.filters import Comparison, Filter, Has, Name, write
from ..plan import Plan
from .chemistry import element_names, reduced
from .combine import combined
from .contradictions import contradiction
from .reader import read
from .reading import Reading
from .small_talk import without_talk
from .trees import conjunction, formula, holds_all, system
from .vocabulary import english, vocabulary
from .words import MOST_CHARACTERS, Token, tokenise

EXAMPLE = "Example: lead-free polar oxides with a band gap above 2 eV near the hull."
VAGUE = frozenset(
    [
        "high",
        "higher",
        "low",
        "lower",
        "large",
        "larger",
        "small",
        "smaller",
        "big",
        "strong",
        "weak",
        "good",
        "great",
        "decent",
        "reasonable",
        "moderate",
        "huge",
        "tiny",
        "nice",
        "considerable",
        "significant",
        "substantial",
        "sizable",
        "sizeable",
        "strongly",
        "highly",
        "enough",
        "sufficient",
        "sufficiently",
    ]
)
UNRANKED = frozenset(
    [
        "best",
        "better",
        "good",
        "promising",
        "interesting",
        "optimal",
        "ideal",
        "suitable",
        "top",
        "favourite",
        "favorite",
    ]
)
MOST_SUGGESTIONS = 3


class QuestionError(InputError):
    """A question that is not understood; the message says which words, and what there is instead."""


def plan(question: str) -> Plan:
    """What a question asks for.

    Args:
        question: In English.

    Raises:
        QuestionError: a word is not understood, a unit does not fit, the conditions contradict each other, or
            there is no condition at all.
    """
    if len(question) > MOST_CHARACTERS:
        raise QuestionError(
            f"The question has {len(question)} characters; {MOST_CHARACTERS} are read at most."
        )
    message, talk = without_talk(question)
    tokens = tokenise(message)
    if not any(token.kind not in ("mark", "sign") for token in tokens):
        raise QuestionError(f"The question is empty. {EXAMPLE}")
    try:
        reading = read(tokens)
    except QuestionError:
        raise
    except InputError as error:
        raise QuestionError(str(error)) from None
    if reading.unknown:
        raise QuestionError(_refusal(reading))
    for part in talk:
        reading.tell(f"left unread: {part}")
    return _finished(question, reading)


def _finished(question: str, reading: Reading) -> Plan:
    _use_examples(reading)
    _name_single_substance(reading)
    tree = combined(reading.conditions)
    if reading.kind == "synthesis" and reading.targets:
        tree = conjunction([*([tree] if tree else []), _any_formula(reading.targets)])
    if tree is None:
        raise QuestionError(_without_condition(reading))
    if why := contradiction(tree):
        raise QuestionError(f"Nothing can meet that: {why}.")
    if reading.sort:
        greatest = reading.sort.startswith("-")
        reading.tell(
            f"sorted by {reading.sort.removeprefix('-')}, {'greatest' if greatest else 'smallest'} first"
        )
    return Plan(
        question=question,
        filter=write(tree),
        assumptions=tuple(reading.said),
        sort=reading.sort,
        limit=reading.limit or _singular(reading),
        asks=tuple(_asked(reading, tree)),
        kind=reading.kind,  # type: ignore[arg-type]
        targets=tuple(reading.targets),
    )


def _any_formula(formulas: list[str]) -> Filter:
    from .trees import disjunction

    return disjunction(formula(text) for text in formulas)


def _asked(reading: Reading, tree: Filter) -> list[str]:
    """Properties to be told; one that is a condition already is told only if the question begins with asking."""
    if reading.tokens[0].lower in english("askers"):
        return reading.asks
    text = write(tree)
    bounded = {name for name in reading.asks if f"{name} " in text or f"{name}." in text}
    gap_type = {"band_gap"} if "gap_type" in text else set()
    return [name for name in reading.asks if name not in bounded | gap_type]


def _singular(reading: Reading) -> int | None:
    """One, where one is meant: `the densest oxide`, `which of the oxides is densest`."""
    words = [token.lower for token in reading.tokens]
    of_many = words[:2] == ["which", "of"] and any(verb in words for verb in ("is", "has", "lies"))
    singular = bool(reading.nouns) and not any(reading.nouns)
    return 1 if reading.ranked and (singular or of_many) else None


def _use_examples(reading: Reading) -> None:
    """What "like BaTiO3" means: nothing beside another condition, else the same formula type and anion."""
    if not reading.examples:
        return
    shown = ", ".join(reading.examples)
    if any(
        c.kind in ("structure", "compound", "anonymous", "known", "word", "symmetry")
        for c in reading.conditions
    ):
        reading.tell(f"like {shown}: an example; it adds no condition")
        return
    from pymatgen.core import Composition

    from ...core.filters import anonymous_of

    for text in reading.examples:
        composition = Composition(reduced(text) or text)
        anion = max(composition.elements, key=lambda e: e.X).symbol
        anonymous = anonymous_of(composition.get_el_amt_dict())
        tree = conjunction(
            [Comparison(Name("chemical_formula_anonymous"), "=", anonymous), holds_all([anion])]
        )
        reading.joint = "or"
        reading.add(
            tree, "anonymous", says=f"like {text}: chemical_formula_anonymous = {anonymous}, holding {anion}"
        )


def _name_single_substance(reading: Reading) -> None:
    """In "the band gap of silicon" and "of gallium nitride" one substance is meant."""
    kinds = [condition.kind for condition in reading.conditions]
    if not reading.asks or any(reading.nouns) or reading.ranked:
        return
    symbols = _symbols(reading)
    if kinds == ["elements"] and len(symbols) == 1 and not reading.nouns:
        reading.conditions = [replace(reading.conditions[0], tree=formula(symbols[0]), kind="formula")]
        reading.tell(f"{symbols[0]}: the element itself is meant, in every phase there is")
    elif kinds == ["elements", "compound"] and len(symbols) > 1:
        reading.conditions = [replace(reading.conditions[0], tree=system(symbols), kind="system")]
        reading.tell(f"{'-'.join(sorted(symbols))}: compounds of these elements alone are meant")


def _symbols(reading: Reading) -> list[str]:
    found: list[str] = []
    for condition in reading.conditions:
        tree = condition.tree
        if isinstance(tree, Has) and tree.mode == "all":
            found.extend(tree.values)
    return list(dict.fromkeys(found))


def _without_condition(reading: Reading) -> str:
    if reading.asks:
        return f"The {reading.asks[0].replace('_', ' ')} of what? Name a formula or a class of materials. {EXAMPLE}"
    return f"The question names no condition. {EXAMPLE}"


def _refusal(reading: Reading) -> str:
    """Which words are not understood, and what there is instead."""
    words = list(dict.fromkeys(token.text for token in reading.unknown))
    shown = ", ".join(repr(word) for word in words)
    sentences = [f"Not understood: {shown}."]
    for token in reading.unknown:
        sentence = _advice(reading, token)
        if sentence and sentence not in sentences:
            sentences.append(sentence)
    return " ".join([*sentences, "Nothing was searched, because a condition must not be ignored."])


def _advice(reading: Reading, token: Token) -> str:
    word = token.lower
    if word in VAGUE:
        return f"How {word}? Give a number ('band gap above 2 eV') or ask for 'the highest ...'."
    if word in UNRANKED:
        return f"'{word}' by what? Say 'with the largest polarization' or 'sorted by energy above hull'."
    if token.kind in ("number", "sign"):
        return f"{token.text} of what? Name the property before or after the number."
    if reading.find("comparator", reading.tokens.index(token)):
        return f"'{token.text}' needs a number and the property it is of."
    capital = _capitalised(token.text)
    if capital:
        return f"Did you mean {capital}? Formulas heed capitals."
    if inside := vocabulary().phrases_with(word)[:MOST_SUGGESTIONS]:
        return f"'{token.text}' is understood in {', '.join(map(repr, inside))}."
    known = {w for w in vocabulary().words | set(element_names()) if len(w) > 3 and w != word}
    close = difflib.get_close_matches(word, known, n=MOST_SUGGESTIONS, cutoff=0.75)
    return f"Did you mean {' or '.join(repr(c) for c in sorted(close))}?" if close else ""


def _capitalised(text: str) -> str | None:
    """The formula that a word in lower case may stand for: `batio3` is BaTiO3."""
    import re
    from itertools import product

    if not re.fullmatch(r"[a-z]{1,10}\d[a-z0-9]*|[a-z]{1,8}\d", text):
        return None
    parts = re.findall(r"[a-z]+|\d+", text)
    choices = [[part] if part.isdigit() else _spellings(part) for part in parts]
    for spelled in product(*choices):
        if spelled and (found := reduced("".join(spelled))):
            return "".join(spelled) if found else None
    return None


def _spellings(letters: str) -> list[str]:
    """Ways to cut letters into symbols of elements, two-letter symbols first."""
    from .chemistry import is_symbol

    if not letters:
        return [""]
    found = []
    for size in (2, 1):
        symbol = letters[:size].capitalize()
        if len(letters) >= size and is_symbol(symbol):
            found.extend(symbol + rest for rest in _spellings(letters[size:]))
    return found
