"""Which estimates and DFT values of one candidate belong together?

A pair is of one candidate, one property, one method of estimating and one DFT (functional, code and way to compute;
never two of them mixed). What counts is the estimate that was made before DFT answered, at the geometry that DFT was
given: that is the situation in which the next estimate will be corrected. The order of the provenance tells it:

- an estimate made before the last relaxation by a potential is of another geometry and left out;
- one made after DFT's own relaxation is of DFT's geometry: it is told apart, counted, and teaches no correction;
- a DFT value along an exported path, whose nonpolar end was not relaxed, is another quantity than an estimate between ends
  at rest, and is left out;
- where an earlier lesson kept the estimate that has been made anew since, the kept one counts (`with_kept`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from ...core.candidate import Candidate, PropertyValue, Step
from ...core.chemistry_families import chemistry_family
from ...core.learnt import LEARNABLE, NEVER_NEGATIVE, is_dft, is_estimate, teacher_of
from ...core.properties import LINEAR_PATH
from ...core.uncertainty import stated_deviation

AS_EXPORTED, OF_DFT = "as exported", "of DFT"
"""Where an estimate stands: at the geometry that DFT was given, or at the one it ended in."""
OF_A_PATH = "DFT's value is along an exported path, whose nonpolar end was not relaxed"
RELAXATION = "relaxation"
"""Name of the ingested step that moves atoms."""
Group = tuple[str, str, str]
"""Property, method of the estimate, and DFT."""


@dataclass(frozen=True)
class Pair:
    """An estimate and what DFT says.

    Attributes:
        candidate_id: Of whom.
        family: Class of chemistry (`core.chemistry_families`).
        name: The property.
        method: Of the estimate.
        teacher: The DFT, without the version of its code.
        estimate: In the property's unit.
        dft: In the same unit.
        uncertainty: Of the estimate, one standard deviation, if it states one.
        interval: Of the estimate, if it states one.
        coverage: Of the interval.
        geometry: `AS_EXPORTED` or `OF_DFT`.
    """

    candidate_id: str
    family: str
    name: str
    method: str
    teacher: str
    estimate: float
    dft: float
    uncertainty: float | None = None
    interval: tuple[float, float] | None = None
    coverage: float | None = None
    geometry: str = AS_EXPORTED

    @property
    def group(self) -> Group:
        """What it is compared within."""
        return self.name, self.method, self.teacher

    @property
    def error(self) -> float:
        """Estimate minus DFT; positive: the estimate is too high."""
        return self.estimate - self.dft

    @property
    def stated(self) -> float | None:
        """The deviation that the estimate states, at its wider word."""
        return stated_deviation(self.uncertainty, self.interval, self.coverage)

    @property
    def at_bound(self) -> bool:
        """Whether the estimate is a zero that means something of its own: a metal, no polarization."""
        return self.name in NEVER_NEGATIVE and self.estimate <= 0

    def to_record(self) -> dict[str, Any]:
        """As JSON."""
        return dataclasses.asdict(self) | {"interval": list(self.interval) if self.interval else None}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """The inverse of `to_record`."""
        fields: dict[str, Any] = dict(record)
        fields["interval"] = tuple(record["interval"]) if record["interval"] else None
        return cls(**fields)


@dataclass(frozen=True)
class LeftOut:
    """An estimate that is not held against DFT, and why."""

    candidate_id: str
    name: str
    method: str
    reason: str


def pairs_of(candidate: Candidate) -> tuple[list[Pair], list[LeftOut]]:
    """Every estimate of a candidate beside every DFT value of the same property."""
    pairs: list[Pair] = []
    left_out: list[LeftOut] = []
    for name in LEARNABLE:
        known = _by_teacher(candidate, name)
        for value in candidate.properties if known else ():
            if value.name != name or not is_estimate(value):
                continue
            if not any(map(_teaches, known)):
                left_out.append(LeftOut(candidate.candidate_id, name, value.method, OF_A_PATH))
                continue
            geometry = geometry_of(candidate.provenance, value)
            if geometry not in (AS_EXPORTED, OF_DFT):
                left_out.append(LeftOut(candidate.candidate_id, name, value.method, geometry))
                continue
            answers = {teacher: dft for teacher, dft in known.items() if _teaches(teacher)}
            pairs += [_pair(candidate, value, teacher, dft, geometry) for teacher, dft in answers.items()]
    return pairs, left_out


def with_kept(now: Iterable[Pair], kept: Iterable[Pair]) -> list[Pair]:
    """Pairs as the store has them, and those that an earlier lesson kept where the estimate has been made anew since.

    A kept pair takes the DFT value that is known now, if another one was ingested since. Sorted, each once.
    """

    def key(pair: Pair) -> tuple[str, ...]:
        return pair.candidate_id, *pair.group

    found = {key(pair): pair for pair in now}
    answers = {(p.candidate_id, p.name, p.teacher): p.dft for p in found.values()}
    for pair in kept:
        present = found.get(key(pair))
        if pair.geometry == AS_EXPORTED and (present is None or present.geometry != AS_EXPORTED):
            dft = answers.get((pair.candidate_id, pair.name, pair.teacher), pair.dft)
            found[key(pair)] = dataclasses.replace(pair, dft=dft)
    return [found[k] for k in sorted(found)]


def geometry_of(provenance: tuple[Step, ...], value: PropertyValue) -> str:
    """`AS_EXPORTED`, `OF_DFT`, or in words why it is neither."""
    made = _made_at(provenance, value)
    relaxed = [i for i, step in enumerate(provenance) if step.stage == "relax"]
    answered = [i for i, step in enumerate(provenance) if step.stage == "ingest"]
    moved = [i for i in answered if provenance[i].name == RELAXATION]
    first = answered[0] if answered else len(provenance)
    if made is None:
        return AS_EXPORTED if not moved else "it is not known whether it was made before DFT moved the atoms"
    after = [i for i in (*relaxed, *moved) if i < made]
    if moved and made > moved[0]:
        last = max(after)
        return OF_DFT if last in moved else "the crystal was relaxed by a potential after DFT had"
    if any(made < i < first for i in relaxed):
        return "the crystal was relaxed after it was made, and before DFT"
    if any(first < i < made for i in relaxed):
        return "the crystal was relaxed anew after DFT had answered"
    return AS_EXPORTED


def _made_at(provenance: tuple[Step, ...], value: PropertyValue) -> int | None:
    """Place of the last step that says it gave this value; `None` if no step does."""
    for i in range(len(provenance) - 1, -1, -1):
        step = provenance[i]
        if step.stage == "predict" and step.version.startswith(value.method):
            return i
        if step.stage == "screen" and [value.name, value.method] in map(
            list, step.details.get("properties", ())
        ):
            return i
    return None


def _by_teacher(candidate: Candidate, name: str) -> dict[str, float]:
    """The newest DFT value of each teacher."""
    return {
        teacher_of(p.method): float(p.value)
        for p in candidate.properties
        if p.name == name and is_dft(p.method) and isinstance(p.value, int | float)
    }


def _teaches(teacher: str) -> bool:
    """Whether it computes what the estimates estimate."""
    return not teacher.endswith(f"/{LINEAR_PATH}")


def _pair(candidate: Candidate, value: PropertyValue, teacher: str, dft: float, geometry: str) -> Pair:
    return Pair(
        candidate.candidate_id,
        chemistry_family(candidate.structure.composition),
        value.name,
        value.method,
        teacher,
        float(value.value),  # type: ignore[arg-type]
        dft,
        value.uncertainty,
        value.interval,
        value.coverage,
        geometry,
    )
