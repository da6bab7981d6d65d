"""What does the classifier of conduction say of a compound if it has not learnt from the compound's family?

The compounds it learnt from are dealt to folds by family (`predictors/conduction/families.py`), and it is fitted anew without
each fold. A compound is asked of the fit that has not seen its family; one of a family that nobody has seen is asked of the
shipped one. Families of the literature are named as ever, so a screen under test must not count them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..core.contracts import Conduction
from ..core.errors import InputError
from ..core.settings import data_dir, home
from ..predictors.conduction.card import learn
from ..predictors.conduction.families import family
from ..predictors.conduction.fit import Labelled, grouped_folds, read_labelled
from ..predictors.conduction.model import METHOD, Conductor

if TYPE_CHECKING:
    from pymatgen.core import Structure

FOLDS = 10


class HeldOutConduction:
    """Conduction by classifiers that have not seen the family they are asked of; implements `ConductionClasses`.

    Args:
        seed: Of the folds.
        folder: Where the fitted tables are written.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set or lacks the labels.
    """

    def __init__(self, seed: int, folder: Path | None = None) -> None:
        self.seed = seed
        self.folder = folder or home() / "cache" / "benchmarks" / "resistive_switching"
        self.labelled = read_labelled(data_dir())

    @property
    def method(self) -> str:
        """As written in `PropertyValue.method`."""
        return f"{METHOD}, without the family asked about (seed {self.seed})"

    def classes(self, structures: Sequence[Structure]) -> list[Conduction | InputError]:
        """One result per structure, in order; alone or with others the same."""
        return [self.classifier_for(structure).classes([structure])[0] for structure in structures]

    def classifier_for(self, structure: Structure) -> Conductor:
        """The one that has not seen the structure's family."""
        try:
            name = family(structure.composition.element_composition)
        except InputError:
            return self.shipped  # which says why it has no answer
        return self._without[self.fold_of[name]] if name in self.fold_of else self.shipped

    @cached_property
    def shipped(self) -> Conductor:
        """Which has learnt from all labelled compounds."""
        return Conductor()

    @cached_property
    def folds(self) -> np.ndarray:
        """A fold for each labelled compound, shape `(n,)`."""
        rng = np.random.default_rng(np.random.SeedSequence([self.seed]))
        return grouped_folds(self.labelled.families, FOLDS, rng)

    @cached_property
    def fold_of(self) -> dict[str, int]:
        """By family."""
        return dict(zip(self.labelled.families.tolist(), self.folds.tolist(), strict=True))

    @cached_property
    def _without(self) -> list[Conductor]:
        """One classifier for each fold, fitted to the others."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return [self._fitted_without(fold) for fold in range(FOLDS)]

    def _fitted_without(self, fold: int) -> Conductor:
        kept, all_ = self.folds != fold, self.labelled
        rest = Labelled(
            all_.formulas[kept], all_.labels[kept], all_.rows[kept], all_.families[kept], all_.kinds[kept]
        )
        path = self.folder / f"conduction-{self.seed}-{fold}.json"
        path.write_text(json.dumps(learn(rest).to_dict()), encoding="utf-8")
        return Conductor(path)
