"""How well would an assumed device of a class serve in a workload? Reads what the benchmark has found.

The table has one entry for each workload and class: mean accuracy over devices drawn from the class's range, the interval that
holds nine tenths of them, the accuracy with ideal weights and that of guessing. Where the table is not there nothing is told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...core.errors import MissingDataError
from .tables import read_table
from .words import NO_ACCURACY, accuracy_words

TABLE = "accuracy.json"


@dataclass(frozen=True)
class Accuracy:
    """Of assumed devices of one class in one workload.

    Attributes:
        workload: Its name.
        mechanism: The class.
        mean: Over the devices drawn, 0 to 1.
        low: Lower end of the interval.
        high: Upper end.
        ideal: With ideal weights.
        chance: Without knowing anything.
        count: How many devices were drawn.
    """

    workload: str
    mechanism: str
    mean: float
    low: float
    high: float
    ideal: float
    chance: float
    count: int

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "mean": self.mean,
            "low": self.low,
            "high": self.high,
            "ideal": self.ideal,
            "chance": self.chance,
            "n": self.count,
            "assumed_class": self.mechanism,
            "sentence": accuracy_words(
                self.workload, self.mechanism, self.mean, self.low, self.high, self.ideal, self.chance
            ),
        }


@dataclass(frozen=True)
class Accuracies:
    """All that is known of assumed devices.

    Attributes:
        table: By workload and class.
        note: Why there is none, if there is none.
    """

    table: Mapping[str, Mapping[str, Accuracy]]
    note: str = ""

    def of(self, workloads: Sequence[str], mechanism: str) -> dict[str, Accuracy]:
        """Of a class in some workloads, those that are known."""
        found = {name: self.table.get(name, {}).get(mechanism) for name in workloads}
        return {name: one for name, one in found.items() if one is not None}


@lru_cache(maxsize=1)
def shipped_accuracies() -> Accuracies:
    """The shipped table; an empty one with a note if it is not there."""
    try:
        return parse_accuracies(read_table(TABLE))
    except MissingDataError:
        return Accuracies({}, NO_ACCURACY)


def parse_accuracies(table: Mapping[str, Any]) -> Accuracies:
    """The entries that have the shape and range they should have; others, such as notes on the run, are left out."""
    found: dict[str, dict[str, Accuracy]] = {}
    for workload, rows in table.items():
        for mechanism, entry in rows.items() if isinstance(rows, Mapping) else ():
            one = _accuracy(workload, mechanism, entry)
            if one is not None:
                found.setdefault(workload, {})[mechanism] = one
    return Accuracies(found, "" if found else NO_ACCURACY)


def _accuracy(workload: str, mechanism: str, entry: Any) -> Accuracy | None:
    if not isinstance(entry, Mapping):
        return None
    values = [entry.get(key) for key in ("mean", "low", "high", "ideal", "chance")]
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(values) or not all(math.isfinite(v) and 0 <= v <= 1 for v in numbers):
        return None
    mean, low, high, ideal, chance = numbers
    count = entry.get("n")
    if low > high or not isinstance(count, int):
        return None
    return Accuracy(workload, mechanism, mean, low, high, ideal, chance, count)
