"""How does a value that was corrected by DFT results say what it was made from, and whose turn is it?

Its method names the lesson by the hash of its content, the estimate it corrects, and the DFT it was taught by:
`lesson 3f2a9c1b04de: GNN 2026-11 -> DFT/PBE/pw.x`. It stands beside the estimate, ranks just before it, and after any DFT or
measured value; of several lessons the one added last counts. What is measured, and what lessons are learned from, is
looked at without such values (`bare`).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .candidate import Candidate, PropertyValue

LEARNABLE = (
    "energy_above_hull",
    "band_gap",
    "polarization",
    "polar_nonpolar_energy_difference",
    "switching_barrier",
    "switching_barrier_per_atom",
    "vacancy_formation_energy",
    "migration_barrier",
)
"""Properties that mean the same by any method. Total energies are on a scale of their own in every code, and a formation
energy belongs to the hull's scale, so neither is held against DFT's."""
NEVER_NEGATIVE = frozenset({"band_gap", "polarization", "switching_barrier", "switching_barrier_per_atom"})
"""Of these zero is a statement of its own (a metal, no polarization, no barrier), and nothing lies below."""
REFERENCES = frozenset(
    {"experiment", "measured", "hse06", "gllb_sc", "r2scan", "pbe_u", "pbe", "dft", "berry_phase"}
)
"""Methods, as slugs, of values that DFT or an experiment gave already: they are no estimates and are not corrected."""
_LEARNT = re.compile(r"lesson (?P<version>[0-9a-f]{12}): (?P<base>.+) -> (?P<teacher>DFT/.+)")


@dataclass(frozen=True)
class Learnt:
    """What the method of a corrected value says.

    Attributes:
        version: Of the lesson: hash of its content.
        base: Method of the estimate that was corrected.
        teacher: The DFT that it was taught by, without the version of the code.
    """

    version: str
    base: str
    teacher: str

    @property
    def method(self) -> str:
        """As it is written in `PropertyValue.method`."""
        return f"lesson {self.version}: {self.base} -> {self.teacher}"


@lru_cache(maxsize=4096)
def read_learnt(method: str) -> Learnt | None:
    """What a method says, if it is that of a corrected value."""
    found = _LEARNT.fullmatch(method) if method.startswith("lesson ") else None
    return Learnt(**found.groupdict()) if found else None


def is_dft(method: str) -> bool:
    """Whether a DFT code computed the value for the very crystal."""
    return method.startswith("DFT/")


def teacher_of(method: str) -> str:
    """A DFT method without the version of its code: `DFT/PBE/pw.x 6.7/Berry phase` is `DFT/PBE/pw.x/Berry phase`.

    Functionals, codes and ways to compute stay apart; a new release of a code goes on with what the last one taught.
    """
    parts = method.split("/")
    if len(parts) > 2:
        parts[2] = re.sub(r" \d[\d.]*$", "", parts[2])
    return "/".join(parts)


def functional_of(method: str) -> str | None:
    """The functional that a DFT value has, or that a corrected one was taught by: `PBE+U`; `None` of any other method."""
    learnt = read_learnt(method)
    parts = (learnt.teacher if learnt else method).split("/")
    return parts[1] if parts[0] == "DFT" and len(parts) > 1 else None


def is_estimate(value: PropertyValue) -> bool:
    """Whether DFT has something to say about a value: a number of a learnable property, by neither DFT nor experiment."""
    from .properties import method_slug

    return (
        value.name in LEARNABLE
        and isinstance(value.value, int | float)
        and not is_dft(value.method)
        and read_learnt(value.method) is None
        and method_slug(value.method) not in REFERENCES
    )


def bare(candidate: Candidate) -> Candidate:
    """Without corrected values."""
    kept = tuple(p for p in candidate.properties if read_learnt(p.method) is None)
    return (
        candidate
        if len(kept) == len(candidate.properties)
        else dataclasses.replace(candidate, properties=kept)
    )


def learnt_values(candidate: Candidate) -> tuple[PropertyValue, ...]:
    """Its corrected values, the oldest first."""
    return tuple(p for p in candidate.properties if read_learnt(p.method) is not None)


def still_valid(values: Iterable[PropertyValue], before: Candidate, now: Candidate) -> list[PropertyValue]:
    """Of corrected values those whose estimate is what it was."""
    was, present = (
        {(p.name, p.method): p.value for p in candidate.properties} for candidate in (before, now)
    )
    found = []
    for value in values:
        learnt = read_learnt(value.method)
        key = (value.name, learnt.base) if learnt else None
        if key in present and present[key] == was.get(key):
            found.append(value)
    return found
