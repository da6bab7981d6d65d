"""How far above the competing phases does a composition stand?

A `PhaseTable` holds the competing phases with energies of one potential; a `ConvexHull` measures from the
mixture of them with the lowest energy at a composition. What is known of a system of elements is kept, so
that many candidates cost little more than their first.

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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import combinations
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ...core.contracts import ChemicalPotentials, HullDistance, HullQuery, Potential
from ...core.errors import HullError, InputError, MissingDataError
from .errors import COVERAGE, ExpectedError, expected_error
from .formula import atomic_fractions
from .phase import HullCard, Phase
from .subsystem import Family, Shares, Subsystem

if TYPE_CHECKING:
    from pymatgen.core import Composition

DEFAULT_POTENTIAL = "chgnet"
COLUMNS = ("material_id", "formula", "energy_per_atom", "relaxed")
ELEMENT = re.compile(r"[A-Z][a-z]?")
ON_HULL = 0.002  # eV/atom: two relaxations of one crystal seldom end further apart
SYSTEMS_KEPT = 1024  # some 10 kB each, and as much again for the simplices found in it
MOST_SUBSETS = 12  # elements of which all subsets are looked up; with more, all families are looked at


def slug(potential: str) -> str:
    """The name of a potential as it stands in the names of files: `mace:/a/b.model` is `mace-a-b.model`."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", potential).strip("-")


def table_name(potential: str = DEFAULT_POTENTIAL) -> str:
    """The file of a registered potential's table: `hull.csv.gz`, or `hull-NAME.csv.gz` for others."""
    return "hull.csv.gz" if potential == DEFAULT_POTENTIAL else f"hull-{slug(potential)}.csv.gz"


def card_file(table: Path) -> Path:
    """The card beside a table: `hull-NAME.json` beside `hull-NAME.csv.gz`."""
    return table.with_name(table.name.removesuffix(".csv.gz") + ".json")


TABLE = table_name()
CARD = card_file(Path(TABLE)).name


class PhaseTable:
    """Competing phases, found by the elements they hold."""

    def __init__(self, phases: Iterable[Phase], card: HullCard) -> None:
        self.phases = list(phases)
        self.card = card
        self._members: dict[tuple[str, ...], list[Phase]] = {}
        for phase in self.phases:
            key = tuple(sorted(set(ELEMENT.findall(phase.formula))))
            self._members.setdefault(key, []).append(phase)
        self._families: dict[tuple[str, ...], Family] = {}
        self._subsystem = lru_cache(maxsize=SYSTEMS_KEPT)(self._find_subsystem)

    @classmethod
    def load(cls, path: Path | str | None = None, potential: str = DEFAULT_POTENTIAL) -> PhaseTable:
        """Read a table: the path given, else that of `HYSTERON_HOME`, else the shipped one.

        Args:
            path: A table with its card beside it.
            potential: Whose table, if no path is given; the name it is registered under.

        Raises:
            MissingDataError: the table or its card is missing.
        """
        table = found_table(path, potential)
        return cls(read_phases(table), read_card(table))

    def subsystem(self, elements: Iterable[str]) -> Subsystem:
        """All phases made of the given elements alone; remembered."""
        return self._subsystem(tuple(sorted(set(elements))))

    def lowest_mixtures(
        self, queries: Sequence[tuple[Mapping[str, float], Iterable[str]]]
    ) -> list[tuple[float, Shares] | HullError]:
        """Energy (eV/atom) and phases, with their fractions of atoms, of each best mixture.

        Args:
            queries: Atoms of each element, in any unit, and the ids that do not compete.

        Returns:
            In order; an error in the place of a composition that has no atoms, or an element without a
            phase of its own.
        """
        found: list[tuple[float, Shares] | HullError] = [HullError("not looked for")] * len(queries)
        systems: dict[tuple[str, ...], list[tuple[int, list[float]]]] = {}
        for i, (amounts, _) in enumerate(queries):
            try:
                fractions = atomic_fractions(amounts)
            except InputError as error:
                found[i] = HullError(str(error))
                continue
            elements = tuple(sorted(fractions))
            systems.setdefault(elements, []).append((i, [fractions[el] for el in elements]))
        for elements, targets in systems.items():
            out = [frozenset(queries[i][1]) for i, _ in targets]
            mixtures = self._subsystem(elements).lowest_mixtures(np.array([t for _, t in targets]), out)
            for (i, _), mixture in zip(targets, mixtures, strict=True):
                found[i] = mixture
        return found

    def lowest_mixture(self, composition: Composition, leave_out: Iterable[str] = ()) -> tuple[float, Shares]:
        """`lowest_mixtures` at one composition.

        Raises:
            HullError: an element has no phase of its own.
        """
        found = self.lowest_mixtures([(composition.get_el_amt_dict(), leave_out)])[0]
        if isinstance(found, HullError):
            raise found
        return found

    def _find_subsystem(self, elements: tuple[str, ...]) -> Subsystem:
        if len(elements) <= MOST_SUBSETS:
            subsets = [s for n in range(1, len(elements) + 1) for s in combinations(elements, n)]
        else:
            subsets = [key for key in self._members if set(key) <= set(elements)]
        return Subsystem(elements, [self._family(key) for key in subsets if key in self._members])

    def _family(self, elements: tuple[str, ...]) -> Family:
        if elements not in self._families:
            self._families[elements] = Family(elements, self._members[elements])
        return self._families[elements]


class ConvexHullSettings(BaseModel):
    """Which table is used."""

    model_config = ConfigDict(extra="forbid")

    path: Path | None = None
    """A table with its card beside it; else that of `HYSTERON_HOME`, else the shipped one."""
    potential: str = Field(default=DEFAULT_POTENTIAL, min_length=1)
    """Whose table, if no path is given: the name under which the potential is registered."""


class ConvexHull:
    """Distances from a table of competing phases; implements `Hull`.

    Args:
        table: The phases; else those that `settings` name.
        settings: Which table is read.
        potential: Whose energies will be measured, if that is known.

    Raises:
        HullError: the table holds energies of another potential, or of other weights.
    """

    def __init__(
        self,
        table: PhaseTable | None = None,
        settings: ConvexHullSettings | None = None,
        potential: Potential | None = None,
    ) -> None:
        settings = settings or ConvexHullSettings()
        self.table = table or PhaseTable.load(settings.path, settings.potential)
        self.name = self.table.card.name
        self.potential_name = self.table.card.potential
        if potential is not None:
            self._check_potential(potential)

    def distance(
        self, composition: Composition, energy_per_atom: float, leave_out: Iterable[str] = ()
    ) -> HullDistance:
        """Distance from the hull without the phases in `leave_out`; see `distances`.

        Raises:
            HullError: an element has no reference phase, or the energy is not finite.
        """
        found = self.distances([(composition, energy_per_atom, leave_out)])[0]
        if isinstance(found, HullError):
            raise found
        return found

    def distances(self, items: Sequence[HullQuery]) -> list[HullDistance | HullError]:
        """Distances from the hull of many candidates at once; see `core.contracts.Hull`.

        The uncertainty joins, as independent, the error of the potential's distances for this class of
        chemistry (measured against the Materials Project; see `errors`) and, for each unrelaxed phase of
        the decomposition, its share times the spread of single points above relaxed energies. Both are on
        the table's card. The interval holds 90% and grows in proportion. A card without classes gives its
        one `model_error` and no interval.
        """
        mixtures = self.table.lowest_mixtures(
            [(composition.get_el_amt_dict(), leave_out) for composition, _, leave_out in items]
        )
        return [
            self._measured(composition, energy, mixture)
            for (composition, energy, _), mixture in zip(items, mixtures, strict=True)
        ]

    def chemical_potentials(
        self, composition: Composition, energy_per_atom: float, element: str
    ) -> ChemicalPotentials:
        """Where a composition is in equilibrium with its neighbours; some milliseconds.

        Below the hull it counts with its own energy; on it (within `ON_HULL`) or above with the hull's, and above it is
        the mixture that stands there whose limits are given.

        Args:
            composition: Of the phase.
            energy_per_atom: eV/atom.
            element: Whose chemical potential is asked for.

        Raises:
            HullError: an element has no reference phase, the energy is not finite, or the composition lacks the element.
        """
        if not math.isfinite(energy_per_atom):
            raise HullError(f"energy_per_atom of {composition.reduced_formula} is {energy_per_atom}.")
        fractions = atomic_fractions(composition.get_el_amt_dict())
        if element not in fractions:
            raise HullError(
                f"{composition.reduced_formula} holds no {element}; its potential is not limited."
            )
        system = self.table.subsystem(fractions)
        target = np.array([fractions[symbol] for symbol in system.elements])
        lowest = self.lowest_energy(composition)
        poor, rich = system.potential_limits(element, target, min(lowest, energy_per_atom))
        reference = self._reference(element)
        return ChemicalPotentials(
            reference, min(rich, reference), poor, bool(energy_per_atom <= lowest + ON_HULL)
        )

    def lowest_energy(self, composition: Composition) -> float:
        """Energy of the most stable mixture of phases at a composition, eV/atom.

        Raises:
            HullError: an element has no reference phase.
        """
        return self.table.lowest_mixture(composition)[0]

    def _reference(self, element: str) -> float:
        found = self.table.lowest_mixtures([({element: 1.0}, ())])[0]
        if isinstance(found, HullError):
            raise found
        return found[0]

    def _measured(
        self, composition: Composition, energy_per_atom: float, mixture: tuple[float, Shares] | HullError
    ) -> HullDistance | HullError:
        if not math.isfinite(energy_per_atom):
            return HullError(f"energy_per_atom of {composition.reduced_formula} is {energy_per_atom}.")
        if isinstance(mixture, HullError):
            return mixture
        lowest, shares = mixture
        distance = energy_per_atom - lowest
        error = self._error(composition, shares)
        half_width = error.half_width if error else None
        return HullDistance(
            energy_above_hull=distance,
            uncertainty=error.sigma if error else None,
            decomposition=tuple((p.material_id, p.formula, round(share, 6)) for p, share in shares),
            interval=None if half_width is None else (distance - half_width, distance + half_width),
            coverage=None if half_width is None else COVERAGE,
        )

    def _error(self, composition: Composition, mixture: Shares) -> ExpectedError | None:
        card = self.table.card
        expected = expected_error(card.rest.get("errors_by_class"), card.model_error, composition)
        if expected is None:
            return None
        unrelaxed = (share * card.single_point_excess for p, share in mixture if not p.relaxed)
        return expected.joined(math.hypot(*unrelaxed))

    def _check_potential(self, potential: Potential) -> None:
        weights = self.table.card.rest.get("model_hash", potential.model_hash)
        if potential.name != self.potential_name:
            raise HullError(
                f"The hull {self.name} holds energies of {self.potential_name}; those of {potential.name} "
                "cannot be measured from it."
            )
        if potential.model_hash != weights:
            raise HullError(
                f"The hull {self.name} was made with weights {weights} of {potential.name}, not with "
                f"{potential.model_hash}; 'hysteron data build hull' makes it anew."
            )


def table_file(potential: str = DEFAULT_POTENTIAL) -> Path:
    """The user's own table under `HYSTERON_HOME`, else where the shipped one is or would be."""
    home = os.environ.get("HYSTERON_HOME") or "~/.local/share/hysteron"
    own = Path(home).expanduser() / "data" / table_name(potential)
    return own if own.is_file() else Path(str(files("hysteron.data") / table_name(potential)))


def found_table(path: Path | str | None = None, potential: str = DEFAULT_POTENTIAL) -> Path:
    """The table that is read: the path given, else `table_file`.

    Raises:
        MissingDataError: it or its card is missing; the sentence names the command that makes them.
    """
    table = Path(path) if path is not None else table_file(potential)
    if not table.is_file():
        option = "" if potential == DEFAULT_POTENTIAL else f" --potential {potential}"
        raise MissingDataError(f"No hull table at {table}; 'hysteron data build hull{option}' makes one.")
    if not card_file(table).is_file():
        raise MissingDataError(f"The hull table {table} has no card {card_file(table).name} beside it.")
    return table


def read_phases(path: Path) -> Iterator[Phase]:
    """The rows of a table; sodium nitride's formula is the text `NaN`.

    Raises:
        MissingDataError: a column is missing.
    """
    with gzip.open(path, "rt", newline="", encoding="utf-8") as lines:
        rows = csv.reader(lines)
        head = next(rows, [])
        if missing := [name for name in COLUMNS if name not in head]:
            raise MissingDataError(f"The hull table {path} has no column {', '.join(missing)}.")
        fields = itemgetter(*(head.index(name) for name in COLUMNS))
        for material_id, formula, energy, relaxed in map(fields, rows):
            yield Phase(material_id, formula, float(energy), relaxed == "true")


def read_card(table: Path) -> HullCard:
    """The card beside a table.

    Raises:
        MissingDataError: it lacks a field that distances need.
    """
    fields = json.loads(card_file(table).read_text(encoding="utf-8"))
    needed = ("name", "potential", "single_point_excess", "model_error")
    if missing := [name for name in needed if name not in fields]:
        raise MissingDataError(f"The card {card_file(table)} has no field {', '.join(missing)}.")
    return HullCard(
        name=fields.pop("name"),
        potential=fields.pop("potential"),
        single_point_excess=fields.pop("single_point_excess"),
        model_error=fields.pop("model_error"),
        rest=fields,
    )
