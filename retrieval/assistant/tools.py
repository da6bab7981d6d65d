"""What may an assistant ask of a source, and which filter does that become?

Typed arguments turn into the same `Plan` that the planner makes of plain words; `answer.carry_out` asks the source.
So what an assistant did can be read, and repeated with `hysteron retrieve`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ...core.errors import FilterError, nearest
from ...core.filters import parse
from ...core.properties import PROPERTIES
from ..plan import Plan
from . import records
from .ledger import Entry, Ledger
from .rendering import value_text

NEAR_HULL_EV_PER_ATOM = 0.05
MOST_LISTED = 100
MOST_TOLD = 25
"""So many materials of one search are shown to a model; the ledger keeps all that were retrieved."""
_LIST = 60


class Bound(BaseModel):
    """A property between two ends, both included; leave one out for an open range."""

    model_config = ConfigDict(extra="forbid")

    property: str = Field(description="A property such as band_gap; band_gap.hse06 asks for one method.")
    at_least: float | None = Field(default=None, description="Lower end, in the property's unit.")
    at_most: float | None = Field(default=None, description="Upper end, in the property's unit.")


class Search(BaseModel):
    """Which materials are wanted; every part that is given must hold."""

    model_config = ConfigDict(extra="forbid")

    elements_all: list[str] = Field(
        default=[], max_length=_LIST, description="Symbols that must all be there."
    )
    elements_any: list[str] = Field(
        default=[], max_length=_LIST, description="At least one of these is there."
    )
    elements_only: list[str] = Field(
        default=[], max_length=_LIST, description="Nothing beside these is there."
    )
    exclude: list[str] = Field(default=[], max_length=_LIST, description="None of these is there.")
    formulas: list[str] = Field(default=[], max_length=_LIST, description="Reduced formulas, any of them.")
    chemical_system: str | None = Field(default=None, description="Exactly these elements: Ba-O-Ti.")
    ids: list[str] = Field(default=[], max_length=_LIST, description="Ids such as mp-2998, any of them.")
    spacegroup_numbers: list[int] = Field(default=[], max_length=230, description="Any of these groups.")
    number_of_elements: int | None = Field(default=None, ge=1, le=12)
    bounds: list[Bound] = Field(default=[], max_length=12)
    gap_type: str | None = Field(default=None, description="direct or indirect")
    magnetic_ordering: str | None = Field(default=None, description="NM, FM, AFM or FiM")
    near_hull: bool = Field(default=False, description="At most 0.05 eV/atom above the hull.")
    sort_by: str | None = Field(default=None, description="A property; the smallest first.")
    descending: bool = Field(default=False, description="The greatest first.")
    limit: int = Field(default=20, ge=1, le=MOST_LISTED)
    tell: list[str] = Field(default=[], max_length=12, description="Properties that the question asks for.")


def plan_of(search: Search, question: str, asks: tuple[str, ...] = ()) -> Plan:
    """The plan that typed arguments stand for.

    Args:
        search: As the model gave it.
        question: The user's words.
        asks: Properties told if the model names none.

    Raises:
        FilterError: a name, a symbol or a formula that does not exist; the sentence goes back to the model.
    """
    text = " AND ".join(_terms(search)) or None
    if text:
        parse(text)
    tell = tuple(dict.fromkeys(_property(name) for name in search.tell)) or asks
    sort = None
    if search.sort_by:
        sort = ("-" if search.descending else "") + _dotted(search.sort_by)
    return Plan(question, text, tuple(_assumptions(search)), sort, search.limit, tell)


def _terms(search: Search) -> Iterator[str]:
    for mode, symbols in (
        ("ALL", search.elements_all),
        ("ANY", search.elements_any),
        ("ONLY", search.elements_only),
    ):
        if symbols:
            yield f"elements HAS {mode} {_quoted(_symbols(symbols))}"
    if search.exclude:
        yield f"NOT elements HAS ANY {_quoted(_symbols(search.exclude))}"
    if search.formulas:
        yield _either(f'formula = "{_formula(text)}"' for text in search.formulas)
    if search.chemical_system:
        yield f'chemsys = "{"-".join(sorted(_symbols(search.chemical_system.split("-"))))}"'
    if search.ids:
        yield _either(_identified(text) for text in search.ids)
    if search.spacegroup_numbers:
        yield _either(f"spacegroup_number = {number}" for number in search.spacegroup_numbers)
    if search.number_of_elements is not None:
        yield f"nelements = {search.number_of_elements}"
    for name in ("gap_type", "magnetic_ordering"):
        word = getattr(search, name)
        if word is not None:
            yield f'{name} = "{_word(name, word)}"'
    if search.near_hull:
        yield f"energy_above_hull <= {NEAR_HULL_EV_PER_ATOM}"
    for bound in search.bounds:
        yield from _bound(bound)


def _bound(bound: Bound) -> Iterator[str]:
    name = _dotted(bound.property)
    if bound.at_least is None and bound.at_most is None:
        yield f"{name} IS KNOWN"
    for sign, value in ((">=", bound.at_least), ("<=", bound.at_most)):
        if value is not None:
            if records.number(value) is None:
                raise FilterError(f"{name} {sign} {value}: a bound is a finite number.")
            yield f"{name} {sign} {value:.12g}"


def _assumptions(search: Search) -> Iterator[str]:
    if search.near_hull:
        yield f"near the hull: energy_above_hull <= {NEAR_HULL_EV_PER_ATOM} eV/atom"
    for bound in search.bounds:
        name, _, method = bound.property.partition(".")
        if name == "band_gap" and not method:
            yield "band gap: by the best method on record; PBE underestimates"


def _symbols(symbols: list[str]) -> list[str]:
    known = records.element_symbols()
    for symbol in symbols:
        if symbol not in known:
            raise FilterError(f"No element {symbol[:20]!r}. Write symbols: Ba, Ti, O.")
    return list(dict.fromkeys(symbols))


def _formula(text: str) -> str:
    if records.amounts(text) is None:
        raise FilterError(f"{text[:30]!r} is no formula. Write it like BaTiO3.")
    return text


def _identified(text: str) -> str:
    if records.candidate_id(text):
        return f'candidate_id = "{text}"'
    if records.material_id(text):
        return f'material_id = "{text}"'
    raise FilterError(f"{text[:40]!r} is no id. Write it like mp-2998.")


def _word(name: str, word: str) -> str:
    if records.word(name, word) is None:
        raise FilterError(f"{name} cannot be {word[:20]!r}.")
    return word


def _property(text: str) -> str:
    name = text.partition(".")[0]
    name = {"e_above_hull": "energy_above_hull"}.get(name, name)
    if name not in PROPERTIES:
        raise FilterError(f"No property {name[:40]!r}. {nearest(name, PROPERTIES)}")
    return name


def _dotted(text: str) -> str:
    name, _, method = text.partition(".")
    if name in ("nsites", "nelements", "spacegroup_number"):
        return name
    slug = "".join(c if c.isalnum() else "_" for c in method.lower())[:40]
    return f"{_property(name)}.{slug}" if slug else _property(name)


def _quoted(words: list[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _either(terms: Iterator[str]) -> str:
    listed = list(terms)
    return listed[0] if len(listed) == 1 else f"({' OR '.join(listed)})"


def briefing(ledger: Ledger, search_ref: str, refs: list[str], asks: tuple[str, ...]) -> dict[str, Any]:
    """What a model is shown of a search: admitted values only, each under the name of its placeholder.

    Args:
        ledger: Holds the search.
        search_ref: Such as `search1`.
        refs: Materials to show, the first ones.
        asks: Properties to show; without any, all.
    """
    entries = {entry.field: entry for entry in ledger.of(search_ref)}
    return {
        "search": search_ref,
        "asked": {"source": entries["count"].source, "filter": entries["count"].note},
        "values": {entry.field: value_text(entry) for entry in entries.values()},
        "materials": [material(ledger.of(ref), asks) for ref in refs[:MOST_TOLD]],
    }


def material(entries: list[Entry], asks: tuple[str, ...]) -> dict[str, Any]:
    """One material as a model sees it."""
    told = [e for e in entries if e.kind == "fact" or not asks or e.field in asks]
    values: dict[str, str] = {}
    for entry in told:
        method = f" ({entry.method})" if entry.method else ""
        key = entry.field if entry.field not in values else f"{entry.field}.{_slug(entry.method)}"
        values[key] = value_text(entry) + method
    return {"ref": entries[0].ref, "values": values}


def _slug(method: str) -> str:
    from ...core.properties import method_slug

    return method_slug(method)
