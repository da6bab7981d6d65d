"""The one traveller between stages: a crystal with its properties, lineage and verdicts.

Frozen: a stage returns a new one (`warm = cold.with_property(gap)`). Turns to JSON and back without
loss; `to_record` is the public JSONL record.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .errors import InputError
from .foreign import structure_from_dict
from .properties import describe, method_matches, method_rank, method_slug

if TYPE_CHECKING:
    from pymatgen.core import Structure

SCHEMA_VERSION = 1
STAGES = ("retrieve", "generate", "relax", "predict", "screen", "ingest")

Number = float | int
Value = Number | str | tuple[Number, ...]


@dataclass(frozen=True)
class PropertyValue:
    """A number that says where it came from.

    Attributes:
        name: A name of the property table.
        value: Finite; a tuple for a vector, a word for a text property.
        units: Must agree with the table.
        method: How it was found, with version: `CHGNet 0.3.0`.
        uncertainty: One standard deviation in `units`; `None` if not estimated.
        source: Where it came from: a table, a run, a database with its version.
        interval: Lower and upper end, in `units`, if the method gives one.
        coverage: The share of truths that `interval` should hold.

    Raises:
        InputError: unknown name, wrong unit, or a value that is not finite.
    """

    name: str
    value: Value
    units: str
    method: str
    uncertainty: float | None = None
    source: str = ""
    interval: tuple[float, float] | None = None
    coverage: float | None = None

    def __post_init__(self) -> None:
        row = describe(self.name)
        if self.units != row.units:
            raise InputError(f"{self.name} came in {self.units!r}, its unit is {row.units!r}.")
        if isinstance(self.value, list):
            object.__setattr__(self, "value", tuple(self.value))
        if isinstance(self.interval, list):
            object.__setattr__(self, "interval", tuple(self.interval))
        numbers = self.value if isinstance(self.value, tuple) else (self.value,)
        numbers = (*numbers, self.uncertainty, *(self.interval or ()))
        for number in numbers:
            if isinstance(number, float) and not math.isfinite(number):
                raise InputError(f"{self.name} is {number}; a property that is not known stays absent.")


@dataclass(frozen=True)
class Step:
    """One step of a candidate's life.

    Attributes:
        stage: One of `STAGES`.
        name: The component: `catalog`, `substitution`, `fire`.
        version: Its version, or that of its data or weights.
        config_hash: Hash of its settings.
        seed: Seed of its random stream, if it has one.
        parents: `candidate_id`s it was made from.
        time: ISO 8601, UTC.
        details: What else a reader wants to know (the exchange made, number of steps, converged).
    """

    stage: str
    name: str
    version: str = ""
    config_hash: str = ""
    seed: int | None = None
    parents: tuple[str, ...] = ()
    time: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise InputError(f"No stage {self.stage!r}. Known: {', '.join(STAGES)}.")
        if isinstance(self.parents, list):
            object.__setattr__(self, "parents", tuple(self.parents))


@dataclass(frozen=True)
class Verdict:
    """What a screen says of a candidate.

    Attributes:
        screen: Name of the screen.
        passed: A missing property is never a pass.
        score: 0 to 1, for ranking inside the screen; `None` if it cannot be given.
        value: The number that decided, if there is one.
        threshold: What it was held against.
        reason: One sentence.
        details: A free JSON object.
    """

    screen: str
    passed: bool
    score: float | None
    value: float | None
    threshold: float | None
    reason: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """A stage that could not treat a candidate says why, in one sentence."""

    stage: str
    name: str
    reason: str


@dataclass(frozen=True)
class Candidate:
    """A crystal with everything known of it. See the module's docstring."""

    candidate_id: str
    structure: Structure
    properties: tuple[PropertyValue, ...] = ()
    provenance: tuple[Step, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    failures: tuple[Failure, ...] = ()
    spacegroup_number: int | None = None

    @cached_property
    def formula(self) -> str:
        """Reduced formula as pymatgen writes it."""
        return self.structure.composition.reduced_formula

    def all_of(self, name: str, method: str | None = None) -> list[PropertyValue]:
        """Every value of a property, best method first; the newest first among equals."""
        return best_first(self.properties, name, method)

    def get(self, name: str, method: str | None = None) -> PropertyValue | None:
        """The best value of a property, or `None` if it was not computed."""
        describe(name)
        found = self.all_of(name, method)
        return found[0] if found else None

    def value(self, name: str, method: str | None = None) -> Any:
        """The bare value of `get`, or `None`."""
        found = self.get(name, method)
        return found.value if found else None

    def verdict(self, screen: str) -> Verdict | None:
        """What a screen said, or `None` if it was not asked."""
        return next((v for v in self.verdicts if v.screen == screen), None)

    def with_property(self, *values: PropertyValue) -> Candidate:
        """With values added; one of the same name and method is replaced."""
        replaced = {(p.name, p.method) for p in values}
        kept = tuple(p for p in self.properties if (p.name, p.method) not in replaced)
        return dataclasses.replace(self, properties=kept + values)

    def with_step(self, step: Step) -> Candidate:
        """With a step added to the provenance."""
        return dataclasses.replace(self, provenance=(*self.provenance, step))

    def with_verdict(self, verdict: Verdict) -> Candidate:
        """With a verdict; an earlier one of the same screen is replaced."""
        kept = tuple(v for v in self.verdicts if v.screen != verdict.screen)
        return dataclasses.replace(self, verdicts=(*kept, verdict))

    def with_failure(self, failure: Failure) -> Candidate:
        """With a failure added, once."""
        if failure in self.failures:
            return self
        return dataclasses.replace(self, failures=(*self.failures, failure))

    def with_structure(self, structure: Structure, spacegroup_number: int | None = None) -> Candidate:
        """With another geometry and the same id, as after a relaxation."""
        return dataclasses.replace(self, structure=structure, spacegroup_number=spacegroup_number)

    def to_record(self) -> dict[str, Any]:
        """The public JSONL record (finite JSON values only)."""
        return {
            "schema_version": SCHEMA_VERSION,
            "candidate_id": self.candidate_id,
            "formula": self.formula,
            "spacegroup_number": self.spacegroup_number,
            "structure": self.structure.as_dict(),
            "properties": [property_record(p) for p in self.properties],
            "provenance": [dataclasses.asdict(s) | {"parents": list(s.parents)} for s in self.provenance],
            "verdicts": [dataclasses.asdict(v) for v in self.verdicts],
            "failures": [dataclasses.asdict(f) for f in self.failures],
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Candidate:
        """The inverse of `to_record`.

        Raises:
            InputError: another schema version, or a record without a structure.
        """
        version = record.get("schema_version")
        if version != SCHEMA_VERSION:
            raise InputError(f"A record of schema version {version!r}; this program reads {SCHEMA_VERSION}.")
        if not record.get("structure"):
            raise InputError(f"The record {record.get('candidate_id')!r} has no structure.")
        return cls(
            candidate_id=record["candidate_id"],
            structure=structure_from_dict(record["structure"]),
            properties=tuple(PropertyValue(**p) for p in record["properties"]),
            provenance=tuple(Step(**s) for s in record["provenance"]),
            verdicts=tuple(Verdict(**v) for v in record["verdicts"]),
            failures=tuple(Failure(**f) for f in record["failures"]),
            spacegroup_number=record.get("spacegroup_number"),
        )


def best_first(
    properties: Sequence[PropertyValue], name: str, method: str | None = None
) -> list[PropertyValue]:
    """The values of one property, best method first; the newest first among equals.

    Args:
        properties: Oldest first, of any names.
        name: The property.
        method: Only methods whose slug is this one's or begins with it.
    """
    wanted = method_slug(method) if method else None
    found = [
        p
        for p in reversed(properties)
        if p.name == name and (wanted is None or method_matches(method_slug(p.method), wanted))
    ]
    return sorted(found, key=lambda p: method_rank(p.name, p.method))


def property_record(value: PropertyValue) -> dict[str, Any]:
    """A property as JSON; `interval` and `coverage` only where there are any."""
    record: dict[str, Any] = {
        "name": value.name,
        "value": list(value.value) if isinstance(value.value, tuple) else value.value,
        "units": value.units,
        "method": value.method,
        "uncertainty": value.uncertainty,
        "source": value.source,
    }
    if value.interval is not None:
        record["interval"] = list(value.interval)
        record["coverage"] = value.coverage
    return record
