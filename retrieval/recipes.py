"""A synthesis on record, condensed to what can be checked: steps, temperatures, times, atmospheres.

No sentence of a record is kept: operations and atmospheres are words of the lists below, formulas are
parsed, numbers carry units. So nothing that a record says can be an instruction to whoever reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

OPERATIONS = ("start", "mix", "shape", "dry", "heat", "quench")
"""The Materials Project's operation types (Kononova et al., Sci. Data 6, 203 (2019)) as verbs."""


@dataclass(frozen=True)
class RecipeStep:
    """One operation.

    Attributes:
        operation: One of `OPERATIONS`.
        temperatures_celsius: Every temperature the record gives for the step, ascending; empty if none.
        times_hours: Every duration the record gives, ascending; empty if none.
        atmospheres: Such as `air`, `O2`, `Ar`; empty if none is on record.
    """

    operation: str
    temperatures_celsius: tuple[float, ...] = ()
    times_hours: tuple[float, ...] = ()
    atmospheres: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """One published procedure.

    Attributes:
        recipe_id: Unique in an answer, without dots or braces: `recipe-1`.
        target: Reduced formula of what was made.
        precursors: Formulas, as the record gives them.
        synthesis_type: `solid-state`, `sol-gel`, `precipitation` or `hydrothermal`.
        steps: In order.
        doi: Of the paper.
        source: Database with its version.
    """

    recipe_id: str
    target: str
    precursors: tuple[str, ...]
    synthesis_type: str
    steps: tuple[RecipeStep, ...]
    doi: str
    source: str


@runtime_checkable
class RecipeSource(Protocol):
    """Whoever knows recipes."""

    name: str

    @property
    def version(self) -> str:
        """Of the data."""
        ...

    def recipes(self, formula: str) -> list[Recipe]:
        """Procedures whose target is this formula; empty if none is on record."""
        ...


def recipe_lines(recipe: Recipe) -> list[str]:
    """A procedure as lines of text, every number from the record."""
    made_from = " + ".join(recipe.precursors) or "precursors not on record"
    lines = [f"{recipe.target} by {recipe.synthesis_type} synthesis from {made_from}"]
    lines += [f"  {i}. {step_words(step)}" for i, step in enumerate(recipe.steps, 1)]
    return [*lines, f"  doi:{recipe.doi} ({recipe.source})"]


def step_words(step: RecipeStep) -> str:
    """`heat at 320 C for 12 h in N2`."""
    words = [step.operation]
    if step.temperatures_celsius:
        words.append(f"at {_listed(step.temperatures_celsius)} C")
    if step.times_hours:
        words.append(f"for {_listed(step.times_hours)} h")
    if step.atmospheres:
        words.append(f"in {', '.join(step.atmospheres)}")
    return " ".join(words)


def _listed(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)
