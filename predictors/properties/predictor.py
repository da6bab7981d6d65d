"""What does the property network say of a crystal, how sure is it, and has it seen anything like it?

Nothing is relaxed. Every number carries a 90% interval that was calibrated on formulas the network was not trained
on; a crystal far from the training crystals has a wider one and is flagged.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ...core.candidate import Candidate, Failure, PropertyValue, Step
from ...core.errors import HysteronError, InputError
from ...core.properties import describe
from ...core.workers import single_threaded
from ..cell import Cell
from ..chgnet.potential import checked_cell
from ..hull.chemistry import chemistry_class
from .heads import HEADS, Head
from .intervals import COVERAGE

if TYPE_CHECKING:
    from pathlib import Path

    from ...core.contracts import Tools
    from .model import Evaluation, PropertyModel

SHIPPED = "properties.safetensors"
METAL = 0.5  # probability beyond which the gap is given as zero
SMALLEST_GAP_EV = 0.05  # a gap below it is given as zero as well
CELLS_AT_ONCE = 512


class Properties:
    """The property network; implements `Predictor`."""

    name = "properties"

    def __init__(self, tools: Tools | None = None, path: Path | None = None) -> None:
        self.model, self.model_hash = _loaded(path)

    @property
    def method(self) -> str:
        """As it is written in `PropertyValue.method`."""
        return str(self.model.card["method"])

    @property
    def version(self) -> str:
        """Changes with the weights."""
        return f"{self.method}; weights {self.model_hash}"

    def predict(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Candidates with what the network knows; one that it cannot treat comes back with a failure."""
        found: list[Candidate] = []
        for start in range(0, len(candidates), CELLS_AT_ONCE):
            found.extend(self._predict(candidates[start : start + CELLS_AT_ONCE]))
        return found

    def _predict(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        from ..gnn.prepare import pack

        cells, refused = _cells(candidates)
        places = [i for i, cell in enumerate(cells) if cell is not None]
        results = list(candidates)
        for i, reason in refused.items():
            results[i] = candidates[i].with_failure(Failure("predict", self.name, reason))
        if not places:
            return results
        with single_threaded():
            evaluation = self.model.evaluate(pack([cells[i] for i in places]))  # type: ignore[misc]
        tables = {
            name: self._table(name, evaluation, [candidates[i] for i in places]) for name in self._printed()
        }
        for row, i in enumerate(places):
            results[i] = self._with_properties(candidates[i], row, evaluation, tables)
        return results

    def _printed(self) -> list[str]:
        """Heads whose property stands in the property table and that have an interval."""
        known = [str(name) for name in self.model.network.heads]
        return [name for name in known if HEADS[name].prints and self.model.intervals[name][0].quantiles]

    def _table(self, name: str, evaluation: Evaluation, candidates: Sequence[Candidate]) -> np.ndarray:
        """Value, standard deviation, lower and upper end of the first output, in units, shape `(n, 4)`."""
        head = HEADS[name]
        value, spread = evaluation.means(name)[:, 0], evaluation.spreads(name)[:, 0]
        classes = [chemistry_class(c.structure.composition) for c in candidates]
        half, sigma = self.model.intervals[name][0].half(spread, evaluation.distances, classes)
        sizes = np.array([len(c.structure) for c in candidates])
        if name == "band_gap":
            value = np.where(_metals(evaluation), 0.0, value)
        columns = (value, value + sigma, value - half, value + half)
        low_first = [_in_units(column, head, sizes) for column in columns]
        return np.stack([low_first[0], low_first[1] - low_first[0], *low_first[2:]], axis=1)

    def _with_properties(
        self, candidate: Candidate, row: int, evaluation: Evaluation, tables: dict[str, np.ndarray]
    ) -> Candidate:
        distance = float(evaluation.distances[row])
        numbers = {site.specie.Z for site in candidate.structure}
        values = []
        strange: dict[str, list[str]] = {}
        for name, table in tables.items():
            head = HEADS[name]
            if not np.isfinite(table[row]).all() or not self._asked(head, candidate, evaluation, row):
                continue
            unseen = numbers - set(self.model.elements[name])
            if unseen:
                strange[name] = sorted(str(s) for s in candidate.structure.composition if s.Z in unseen)
            in_domain = distance <= self.model.domain.limit and not unseen
            values.append(self._value(head, table[row], in_domain))
        in_domain = distance <= self.model.domain.limit
        step = Step(
            "predict",
            self.name,
            self.version,
            details={
                "distance": round(distance, 3),
                "domain_limit": round(self.model.domain.limit, 3),
                "in_domain": in_domain,
                **({"elements_not_trained_on": strange} if strange else {}),
            },
        )
        return candidate.with_step(step).with_property(*values)

    def _value(self, head: Head, numbers: np.ndarray, in_domain: bool) -> PropertyValue:
        assert head.prints is not None
        value, sigma, low, high = (float(x) for x in numbers)
        source = f"{head.method}; {'in' if in_domain else 'outside its'} domain"
        return PropertyValue(
            head.prints, value, describe(head.prints).units, self.method, sigma, source, (low, high), COVERAGE
        )

    def _asked(self, head: Head, candidate: Candidate, evaluation: Evaluation, row: int) -> bool:
        """Whether the property makes sense for this crystal."""
        if head.only == "insulators":
            return not _metals(evaluation)[row]
        if head.only == "abo3":
            amounts = candidate.structure.composition.reduced_composition.get_el_amt_dict()
            return amounts.get("O") == 3 and sorted(amounts.values()) == [1, 1, 3]
        return True


def _metals(evaluation: Evaluation) -> np.ndarray:
    """Whether each crystal has no gap; nobody says so if the network was not taught it. Bool, shape `(ncrystals,)`."""
    found = np.zeros(len(evaluation.distances), dtype=bool)
    if "metal" in evaluation.members:
        found |= evaluation.means("metal")[:, 0] > METAL
    if "band_gap" in evaluation.members:
        found |= evaluation.means("band_gap")[:, 0] < SMALLEST_GAP_EV
    return found


def _in_units(values: np.ndarray, head: Head, sizes: np.ndarray) -> np.ndarray:
    """From the head's scale to its units, not below its least value."""
    from .sets import from_scale

    found = from_scale(values, head, sizes)
    return found if head.least is None else np.maximum(found, head.least)


def _cells(candidates: Sequence[Candidate]) -> tuple[list[Cell | None], dict[int, str]]:
    """The arrays of each crystal, or why there are none."""
    cells: list[Cell | None] = []
    refused: dict[int, str] = {}
    for i, candidate in enumerate(candidates):
        try:
            cell = checked_cell(candidate.structure)
            _check_distances(cell)
            cells.append(cell)
        except HysteronError as error:
            cells.append(None)
            refused[i] = str(error)
    return cells, refused


def _check_distances(cell: Cell) -> None:
    """Refuse coinciding atoms, and a gas in which an atom has no neighbour.

    Raises:
        InputError: it is one.
    """
    from ..chgnet.graph import find_bonds

    bonds = find_bonds(cell)
    lengths = np.linalg.norm(bonds.vectors(cell), axis=1)
    if not len(lengths):
        raise InputError("No atom has a neighbour within 6 A; this is no crystal the network can treat.")
    if lengths.min() < 1e-3:
        raise InputError("Two atoms of the structure stand on the same place.")


@lru_cache(maxsize=4)
def _loaded(path: Path | None) -> tuple[PropertyModel, str]:
    """The model of that path, or the one in HYSTERON_HOME, or the shipped one."""
    from importlib import resources

    from ...core.settings import model_file
    from .model import PropertyModel, file_hash

    with resources.as_file(model_file(SHIPPED, path)) as file:  # type: ignore[arg-type]
        return PropertyModel.load(file), file_hash(file)
