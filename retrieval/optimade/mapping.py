"""How is a filter put to one provider, and what is left to be checked here?

What is sent matches at least everything that the filter matches; the rest is checked on the records, which are
always held against the whole filter. So a term that the provider cannot answer is weakened to "anything": inside
AND it is left out, inside OR it takes the whole OR with it. NOT is moved inwards first, so that every comparison is
weakened in the direction that keeps the answer complete. A name that neither the provider nor the structure can
answer is refused, never dropped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from string import ascii_uppercase

from ...core.errors import FilterError
from ...core.filters import And, Comparison, Filter, Has, HasLength, IsKnown, Name, Not, Or, names_in, write
from ...core.properties import method_matches, method_slug
from ..prototypes import METHOD as PROTOTYPES
from .providers import Provider, ProviderProperty

GEOMETRY = "geometry"
"""Method of what is computed from cell and sites as they came."""
COMPUTED = {"density": GEOMETRY, "volume_per_atom": GEOMETRY, "structure_type": PROTOTYPES}
"""Properties that follow from the structure and are computed here, with their method."""
_OF_A_STORE = ("run_id", "passes", "fails")
_SAME_NAME = ("nelements", "nsites")
_HIGHEST_ATOMIC_NUMBER = 118
_LARGEST = 1e300


@dataclass(frozen=True)
class Question:
    """A filter as one provider is asked it.

    Attributes:
        text: In the provider's own names; `None` if nothing of the filter can be put to it.
        complete: Whether the text says all that the filter says.
        notes: What a user should know of the translation.
    """

    text: str | None
    complete: bool
    notes: tuple[str, ...] = ()


def question_for(query: Filter | None, provider: Provider, fields: frozenset[str] | None = None) -> Question:
    """Put a filter to a provider.

    Args:
        query: What `core.filters.parse` gave; `None` asks for everything.
        provider: Whom it is put to.
        fields: All fields of the provider, if it says; a field it does not list is not used.

    Raises:
        FilterError: the filter names something that this provider's records can never tell.
    """
    if query is None:
        return Question(None, True)
    translation = _Translation(provider, fields)
    for name in names_in(query):
        translation.require_known(name)
    weakened = translation.weaken(query, True)
    notes = tuple(dict.fromkeys(translation.notes))
    return Question(write(weakened) if weakened else None, translation.complete, notes)


def wanted_fields(provider: Provider, fields: frozenset[str] | None = None) -> tuple[str, ...]:
    """The provider's own fields that become properties of ours."""
    named = dict.fromkeys(row.field for row in provider.properties)
    return tuple(field for field in named if fields is None or field in fields)


class _Translation:
    """One filter on its way to one provider."""

    def __init__(self, provider: Provider, fields: frozenset[str] | None) -> None:
        self.provider = provider
        self.complete = True
        self.notes: list[str] = []
        self._fields = fields

    def require_known(self, name: Name) -> None:
        who = self.provider.name
        if name.name in _OF_A_STORE:
            raise FilterError(f"{name} belongs to a store of candidates, not to {who}: use 'hysteron query'.")
        if not name.is_property:
            return
        slugs = [row.slug for row in self._rows(name.name)]
        if name.name in COMPUTED:
            slugs = [method_slug(COMPUTED[name.name])]
        if not slugs:
            given = sorted({row.name for row in self.provider.properties if self._rows(row.name)})
            raise FilterError(
                f"{who} does not give {name.name}; of its own it gives {', '.join(given) or 'structures only'}. "
                "Leave it out of the filter, or ask another provider."
            )
        if name.method and not any(method_matches(slug, name.method) for slug in slugs):
            raise FilterError(f"{who} has no {name}; of it there is {name.name} by {', '.join(slugs)}.")

    def weaken(self, term: Filter, wanted: bool) -> Filter | None:
        """A filter in the provider's names that is true wherever `term` is `wanted`; `None` is true everywhere."""
        if isinstance(term, Not):
            return self.weaken(term.term, not wanted)
        if isinstance(term, And | Or):
            parts = [self.weaken(part, wanted) for part in term.terms]
            known = [part for part in parts if part is not None]
            if isinstance(term, And) == wanted:
                return _joined(And, known)
            return _joined(Or, known) if len(known) == len(parts) else None
        found = self._leaf(term, wanted)
        if found is None:
            self.complete = False
        return found

    def _leaf(self, term: Comparison | IsKnown | Has | HasLength, wanted: bool) -> Filter | None:
        if term.name.is_property:
            return self._property(term, wanted)
        exact = self._field(term)
        if exact is None:
            return None
        return exact if wanted else _negated(exact)

    def _field(self, term: Comparison | IsKnown | Has | HasLength) -> Filter | None:
        """A term on a field of the standard in the provider's names, with the same meaning, or `None`."""
        if isinstance(term, IsKnown):
            return None
        if isinstance(term, Has):
            return _elements(term)
        name = term.name.name
        if isinstance(term, HasLength) or name in _SAME_NAME:
            return _whole_number("nsites" if name == "nsites" else "nelements", term)
        if name == "material_id":
            return Comparison(Name("id"), term.operator, term.value)
        if name == "spacegroup_number":
            return self._spacegroup(term)
        if term.operator not in ("=", "!="):
            return None
        equal = _equal(name, str(term.value))
        return _negated(equal) if equal and term.operator == "!=" else equal

    def _spacegroup(self, term: Comparison) -> Filter | None:
        field = self.provider.spacegroup_field
        if not self._fields or field not in self._fields:
            return None
        asked = _whole_number(field, term)
        if asked is None:
            return None
        self.notes.append(
            f"The space group was asked of it as {field}, found by its own tolerance; a crystal to which it gives "
            "another group than this program does may be missing."
        )
        return asked

    def _property(self, term: Comparison | IsKnown | Has | HasLength, wanted: bool) -> Filter | None:
        """Any of the provider's fields that could be the value; a bare name means the best method it has."""
        method = term.name.method
        rows = [row for row in self._rows(term.name.name) if not method or method_matches(row.slug, method)]
        if not rows or not all(row.filter for row in rows):
            return None
        if len(rows) > 1:
            self.complete = False
        names = [Name(row.field, ".".join(row.path) or None) for row in rows]
        if isinstance(term, Comparison) and _is_writable(term.value):
            each = [Comparison(name, term.operator, term.value) for name in names]
            return _joined(Or, [part if wanted else _negated(part) for part in each])
        if isinstance(term, IsKnown) and term.known == wanted:
            return _joined(Or, [IsKnown(name, True) for name in names])
        return None

    def _rows(self, name: str) -> list[ProviderProperty]:
        rows = self.provider.rows(name)
        return [row for row in rows if self._fields is None or row.field in self._fields]


def _equal(name: str, value: str) -> Filter | None:
    """`name = value` for the formulas and the chemical system, which the standard writes otherwise."""
    if name == "formula":
        formula = reduced_formula(value)
        return Comparison(Name("chemical_formula_reduced"), "=", formula) if formula else None
    if name == "chemical_formula_anonymous":
        formula = most_frequent_first(value)
        return Comparison(Name("chemical_formula_anonymous"), "=", formula) if formula else None
    if name == "chemsys":
        elements = tuple(value.split("-"))
        has = Has(Name("elements"), "all", elements)
        return And((has, Comparison(Name("nelements"), "=", len(elements))))
    return None


def _elements(term: Has) -> Filter:
    """`HAS ONLY` is optional for providers; "no other element" says the same with what all have."""
    from pymatgen.core import Element

    if term.mode != "only":
        return term
    symbols = (Element.from_Z(z).symbol for z in range(1, _HIGHEST_ATOMIC_NUMBER + 1))
    return Not(Has(term.name, "any", tuple(symbol for symbol in symbols if symbol not in term.values)))


def reduced_formula(formula: str) -> str | None:
    """A formula as the standard writes it: elements by alphabet, no common divisor. `TiPbO3` becomes `O3PbTi`.

    Returns:
        `None` for a formula with fractions, which the standard does not have.
    """
    from pymatgen.core import Composition

    amounts = Composition(formula).get_el_amt_dict()
    if not amounts or any(amount != int(amount) for amount in amounts.values()):
        return None
    divisor = math.gcd(*map(int, amounts.values()))
    return _written((element, int(amounts[element]) // divisor) for element in sorted(amounts))


def most_frequent_first(anonymous: str) -> str | None:
    """An anonymous formula in the standard's order: `ABC3` becomes `A3BC`; `None` beyond 26 elements."""
    amounts = [int(amount or 1) for amount in re.findall(r"[A-Z][a-z]?([0-9]*)", anonymous)]
    if len(amounts) > len(ascii_uppercase):
        return None
    return _written(zip(ascii_uppercase, sorted(amounts, reverse=True), strict=False))


def _written(amounts: Iterable[tuple[str, int]]) -> str:
    return "".join(f"{symbol}{amount if amount > 1 else ''}" for symbol, amount in amounts)


def _negated(term: Filter) -> Filter:
    return term.term if isinstance(term, Not) else Not(term)


def _joined(kind: type[And] | type[Or], terms: list[Filter]) -> Filter | None:
    if len(terms) < 2:
        return terms[0] if terms else None
    return kind(tuple(terms))


def _whole_number(field: str, term: Comparison | HasLength) -> Filter | None:
    """A comparison of a field that is a whole number, with a whole number of 32 bits; others are left to us."""
    value = term.value
    if isinstance(value, str) or not -(2**31) < value < 2**31 or value != int(value):
        return None
    return Comparison(Name(field), term.operator, int(value))


def _is_writable(value: float | int | str) -> bool:
    return not isinstance(value, str) and -_LARGEST < value < _LARGEST
