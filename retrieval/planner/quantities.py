"""Which numbers and units are meant, and how are they compared?

`comparison` reads what can stand after a property ("above 2 eV", "between 1 and 3", "3-6 eV", "2 eV or more") and
gives bounds in the units as written; `converted` brings them to the unit of the property.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...core.errors import InputError
from ...core.properties import PROPERTIES
from ..number_words import SMALL, TENS
from .vocabulary import Entry, english, vocabulary
from .words import Token

AROUND = 0.1
"""Half width of "about X", relative."""
_AND = ("and", "to", "but", "-", ",")


@dataclass(frozen=True)
class Number:
    """A number with the unit that was written, if one was."""

    value: float
    unit: Entry | None = None


@dataclass(frozen=True)
class Bound:
    """One comparison; `outside` turns it round ("not between 1 and 2")."""

    low: Number | None
    high: Number | None
    includes_low: bool = True
    includes_high: bool = True
    outside: bool = False
    about: bool = False


def number_at(tokens: Sequence[Token], i: int) -> tuple[int, float] | None:
    """A number in digits or English words; the index after it."""
    if i >= len(tokens):
        return None
    if tokens[i].kind == "number":
        return i + 1, float(tokens[i].text)
    word = tokens[i].lower
    if word == "half" and i + 1 < len(tokens) and tokens[i + 1].lower in ("a", "an"):
        return i + 2, 0.5
    if word in SMALL:
        return _after_small(tokens, i + 1, float(SMALL.index(word)))
    if word in TENS:
        more = tokens[i + 1].lower if i + 1 < len(tokens) else ""
        if more in SMALL[1:10]:
            return i + 2, float(TENS[word] + SMALL.index(more))
        return i + 1, float(TENS[word])
    if word in ("hundred", "thousand", "dozen"):
        return i + 1, {"hundred": 100.0, "thousand": 1000.0, "dozen": 12.0}[word]
    return None


def _after_small(tokens: Sequence[Token], i: int, value: float) -> tuple[int, float]:
    word = tokens[i].lower if i < len(tokens) else ""
    if word in ("hundred", "thousand"):
        return i + 1, value * (100 if word == "hundred" else 1000)
    if word == "point" and (digits := _digits(tokens, i + 1)):
        return i + 1 + len(digits), value + float("0." + digits)
    if word == "and" and [t.lower for t in tokens[i + 1 : i + 3]] == ["a", "half"]:
        return i + 3, value + 0.5
    return i, value


def _digits(tokens: Sequence[Token], i: int) -> str:
    found = ""
    while i < len(tokens) and tokens[i].lower in SMALL[:10]:
        found += str(SMALL.index(tokens[i].lower))
        i += 1
    return found


def quantity_at(tokens: Sequence[Token], i: int) -> tuple[int, Number] | None:
    """A number and the unit after it, if there is one."""
    found = number_at(tokens, i)
    if found is None:
        return None
    j, value = found
    unit = vocabulary().match("unit", tokens, j)
    return (unit[0], Number(value, unit[1])) if unit else (j, Number(value))


def comparison_after(tokens: Sequence[Token], i: int, bare: bool = True) -> tuple[int, Bound] | None:
    """One comparison that begins at a token, or behind words such as "of" and "that is" from there on."""
    while True:
        found = comparison(tokens, i, bare)
        if found or i >= len(tokens) or tokens[i].lower not in english("fillers"):
            return found
        i += 1


def comparison(tokens: Sequence[Token], i: int, bare: bool = True) -> tuple[int, Bound] | None:
    """One comparison that begins at a token.

    Args:
        tokens: Of the question.
        i: Where it may begin.
        bare: Whether a number alone counts ("a gap of 2 eV"), as "about".
    """
    if found := _nonzero(tokens, i):
        return found
    negated = i < len(tokens) and tokens[i].lower in ("not", "outside")
    for read in (_between, _signed, _range, _number_first):
        found = read(tokens, i + negated)
        if found:
            return _past_window(tokens, found[0]), replace(found[1], outside=negated)
    if bare and not negated and (found := quantity_at(tokens, i)):
        return found[0], Bound(found[1], found[1], about=True)
    return None


def _nonzero(tokens: Sequence[Token], i: int) -> tuple[int, Bound] | None:
    """Reads `nonzero`, `not zero`, `positive`; `negative` and `zero` likewise."""
    words = [token.lower for token in tokens[i : i + 3]]
    for phrase, bound in _BESIDE_ZERO.items():
        if words[: len(phrase)] == list(phrase):
            return i + len(phrase), bound
    return None


_ZERO = Number(0.0)
_BESIDE_ZERO = {
    ("nonzero",): Bound(_ZERO, None, includes_low=False),
    ("non", "zero"): Bound(_ZERO, None, includes_low=False),
    ("not", "zero"): Bound(_ZERO, None, includes_low=False),
    ("not", "equal", "zero"): Bound(_ZERO, None, includes_low=False),
    ("positive",): Bound(_ZERO, None, includes_low=False),
    ("finite",): Bound(_ZERO, None, includes_low=False),
    ("negative",): Bound(None, _ZERO, includes_high=False),
}


def _past_window(tokens: Sequence[Token], i: int) -> int:
    """Past the noun in "the 1.8 to 2.2 range"."""
    return _skip(tokens, i, ("range", "window", "interval", "region"))


def _between(tokens: Sequence[Token], i: int) -> tuple[int, Bound] | None:
    """ "between X and Y", "from X to Y", "X to Y", also as "in between"."""
    word = tokens[i].lower if i < len(tokens) else ""
    if word not in ("between", "from", "inbetween", "betwixt"):
        return None
    first = quantity_at(tokens, i + 1)
    if not first or first[0] >= len(tokens):
        return None
    joint = tokens[first[0]].lower
    second = quantity_at(tokens, _skip(tokens, first[0] + 1, ("up",)) if joint in _AND else first[0] + 1)
    if joint == "up" and first[0] + 1 < len(tokens) and tokens[first[0] + 1].lower == "to":
        second = quantity_at(tokens, first[0] + 2)
    elif joint not in _AND:
        return None
    return (second[0], _bounds(first[1], second[1])) if second else None


def _range(tokens: Sequence[Token], i: int) -> tuple[int, Bound] | None:
    """ "3 to 6 eV", "3-6 eV", "2 plusminus 0.5"."""
    first = quantity_at(tokens, i)
    if not first or first[0] >= len(tokens):
        return None
    joint = tokens[first[0]].lower
    second = quantity_at(tokens, first[0] + 1) if joint in ("to", "-", "plusminus", "through") else None
    if not second:
        return None
    if joint == "plusminus":
        unit = first[1].unit or second[1].unit
        middle, half = first[1].value, second[1].value
        return second[0], Bound(Number(middle - half, unit), Number(middle + half, unit))
    return second[0], _bounds(first[1], second[1])


def _bounds(low: Number, high: Number) -> Bound:
    """Both ends; one unit serves both."""
    return Bound(replace(low, unit=low.unit or high.unit), replace(high, unit=high.unit or low.unit))


def _signed(tokens: Sequence[Token], i: int) -> tuple[int, Bound] | None:
    """ "above 2 eV", ">= 2", "no more than 20", "about 3 eV"."""
    found = vocabulary().match("comparator", tokens, i)
    if not found:
        return None
    j = _skip(tokens, found[0], ("a", "an", "the", "of", "value", "some", "than", "."))
    number = quantity_at(tokens, j)
    return (number[0], with_sign(found[1].sign, number[1])) if number else None


def _number_first(tokens: Sequence[Token], i: int) -> tuple[int, Bound] | None:
    """ "2 eV or more", "20 or fewer"."""
    number = quantity_at(tokens, i)
    if not number:
        return None
    for role, sign in (("after_least", ">="), ("after_most", "<=")):
        found = vocabulary().match(role, tokens, number[0])
        if found and quantity_at(tokens, found[0]) is None:
            return found[0], with_sign(sign, number[1])
    return None


def with_sign(sign: str, number: Number) -> Bound:
    """`> 2` as a bound."""
    if sign in (">", ">="):
        return Bound(number, None, includes_low=sign == ">=")
    if sign in ("<", "<="):
        return Bound(None, number, includes_high=sign == "<=")
    return Bound(number, number, about=sign == "~")


def _skip(tokens: Sequence[Token], i: int, words: tuple[str, ...]) -> int:
    while i < len(tokens) and tokens[i].lower in words and number_at(tokens, i) is None:
        i += 1
    return i


def converted(bound: Bound, name: str, units: str, said: list[str]) -> Bound:
    """A bound in the unit of its property.

    Args:
        bound: As written.
        name: Of the property or field.
        units: Of the property; empty for a field that counts.
        said: Gets a sentence where a unit was assumed or converted.

    Raises:
        InputError: the unit cannot be one of this property.
    """
    return replace(
        bound,
        low=bound.low and _in_units(bound.low, name, units, said),
        high=bound.high and _in_units(bound.high, name, units, said),
    )


def _in_units(number: Number, name: str, units: str, said: list[str]) -> Number:
    if number.unit is None:
        if units not in ("", "1"):
            _tell(said, f"{name}: no unit was given, {units} is meant")
        return number
    factor = number.unit.measures.get(units)
    if factor is None:
        raise InputError(
            f"{number.value:g} {number.unit.phrase} cannot be a {name}"
            + (f", which is in {units}." if units not in ("", "1") else ", which has no unit.")
        )
    value = _round(number.value * factor + (number.unit.offset or 0.0))
    written = f"{number.value:g} {number.unit.phrase}"
    if factor != 1.0 or number.unit.offset:
        _tell(said, f"{written}: {value:g} {units}")
    return Number(value)


def _tell(said: list[str], sentence: str) -> None:
    if sentence not in said:
        said.append(sentence)


def _round(value: float) -> float:
    """Without the last digits of a conversion: 0.03 and not 0.030000000000000002."""
    return float(f"{value:.10g}")


def units_of(name: str) -> str:
    """The unit of a property; nothing for a field."""
    return PROPERTIES[name].units if name in PROPERTIES else ""
