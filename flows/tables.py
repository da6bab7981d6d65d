"""The tables the program stands on: where each is read from, and how each is built.

The catalogue and the hull need the downloaded data sets (`HYSTERON_DATA_DIR`) and hours of processor
time; both take up again where they stopped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.crystals import crystals_folder
from ..core.errors import SettingsError
from ..core.settings import data_dir, data_file, home
from .progress import Listener

if TYPE_CHECKING:
    from ..retrieval.catalog_build import CatalogBuild

CATALOG = "catalog.jsonl.gz"
HULL = "hull.csv.gz"
RELAXED = "relaxed.jsonl"


@dataclass(frozen=True)
class Table:
    """A table as it would be read now."""

    name: str
    path: str
    place: str
    size_kilobytes: float


def listed() -> Iterator[Table]:
    """Every table, with the place that wins: `own` (HYSTERON_HOME) or `shipped`."""
    for name in (CATALOG, HULL):
        found = data_file(name)
        place = "own" if str(found).startswith(str(home())) else "shipped"
        yield Table(name, str(found), place, len(found.read_bytes()) / 1000)


def build_hull(into: Path | None, work: Path | None, limit: str | None, listener: Listener) -> dict[str, Any]:
    """Compute the hull's table. Returns its card.

    Raises:
        MissingDataError: the data sets are not there.
        SettingsError: a limit that is no wall time.
    """
    from ..predictors.hull.build import build_hull as build
    from .run_settings import seconds

    try:
        stop_after = seconds(limit) if limit else None
    except ValueError as error:
        raise SettingsError(f"--limit: {error}.") from None
    return build(
        crystals_folder(data_dir()),
        into or home() / "data",
        work or home() / "cache/hull",
        f"{datetime.now(UTC):%Y-%m-%d}",
        workers=os.cpu_count() or 1,
        seconds=stop_after,
        progress=_Told(listener),
    )


def build_catalog(into: Path | None, work: Path | None, listener: Listener) -> CatalogBuild:
    """Choose and relax the catalogue; relaxations that the hull's build has made already are used.

    Raises:
        MissingDataError: the data sets are not there.
    """
    from ..retrieval.catalog_build import build_catalog as build
    from ..retrieval.relaxation_log import read_relaxations
    from . import toolbox
    from .run_settings import PotentialTable

    folder = into or home() / "data"
    log = work or home() / "cache/catalog"
    for place in (folder, log):
        place.mkdir(parents=True, exist_ok=True)
    return build(
        data_dir(),
        folder / CATALOG,
        toolbox.relaxer(PotentialTable()),
        progress=_Told(listener),
        work_dir=log,
        relaxed=read_relaxations(home() / "cache/hull" / RELAXED),
    )


class _Told:
    """Turns (stage, done, total) into a listener's bars."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.stage = ""
        self.done = 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage != self.stage:
            self.stage, self.done = stage, 0
            self.listener.stage(stage, total)
        self.listener.advance(done - self.done)
        self.done = done
