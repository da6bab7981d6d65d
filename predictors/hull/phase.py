"""What is a competing phase, and what is known of the table that lists it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Phase(NamedTuple):
    """A competing phase: energy in eV/atom; `relaxed` by the potential, or at its published geometry."""

    material_id: str
    formula: str
    energy_per_atom: float
    relaxed: bool


@dataclass(frozen=True)
class HullCard:
    """What stands beside the table.

    Attributes:
        name: Of the hull, with its date: `mp-chgnet-2026-11`.
        potential: As `Potential.name`.
        single_point_excess: One standard deviation, eV/atom, of a published geometry's energy above
            the relaxed one, measured when the table was built.
        model_error: One standard deviation, eV/atom, of the distances against those of the Materials
            Project, or `None` if it was not measured.
        rest: All other fields of the card.
    """

    name: str
    potential: str
    single_point_excess: float
    model_error: float | None
    rest: dict[str, Any]
