"""What a run tells about itself, for the report and the manifests."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

EARLIER = "earlier runs"
"""In the place of a generator: who found a crystal that stands from an earlier run."""
TOGETHER = " + "
"""Stands between the names of generators that proposed the same crystal."""


@dataclass(frozen=True)
class Asked:
    """What a run's question became.

    Attributes:
        filter: As the sources were asked it.
        assumptions: What was meant by which words.
        records: Known materials that match, as (id in its database or ours, reduced formula, link or nothing).
    """

    filter: str
    assumptions: tuple[str, ...]
    records: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Change:
    """What became of one candidate since the run before.

    Attributes:
        candidate_id: Who.
        formula: Reduced; empty if it is not known.
        was: Its place on the shortlist before; `None` if it had none.
        now: Its place on this one, likewise.
        reason: Why, in a clause.
    """

    candidate_id: str
    formula: str
    was: int | None
    now: int | None
    reason: str = ""


@dataclass(frozen=True)
class Since:
    """How a shortlist differs from that of the last finished run that asked the same question.

    Attributes:
        run_id: That run.
        finished: When it ended, ISO 8601, UTC; empty if it is not known.
        new: Who was not on the shortlist then, by place now.
        fell_off: Who was and is not any more, by place then.
        moved: Who is on both at different places, by place now.
        stayed: Who is on both at the same place.
    """

    run_id: str
    finished: str
    new: tuple[Change, ...] = ()
    fell_off: tuple[Change, ...] = ()
    moved: tuple[Change, ...] = ()
    stayed: tuple[Change, ...] = ()

    @property
    def sentence(self) -> str:
        """`3 new since run-1, 2 fell off, 4 moved.`"""
        told = [f"{len(self.new)} new since {self.run_id}", f"{len(self.fell_off)} fell off"]
        return f"{', '.join([*told, f'{len(self.moved)} moved'])}."

    @property
    def places_before(self) -> dict[str, int]:
        """Place on the shortlist before, by id, of those that were on it and are on this one."""
        both = (*self.moved, *self.stayed)
        return {change.candidate_id: change.was for change in both if change.was is not None}

    def to_record(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Since:
        """The inverse of `to_record`."""
        names = ("new", "fell_off", "moved", "stayed")
        groups = {name: tuple(Change(**fields) for fields in record[name]) for name in names}
        return cls(record["run_id"], record["finished"], **groups)


@dataclass(frozen=True)
class Look:
    """A region of chemistry: what earlier runs found in it, and how much this one looked there.

    Attributes:
        region: In words.
        tried: Crystals that earlier runs of the question relaxed.
        passed: How many of these passed.
        hoped: The yield to hope for, 0 to 1; `None` if the region was never tried.
        weight: 0 to 1, beside the best region.
        proposed: In this run.
        relaxed: In this run, left-over ones included.
        found: How many of those passed.
        reason: Why it was looked at so often.
    """

    region: str
    tried: int
    passed: int
    hoped: float | None
    weight: float
    proposed: int
    relaxed: int
    found: int
    reason: str


@dataclass(frozen=True)
class LessonSummary:
    """What DFT had taught when the run began.

    Attributes:
        version: Of the lesson.
        groups: What it says of each property, method and DFT, as a lesson holds it.
        pairs: Estimate beside DFT, as a lesson holds it, with `corrected` and its `deviation` where there is a correction.
    """

    version: str
    groups: tuple[dict[str, Any], ...] = ()
    pairs: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class RunSummary:
    """One run, without anything about the machine it ran on.

    Attributes:
        run_id: Name of the run in the store.
        preset: What it was asked for: `ferroelectric`.
        question: The user's own words, if there were any.
        seed: Root of its random streams.
        started: ISO 8601, UTC; empty if it shall not be told.
        elapsed_seconds: Wall time, s.
        models: Which model did what: `{"energies": "CHGNet 0.3.0"}`.
        hull: Name and date of the competing phases.
        sources: Where known materials came from: `{"catalog": "3,012 compounds, 2026-01"}`.
        versions: Programs and libraries: `{"hysteron": "0.1.0"}`.
        settings: The resolved RUN.toml.
        caveats: Sentences on what to mind in this run's numbers.
        asked: What was made of the question.
        since: What changed since the last finished run of the same question, if there was one.
        looked: Where earlier runs sent this one, the best regions first; empty without earlier runs.
        memory: What was taken over from earlier runs, in a sentence.
        lesson: What DFT results taught, if a lesson was used.
        asked_of_dft: Who gets DFT inputs, as (id, reduced formula, why).
    """

    run_id: str
    preset: str = ""
    question: str = ""
    seed: int | None = None
    started: str = ""
    elapsed_seconds: float | None = None
    models: dict[str, str] = field(default_factory=dict)
    hull: str = ""
    sources: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    caveats: tuple[str, ...] = ()
    asked: Asked | None = None
    since: Since | None = None
    looked: tuple[Look, ...] = ()
    memory: str = ""
    lesson: LessonSummary | None = None
    asked_of_dft: tuple[tuple[str, str, str], ...] = ()

    def identity(self) -> dict[str, Any]:
        """What decides the results: the same for equal runs but for `run_id`."""
        return {
            "run_id": self.run_id,
            "preset": self.preset,
            "question": self.question,
            "seed": self.seed,
            "models": self.models,
            "hull": self.hull,
            "sources": self.sources,
        }


@dataclass(frozen=True)
class FunnelStage:
    """How many went into a stage of a run, how many came out, and why the others did not.

    Attributes:
        name: As a reader would say it: `relaxed`, `stability`.
        entered: How many went in.
        left: How many came out.
        reasons: Why the others were set aside, counted.
        by_generator: How many of those that came out each generator proposed, in the run's order. A crystal that several
            proposed is counted once, under their names joined by `TOGETHER`; what nobody proposed was known before.
    """

    name: str
    entered: int
    left: int
    reasons: dict[str, int] = field(default_factory=dict)
    by_generator: dict[str, int] = field(default_factory=dict)
