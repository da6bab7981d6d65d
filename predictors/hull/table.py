"""How far above the competing phases does a composition stand?

A `PhaseTable` holds the competing phases with energies of one potential; a `ConvexHull` finds, by linear
programming, the mixture of them with the lowest energy at a composition.

Elemental references are the lowest elemental phases of the table, computed by the same potential as all
others; no correction is added to what CHGNet learned (its training energies carry the MP2020 ones). For
oxygen the reference is a solid of O2 molecules, as in the Materials Project: mp-12957 relaxed by CHGNet
0.3.0 has -4.935 eV/atom. A lone O2 molecule in a 10 A box has -4.819 (bond 1.23 A) and the Materials
Project's corrected reference is -4.948: with the molecule as reference, oxides would seem more stable
by 0.12 eV per O atom.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from ...core.contracts import HullDistance
from ...core.errors import HullError, MissingDataError
from .errors import COVERAGE, ExpectedError, expected_error

if TYPE_CHECKING:
    from pymatgen.core import Composition

TABLE = "hull.csv.gz"
CARD = "hull.json"
COLUMNS = ("material_id", "formula", "energy_per_atom", "relaxed")
ELEMENT = re.compile(r"[A-Z][a-z]?")
SMALLEST_SHARE = 1e-6  # fraction of atoms below which a phase is not part of a decomposition
ON_COMPOSITION = 1e-9  # of the equality constraints, which are fractions


@dataclass(frozen=True)
class Phase:
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
            Project, over all classes of chemistry, or `None` if it was not measured.
        rest: All other fields of the card; `errors_by_class` is used where it stands there.
    """

    name: str
    potential: str
    single_point_excess: float
    model_error: float | None
    rest: dict[str, Any]


class PhaseTable:
    """Competing phases, found by the elements they hold."""

    def __init__(self, phases: Iterable[Phase], card: HullCard) -> None:
        self.phases = list(phases)
        self.card = card
        self._bits: dict[str, int] = {}
        masks = [self._mask(ELEMENT.findall(phase.formula)) for phase in self.phases]
        self._masks = np.array([[m & (2**60 - 1), m >> 60] for m in masks], dtype=np.uint64).reshape(-1, 2)
        self._subsystem = lru_cache(maxsize=256)(self._find_subsystem)

    @classmethod
    def load(cls, path: Path | str | None = None) -> PhaseTable:
        """Read a table: the path given, else that of `HYSTERON_HOME`, else the shipped one.

        Raises:
            MissingDataError: the table or its card is missing.
        """
        table = Path(path) if path is not None else table_file()
        if not table.is_file():
            raise MissingDataError(f"No hull table at {table}; 'hysteron data build hull' makes one.")
        card = table.with_name(CARD)
        if not card.is_file():
            raise MissingDataError(f"The hull table {table} has no card {CARD} beside it.")
        return cls(_read_phases(table), _read_card(card))

    def subsystem(self, elements: Iterable[str]) -> Subsystem:
        """All phases made of the given elements alone, as arrays; remembered."""
        return self._subsystem(tuple(sorted(set(elements))))

    def lowest_mixture(
        self, composition: Composition, leave_out: Iterable[str] = ()
    ) -> tuple[float, list[tuple[Phase, float]]]:
        """Energy (eV/atom) at a composition, and the phases there with their fractions of atoms.

        Raises:
            HullError: an element has no phase of its own.
        """
        amounts = {str(el): x for el, x in composition.fractional_composition.items()}
        system = self.subsystem(amounts)
        target = np.array([amounts[el] for el in system.elements])
        return system.lowest_mixture(target, frozenset(leave_out))

    def _find_subsystem(self, elements: tuple[str, ...]) -> Subsystem:
        allowed = self._mask(elements)
        outside = np.array([~allowed & (2**60 - 1), ~(allowed >> 60) & (2**60 - 1)], dtype=np.uint64)
        inside = np.flatnonzero(((self._masks & outside) == 0).all(axis=1))
        return Subsystem.of(elements, [self.phases[i] for i in inside])

    def _mask(self, elements: Iterable[str]) -> int:
        mask = 0
        for element in elements:
            mask |= 1 << self._bits.setdefault(element, len(self._bits))
        return mask


@dataclass(frozen=True)
class Subsystem:
    """The phases within a set of elements; those of equal composition sorted by energy.

    Attributes:
        elements: Sorted symbols.
        phases: In the order of the columns of `fractions`.
        fractions: Atomic fractions, shape `(nelements, nphases)`.
        energies: eV/atom, shape `(nphases,)`.
    """

    elements: tuple[str, ...]
    phases: list[Phase]
    fractions: np.ndarray
    energies: np.ndarray

    @classmethod
    def of(cls, elements: tuple[str, ...], phases: list[Phase]) -> Subsystem:
        """Arrays for the given phases."""
        columns = [[share.get(el, 0.0) for el in elements] for share in map(_shares, phases)]
        fractions = np.array(columns, dtype=float).reshape(len(phases), len(elements)).T
        return cls(elements, phases, fractions, np.array([p.energy_per_atom for p in phases], dtype=float))

    def lowest_mixture(
        self, target: np.ndarray, leave_out: frozenset[str] = frozenset()
    ) -> tuple[float, list[tuple[Phase, float]]]:
        """Energy (eV/atom) and phases, with their fractions of atoms, of the best mixture.

        Args:
            target: Atomic fractions of `elements`, shape `(nelements,)`.
            leave_out: Ids that do not compete.

        Raises:
            HullError: an element has no phase of its own.
        """
        from scipy.optimize import linprog

        kept = np.array([phase.material_id not in leave_out for phase in self.phases], dtype=bool)
        self._check_references(kept)
        columns = self._lowest_per_composition(kept)
        found = linprog(
            self.energies[columns],
            A_eq=self.fractions[:, columns],
            b_eq=target,
            bounds=(0, None),
            method="highs",
        )
        if found.status != 0:
            raise HullError(f"No mixture of phases in {'-'.join(self.elements)} was found: {found.message}")
        shares = [
            (self.phases[i], float(x)) for i, x in zip(columns, found.x, strict=True) if x > SMALLEST_SHARE
        ]
        return float(found.fun), sorted(shares, key=lambda item: -item[1])

    def _check_references(self, kept: np.ndarray) -> None:
        pure = self.fractions[:, kept].max(axis=1, initial=0.0) > 1 - ON_COMPOSITION
        missing = [el for el, there in zip(self.elements, pure, strict=True) if not there]
        if missing:
            raise HullError(
                f"energy_above_hull needs a phase of pure {', '.join(missing)}; the hull has none, "
                "and it is never taken as zero."
            )

    def _lowest_per_composition(self, kept: np.ndarray) -> np.ndarray:
        """Columns that can be part of a best mixture."""
        lowest: dict[tuple[float, ...], int] = {}
        for i in np.flatnonzero(kept):
            key = tuple(self.fractions[:, i].round(9))
            if key not in lowest or self.energies[i] < self.energies[lowest[key]]:
                lowest[key] = int(i)
        return np.array(list(lowest.values()), dtype=int)


class ConvexHullSettings(BaseModel):
    """Which table is used."""

    model_config = ConfigDict(extra="forbid")

    path: Path | None = None
    """A `hull.csv.gz` with its card beside it; else that of `HYSTERON_HOME`, else the shipped one."""


class ConvexHull:
    """Distances from a table of competing phases; implements `Hull`."""

    def __init__(self, table: PhaseTable | None = None, settings: ConvexHullSettings | None = None) -> None:
        self.table = table or PhaseTable.load((settings or ConvexHullSettings()).path)
        self.name = self.table.card.name
        self.potential_name = self.table.card.potential

    def distance(
        self, composition: Composition, energy_per_atom: float, leave_out: Iterable[str] = ()
    ) -> HullDistance:
        """Distance from the hull without the phases in `leave_out`; see `core.contracts.Hull`.

        The uncertainty joins, as independent, the error of the potential's distances for this class of
        chemistry (measured against the Materials Project; see `errors`) and, for each unrelaxed phase of
        the decomposition, its share times the spread of single points above relaxed energies. Both are on
        the table's card. The interval holds 90% and grows in proportion. A card without classes gives its
        one `model_error` and no interval.

        Raises:
            HullError: an element has no reference phase, or the energy is not finite.
        """
        if not math.isfinite(energy_per_atom):
            raise HullError(f"energy_per_atom of {composition.reduced_formula} is {energy_per_atom}.")
        lowest, mixture = self.table.lowest_mixture(composition, leave_out)
        distance = energy_per_atom - lowest
        error = self._error(composition, mixture)
        half_width = error.half_width if error else None
        return HullDistance(
            energy_above_hull=distance,
            uncertainty=error.sigma if error else None,
            decomposition=tuple((p.material_id, p.formula, round(share, 6)) for p, share in mixture),
            interval=None if half_width is None else (distance - half_width, distance + half_width),
            coverage=None if half_width is None else COVERAGE,
        )

    def _error(self, composition: Composition, mixture: list[tuple[Phase, float]]) -> ExpectedError | None:
        card = self.table.card
        expected = expected_error(card.rest.get("errors_by_class"), card.model_error, composition)
        if expected is None:
            return None
        unrelaxed = (share * card.single_point_excess for p, share in mixture if not p.relaxed)
        return expected.joined(math.hypot(*unrelaxed))


@lru_cache(maxsize=100_000)
def _formula_shares(formula: str) -> dict[str, float]:
    from pymatgen.core import Composition

    return {str(el): x for el, x in Composition(formula).fractional_composition.items()}


def _shares(phase: Phase) -> dict[str, float]:
    """Atomic fraction of each element of a phase."""
    return _formula_shares(phase.formula)


def table_file() -> Path:
    """The user's own table under `HYSTERON_HOME`, else the shipped one."""
    home = os.environ.get("HYSTERON_HOME") or "~/.local/share/hysteron"
    own = Path(home).expanduser() / "data" / TABLE
    return own if own.is_file() else Path(str(files("hysteron.data") / TABLE))


def _read_phases(path: Path) -> Iterator[Phase]:
    with gzip.open(path, "rt", newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            yield Phase(
                row["material_id"], row["formula"], float(row["energy_per_atom"]), row["relaxed"] == "true"
            )


def _read_card(path: Path) -> HullCard:
    fields = json.loads(path.read_text(encoding="utf-8"))
    return HullCard(
        name=fields.pop("name"),
        potential=fields.pop("potential"),
        single_point_excess=fields.pop("single_point_excess"),
        model_error=fields.pop("model_error"),
        rest=fields,
    )
