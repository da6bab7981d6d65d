"""What does a ferroelectric verdict tell of the way a crystal switches, as far as it can be trusted?

A verdict's `details` is a free JSON object; `foreign_details` says how it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..core.candidate import Candidate
from .foreign_details import each, mapping, number, numbers, positive, text, truth

SCREEN = "ferroelectric"
MOST_PARENTS = 5
MOST_ROWS = 40
"""Estimates and criteria shown at most."""
LARGEST_ENERGY = 1e5  # meV/atom; a path above it is no path of a crystal
LARGEST_DISPLACEMENT_ANGSTROM = 10.0
STATUSES = ("passed", "failed", "missing", "not computed")


@dataclass(frozen=True)
class FoundSymmetry:
    """The group of the crystal at one tolerance; `symprec` in A, `None` if it is not told."""

    spacegroup_number: int
    point_group: str
    polar: bool | None
    symprec: float | None


@dataclass(frozen=True)
class FoundParent:
    """A nonpolar parent: largest displacement in A, largest strain of the cell, who found it.

    `energy_above_polar` is relaxed, in meV/atom, and negative where the parent lies below the polar crystal; `None` if it
    was not computed.
    """

    spacegroup_number: int
    distortion_max: float | None
    strain: float | None
    found_by: tuple[str, ...]
    energy_above_polar: float | None

    @property
    def is_reversal(self) -> bool:
        """Whether only the reversal of the polar state gave it, so that it is no nonpolar crystal."""
        return self.found_by == ("reversal",)


@dataclass(frozen=True)
class SwitchingPath:
    """Energies along the path.

    Attributes:
        kind: `linear` or `NEB`; empty if it is not told.
        reversed: From the reversed polar state (-P) instead of a nonpolar parent.
        fractions: 0 is the beginning, 1 the polar end; ascending, shape `(nimages,)`.
        energies: Relative to the polar end, meV/atom, shape `(nimages,)`.
        barrier_per_atom: Highest image minus the polar end, meV/atom.
        barrier: The same, eV/f.u.; `None` if it is not told.
        difference: Polar minus nonpolar end, meV/atom; `None` if it is not told.
        note: What else is said of it.
    """

    kind: Literal["linear", "NEB", ""]
    reversed: bool
    fractions: np.ndarray
    energies: np.ndarray
    barrier_per_atom: float
    barrier: float | None
    difference: float | None
    note: str

    @property
    def highest(self) -> int:
        """Index of the highest image."""
        return int(np.argmax(self.energies))

    @property
    def kind_in_words(self) -> str:
        """`linear path, upper bound`."""
        return {"linear": "linear path, upper bound", "NEB": "NEB"}.get(self.kind, "path of unstated kind")


@dataclass(frozen=True)
class PathEnd:
    """One relaxed end of the path."""

    spacegroup_number: int | None
    converged: bool | None
    collapsed: bool


@dataclass(frozen=True)
class Estimate:
    """A proxy for what a device would show; without a value it says why."""

    name: str
    value: float | None
    units: str
    method: str
    reason: str


@dataclass(frozen=True)
class JudgedCriterion:
    """One criterion of the verdict, as `screening.criteria.Criterion` records it."""

    name: str
    status: str
    sentence: str
    value: float | None
    threshold: float | None
    units: str
    required: bool

    @property
    def bound(self) -> str:
        """The threshold with the side on which it has to be met: `>= 1`; empty if there is none.

        A criterion that passed lies on the right side of its threshold, one that failed on the wrong one.
        """
        if self.threshold is None:
            return ""
        text = f"{self.threshold:.4g}"
        if self.value is None or self.value == self.threshold or self.status not in ("passed", "failed"):
            return text
        return f"{'>=' if (self.value > self.threshold) == (self.status == 'passed') else '<='} {text}"


@dataclass(frozen=True)
class Mechanism:
    """What switches, and whether this method can judge it."""

    kind: str
    assessable: bool | None
    reason: str


@dataclass(frozen=True)
class Switching:
    """All that a verdict tells; what is absent or malformed is empty or `None`.

    Attributes:
        displacements: Polar minus parent, Cartesian, A, shape `(nsites, 3)`.
        quantum: Norms along the three lattice vectors, uC/cm^2.
        ends_method: How the ends were relaxed.
    """

    symmetry: tuple[FoundSymmetry, ...] = ()
    parents: tuple[FoundParent, ...] = ()
    path: SwitchingPath | None = None
    displacements: np.ndarray | None = None
    polar_end: PathEnd | None = None
    parent_end: PathEnd | None = None
    ends_method: str = ""
    quantum: tuple[float, ...] = ()
    effective_charges: tuple[tuple[str, float], ...] = ()
    mechanism: Mechanism | None = None
    estimates: tuple[Estimate, ...] = ()
    criteria: tuple[JudgedCriterion, ...] = ()

    @property
    def parent_number(self) -> int | None:
        """Space group of the end where the path begins: as it is after its relaxation, or as it was found."""
        if self.parent_end is not None and self.parent_end.spacegroup_number is not None:
            return self.parent_end.spacegroup_number
        return self.parents[0].spacegroup_number if self.parents else None


def switching(candidate: Candidate) -> Switching | None:
    """What the ferroelectric screen has told of a candidate, or `None` if it was not asked."""
    verdict = candidate.verdict(SCREEN)
    if verdict is None:
        return None
    details = mapping(verdict.details)
    ends = mapping(details.get("ends"))
    return Switching(
        symmetry=each(details.get("symmetry"), _symmetry, MOST_ROWS),
        parents=each(details.get("parents"), _parent, MOST_PARENTS),
        path=_path(mapping(details.get("path"))),
        displacements=_displacements(details.get("displacements"), len(candidate.structure)),
        polar_end=_end(ends.get("polar")),
        parent_end=_end(ends.get("parent")),
        ends_method=text(ends.get("method")),
        quantum=_triple(details.get("quantum")),
        effective_charges=_charges(details.get("effective_charges")),
        mechanism=_mechanism(mapping(details.get("mechanism"))),
        estimates=each(details.get("estimates"), _estimate, MOST_ROWS),
        criteria=_criteria(details),
    )


def _symmetry(record: dict[str, Any]) -> FoundSymmetry | None:
    group = _group(record)
    if group is None:
        return None
    return FoundSymmetry(
        group, text(record.get("point_group"), 8), truth(record.get("polar")), positive(record, "symprec")
    )


def _parent(record: dict[str, Any]) -> FoundParent | None:
    group = _group(record)
    if group is None:
        return None
    found_by = record.get("found_by")
    names = found_by if isinstance(found_by, list | tuple) else [found_by]
    return FoundParent(
        group,
        positive(record, "distortion_max"),
        positive(record, "strain"),
        tuple(name for one in names[:MOST_PARENTS] if (name := text(one, 24))),
        number(record.get("energy_above_polar")),
    )


def _path(record: dict[str, Any]) -> SwitchingPath | None:
    fractions, energies = numbers(record.get("fractions")), numbers(record.get("energies"))
    if fractions is None or energies is None or len(fractions) != len(energies):
        return None
    ordered = bool((np.diff(fractions) > 0).all()) and fractions[0] >= -1e-6 and fractions[-1] <= 1 + 1e-6
    if not ordered or np.abs(energies).max() > LARGEST_ENERGY:
        return None
    told = number(record.get("barrier_per_atom"))
    kind = {"linear": "linear", "neb": "NEB"}.get(text(record.get("kind"), 12).lower(), "")
    return SwitchingPath(
        kind=kind,  # type: ignore[arg-type]
        reversed=record.get("from") == "reversed",
        fractions=fractions,
        energies=energies,
        barrier_per_atom=float(energies.max() - energies[-1]) if told is None or told < 0 else told,
        barrier=positive(record, "barrier"),
        difference=number(record.get("difference")),
        note=text(record.get("note")),
    )


def _displacements(value: Any, nsites: int) -> np.ndarray | None:
    """Shape `(nsites, 3)`, A; `None` unless every atom of the candidate has one that is possible."""
    if not isinstance(value, list | tuple) or len(value) != nsites:
        return None
    rows = [_triple(row) for row in value]
    if not all(rows):
        return None
    moves = np.array(rows)
    return moves if np.linalg.norm(moves, axis=1).max() <= LARGEST_DISPLACEMENT_ANGSTROM else None


def _end(value: Any) -> PathEnd | None:
    record = mapping(value)
    if not record:
        return None
    return PathEnd(_group(record), truth(record.get("converged")), record.get("collapsed") is True)


def _mechanism(record: dict[str, Any]) -> Mechanism | None:
    told = Mechanism(
        text(record.get("kind"), 40), truth(record.get("assessable")), text(record.get("reason"))
    )
    return told if told.kind or told.reason or told.assessable is not None else None


def _estimate(record: dict[str, Any]) -> Estimate | None:
    name = text(record.get("name"), 60)
    if not name:
        return None
    words = (text(record.get(key)) for key in ("units", "method", "reason"))
    return Estimate(name, number(record.get("value")), *words)


def _criteria(details: dict[str, Any]) -> tuple[JudgedCriterion, ...]:
    required = details.get("required")
    needed = (
        {name for name in required if isinstance(name, str)} if isinstance(required, list | tuple) else set()
    )

    def read(record: dict[str, Any]) -> JudgedCriterion | None:
        name, status = text(record.get("name"), 60), record.get("status")
        if not name or status not in STATUSES:
            return None
        value, threshold = number(record.get("value")), number(record.get("threshold"))
        sentence, units = text(record.get("sentence")), text(record.get("units"), 20)
        return JudgedCriterion(name, status, sentence, value, threshold, units, record["name"] in needed)

    return each(details.get("criteria"), read, MOST_ROWS)


def _charges(value: Any) -> tuple[tuple[str, float], ...]:
    pairs = [(text(ion, 12), number(charge)) for ion, charge in list(mapping(value).items())[:MOST_ROWS]]
    return tuple((ion, charge) for ion, charge in pairs if ion and charge is not None)


def _group(record: dict[str, Any]) -> int | None:
    """A space group's number; its symbol is ours, so that no foreign one has to be trusted."""
    number = record.get("spacegroup_number")
    return number if type(number) is int and 1 <= number <= 230 else None


def _triple(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list | tuple) or len(value) != 3:
        return ()
    found = [number(one) for one in value]
    return () if None in found else tuple(one for one in found if one is not None)
