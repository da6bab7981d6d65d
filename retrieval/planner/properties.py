"""Which properties are compared with a number, asked for, or wanted known?"""

from __future__ import annotations

from dataclasses import replace

from ...core.errors import InputError
from ...core.filters import FIELDS, Comparison, IsKnown, Name
from .quantities import (
    Bound,
    Number,
    comparison,
    comparison_after,
    converted,
    number_at,
    quantity_at,
    units_of,
    with_sign,
)
from .reading import Reading
from .symmetry import groups_at
from .trees import GROUP, disjunction, within
from .vocabulary import Entry, english

BY_UNIT = {
    "uC/cm^2": "polarization", "MV/cm": "coercive_field", "g/cm^3": "density", "A^3/atom": "volume_per_atom",
    "mu_B": "total_magnetization", "eV/f.u.": "switching_barrier",
}  # fmt: skip
"""Properties that a unit alone tells."""


def property_at(reading: Reading, i: int) -> tuple[int, Name, Entry] | None:
    """A property, with a method before or after it: "HSE gap", "band gap (PBE)", "measured band gap"."""
    method = reading.find("method", i)
    j = reading.skip(method[0], english("after_method")) if method else i
    found = reading.find("property", reading.skip(j, english("value_words")))
    if not found:
        return None
    end, entry = found
    if [reading.word(end), reading.word(end + 2)] == ["(", ")"] and reading.word(end + 1) in english(
        "asides"
    ):
        end += 3
    name = entry.name
    if name in FIELDS:
        return (end, Name(name), entry) if not method else None
    if method is None:
        k = reading.skip(
            end, ("(", "by", "from", "at", "the", "in", "according", "to", "of", "using", "with")
        )
        after = reading.find("method", k)
        if after and (k > end or reading.word(end) == "("):
            method = after
            end = reading.skip(
                after[0], (")", "level", "functional", "of", "theory", "calculations", "calculation")
            )
    return end, Name(name, method[1].slug if method else None), entry


def signed(reading: Reading, i: int) -> int | None:
    """Reads `negative formation energy`."""
    sign = {"negative": "<", "positive": ">", "nonzero": ">", "finite": ">"}.get(reading.word(i))
    found = property_at(reading, i + 1) if sign else None
    if not sign or not found:
        return None
    reading.add(Comparison(found[1], sign, 0), "property")
    return found[0]


def known(reading: Reading, i: int) -> int | None:
    """Reads `a known polarization`, `tabulated dielectric constants`."""
    known = reading.find("ask.known", i)
    found = property_at(reading, known[0]) if known else None
    if not known or not found or not no_number_follows(reading, found[0]):
        return None
    _require_known(reading, found[1])
    return found[0]


def _require_known(reading: Reading, name: Name) -> None:
    reading.last = name
    reading.add(IsKnown(name, True), "property", says=f"{name} is known to the source")


def counted(reading: Reading, i: int) -> int | None:
    """The number first: "at least 20 atoms", "within 30 meV of the hull", "a 2 eV gap", "2, 3 or 4 elements"."""
    listed = _listed(reading, i)
    if listed is not None:
        return listed
    found = comparison(reading.tokens, i)
    if not found:
        return None
    end, bound = found
    named = property_at(reading, end) or property_at(
        reading, reading.skip(end, english("fillers") | {"-", "total"})
    )
    if not named or (end == i + 1 and reading.word(end) in (",", "and")):
        return _by_unit(reading, i, end, bound)
    after = _turned(reading, named[0], bound)
    if after:
        end, bound = after
    else:
        end = named[0]
    if bound.about and named[1].name in FIELDS and reading.find("comparator", i) is None:
        bound = Bound(bound.low, bound.high)
    bounded(reading, named[1], bound, named[2])
    return end


def _turned(reading: Reading, i: int, bound: Bound) -> tuple[int, Bound] | None:
    """Reads `20 atoms or fewer`."""
    if bound.low is None or bound.low != bound.high:
        return None
    for role, sign in (("after_least", ">="), ("after_most", "<=")):
        found = reading.find(role, i)
        if found and number_at(reading.tokens, found[0]) is None:
            return found[0], with_sign(sign, bound.low)
    return None


def _listed(reading: Reading, i: int) -> int | None:
    """Reads `4 or 5 elements`, `2, 3 or 4 elements`."""
    values, end = [], i
    while (found := number_at(reading.tokens, end)) is not None:
        values.append(found[1])
        end = found[0]
        j = reading.skip(end, (",",))
        joint = reading.word(j) == "or"
        if not joint and j == end:
            break
        end = j + joint
    named = property_at(reading, end) if len(values) > 1 else None
    if not named:
        return None
    numbers = [Number(value) for value in values]
    reading.add(disjunction(within(named[1], Bound(n, n)) for n in numbers), "property")
    return named[0]


def _by_unit(reading: Reading, i: int, end: int, bound: Bound) -> int | None:
    """A number whose unit only one property has: "above 20 uC/cm^2"."""
    unit = next((number.unit for number in (bound.low, bound.high) if number), None)
    only = {"uC/cm^2": "polarization", "MV/cm": "coercive_field", "g/cm^3": "density", "A^3/atom": "volume_per_atom",
            "mu_B": "total_magnetization", "eV/f.u.": "switching_barrier"}  # fmt: skip
    if unit is None:
        goes_on = (
            reading.last is not None and reading.word(i - 1) in ("and", "but", "yet") and not bound.about
        )
        if goes_on and reading.last is not None:
            bounded(reading, reading.last, bound, None)
            return end
        return None
    if reading.last is not None and units_of(reading.last.name) in unit.measures:
        bounded(reading, reading.last, bound, None)
        return end
    names = {
        name for units, name in only.items() if unit.measures.get(units) == 1.0 and len(unit.measures) <= 2
    }
    if len(names) != 1:
        return None
    name = names.pop()
    reading.tell(f"{unit.phrase}: a {name.replace('_', ' ')} is meant")
    bounded(reading, Name(name), bound, None)
    return end


def compared(reading: Reading, i: int) -> int | None:
    """The property first: "band gap above 2 eV", "space group 99 or 160"; alone, it is asked for."""
    found = property_at(reading, i)
    if not found:
        return None
    end, name, entry = found
    if name == GROUP:
        groups = groups_at(reading, end)
        if groups is None and reading.word(end) in ("of", "", "does", "do", "?"):
            reading.ask(name.name)
            return end
        return groups
    weak = end == i + 1 and reading.word(i) in english("weak")
    first = comparison_after(reading.tokens, end, bare=not weak)
    if first is None:
        word = reading.find("word", i)
        if word and word[0] > end:
            return None
        return None if weak else _mentioned(reading, i, end, name)
    if first[1].about and name.name in FIELDS:
        first = first[0], Bound(first[1].low, first[1].high)
    return _chain(reading, first, name, entry)


def _chain(reading: Reading, first: tuple[int, Bound], name: Name, entry: Entry) -> int:
    """More bounds on the same property: "above 2 and below 4 eV", "below 1 or above 3 eV"."""
    bounds, joint = [first[1]], "and"
    end = first[0]
    _refuse_counted(reading, first[1], end, name)
    while True:
        j = reading.skip(end, (",", "and", "but", "or", "yet", "is", "also", "at", "the", "same", "time"))
        if j == end:
            break
        following = comparison(reading.tokens, _before(reading, j), bare=False)
        if not following or _another_property(reading, following[0]):
            break
        joint = "or" if "or" in [reading.word(k) for k in range(end, j)] else joint
        bounds.append(following[1])
        end = following[0]
    bounds = _one_unit(bounds)
    if joint == "or":
        trees = [within(name, converted(b, name.name, units_of(name.name), reading.said)) for b in bounds]
        reading.add(disjunction(trees), "property", says=entry.says if name.method is None else None)
    else:
        for bound in bounds:
            bounded(reading, name, bound, entry)
    return end


def _refuse_counted(reading: Reading, bound: Bound, end: int, name: Name) -> None:
    """Reads `a coercive field under 40 atoms` is not a coercive field under 40."""
    bare = [number for number in (bound.low, bound.high) if number and number.unit is None]
    if bare and reading.word(end) in english("weak") and name.name not in FIELDS:
        raise InputError(f"{bare[0].value:g} {reading.word(end)} cannot be a {name}.")


def _before(reading: Reading, j: int) -> int:
    """Reads `at least` begins with a word that was skipped."""
    return (
        j - 1
        if reading.word(j - 1) == "at" and reading.word(j) in ("least", "most", "minimum", "maximum")
        else j
    )


def _another_property(reading: Reading, i: int) -> bool:
    j = reading.skip(i, english("fillers"))
    return reading.find("property", i) is not None or (j > i and reading.find("property", j) is not None)


def _one_unit(bounds: list[Bound]) -> list[Bound]:
    """A number without a unit takes that of its neighbour."""

    numbers = [n for b in bounds for n in (b.low, b.high) if n]
    unit = next((n.unit for n in numbers if n.unit), None)

    def with_unit(number: Number | None) -> Number | None:
        return number and replace(number, unit=number.unit or unit)

    return [replace(b, low=with_unit(b.low), high=with_unit(b.high)) for b in bounds]


def _mentioned(reading: Reading, i: int, end: int, name: Name) -> int:
    """A property alone: one that must be known, or one to be told."""
    known = reading.find("ask.known", reading.skip(end, english("after_property")))
    if known:
        for earlier in _listed_before(reading, i):
            reading.asks.remove(earlier.name)
            _require_known(reading, earlier)
        _require_known(reading, name)
        return known[0]
    if (
        name == Name("band_gap")
        and reading.word(i - 1) in ("a", "band")
        and reading.word(0) not in english("askers")
    ):
        reading.add(Comparison(name, ">", 0), "word", says="with a gap: band_gap > 0")
        return end
    reading.last, reading.mentioned = name, end
    reading.mentions.append((i, end, name))
    reading.ask(name.name)
    return end


def _listed_before(reading: Reading, i: int) -> list[Name]:
    """Properties that "and" joins to the one at a token: "with A and B on record"."""
    found: list[Name] = []
    for _, end, name in reversed(reading.mentions):
        if reading.skip(end, (",", "and", "the", "its", "both", "a")) != i or name.name not in reading.asks:
            break
        found.append(name)
    return found


def symbolic(reading: Reading, i: int) -> int | None:
    """Reads `1 < gap < 3 eV`."""
    low = quantity_at(reading.tokens, i)
    if not low or reading.word(low[0]) not in ("<", "<="):
        return None
    found = property_at(reading, low[0] + 1)
    if not found or reading.word(found[0]) not in ("<", "<="):
        return None
    high = quantity_at(reading.tokens, found[0] + 1)
    if not high:
        return None
    unit = low[1].unit or high[1].unit
    bound = Bound(Number(low[1].value, unit), Number(high[1].value, high[1].unit or unit),
                  reading.word(low[0]) == "<=", reading.word(found[0]) == "<=")  # fmt: skip
    bounded(reading, found[1], bound, found[2])
    return high[0]


def no_number_follows(reading: Reading, i: int) -> bool:
    return comparison_after(reading.tokens, i) is None


def bounded(reading: Reading, name: Name, bound: Bound, entry: Entry | None) -> None:
    reading.last = name
    bound = converted(bound, name.name, units_of(name.name), reading.said)
    if bound.about and bound.low:
        reading.tell(f"about {bound.low.value:g}: within 10%")
    if name.name not in FIELDS and name.kind == "text":
        raise InputError(f"{name} is a word; it cannot be compared with a number.")
    says = entry.says if entry and name.method is None else None
    reading.add(within(name, bound), "property", says=says)
