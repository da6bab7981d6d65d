"""What is known of an element before it enters a fab: how much of it there is, whom it harms, what it does to silicon.

The table is `data/elements.csv`; its card says where each column comes from.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

TABLE = "elements.csv"


@dataclass(frozen=True)
class ElementFacts:
    """One row of the table; an empty text where nothing is known against the element.

    Attributes:
        abundance: In the Earth's crust, ppm by mass; `None` if the table has none.
        stable: Whether it has an isotope that does not decay, or decays so slowly that nobody minds.
        toxicity: `restricted`, `toxic`, `harmful`, or empty.
        toxicity_source: Who says so.
        contamination: `mobile ion`, `fast diffuser`, or empty.
        contamination_source: Likewise.
    """

    abundance: float | None
    stable: bool
    toxicity: str
    toxicity_source: str
    contamination: str
    contamination_source: str


@lru_cache(maxsize=1)
def element_facts() -> dict[str, ElementFacts]:
    """By symbol, hydrogen to curium."""
    text = resources.files("hysteron.data").joinpath(TABLE).read_text(encoding="utf-8")
    return {row["element"]: _facts(row) for row in csv.DictReader(text.splitlines())}


def _facts(row: dict[str, str]) -> ElementFacts:
    abundance = row["crustal_abundance_ppm"]
    return ElementFacts(
        abundance=float(abundance) if abundance else None,
        stable=row["stable_isotope"] == "yes",
        toxicity=row["toxicity"],
        toxicity_source=row["toxicity_source"],
        contamination=row["contamination"],
        contamination_source=row["contamination_source"],
    )
