"""What the report says of each candidate and stage, as plain values for the template."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ..core.candidate import Candidate, PropertyValue, Step
from ..core.properties import PROPERTIES, describe, method_slug
from .crystal import is_new, origin, spacegroup_number
from .report_words import (
    NOT_COMPUTED,
    count,
    decimals_of,
    formula,
    known_property,
    label,
    number,
    spacegroup,
    units,
    value_text,
)
from .run_summary import TOGETHER, FunnelStage

TABLE_PROPERTIES = (
    "energy_above_hull",
    "polarization",
    "polar_nonpolar_energy_difference",
    "switching_barrier",
    "band_gap",
    "vacancy_formation_energy",
    "migration_barrier",
)
"""Columns of the shortlist, where any candidate has them. The other properties stand with each candidate."""
REASONS_SHOWN = 6
COLOURS = 4
"""Colours of generators in the style sheet; the fifth generator has the first one's again."""
KNOWN = "known materials"
SHORT_BAR = 1 / 8
"""Of the longest bar; below it, up to `MOST_SINGLY` crystals are drawn one by one."""
MOST_SINGLY = 24
LONGEST_DETAIL = 160
MEASURED = ("experiment", "measured")
MOST_NOTES = 6
"""Footnotes of one column of the shortlist."""


@dataclass(frozen=True)
class Cell:
    """A number in the table: what is shown, what it sorts by, and the footnote of its method."""

    text: str | Markup
    sort: float | None
    note: str = ""


@dataclass(frozen=True)
class Column:
    """A property in the table; `notes` are (letter, method), the letter empty if there is one method only.

    Where there would be more than `MOST_NOTES` of them, sources are left out: each crystal's card tells its own.
    """

    name: str
    label: str
    units: str
    description: str
    notes: tuple[tuple[str, str], ...]


def columns(shortlist: Sequence[Candidate]) -> list[Column]:
    """The properties that any of the shortlist has, in the order of `TABLE_PROPERTIES`."""
    return [_column(name, shortlist) for name in TABLE_PROPERTIES if any(c.get(name) for c in shortlist)]


def _column(name: str, shortlist: Sequence[Candidate]) -> Column:
    found = [value for c in shortlist if (value := c.get(name))]
    methods = list(dict.fromkeys(map(_method, found)))
    if len(methods) > MOST_NOTES:
        methods = list(dict.fromkeys(value.method for value in found))
    letters = [_letter(i) for i in range(len(methods))] if len(methods) > 1 else [""]
    row = describe(name)
    return Column(
        name, label(name), units(row.units), row.description, tuple(zip(letters, methods, strict=True))
    )


def _letter(i: int) -> str:
    return chr(ord("a") + i) if i < 26 else f"{_letter(i // 26 - 1)}{_letter(i % 26)}"


def _method(found: PropertyValue) -> str:
    return f"{found.method}; {found.source}" if found.source else found.method


def table_cell(candidate: Candidate, column: Column) -> Cell:
    """The best value of a property, or "not computed"."""
    found = candidate.get(column.name)
    if found is None:
        return Cell(NOT_COMPUTED, None)
    letter = next(letter for letter, method in column.notes if method in (_method(found), found.method))
    sort = found.value if isinstance(found.value, float | int) else None
    return Cell(value_text(found), sort, letter)


def card(
    candidate: Candidate, rank: int, formulas: dict[str, str], table: Sequence[Column]
) -> dict[str, Any]:
    """Everything the report says of one candidate of the shortlist.

    Args:
        candidate: The candidate.
        rank: Its place, from 1.
        formulas: Formula by id, of every crystal of the run: for the parents.
        table: Columns of the shortlist.
    """
    structure = candidate.structure
    number_ = spacegroup_number(candidate)
    score = candidate.value("rank_score")
    return {
        "rank": rank,
        "id": candidate.candidate_id,
        "formula": formula(candidate.formula),
        "plain_formula": candidate.formula,
        "spacegroup": spacegroup(number_),
        "spacegroup_number": number_,
        "nsites": len(structure),
        "cell": _cell(candidate),
        "new": is_new(candidate),
        "origin": origin(candidate) or "unknown",
        "roads": [
            {"name": name or "unknown", "made_from": [_parent(parent, formulas) for parent in parents]}
            for name, parents in roads(candidate).items()
        ],
        "score": None
        if score is None
        else {"text": number(float(score), 2), "share": max(0.0, min(1.0, score))},
        "cells": [table_cell(candidate, column) for column in table],
        "passes": [label(v.screen) for v in candidate.verdicts if v.passed],
        "properties": [_property(p) for p in _best_first(candidate)],
        "verdicts": [
            {"screen": label(v.screen), "passed": v.passed, "reason": v.reason, "score": _score(v.score)}
            for v in candidate.verdicts
        ],
        "lineage": [_step(step, formulas) for step in candidate.provenance],
        "failures": [{"stage": f.stage, "name": f.name, "reason": f.reason} for f in candidate.failures],
    }


def roads(candidate: Candidate) -> dict[str, list[str]]:
    """Who brought the candidate in, each with the ids of what it made it from; several, if they found the same crystal."""
    found: dict[str, list[str]] = {}
    for step in candidate.provenance:
        if step.stage == candidate.provenance[0].stage:
            found[step.name] = list(dict.fromkeys((*found.get(step.name, ()), *step.parents)))
    return found or {"": []}


def _parent(identifier: str, formulas: dict[str, str]) -> dict[str, Any]:
    return {"id": identifier, "formula": formula(formulas[identifier]) if identifier in formulas else None}


def _cell(candidate: Candidate) -> str:
    lattice = candidate.structure.lattice
    lengths = ", ".join(f"{x:.3f}" for x in lattice.abc)
    angles = ", ".join(f"{x:.2f}".rstrip("0").rstrip(".") for x in lattice.angles)
    return f"{lengths} Å; {angles}°"


def _score(score: float | None) -> str:
    return "" if score is None else number(float(score), 2)


def _best_first(candidate: Candidate) -> list[PropertyValue]:
    """In the order of the property table, best method first; the score has a place of its own."""
    return [p for name in PROPERTIES if name != "rank_score" for p in candidate.all_of(name)]


def _property(found: PropertyValue) -> dict[str, str]:
    return {
        "label": label(found.name),
        "value": value_text(found),
        "units": units(found.units),
        "method": found.method,
        "source": found.source,
        "description": known_property(found.name),
    }


def _step(step: Step, formulas: dict[str, str]) -> dict[str, Any]:
    details = [(label(key), text) for key, value in step.details.items() if (text := _detail(value))]
    if step.seed is not None:
        details.append(("Seed", str(step.seed)))
    return {
        "stage": step.stage,
        "name": step.name,
        "version": step.version,
        "time": step.time,
        "parents": [_parent(parent, formulas) for parent in step.parents],
        "details": details,
    }


def _detail(value: Any) -> str:
    """A detail of a step in a few words; empty if it is too large to be read there."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | int):
        return number(value)
    if isinstance(value, dict):
        text = ", ".join(f"{key} → {_detail(item)}" for key, item in value.items())
    elif isinstance(value, list | tuple):
        text = ", ".join(_detail(item) for item in value)
    else:
        text = "" if value is None else str(value)
    return text if len(text) <= LONGEST_DETAIL else f"{text[: LONGEST_DETAIL - 1]}…"


def funnel_rows(funnel: Sequence[FunnelStage]) -> list[dict[str, Any]]:
    """Stages with bars in percent of the largest, reasons by count; of several generators, who proposed what is left."""
    key = funnel_key(funnel)
    # Thousands of known materials would leave slivers of the rest, in which no share can be seen.
    compared = [stage for stage in funnel if not (key and _is_all_known(stage))]
    widest = max((max(stage.entered, stage.left) for stage in compared), default=0) or 1
    return [_funnel_row(stage, widest) | {"parts": _parts(stage, key, widest)} for stage in funnel]


def funnel_key(funnel: Sequence[FunnelStage]) -> list[dict[str, Any]]:
    """Who proposed, as it is drawn, and last what was known before; nothing if there is one generator only."""
    names = list(dict.fromkeys(name for stage in funnel for name in stage.by_generator))
    several = {name: parts for name in names if (parts := _joined(name, names))}
    alone = [name for name in names if name not in several]
    if len(alone) < 2:
        return []
    key = [_key_entry(name, [alone.index(one) for one in several.get(name, (name,))]) for name in names]
    return [*key, {"name": KNOWN, "style": "", "note": "screened beside"}]


def _joined(name: str, names: Sequence[str]) -> tuple[str, ...]:
    """The generators whose names are joined in this one; none if it is the name of one generator."""
    parts = tuple(name.split(TOGETHER))
    return parts if len(parts) > 1 and all(part in names for part in parts) else ()


def _key_entry(name: str, places: Sequence[int]) -> dict[str, Any]:
    """In the colour of a generator, or striped in those of the first and last of several."""
    one, two = (places[i] % COLOURS + 1 for i in (0, -1))
    note = {1: "", 2: "proposed by both, counted once"}.get(len(places), "proposed by each, counted once")
    return {"name": name, "style": f"--one:var(--g{one});--two:var(--g{two})", "note": note}


def _is_all_known(stage: FunnelStage) -> bool:
    """Whether it only says how many materials were known to begin with."""
    return stage.entered == 0 and not any(stage.by_generator.values())


def _parts(stage: FunnelStage, key: Sequence[dict[str, Any]], widest: int) -> list[dict[str, Any]]:
    """Of those that left, how many each one proposed and how many were known; a generator is told even if it is none.

    Where the bar is too short to see them in it, a few are `drawn` one by one.
    """
    if not key:
        return []
    counts = [stage.by_generator.get(entry["name"], 0) for entry in key[:-1]]
    counts.append(stage.left - sum(counts))
    singly = stage.left <= MOST_SINGLY and stage.left < SHORT_BAR * widest
    parts = [
        entry | {"count": n, "text": number(n), "drawn": max(1, n) if singly else 1}
        for entry, n in zip(key, counts, strict=True)
    ]
    if _is_all_known(stage):
        return parts[-1:]
    return [part for part in parts if part["count"] > 0 or not part["note"]]


def _funnel_row(stage: FunnelStage, widest: int) -> dict[str, Any]:
    reasons = sorted(stage.reasons.items(), key=lambda item: (-item[1], item[0]))
    return {
        "name": label(stage.name),
        "started": stage.entered > 0,
        "entered": number(stage.entered),
        "left": number(stage.left),
        "lost": number(max(0, stage.entered - stage.left)),
        "gained": number(max(0, stage.left - stage.entered)) if stage.left > stage.entered else "",
        "entered_share": f"{min(100, 100 * stage.entered / widest):.2f}",
        "left_share": f"{min(100, 100 * stage.left / widest):.2f}",
        "beyond": stage.left > widest,
        "reasons": [(reason, number(times)) for reason, times in reasons[:REASONS_SHOWN]],
        "more": count(len(reasons) - REASONS_SHOWN, "more reason"),
        "more_reasons": [(reason, number(times)) for reason, times in reasons[REASONS_SHOWN:]],
    }


def predictions(shortlist: Sequence[Candidate]) -> list[dict[str, Any]]:
    """Each property of the shortlist: meaning, methods, how many have it, and its usual uncertainty."""
    rows = []
    for name in PROPERTIES:
        found = [p for c in shortlist if (p := c.get(name))]
        if found and name != "rank_score":
            rows.append(_prediction(name, found, len(shortlist)))
    return rows


def _prediction(name: str, found: Sequence[PropertyValue], total: int) -> dict[str, Any]:
    spreads = [p.uncertainty for p in found if p.uncertainty is not None]
    row = describe(name)
    typical = ""
    if spreads:
        middle = statistics.median(spreads)
        typical = f"{number(float(middle), decimals_of(middle))} {units(row.units)}".strip()
    return {
        "label": label(name),
        "units": units(row.units),
        "description": row.description,
        "methods": sorted({p.method for p in found}),
        "count": f"{len(found)} of {total}",
        "uncertainty": typical,
    }


def measured_count(shortlist: Sequence[Candidate]) -> int:
    """How many values of the shortlist come from an experiment."""
    return sum(method_slug(p.method).startswith(MEASURED) for c in shortlist for p in c.properties)
