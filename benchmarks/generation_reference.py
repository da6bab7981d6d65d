"""Which crystals count as known, and which seeds may be exchanged? All of the data folder, looked at formula by formula."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.candidate import Candidate, PropertyValue
from ..core.crystals import CrystalRecord, crystals_folder, read_crystals
from ..core.identity import matcher
from ..core.settings import data_dir
from ..flows import toolbox

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..retrieval.known import KnownCrystals

MOST_SITES = 20
"""Of seeds and of training crystals, as many as the token model writes."""


class Reference:
    """The crystals of all splits; implements `core.contracts.Known`, the same crystal as everywhere in the project.

    Structures are made for formulas that are asked for: tens of thousands at once would fill the memory.

    Attributes:
        formulas: Reduced ones.
        loosely: Answers as well, but by the matcher alone, whatever the space groups are.
        digest: Of the files' names and sizes.
    """

    def __init__(self, records: Iterable[CrystalRecord], digest: str = "") -> None:
        self.records: dict[str, list[CrystalRecord]] = defaultdict(list)
        for record in records:
            self.records[record.reduced_formula].append(record)
        self.formulas = frozenset(self.records)
        self.digest = digest
        self.loosely = Loose(self.structures)
        self._known: dict[str, KnownCrystals] = {}

    @classmethod
    def read(cls) -> Reference:
        """That of HYSTERON_DATA_DIR.

        Raises:
            MissingDataError: it is not set or holds no crystals.
        """
        folder = crystals_folder(data_dir())
        return cls(read_crystals(folder), _digest(folder))

    def find(self, candidate: Candidate) -> str | None:
        """The id of the known crystal that this one is."""
        formula = candidate.formula
        if formula not in self.formulas:
            return None
        if formula not in self._known:
            self._known[formula] = toolbox.known(
                (r.material_id, r.structure()) for r in self.records[formula]
            )
        return self._known[formula].find(candidate)

    def structures(self, formula: str) -> list[tuple[str, Structure]]:
        """The known crystals of a formula."""
        return [(r.material_id, r.structure()) for r in self.records.get(formula, ())]

    def training(self) -> list[CrystalRecord]:
        """Training crystals of at most 20 atoms, in the order of the files of each formula."""
        return [
            record
            for records in self.records.values()
            for record in records
            if record.labels.get("split") == "train" and record.nsites <= MOST_SITES
        ]

    def seeds(self) -> list[Candidate]:
        """Training crystals as seeds, with their energy above hull where it is known."""
        return [_candidate(record) for record in self.training()]


class Loose:
    """Known crystals compared by pymatgen's matcher at the project's tolerances, whatever their space groups are.

    It merges more than the project does (P4mm and Pm-3m BaTiO3), and so says what novelty owes to small distortions.

    Args:
        known: Gives the known crystals of a formula, with their ids.
    """

    def __init__(self, known: Any = None) -> None:
        self._given = known or (lambda _: [])
        self._crystals: dict[str, list[tuple[str, Structure]]] = {}
        self._matcher = matcher()

    def find(self, candidate: Candidate) -> str | None:
        """The id of the first known crystal that matches."""
        crystals = self._of(candidate.formula)
        return next((i for i, other in crystals if self._matcher.fit(candidate.structure, other)), None)

    def add(self, identifier: str, structure: Structure) -> None:
        """Take in one more."""
        self._of(structure.composition.reduced_formula).append((identifier, structure))

    def _of(self, formula: str) -> list[tuple[str, Structure]]:
        if formula not in self._crystals:
            self._crystals[formula] = list(self._given(formula))
        return self._crystals[formula]


def loosely_distinct(structures: Sequence[Structure]) -> list[bool]:
    """Which ones to count so that of those that match one another the first counts."""
    seen, are_first = Loose(), []
    for i, structure in enumerate(structures):
        are_first.append(seen.find(Candidate("asked", structure)) is None)
        if are_first[-1]:
            seen.add(str(i), structure)
    return are_first


def _candidate(record: CrystalRecord) -> Candidate:
    height = record.labels.get("e_above_hull")
    known = () if height is None else (_height(record.material_id, height),)
    return Candidate(record.material_id, record.structure(), known)


def _height(material_id: str, height: float) -> PropertyValue:
    return PropertyValue("energy_above_hull", max(0.0, height), "eV/atom", "PBE", source=material_id)


def _digest(folder: Path) -> str:
    files = [(path.name, path.stat().st_size) for path in sorted(folder.glob("mp_structures_*.jsonl.gz"))]
    return hashlib.sha256(repr(files).encode()).hexdigest()[:12]
