"""How are predictions shown: one line a property, with its interval and whether the network knows such crystals."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.candidate import Candidate, PropertyValue, Step


def print_predictions(candidates: Sequence[Candidate], inputs: Sequence[str]) -> None:
    """The table for people: what the last prediction added to each candidate.

    Args:
        candidates: As they come from a predictor.
        inputs: The path each one came from.
    """
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    table = Table(header_style="bold", pad_edge=False, box=None)
    for heading, justify in (
        ("input", "left"),
        ("candidate", "left"),
        ("property", "left"),
        ("value", "right"),
        ("90% interval", "right"),
        ("unit", "left"),
        ("domain", "left"),
    ):
        table.add_column(heading, justify=justify, no_wrap=heading != "input", overflow="fold")  # type: ignore[arg-type]
    methods: dict[str, None] = {}
    for candidate, where in zip(candidates, inputs, strict=True):
        step = _last_prediction(candidate)
        values = [] if step is None else [p for p in candidate.properties if _is_of(step, p)]
        for i, value in enumerate(values):
            methods[f"{value.name} by {value.method}: {_without_domain(value)}"] = None
            first = (where, candidate.candidate_id) if i == 0 else ("", "")
            table.add_row(
                *first, value.name, _number(value.value), _interval(value), value.units, _domain(value, step)
            )
    console.print(table)
    for line in methods:
        console.print(line, style="dim", markup=False)


def _last_prediction(candidate: Candidate) -> Step | None:
    steps = [step for step in candidate.provenance if step.stage == "predict"]
    return steps[-1] if steps else None


def _is_of(step: Step, value: PropertyValue) -> bool:
    """Whether a prediction gave the value: its method is the component, or stands in the component's version."""
    return value.method == step.name or value.method in step.version


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _interval(value: PropertyValue) -> str:
    return "-" if value.interval is None else f"{value.interval[0]:.3f} to {value.interval[1]:.3f}"


def _domain(value: PropertyValue, step: Step | None) -> str:
    if step is None or "in_domain" not in step.details:
        return "-"
    return "outside" if "outside its domain" in value.source else "in"


def _without_domain(value: PropertyValue) -> str:
    return value.source.split(";")[0]
