"""Can a material be made, and does it last, at the temperatures that the wiring of a chip allows?

What is built on finished transistors must not see much more than 400 C (back end of line). Two questions are put to
`data/process_temperatures.csv`: at which temperature does the material melt or decompose, and at which is it made? A row on
the formula answers before one on its family of chemistry. Where no row does, the answer is that nobody knows here.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

from .process_families import process_family

if TYPE_CHECKING:
    from pymatgen.core import Composition

TABLE = "process_temperatures.csv"
LOSSES = frozenset({"melting", "decomposition"})
MAKINGS = frozenset({"deposition", "crystallization"})
Outcome = Literal["fits", "heat_sensitive", "high_process_temperature", "process_unknown"]


@dataclass(frozen=True)
class ProcessStep:
    """One row of the table.

    Attributes:
        subject: Reduced formula or family.
        what: `melting`, `decomposition`, `deposition` or `crystallization`.
        celsius: At which temperature.
        form: What is made: `amorphous film`.
        source: Where it comes from.
        verified: Whether a text that says so was read for the table.
    """

    subject: str
    what: str
    celsius: float
    form: str
    source: str
    verified: bool

    def __str__(self) -> str:
        form = f", {self.form}" if self.form else ""
        return f"{self.what} of {self.subject} at {self.celsius:g} C{form}"

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "subject": self.subject,
            "what": self.what,
            "celsius": self.celsius,
            "form": self.form,
            "source": self.source,
            "verified": self.verified,
        }


@dataclass(frozen=True)
class ThermalBudget:
    """How a material stands to a temperature limit.

    Attributes:
        outcome: `fits` if a film is made within the limit and nothing is known to be lost there.
        sentence: The same in words.
        lost: The coolest way to lose it that is known.
        made: The coolest way to make it that is known.
    """

    outcome: Outcome
    sentence: str
    lost: ProcessStep | None
    made: ProcessStep | None

    @property
    def deciding(self) -> ProcessStep | None:
        """The row behind the outcome."""
        return self.lost if self.outcome == "heat_sensitive" else self.made

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "outcome": self.outcome,
            "lost": self.lost.record() if self.lost else None,
            "made": self.made.record() if self.made else None,
        }


def judge_thermal_budget(composition: Composition, limit_celsius: float) -> ThermalBudget:
    """Whether a composition can be made and lasts up to a temperature.

    Args:
        composition: Its formula is looked up reduced, then its family.
        limit_celsius: Of the process, such as 400 for the back end of line.
    """
    lost, made = _coolest(composition, LOSSES), _coolest(composition, MAKINGS)
    if lost is not None and lost.celsius <= limit_celsius:
        return ThermalBudget("heat_sensitive", f"does not last at {limit_celsius:g} C: {lost}", lost, made)
    if made is None:
        sentence = f"no row tells how it is made, so whether it fits {limit_celsius:g} C is not known"
        return ThermalBudget("process_unknown", sentence, lost, None)
    if made.celsius > limit_celsius:
        sentence = f"no film is known within {limit_celsius:g} C: {made}"
        return ThermalBudget("high_process_temperature", sentence, lost, made)
    return ThermalBudget("fits", f"made within {limit_celsius:g} C: {made}", lost, made)


def _coolest(composition: Composition, kinds: frozenset[str]) -> ProcessStep | None:
    for subject in (composition.reduced_formula, process_family(composition)):
        rows = [step for step in process_steps().get(subject or "", ()) if step.what in kinds]
        if rows:
            return min(rows, key=lambda step: step.celsius)
    return None


@lru_cache(maxsize=1)
def process_steps() -> dict[str, tuple[ProcessStep, ...]]:
    """The shipped table by reduced formula and by family."""
    from pymatgen.core import Composition

    text = resources.files("hysteron.data").joinpath(TABLE).read_text(encoding="utf-8")
    steps: dict[str, list[ProcessStep]] = {}
    for row in csv.DictReader(text.splitlines()):
        subject = row["family"] or Composition(row["formula"]).reduced_formula
        step = ProcessStep(
            subject,
            row["what"],
            float(row["temperature_celsius"]),
            row["form"],
            row["source"],
            row["verified"] == "yes",
        )
        steps.setdefault(subject, []).append(step)
    return {subject: tuple(rows) for subject, rows in steps.items()}
