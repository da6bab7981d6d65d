"""How good is the ferroelectric screen, part by part and as a whole?

Rows, each run alone by `--only ROW`:

    parents       the space group of the nonpolar parent, from the polar crystal alone
    polarization  effective charges with DFT's parents, families of chemistry left out of the fit
    end_to_end    polarization from the polar crystal alone, as a number and as a classifier
    energies      polar minus nonpolar energy at the ends DFT left
    screen        the verdict against the DFT rule
    known         known ferroelectrics ranked among centric and polar compounds of like chemistry and size
    speed         seconds a candidate

Truth: Smidt et al., Sci. Data 7, 72 (2020), doi:10.1038/s41597-020-0407-9. CHGNet learnt from relaxations of the Materials
Project, from which all its crystals come: what is shown is recovery of known physics, not discovery.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..core.contracts import Tools
from ..core.errors import NotFoundError, nearest
from ..core.polar_pairs import SOURCE, Pair, read_preferred, read_unlabelled
from ..core.settings import config_hash, data_dir
from ..screening.ferroelectric.charge_fitting.labels import read_labelled
from ..screening.ferroelectric.verdict import FerroelectricConfig
from . import ferroelectric_energies, ferroelectric_known, ferroelectric_polarization
from .ferroelectric_measured import Measured
from .ferroelectric_parents import Search, parents_row, search
from .ferroelectric_screening import (
    SMALL_CELL,
    Screened,
    end_to_end_row,
    held_out_models,
    screen_row,
    screened,
    speed_row,
)

QUICK_PAIRS = 6
TIMED_RELAXATIONS = 40


@dataclass
class World:
    """Pairs, tools, and what rows share; each made when it is first asked for."""

    seed: int
    resume: bool
    quick: bool

    @cached_property
    def preferred(self) -> list[Pair]:
        """The labels."""
        pairs = read_preferred(data_dir())
        return pairs[:: len(pairs) // QUICK_PAIRS] if self.quick else pairs

    @cached_property
    def unlabelled(self) -> list[Pair]:
        """The other pairs of crystals."""
        pairs = read_unlabelled(data_dir())
        return pairs[:: len(pairs) // QUICK_PAIRS] if self.quick else pairs

    @cached_property
    def tools(self) -> Tools:
        """As `hysteron screen` has them, with predicted gaps."""
        import dataclasses

        from ..flows import toolbox

        return dataclasses.replace(toolbox.tools_for_prediction(), predictor=toolbox.predictor("properties"))

    @cached_property
    def searches(self) -> list[Search]:
        """Parents of the labels' polar ends."""
        return [search(pair) for pair in self.preferred]

    @cached_property
    def screened(self) -> list[Screened]:
        """The labels' polar ends after the screen."""
        return self._screened("preferred", self.preferred)

    def _screened(self, name: str, pairs: list[Pair]) -> list[Screened]:
        config = FerroelectricConfig()
        kept = Measured(name, {"config": config_hash(config), "quick": self.quick}, self.resume)
        models = held_out_models(read_labelled(data_dir()), pairs, self.seed)
        return screened(pairs, models, self.tools, config, kept)

    def parents(self) -> dict[str, Any]:
        """Row `parents`."""
        return parents_row(self.searches, [search(pair) for pair in self.unlabelled], self.seed)

    def polarization(self) -> dict[str, Any]:
        """Row `polarization`."""
        return ferroelectric_polarization.run(self.seed)

    def end_to_end(self) -> dict[str, Any]:
        """Row `end_to_end`."""
        return end_to_end_row(self.screened, self.seed)

    def energies(self) -> dict[str, Any]:
        """Row `energies`; SevenNet-l3i5 stands beside where its package is installed."""
        from ..core.errors import MissingDataError
        from ..predictors import POTENTIALS
        from ..predictors.polar_difference import BEST
        from ..predictors.potentials.loading import load_potential

        try:
            others = [load_potential(BEST, POTENTIALS)]
        except MissingDataError:
            others = []
        return ferroelectric_energies.run(self.seed, others)

    def screen(self) -> dict[str, Any]:
        """Row `screen`."""
        return screen_row(self.screened, self._screened("unlabelled", self.unlabelled), self.seed)

    def known(self) -> dict[str, Any]:
        """Row `known`."""
        return ferroelectric_known.run(self.seed, self.resume, self.quick, self.tools)

    def speed(self) -> dict[str, Any]:
        """Row `speed`."""
        small = [pair for pair in self.preferred if len(pair.polar) <= SMALL_CELL]
        relaxer = self.tools.relaxer
        assert relaxer is not None
        relaxations = []
        for pair in small[:TIMED_RELAXATIONS]:
            began = time.monotonic()
            relaxer.relax([pair.polar])
            relaxations.append(time.monotonic() - began)
        searches = [one.seconds for one in self.searches if len(one.pair.polar) <= SMALL_CELL]
        return speed_row(self.screened, searches, relaxations)


ROWS: dict[str, Callable[[World], dict[str, Any]]] = {
    "parents": World.parents,
    "polarization": World.polarization,
    "end_to_end": World.end_to_end,
    "energies": World.energies,
    "screen": World.screen,
    "known": World.known,
    "speed": World.speed,
}


def run(seed: int = 0, only: str | None = None, resume: bool = False, quick: bool = False) -> dict[str, Any]:
    """Measure the table, or one row of it.

    Args:
        seed: Of folds, samples and controls.
        only: A name in `ROWS`.
        resume: Keep what the screen has measured before.
        quick: A few pairs, to see that it runs; no claim stands on it.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set or lacks the ferroelectrics.
        NotFoundError: no such row.
    """
    if only is not None and only not in ROWS:
        raise NotFoundError(f"No row {only!r} in this benchmark. {nearest(only, ROWS)}")
    data_dir()
    world = World(seed, resume, quick)
    return {
        "benchmark": "ferroelectric",
        "truth": SOURCE,
        "seed": seed,
        "quick": quick,
        **{name: ROWS[name](world) for name in ([only] if only else ROWS)},
    }
