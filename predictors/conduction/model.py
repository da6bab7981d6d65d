"""Is a crystal a metal, an insulator, or does it turn from one into the other when it is warmed?

Told from the composition, by Gaussian processes that learnt from 301 compounds (`fit`, `process`); no geometry enters, so
polymorphs get one answer, and rotation, origin, order of atoms and choice of cell change nothing. Probabilities are those for
three classes of equal frequency: among the crystals of a search transitions are far rarer, and by how much nobody knows.

A compound is familiar if its anion is of a class that enough of the learnt compounds have, and it is no farther from the
nearest of them than the families were, with few exceptions, on which the accuracy was measured. The card, `conduction.md`,
tells that accuracy and what the chemistry was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ...core.contracts import Conduction
from ...core.errors import InputError, StructureError
from ...core.settings import data_file
from .families import ions_of, known_family
from .features import FEATURES, features
from .process import INSULATOR, METAL, TRANSITION, Fitted, Shape, Thresholds

if TYPE_CHECKING:
    from pymatgen.core import Structure

TABLE = "conduction.json"
FORMAT = "hysteron-conduction-1"
METHOD = "Gaussian processes on the composition, 301 compounds"
SIGNIFICANT_DIGITS = 6


@dataclass(frozen=True, eq=False)
class Learnt:
    """What the table holds.

    Attributes:
        fitted: The processes.
        farthest: Distance to the nearest compound, root mean square standard deviations, up to which one is familiar.
        anion_classes: Of which enough compounds were there to learn from.
    """

    fitted: Fitted
    farthest: float
    anion_classes: tuple[str, ...]

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """As JSON has it.

        Raises:
            ValueError: format, features or shapes are others.
        """
        if values["format"] != FORMAT or tuple(values["features"]) != FEATURES:
            raise ValueError(f"format or features are not those of {FORMAT}")
        rows, labels = np.array(values["rows"], dtype=float), np.array(values["labels"], dtype=int)
        if rows.shape != (len(labels), len(FEATURES)):
            raise ValueError(f"{rows.shape} features for {len(labels)} labels")
        members = tuple((Shape(**m["shape"]), Thresholds(**m["thresholds"])) for m in values["members"])
        return cls(Fitted(rows, labels, members), float(values["farthest"]), tuple(values["anion_classes"]))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        fitted = self.fitted
        return {
            "format": FORMAT,
            "features": list(FEATURES),
            "farthest": self.farthest,
            "anion_classes": list(self.anion_classes),
            "members": [
                {"shape": asdict(shape), "thresholds": asdict(thresholds)}
                for shape, thresholds in fitted.members
            ],
            "labels": fitted.labels.tolist(),
            "rows": [[float(f"{value:.{SIGNIFICANT_DIGITS}g}") for value in row] for row in fitted.rows],
        }


class Conductor:
    """Metal, insulator or transition; implements `ConductionClasses`."""

    def __init__(self, table: Path | None = None) -> None:
        """From the shipped table, or one of the user's.

        Raises:
            InputError: the file is no such table.
            MissingDataError: there is no such file.
        """
        self.learnt = read_learnt(table)

    @property
    def method(self) -> str:
        """As written in `PropertyValue.method`."""
        return METHOD

    def classes(self, structures: Sequence[Structure]) -> list[Conduction | InputError]:
        """One result per structure, in order; alone or with others the same.

        Returns:
            The probabilities, or in their place why there are none: no anion, no cation, an element without data, a
            disordered structure.
        """
        return [self._class(structure) for structure in structures]

    def _class(self, structure: Structure) -> Conduction | InputError:
        try:
            return self._told(structure)
        except InputError as error:
            return error

    def _told(self, structure: Structure) -> Conduction:
        if not len(structure) or not structure.is_ordered:
            raise StructureError("Conduction is told of ordered structures with atoms; order it first.")
        composition = structure.composition.element_composition
        row = features(composition)[None]
        told = self.learnt.fitted.probabilities(row)[0]
        near = float(self.learnt.fitted.distances(row)[0]) <= self.learnt.farthest
        return Conduction(
            metal=float(told[METAL]),
            insulator=float(told[INSULATOR]),
            transition=float(told[TRANSITION]),
            familiar=near and ions_of(composition).anion_class in self.learnt.anion_classes,
            family=known_family(composition),
        )


def read_learnt(path: Path | None = None) -> Learnt:
    """The shipped table, or the user's.

    Raises:
        InputError: the file is no such table.
        MissingDataError: there is no such file.
    """
    file = data_file(TABLE, path)
    try:
        return Learnt.from_dict(json.loads(file.read_text(encoding="utf-8")))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{file} is no table of conduction: {error}") from None
