"""Does what stands around a placeholder leave its value as it is?

A sign, a factor, a unit, a comparison, a negation or a word such as `difference` would make another number of the one
that is rendered. Each is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from .conditions import COMPARATORS
from .derived import derived_word
from .ledger import Entry
from .sentences import Sentence
from .several import several
from .tokens import Token
from .units import unit_of

_OPEN = frozenset({"", " ", "\n", "(", '"'})
_CLOSE = frozenset({"", " ", "\n", ",", ".", ";", ":", ")", "!", "?", '"'})
_OPERATORS = several("of over by per times x into under minus plus : /")
_SIGNS = several(
    "minus plus times negative positive divided multiplied multiply by squared cubed root inverse reciprocal opposite "
    "factor twice half double triple x timesing timesed"
)
_FUNCTIONS = several(
    "root square cube inverse reciprocal logarithm exponential multiple multiples power opposite"
)
_BENDING = several(
    "almost nearly barely hardly scarcely not never isn't wasn't aren't doesn't approaching approaches towards toward "
    "exceeding exceeds exceed beyond above below under over least most beneath around's"
)
_BEHIND = several(
    "times squared cubed fold percent per plus minus higher lower larger smaller greater less more fewer bigger wider "
    "narrower above below over under divided multiplied apart error errors uncertainty uncertainties off x too "
    "difference differences times'"
)
_DISBELIEF = several("false untrue nobody myth incorrect wrong allegedly supposedly fake")
_NEGATIONS = several(
    "not no never neither nor without cannot can't isn't wasn't aren't weren't doesn't don't didn't won't wouldn't "
    "hasn't haven't false incorrect incorrectly wrong wrongly unlike"
)
_INSTEAD = {("rather", "than"), ("instead", "of"), ("except", "for"), ("other", "than")}
_CLAUSE = several(", ; : ( ) and but while whereas with which that because since although though so its it")
_MORE = several("larger greater higher wider more bigger above exceeds over exceeding stiffer denser")
_LESS = several("smaller lower narrower less below under fewer softer")
_NOUNS: dict[str, frozenset[str]] = {
    "nsites": several("site sites atom atoms ion ions"),
    "nelements": several("element elements"),
    "steps": several("step steps"),
    "spacegroup_number": frozenset(),
}
_COUNTED = frozenset().union(*_NOUNS.values()) | several(
    "hours hour minutes days times digits decimals orders dimensions electrons formula units material materials compound "
    "compounds oxide oxides entry entries record records match matches result results candidate candidates"
)
_NO_PLURALS = several("across always besides perhaps whereas versus thus towards")
_AMOUNTS = several("formula cell mole molecule ion gram kilogram volume supercell ton")
_HAVING = several("has have is shows reaches at of")
_PER_CELL = ("total_magnetization", "nsites")
_PROCESS = several(
    """
    heat reheat preheat fire firing sinter calcin anneal dry dried drying mix mill ground grind kept keep held hold treat
    step temperatur route react made make synthes recipe procedur quench cool baked press pellet follow furnace atmosphere
    then finally hydrothermal autoclave process soak dwell duration prepar protocol decompos crystalli stage ramp time
    """
)
"""What words of a procedure begin with."""
_COUNTS = ("count", "shown")
_LIMIT_WORDS = several("limit threshold cutoff bound minimum maximum window range between from and to")


def surrounding_problems(prose: str, sentence: Sentence) -> Iterator[str]:
    """One sentence for each placeholder whose surroundings change what it says.

    Args:
        prose: The whole answer, for the characters beside a placeholder.
        sentence: One of its sentences.
    """
    tokens = sentence.tokens
    for i in sentence.places:
        entry = tokens[i].entry
        if entry is None:
            continue
        yield from _touching(prose, tokens, i)
        if entry.numeric:
            yield from _before(tokens, i, entry)
            yield from _behind(tokens, i, entry)
            yield from _bounds(tokens, i, entry)
    yield from _per_what(tokens)
    yield from _units(sentence)
    yield from _signs(sentence)


def _touching(prose: str, tokens: Sequence[Token], i: int) -> Iterator[str]:
    token = tokens[i]
    left = prose[token.start - 1] if token.start else ""
    right = prose[token.end] if token.end < len(prose) else ""
    beyond = prose[token.end + 1] if token.end + 1 < len(prose) else ""
    glued = right in (".", ",", ":", ";") and beyond not in _CLOSE
    if left not in _OPEN or right not in _CLOSE or glued:
        yield f"Something touches {token.text}: leave a space on both sides of a placeholder."
    following = tokens[i + 1 : i + 3]
    if following and following[0].kind == "place":
        yield f"{token.text} and {following[0].text} stand side by side: put words between them."
    if len(following) == 2 and following[0].lower in _OPERATORS and _both_numeric(token, following[1]):
        yield f"{following[0].text!r} between {token.text} and {following[1].text} makes a number of both: rephrase."


def _both_numeric(one: Token, other: Token) -> bool:
    return bool(one.entry and other.entry and one.entry.numeric and other.entry.numeric)


def _before(tokens: Sequence[Token], i: int, entry: Entry) -> Iterator[str]:
    what = tokens[i].text
    near = [t.lower for t in tokens[max(0, i - 3) : i] if t.kind == "word"]
    lifted = near[-2:] in (["metastable", "by"], ["unstable", "by"]) and entry.field == "energy_above_hull"
    if near and near[-1] in _SIGNS and not lifted:
        yield f"{near[-1]!r} before {what} makes another number of it: state the value alone."
    function = next((word for word in near if word in _FUNCTIONS), None)
    if function:
        yield f"{function!r} before {what} makes another number of it: state the value alone."
    if near and near[-1] in _BENDING and entry.kind != "limit":
        yield f"{near[-1]!r} before {what} bends the value: state the value itself."
    clause = _clause_before(tokens, i)
    pairs = pairwise([*reversed(clause), ""])
    negation = next((w for w, after in pairs if w in _NEGATIONS or (w, after) in _INSTEAD), None)
    if negation:
        yield f"{negation!r} in the same clause denies {what}: state the value in a clause of its own."
    doubted = next((t.lower for t in tokens[:i] if t.lower in _DISBELIEF), None)
    if doubted:
        yield f"{doubted!r} denies {what}: state the value in a sentence of its own."
    derived = derived_word(tokens, i, entry)
    if derived:
        yield (
            f"{derived!r} in the sentence of {what} turns a record's value into something derived: "
            "state the recorded values and leave the arithmetic to the reader."
        )


def _clause_before(tokens: Sequence[Token], i: int) -> list[str]:
    clause: list[str] = []
    for token in reversed(tokens[:i]):
        if token.lower in _CLAUSE or token.kind == "place":
            break
        clause.append(token.lower)
    return clause


def _behind(tokens: Sequence[Token], i: int, entry: Entry) -> Iterator[str]:
    what = tokens[i].text
    following = [t.lower for t in tokens[i + 1 : i + 6]]
    word = following[0] if following else ""
    above_hull = entry.field.startswith("energy_above_hull") and (
        "hull" in following or following[1:2] == ["it"]
    )
    in_a_gas = entry.kind == "recipe" and word == "under"
    per_cell = following[:2] in (["per", "cell"], ["per", "unit"]) and entry.field == "total_magnetization"
    if word in _BEHIND and not above_hull and not in_a_gas and not per_cell:
        yield f"{word!r} behind {what} makes another number of it: state the value alone."
    if (
        word == "or"
        and following[1:2]
        and following[1] in ("more", "less", "higher", "lower", "so", "above", "below")
    ):
        yield f"{' '.join(following[:2])!r} behind {what} bends the value: state the value itself."
    if entry.field in _COUNTS:
        wrong = frozenset().union(*_NOUNS.values()) | {"hours", "times", "digits", "orders", "dimensions"}
    else:
        wrong = _COUNTED - _NOUNS.get(entry.field, frozenset())
    noun = next((w for w in following[:2] if w in wrong), None) or _other_plural(entry, word)
    if noun and not (word in _CLOSE or word in ("of", "for", "in", "and", "with", "per", "as", "among")):
        yield f"{what} does not count {noun!r}: it is {entry.field}."


def _other_plural(entry: Entry, word: str) -> str | None:
    """A plural that a number of sites, elements or steps does not count."""
    counts = entry.field in _NOUNS and word.endswith("s") and len(word) > 4
    return word if counts and word not in _NOUNS[entry.field] and word not in _NO_PLURALS else None


def _bounds(tokens: Sequence[Token], i: int, entry: Entry) -> Iterator[str]:
    """A comparison with a placeholder: right way round for a limit, true for a value."""
    what = tokens[i].text
    near = [t.lower for t in tokens[max(0, i - 4) : i] if t.kind in ("word", "punct")]
    if entry.kind == "limit":
        sign = ">" if entry.field.endswith("_min") else "<"
        fitting = {word.split(" ")[-1] for s in (sign, f"{sign}=") for word in COMPARATORS[s]} | _LIMIT_WORDS  # type: ignore[index]
        opposite = _LESS if sign == ">" else _MORE
        if not near or near[-1] not in fitting or any(word in opposite for word in near):
            yield f"{what} is a {'lower' if sign == '>' else 'upper'} limit of the search: say it as that."
        return
    if entry.kind == "search" and near[-1:] and near[-1] in _HAVING and _names_material(tokens[:i]):
        yield f"{what} counts what a search gave, and is said of a material: name what is counted."
    if entry.kind == "recipe" and not any(t.lower.startswith(tuple(_PROCESS)) for t in tokens):
        yield f"{what} belongs to a step of a procedure: say what is done there, such as 'is heated at'."
    if "than" not in near:
        return
    named = _names_material(tokens[max(0, i - 4) : i])
    direction = _MORE if any(w in _MORE for w in near) else _LESS if any(w in _LESS for w in near) else None
    other = next(
        (
            t.entry
            for t in reversed(tokens[:i])
            if t.entry and t.entry.field == entry.field and t.entry.ref != entry.ref and t.entry.numeric
        ),
        None,
    )
    unknown = direction is None or other is None
    if unknown and named:
        return
    if unknown or isinstance(other.value, tuple) or isinstance(entry.value, tuple):  # type: ignore[union-attr]
        yield f"A comparison with {what} needs both values in the sentence: state them, each with its material."
    elif (other.value > entry.value) != (direction is _MORE):  # type: ignore[operator,union-attr]
        yield f"The comparison with {what} is the wrong way round."


def _names_material(tokens: Sequence[Token]) -> bool:
    return any((t.name and t.name.kind in ("formula", "id")) or (t.entry and t.entry.formula) for t in tokens)


def _per_what(tokens: Sequence[Token]) -> Iterator[str]:
    """`per formula unit` beside values that are not."""
    for i, token in enumerate(tokens):
        following = [t.lower for t in tokens[i + 1 : i + 3] if t.lower not in ("the", "unit")]
        if token.lower != "per" or not following or following[0] not in _AMOUNTS:
            continue
        entries = [t.entry for t in tokens if t.entry]
        if not any(e.units.endswith("f.u.") or e.field in _PER_CELL for e in entries):
            yield f"'per {following[0]}' changes what the values are: leave it out."


def _units(sentence: Sentence) -> Iterator[str]:
    held = {token.entry.units for token in sentence.tokens if token.entry and token.entry.numeric}
    for token in sentence.tokens:
        if token.kind == "unit" and held != {unit_of(token.text)}:
            yield f"The unit {token.text!r} stands in your text: the program writes each unit with its value."


def _signs(sentence: Sentence) -> Iterator[str]:
    values = [
        t.entry.value for t in sentence.tokens if t.entry and t.entry.kind == "property" and t.entry.numeric
    ]
    numbers = [value for value in values if isinstance(value, int | float)]
    if not numbers:
        return
    if "negative" in sentence.words and all(number >= 0 for number in numbers):
        yield "'negative' stands in a sentence whose values are not."
    if "positive" in sentence.words and all(number <= 0 for number in numbers):
        yield "'positive' stands in a sentence whose values are not."
