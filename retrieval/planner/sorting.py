"""What is the answer sorted by, and in which direction?"""

from __future__ import annotations

from ...core.errors import InputError
from ...core.filters import Comparison
from .properties import bounded, no_number_follows, property_at
from .quantities import quantity_at, with_sign
from .reading import Reading
from .vocabulary import english

LOWER_IS_BETTER = frozenset(
    ["energy_above_hull", "formation_energy_per_atom", "energy_per_atom", "switching_barrier", "migration_barrier",
     "supply_hhi"]
)  # fmt: skip
COMPARATIVES = {
    ">": ("larger", "higher", "bigger", "greater", "wider", "stronger", "more"),
    "<": ("lower", "smaller", "less", "narrower", "weaker", "fewer"),
}


def bounded_superlative(reading: Reading, i: int) -> int | None:
    """Reads `a minimum band gap of 2 eV`, `maximum energy above hull 0.05`."""
    word = reading.word(i)
    sign = {"minimum": ">=", "minimal": ">=", "min": ">=", "maximum": "<=", "maximal": "<=", "max": "<="}.get(
        word
    )
    found = property_at(reading, reading.skip(i + 1, english("articles"))) if sign else None
    if not sign or not found:
        return None
    end, name, entry = found
    number = quantity_at(reading.tokens, reading.skip(end, english("fillers")))
    if not number:
        return None
    bounded(reading, name, with_sign(sign, number[1]), entry)
    return number[0]


def superlative(reading: Reading, i: int) -> int | None:
    """Reads `the densest`, `with the largest band gap`, `most stable`."""
    found = reading.find("superlative", i)
    if found:
        _sort(reading, found[1].sort, ranked=True)
        return found[0]
    for role, sign in (("ask.most", "-"), ("ask.least", "")):
        word = reading.find(role, i)
        adjective = reading.skip(word[0], english("articles")) if word else i
        apart_from_zero = reading.word(adjective) in ("nonzero", "positive", "finite")
        named = property_at(reading, adjective + apart_from_zero) if word else None
        if named and no_number_follows(reading, named[0]):
            _sort(reading, sign + str(named[1]), ranked=True)
            if reading.word(i - 1) == "single":
                reading.limit = 1
            if apart_from_zero:
                reading.add(Comparison(named[1], ">", 0), "property")
            return _direction(reading, named[0])
    return None


def sorted_by(reading: Reading, i: int) -> int | None:
    """Reads `by band gap`, `sorted by polarization, largest first`, `ranked by stability`."""
    by = reading.find("ask.by", i)
    if not by:
        return None
    j = reading.skip(
        by[0],
        (
            "the",
            "their",
            "its",
            "increasing",
            "decreasing",
            "ascending",
            "descending",
            "highest",
            "largest",
            "lowest",
            "smallest",
        ),
    )
    words = [reading.word(k) for k in range(by[0], j)]
    named = property_at(reading, j)
    name = str(named[1]) if named else "energy_above_hull" if reading.word(j) == "stability" else None
    if name is None:
        return None
    end = named[0] if named else j + 1
    if any(word in ("decreasing", "descending", "highest", "largest") for word in words):
        sign = "-"
    elif any(word in ("increasing", "ascending", "lowest", "smallest") for word in words):
        sign = ""
    else:
        best = reading.limit is not None or "rank" in reading.word(i)
        sign = "-" if best and name.split(".")[0] not in LOWER_IS_BETTER else ""
    _sort(reading, sign + name, ranked=False)
    return _direction(reading, end)


def _direction(reading: Reading, i: int) -> int:
    """Reads `..., largest first` after what is sorted by."""
    j = reading.skip(i, (",", "(", "in", "-", "from"))
    for role, sign in (("ask.descending", "-"), ("ask.ascending", "")):
        found = reading.find(role, j) or reading.find(role, i)
        if found and reading.sort:
            reading.sort = sign + reading.sort.removeprefix("-")
            return reading.skip(found[0], (")", "first"))
    return i


def _sort(reading: Reading, sort: str, ranked: bool) -> None:
    if reading.sort is not None and reading.ranked and not ranked:
        sort = ("-" if reading.sort.startswith("-") else "") + sort.removeprefix("-")
    elif reading.sort not in (None, sort):
        raise InputError(
            f"Sort by one thing: by {reading.sort.removeprefix('-')} or by {sort.removeprefix('-')}?"
        )
    reading.sort = sort
    reading.ranked = reading.ranked or ranked


def comparative(reading: Reading, i: int) -> int | None:
    """Reads `a larger band gap than 2 eV`; without a number: `which has the larger gap`."""
    for sign, words in COMPARATIVES.items():
        if reading.word(i) not in words:
            continue
        found = property_at(reading, i + 1)
        if not found:
            continue
        end, name, entry = found
        number = quantity_at(reading.tokens, end + 1) if reading.word(end) == "than" else None
        if number:
            bounded(reading, name, with_sign(sign, number[1]), entry)
            return number[0]
        if reading.word(end) != "than" and no_number_follows(reading, end) and reading.word(i - 1) == "the":
            reading.ask(name.name)
            _sort(reading, ("-" if sign == ">" else "") + str(name), ranked=False)
            return end
    return None
