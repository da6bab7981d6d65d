"""How good is the resistive-switching screen, part by part and as a whole?

Rows, each run alone by `--only ROW`:

    vacancies   oxygen vacancy energies against DFT, before and after the correction, formulas left out
    migration   barriers of 50 paths from the literature, and those of a universal potential on the same paths
    oxides      oxygen vacancy barriers of oxides against values of the literature
    conduction  metal, insulator or transition, families left out
    known       known resistive-switching materials ranked among compounds of like chemistry
    hops        seconds for all hops of four oxides, against one plain elastic band

Most crystals come from the Materials Project, whose relaxations CHGNet learnt from: what is shown is recovery of known
physics, not discovery.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..core.contracts import Tools
from ..core.errors import NotFoundError, nearest
from ..core.settings import data_dir
from . import (
    resistive_switching_conduction,
    resistive_switching_hops,
    resistive_switching_known,
    resistive_switching_migration,
    resistive_switching_vacancies,
)


@dataclass
class World:
    """What rows share; made when it is first asked for."""

    seed: int
    resume: bool
    quick: bool

    @cached_property
    def tools(self) -> Tools:
        """As `hysteron screen` has them, with predicted gaps."""
        import dataclasses

        from ..flows import toolbox

        return dataclasses.replace(toolbox.tools_for_prediction(), predictor=toolbox.predictor("properties"))

    def vacancies(self) -> dict[str, Any]:
        """Row `vacancies`."""
        return resistive_switching_vacancies.vacancy_row(self.seed, self.resume, self.quick, self.tools)

    def migration(self) -> dict[str, Any]:
        """Row `migration`."""
        return resistive_switching_migration.migration_row(self.seed, self.resume, self.quick, self.tools)

    def oxides(self) -> dict[str, Any]:
        """Row `oxides`."""
        return resistive_switching_hops.oxides_row(self.seed, self.resume, self.quick, self.tools)

    def conduction(self) -> dict[str, Any]:
        """Row `conduction`."""
        return resistive_switching_conduction.conduction_row(self.seed, self.quick)

    def known(self) -> dict[str, Any]:
        """Row `known`."""
        return resistive_switching_known.known_row(self.seed, self.resume, self.quick, self.tools)

    def hops(self) -> dict[str, Any]:
        """Row `hops`."""
        return resistive_switching_hops.hops_row(self.seed, self.resume, self.quick, self.tools)


ROWS: dict[str, Callable[[World], dict[str, Any]]] = {
    "vacancies": World.vacancies,
    "migration": World.migration,
    "oxides": World.oxides,
    "conduction": World.conduction,
    "known": World.known,
    "hops": World.hops,
}


def run(seed: int = 0, only: str | None = None, resume: bool = False, quick: bool = False) -> dict[str, Any]:
    """Measure the table, or one row of it.

    Args:
        seed: Of folds, orders, samples and controls.
        only: A name in `ROWS`.
        resume: Keep what was measured before.
        quick: A few items of each row, to see that it runs; no claim stands on it.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set or lacks a table.
        NotFoundError: no such row.
    """
    if only is not None and only not in ROWS:
        raise NotFoundError(f"No row {only!r} in this benchmark. {nearest(only, ROWS)}")
    data_dir()
    world = World(seed, resume, quick)
    return {
        "benchmark": "resistive-switching",
        "seed": seed,
        "quick": quick,
        **{name: ROWS[name](world) for name in ([only] if only else ROWS)},
    }
