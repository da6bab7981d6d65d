"""How do the entries of the vocabulary become filters?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from ...core.filters import And, Comparison, Filter, Has, Name, Not, Or, parse
from .quantities import AROUND, Bound
from .vocabulary import Entry

GROUP = Name("spacegroup_number")
ELEMENTS = Name("elements")


def conjunction(terms: Iterable[Filter]) -> Filter:
    """All of them, each once."""
    return _joined(And, terms)


def disjunction(terms: Iterable[Filter]) -> Filter:
    """Any of them, each once."""
    return _joined(Or, terms)


def _joined(kind: type[And] | type[Or], terms: Iterable[Filter]) -> Filter:
    flat: list[Filter] = []
    for term in terms:
        for part in term.terms if isinstance(term, kind) else (term,):
            if part not in flat:
                flat.append(part)
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def of_entry(entry: Entry) -> Filter:
    """The condition of a `compound`, `symmetry`, `word` or `known` entry."""
    terms: list[Filter] = []
    if entry.all:
        terms.append(holds_all(entry.all.split()))
    terms.extend(holds_any(symbols.split()) for symbols in entry.any or ())
    if entry.without:
        terms.append(Not(holds_any(entry.without.split())))
    if entry.any_pair:
        terms.append(disjunction(holds_all(pair) for pair in combinations(entry.any_pair.split(), 2)))
    if entry.groups:
        terms.append(in_groups(entry.groups))
    if entry.formulas:
        terms.append(disjunction(formula(text) for text in entry.formulas.split()))
    if entry.filter:
        terms.append(parse(entry.filter))
    return conjunction(terms)


def holds_all(symbols: Sequence[str]) -> Filter:
    """Every one of these elements is in it."""
    return Has(ELEMENTS, "all", tuple(dict.fromkeys(symbols)))


def holds_any(symbols: Sequence[str]) -> Filter:
    """At least one of these elements is in it."""
    unique = tuple(dict.fromkeys(symbols))
    return Has(ELEMENTS, "any" if len(unique) > 1 else "all", unique)


def holds_only(symbols: Sequence[str]) -> Filter:
    """No other element is in it."""
    return Has(ELEMENTS, "only", tuple(dict.fromkeys(symbols)))


def formula(text: str) -> Filter:
    """One reduced formula."""
    from .chemistry import reduced

    return Comparison(Name("formula"), "=", reduced(text) or text)


def system(symbols: Iterable[str]) -> Filter:
    """One chemical system."""
    return Comparison(Name("chemsys"), "=", "-".join(sorted(symbols)))


def in_groups(ranges: str) -> Filter:
    """Space groups, as `1 3-9 25-46`."""
    terms: list[Filter] = []
    for part in ranges.split():
        low, _, high = part.partition("-")
        if high:
            bounds = (Comparison(GROUP, ">=", int(low)), Comparison(GROUP, "<=", int(high)))
            terms.append(And(bounds))
        else:
            terms.append(Comparison(GROUP, "=", int(low)))
    return disjunction(terms)


def within(name: Name, bound: Bound) -> Filter:
    """A bound on a property or field, in its units."""
    terms: list[Filter] = []
    low = bound.low.value if bound.low else None
    high = bound.high.value if bound.high else None
    if bound.about and low is not None:
        half = abs(low) * AROUND
        low, high = float(f"{low - half:.10g}"), float(f"{low + half:.10g}")
    if low is not None and low == high:
        terms.append(Comparison(name, "=", _plain(low)))
    else:
        if low is not None:
            terms.append(Comparison(name, ">=" if bound.includes_low else ">", _plain(low)))
        if high is not None:
            terms.append(Comparison(name, "<=" if bound.includes_high else "<", _plain(high)))
    tree = conjunction(terms)
    return Not(tree) if bound.outside else tree


def _plain(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
