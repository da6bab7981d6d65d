"""What a question became: a filter, every assumption made on the way, and what is to be told.

The planner makes a `Plan` from plain words, a language model's tools make the same one from typed arguments,
and `answer.carry_out` asks a source. So both roads meet in one filter that the user can read and repeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["materials", "count", "synthesis"]


@dataclass(frozen=True)
class Plan:
    """A question as a source can be asked it.

    Attributes:
        question: The user's own words.
        filter: In the OPTIMADE language with our names; `None` asks for everything.
        assumptions: One sentence for each word whose meaning was chosen, such as
            `near the hull: energy_above_hull <= 0.05 eV/atom`.
        sort: A field or property; a leading `-` puts the greatest first.
        limit: At most so many.
        asks: Properties that the question wants told.
        kind: `materials` lists them, `count` says how many, `synthesis` wants recipes.
        targets: Reduced formulas whose synthesis is asked for.
    """

    question: str
    filter: str | None
    assumptions: tuple[str, ...] = ()
    sort: str | None = None
    limit: int | None = None
    asks: tuple[str, ...] = ()
    kind: Kind = "materials"
    targets: tuple[str, ...] = ()
