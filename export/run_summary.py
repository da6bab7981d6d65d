"""What a run tells about itself, for the report and the manifests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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
