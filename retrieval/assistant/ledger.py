"""What has been retrieved for this answer, so that every number in it can be looked up?

Each tool result enters here, admitted by `records`. An entry is one value with its material, unit, method, source
and link; a placeholder `{{ref.field}}` names one. What is not here cannot be rendered.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ...core.errors import nearest
from ...core.filters import And, Comparison, Filter, parse
from ...core.properties import PROPERTIES, method_matches, method_rank, method_slug
from ..answer import Found
from ..recipes import Recipe
from . import records

if TYPE_CHECKING:
    from ...core.candidate import Candidate, PropertyValue

Kind = Literal["property", "fact", "recipe", "search", "limit"]
MOST_MATERIALS = 500
"""So many materials one answer can hold; a search beyond that still counts, its further records are not kept."""
MOST_STEPS = 40
Value = float | int | str | tuple[float, ...] | tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One value that may be told.

    Attributes:
        ref: Id of a material, of a recipe (`recipe-1`) or of a search (`search1`).
        field: Such as `band_gap`, `nsites`, `step3.temperature`, `count`.
        value: Finite, of a closed list, or a parsed formula.
        units: Of the property table; empty for words.
        method: How it was found; empty for facts.
        source: Who says so.
        version: Of the source.
        link: Address of the record; empty if there is none.
        formula: Of the material it belongs to; empty for searches.
        kind: What sort of thing it is.
        uncertainty: One standard deviation, in `units`.
        spacegroup_number: Of the material.
        note: For a search: the filter that was asked.
        parts: For a recipe: the formulas of its precursors.
    """

    ref: str
    field: str
    value: Value
    units: str = ""
    method: str = ""
    source: str = ""
    version: str = ""
    link: str = ""
    formula: str = ""
    kind: Kind = "fact"
    uncertainty: float | None = None
    spacegroup_number: int | None = None
    note: str = ""
    parts: tuple[str, ...] = ()

    @property
    def numeric(self) -> bool:
        """Whether the value is a number or several."""
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        return all(not isinstance(value, str) for value in values)


class Unresolved(Exception):
    """A placeholder that names nothing in the ledger; the message is a sentence for the model."""


class Ledger:
    """Entries by reference, in the order in which they came.

    Attributes:
        candidates: Materials by reference.
        recipes: Procedures by reference.
        missing_recipes: Formulas for which there is none.
        searches: In order; the first one is `search1`.
        members: References of the materials that a search gave.
    """

    def __init__(self) -> None:
        self._entries: dict[str, list[Entry]] = {}
        self._lock = threading.Lock()
        self.candidates: dict[str, Candidate] = {}
        self.recipes: dict[str, Recipe] = {}
        self.missing_recipes: list[str] = []
        self.searches: list[Found] = []
        self.members: dict[str, list[str]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    def __iter__(self) -> Iterator[Entry]:
        for entries in tuple(self._entries.values()):
            yield from tuple(entries)

    def refs(self) -> list[str]:
        """What can stand before the dot of a placeholder."""
        return list(self._entries)

    def of(self, ref: str) -> list[Entry]:
        """Everything known of one reference."""
        return list(self._entries.get(ref, ()))

    def materials(self) -> dict[str, Entry]:
        """The `formula` entry of each material, by reference."""
        return {e.ref: e for e in self if e.kind == "fact" and e.field == "formula"}

    def add_found(self, found: Found) -> tuple[str, list[str]]:
        """Take in a search: its count, its limits, its materials.

        Returns:
            The search's reference, and those of the materials that were admitted.
        """
        with self._lock:
            self.searches.append(found)
            ref = f"search{len(self.searches)}"
            self._entries[ref] = list(_search_entries(ref, found))
            room = MOST_MATERIALS - len(self.candidates)
            admitted = [self._add_candidate(c, found) for c in found.candidates[: max(room, 0)]]
            self.members[ref] = [name for name in admitted if name]
        return ref, list(self.members[ref])

    def add_recipes(self, target: str, recipes: Sequence[Recipe], version: str) -> list[str]:
        """Take in recipes for a formula; none at all is noted as well.

        Returns:
            References of the recipes that were admitted, renumbered if an id is taken.
        """
        with self._lock:
            admitted = [self._add_recipe(recipe, version) for recipe in recipes]
            names = [name for name in admitted if name]
            if not names and target not in self.missing_recipes:
                self.missing_recipes.append(target)
        return names

    def resolve(self, placeholder: str) -> Entry:
        """The entry that `ref.field` or `ref.field.method` names.

        Raises:
            Unresolved: there is none; the message says what there is.
        """
        refs = [ref for ref in self._entries if placeholder.startswith(f"{ref}.")]
        if not refs:
            known = self.refs()[:40]
            hint = nearest(placeholder.partition(".")[0], known) if known else "Nothing was retrieved yet."
            raise Unresolved(f"{{{{{placeholder}}}}} names no record. {hint}")
        ref = max(refs, key=len)
        field = placeholder[len(ref) + 1 :]
        entry = _pick(self._entries[ref], field)
        if entry is None:
            fields = sorted({e.field for e in self._entries[ref]})
            raise Unresolved(f"{ref} has no {field!r} on record. {nearest(field, fields)}")
        return entry

    def _add_candidate(self, candidate: Candidate, found: Found) -> str | None:
        reduced = records.formula(candidate.formula)
        if reduced is None:
            return None
        ref = self._ref_of(candidate, reduced)
        known = self._entries.setdefault(ref, [])
        self.candidates.setdefault(ref, candidate)
        base = Entry(
            ref,
            "formula",
            reduced,
            source=records.source(found.source, _published(candidate)),
            version=records.version(found.version),
            link=records.link(ref),
            formula=reduced,
            spacegroup_number=_spacegroup(candidate),
        )
        taken = {(e.field, e.method, e.source) for e in known}
        for entry in (*_facts(base, candidate), *_properties(base, candidate, found)):
            if (entry.field, entry.method, entry.source) not in taken:
                known.append(entry)
        return ref

    def _ref_of(self, candidate: Candidate, reduced: str) -> str:
        """The database's id, ours, or a running number; never one that another formula has."""
        steps = [step.details for step in candidate.provenance if isinstance(step.details, dict)]
        names = [records.material_id(details.get("material_id")) for details in steps]
        own = records.candidate_id(candidate.candidate_id)
        for name in (*filter(None, names), own):
            if name and self._fits(name, candidate, reduced):
                return name
        return f"material-{len(self.candidates) + 1}"

    def _fits(self, name: str, candidate: Candidate, reduced: str) -> bool:
        held = self._entries.get(name)
        if not held:
            return True
        same_group = held[0].spacegroup_number in (None, _spacegroup(candidate))
        return held[0].formula == reduced and same_group

    def _add_recipe(self, recipe: Recipe, version: str) -> str | None:
        target = records.formula(recipe.target)
        if target is None:
            return None
        ref = records.recipe_id(recipe.recipe_id) or "recipe-1"
        if self.recipes.get(ref) == recipe:
            return ref
        while ref in self.recipes:
            ref = f"recipe-{int(ref.removeprefix('recipe-')) + 1}"
        self.recipes[ref] = recipe
        self._entries[ref] = list(_recipe_entries(ref, target, recipe, version))
        return ref


def _pick(entries: Sequence[Entry], field: str) -> Entry | None:
    exact = [e for e in entries if e.field == field]
    if not exact and "." in field:
        name, _, wanted = field.rpartition(".")
        exact = [e for e in entries if e.field == name and method_matches(method_slug(e.method), wanted)]
    if not exact:
        return None
    if exact[0].field in PROPERTIES:
        return min(exact, key=lambda e: method_rank(e.field, e.method))
    return exact[0]


def _published(candidate: Candidate) -> str:
    details = [step.details for step in candidate.provenance if isinstance(step.details, dict)]
    return next((d["source"] for d in details if isinstance(d.get("source"), str)), "")


def _spacegroup(candidate: Candidate) -> int | None:
    group = candidate.spacegroup_number
    return group if isinstance(group, int) and 1 <= group <= 230 else None


def _facts(base: Entry, candidate: Candidate) -> Iterator[Entry]:
    elements = candidate.structure.composition.get_el_amt_dict()
    yield base
    yield replace(base, field="nsites", value=len(candidate.structure))
    yield replace(base, field="nelements", value=len(elements))
    if base.spacegroup_number is not None:
        yield replace(base, field="spacegroup_number", value=base.spacegroup_number)
        for field, value in (
            ("spacegroup_symbol", records.spacegroup_symbol(base.spacegroup_number)),
            ("crystal_system", records.crystal_system(base.spacegroup_number)),
        ):
            if value:
                yield replace(base, field=field, value=value)


def _properties(base: Entry, candidate: Candidate, found: Found) -> Iterator[Entry]:
    for prop in candidate.properties:
        value = _value_of(prop)
        if value is None:
            continue
        yield replace(
            base,
            field=prop.name,
            value=value,
            units=prop.units,
            method=records.method(prop.method),
            source=records.source(found.source, prop.source),
            kind="property",
            uncertainty=records.number(prop.uncertainty),
        )


def _value_of(prop: PropertyValue) -> float | int | str | None:
    row = PROPERTIES.get(prop.name)
    if row is None or row.vector:
        return None
    return records.word(prop.name, prop.value) if row.text else records.number(prop.value)


def _search_entries(ref: str, found: Found) -> Iterator[Entry]:
    base = Entry(
        ref,
        "count",
        found.total,
        source=records.source(found.source),
        version=records.version(found.version),
        kind="search",
        note=found.plan.filter or "everything",
    )
    yield base
    yield replace(base, field="shown", value=len(found.candidates))
    if found.plan.filter:
        for name, sign, value in _limits(parse(found.plan.filter)):
            end = "min" if sign in (">", ">=") else "max"
            units = PROPERTIES[name].units if name in PROPERTIES else ""
            yield replace(base, field=f"{name}_{end}", value=value, units=units, kind="limit")


def _limits(query: Filter) -> Iterator[tuple[str, str, float | int]]:
    """Bounds that every match obeys: comparisons joined by AND."""
    if isinstance(query, And):
        for term in query.terms:
            yield from _limits(term)
    elif isinstance(query, Comparison) and query.operator in (">", ">=", "<", "<="):
        value = records.number(query.value)
        if value is not None:
            yield query.name.name, query.operator, value


def _recipe_entries(ref: str, target: str, recipe: Recipe, version: str) -> Iterator[Entry]:
    precursors = tuple(p for p in map(records.formula, recipe.precursors[:20]) if p)
    base = Entry(
        ref,
        "target",
        target,
        source=records.source("", recipe.source),
        version=records.version(version),
        link=records.doi(recipe.doi),
        formula=target,
        kind="recipe",
        parts=precursors,
    )
    yield base
    if precursors:
        yield replace(base, field="precursors", value=precursors)
    if recipe.synthesis_type in records.SYNTHESIS_TYPES:
        yield replace(base, field="synthesis_type", value=recipe.synthesis_type)
    yield replace(base, field="steps", value=len(recipe.steps))
    for i, step in enumerate(recipe.steps[:MOST_STEPS], start=1):
        operation = records.operation(step.operation)
        if operation:
            yield replace(base, field=f"step{i}.operation", value=operation)
        for name, values, units in (
            ("temperature", step.temperatures_celsius, "degC"),
            ("time", step.times_hours, "h"),
        ):
            numbers = tuple(n for n in map(records.number, values[:12]) if n is not None)
            if numbers:
                yield replace(base, field=f"step{i}.{name}", value=numbers, units=units)
        gases = tuple(g for g in map(records.atmosphere, step.atmospheres[:6]) if g)
        if gases:
            yield replace(base, field=f"step{i}.atmosphere", value=gases)
