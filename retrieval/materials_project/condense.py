"""How does a record of a synthesis become a recipe of steps, temperatures and times?

Nothing of the record's wording goes on: operations and atmospheres are looked up in lists, formulas are parsed,
numbers are brought to one unit, the DOI is cut out. A number whose unit is not listed is left out. Of steps of
one kind in a row, those that say nothing more are joined to their neighbour.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from ..recipes import Recipe, RecipeStep
from .documents import Document, dois, read, reduced_formula

OPERATIONS = {
    "StartingSynthesis": "start",
    "MixingOperation": "mix",
    "ShapingOperation": "shape",
    "DryingOperation": "dry",
    "HeatingOperation": "heat",
    "QuenchingOperation": "quench",
}
"""The Materials Project's names of operations, and ours."""
SYNTHESIS_TYPES = ("solid-state", "sol-gel", "precipitation", "hydrothermal")
UNKNOWN_TYPE = "unspecified"
HOURS = {
    "s": (1, 3600),
    "sec": (1, 3600),
    "second": (1, 3600),
    "min": (1, 60),
    "minute": (1, 60),
    "h": (1, 1),
    "hr": (1, 1),
    "hour": (1, 1),
    "d": (24, 1),
    "day": (24, 1),
    "week": (168, 1),
}
"""Of one unit, as numerator and denominator; a plural is read as its singular."""
CELSIUS = ("c", "celsius")
KELVIN = ("k", "kelvin")
ZERO_CELSIUS_KELVIN = 273.15
HOTTEST_CELSIUS = 5000.0
LONGEST_HOURS = 10_000.0
ATMOSPHERES = {
    "air": "air",
    "ambient": "air",
    "oxygen": "O2",
    "o2": "O2",
    "nitrogen": "N2",
    "n2": "N2",
    "argon": "Ar",
    "ar": "Ar",
    "hydrogen": "H2",
    "h2": "H2",
    "helium": "He",
    "he": "He",
    "ammonia": "NH3",
    "nh3": "NH3",
    "co2": "CO2",
    "co": "CO",
    "h2s": "H2S",
    "vacuum": "vacuum",
    "vacuo": "vacuum",
    "inert": "inert gas",
    "reducing": "reducing gas",
}
MOST_RECORDS = 500
MOST_STEPS = 100
MOST_PRECURSORS = 30
_HYDRATE_DOTS = re.compile("[\u00b7\u2022\u22c5*]")

Text = Annotated[str, StringConstraints(max_length=200)]


class _Value(Document):
    min_value: float | None = None
    max_value: float | None = None
    values: list[float] | None = None
    units: Text


class _Conditions(Document):
    heating_temperature: list[_Value] | None = None
    heating_time: list[_Value] | None = None
    heating_atmosphere: list[Text] | None = None


class _Operation(Document):
    type: Literal[
        "StartingSynthesis",
        "MixingOperation",
        "ShapingOperation",
        "DryingOperation",
        "HeatingOperation",
        "QuenchingOperation",
    ]
    conditions: dict[str, Any] | None = None


class _Material(Document):
    material_formula: Text


class _Synthesis(Document):
    doi: Text | None = None
    synthesis_type: Text | None = None
    target: dict[str, Any] | None = None
    targets_formula: list[Text] | None = None
    targets_formula_s: list[Text] | None = None
    precursors: list[Any] | None = None
    operations: list[Any] | None = None


def condense(raws: Iterable[Any], target: str, source: str) -> list[Recipe]:
    """Recipes for one target.

    Args:
        raws: Records as sent; those about other targets are passed over.
        target: Reduced formula.
        source: Database with its version.
    """
    found: dict[Recipe, None] = {}
    for raw in islice(raws, MOST_RECORDS):
        record, _ = read(_Synthesis, raw)
        if record is not None and target in set(_targets(record)):
            found.setdefault(_recipe(record, target, source))
    return [
        Recipe(f"recipe-{i}", r.target, r.precursors, r.synthesis_type, r.steps, r.doi, r.source)
        for i, r in enumerate(found, start=1)
    ]


def _recipe(record: _Synthesis, target: str, source: str) -> Recipe:
    kind = record.synthesis_type
    return Recipe(
        recipe_id="",
        target=target,
        precursors=tuple(dict.fromkeys(_precursors(record.precursors or []))),
        synthesis_type=kind if kind in SYNTHESIS_TYPES else UNKNOWN_TYPE,
        steps=tuple(_joined(_steps(record.operations or []))),
        doi=next(iter(dois([record.doi or ""])), ""),
        source=source,
    )


def _targets(record: _Synthesis) -> Iterator[str]:
    material, _ = read(_Material, record.target or {})
    named = [material.material_formula] if material else []
    for text in (*named, *(record.targets_formula or ()), *(record.targets_formula_s or ())):
        formula = reduced_formula(text)
        if formula:
            yield formula


def _precursors(raws: list[Any]) -> Iterator[str]:
    """Formulas as the record gives them, the dot of a hydrate in plain ASCII."""
    for raw in raws[:MOST_PRECURSORS]:
        material, _ = read(_Material, raw)
        parts = _HYDRATE_DOTS.split(material.material_formula) if material else []
        parts = [part.strip() for part in parts]
        if parts and all(reduced_formula(part.lstrip("0123456789")) for part in parts):
            yield ".".join(parts)


def _steps(raws: list[Any]) -> Iterator[RecipeStep]:
    for raw in raws[:MOST_STEPS]:
        operation, _ = read(_Operation, raw)
        if operation is None:
            continue
        conditions, _ = read(_Conditions, operation.conditions or {})
        conditions = conditions or _Conditions()
        yield RecipeStep(
            OPERATIONS[operation.type],
            _all(conditions.heating_temperature, celsius),
            _all(conditions.heating_time, hours),
            _atmospheres(conditions.heating_atmosphere or []),
        )


def _joined(steps: Iterable[RecipeStep]) -> list[RecipeStep]:
    joined: list[RecipeStep] = []
    for step in steps:
        bare = step == RecipeStep(step.operation)
        if bare and step.operation == "start":
            continue
        last = joined[-1] if joined else None
        if last is not None and last.operation == step.operation and bare:
            continue
        if last == RecipeStep(step.operation):
            joined.pop()
        joined.append(step)
    return joined


def _all(values: Sequence[_Value] | None, convert: Any) -> tuple[float, ...]:
    """Every number that some values give, in our unit, ascending."""
    found = set()
    for value in values or ():
        numbers = (value.min_value, value.max_value, *(value.values or ()))
        found |= {convert(number, value.units) for number in numbers if number is not None}
    return tuple(sorted(number for number in found if number is not None))


def celsius(number: float, unit: str) -> float | None:
    """A temperature in degrees Celsius; `None` in another unit, or if nothing can be so hot or cold."""
    plain = _plain(unit)
    if plain in KELVIN:
        number = round(number - ZERO_CELSIUS_KELVIN, 6)
    elif plain not in CELSIUS:
        return None
    return number if -ZERO_CELSIUS_KELVIN <= number <= HOTTEST_CELSIUS else None


def hours(number: float, unit: str) -> float | None:
    """A time in hours; `None` in another unit, or if no step takes so long."""
    plain = _plain(unit)
    factor = HOURS.get(plain) or HOURS.get(plain.removesuffix("s"))
    if factor is None:
        return None
    number = number * factor[0] / factor[1]
    return number if 0 < number <= LONGEST_HOURS else None


def _plain(unit: str) -> str:
    """A unit in small letters, without the degree sign."""
    letters = re.sub("[^a-z]", "", unit.lower())
    return letters.removeprefix("deg") or letters


def _atmospheres(texts: Iterable[str]) -> tuple[str, ...]:
    words = (word for text in texts for word in re.findall("[a-z0-9]+", text.lower()))
    return tuple(dict.fromkeys(ATMOSPHERES[word] for word in words if word in ATMOSPHERES))
