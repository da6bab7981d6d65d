"""How far from DFT's may the barrier of a potential's band lie?

Measured on literature DFT barriers of hopping cations (`benchmarks/migration_fitting.py`): the error grows with the barrier.
The barrier itself is left as it is, for no factor could be shown to bring it closer to DFT's; the card is
`data/barrier_error.md`. No hop of an anion was among the paths, so of those nothing is told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...core.contracts import Potential
from ...core.errors import InputError
from ...core.settings import data_file

TABLE = "barrier_error.json"
FORMAT = "hysteron-barrier-error-1"
COVERAGE = 0.9


@dataclass(frozen=True)
class BarrierError:
    """How sure a barrier is.

    Attributes:
        uncertainty: One standard deviation, eV.
        interval: Lower and upper end, eV, that hold the DFT value with probability `coverage`; none below 0.
        coverage: Of `interval`.
    """

    uncertainty: float
    interval: tuple[float, float]
    coverage: float


def barrier_error(barrier: float, ion: str, potential: Potential) -> BarrierError | None:
    """The error to expect; `None` for an ion or a potential that nothing is known of.

    Args:
        barrier: `Band.barrier`, eV.
        ion: Element that hops.
        potential: Of the band.

    Raises:
        InputError: a table of one's own is none.
        MissingDataError: there is no table.
    """
    return error_by(_table(), barrier, ion, potential)


def error_by(table: Mapping[str, Any], barrier: float, ion: str, potential: Potential) -> BarrierError | None:
    """As `barrier_error`, by a table at hand."""
    if potential.model_hash != table["model_hash"] or ion not in table["ions"]:
        return None
    width = table["floor"] + table["growth"] * barrier
    reach = table["ninety"] * width
    return BarrierError(
        uncertainty=table["one_sigma"] * width,
        interval=(max(0.0, barrier - reach), barrier + reach),
        coverage=COVERAGE,
    )


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    found = json.loads(data_file(TABLE).read_text(encoding="utf-8"))
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError(f"{TABLE} is no table of barrier errors: its format is not {FORMAT!r}.")
    return found
