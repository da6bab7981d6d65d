"""The tables the program stands on: where each is read from, and how each is built.

The catalogue and the hull need the downloaded data sets (`HYSTERON_DATA_DIR`) and hours of processor
time; both take up again where they stopped.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.crystals import crystals_folder
from ..core.errors import SettingsError
from ..core.settings import data_dir, data_file, home
from .progress import Listener

if TYPE_CHECKING:
    from ..retrieval.catalog.build import CatalogBuild

CATALOG = "catalog.jsonl.gz"
HULLS = "hull*.csv.gz"
FITTED = (
    "effective_charges.json",
    "polar_difference.json",
    "vacancy_correction.json",
    "barrier_error.json",
    "conduction.json",
    "synapse/accuracy.json",
)
"""Small tables fitted to DFT."""
RELAXED = "relaxed.jsonl"
BETWEEN_ESTIMATES = 300.0  # seconds between two sentences on the time left


@dataclass(frozen=True)
class Table:
    """A table as it would be read now."""

    name: str
    path: str
    place: str
    size_kilobytes: float


def listed() -> Iterator[Table]:
    """Every table, with the place that wins: `own` (HYSTERON_HOME) or `shipped`."""
    for name in (CATALOG, *_hulls(), *FITTED):
        found = data_file(name)
        place = "own" if str(found).startswith(str(home())) else "shipped"
        yield Table(name, str(found), place, len(found.read_bytes()) / 1000)


def _hulls() -> list[str]:
    """Hull tables there are, one a potential."""
    shipped = (entry.name for entry in resources.files("hysteron.data").iterdir())
    own = (path.name for path in (home() / "data").glob(HULLS))
    return sorted({name for name in (*shipped, *own) if fnmatch(name, HULLS)})


def build_hull(
    potential: str,
    into: Path | None,
    work: Path | None,
    limit: str | None,
    anew: bool,
    listener: Listener,
) -> dict[str, Any]:
    """Compute the hull's table with a registered potential. Returns its card.

    Raises:
        MissingDataError: the data sets, or the potential's package or weights, are not there.
        NotFoundError: no such potential.
        SettingsError: a limit that is no wall time.
        InputError: the work folder holds energies of another potential.
    """
    from ..predictors.hull.build import Places
    from ..predictors.hull.build import build_hull as build
    from ..predictors.hull.table import table_file, table_name
    from . import toolbox
    from .run_settings import seconds

    try:
        stop_after = seconds(limit) if limit else None
    except ValueError as error:
        raise SettingsError(f"--limit: {error}.") from None
    places = Places(
        crystals=crystals_folder(data_dir()),
        out=into or home() / "data",
        work=work or home() / "cache" / table_name(potential).removesuffix(".csv.gz"),
        table=table_file(potential),
    )
    return build(
        places,
        f"{datetime.now(UTC):%Y-%m-%d}",
        toolbox.potential(potential),
        registered=potential,
        workers=os.cpu_count() or 1,
        seconds=stop_after,
        anew=anew,
        progress=_Told(listener),
    )


def build_catalog(into: Path | None, work: Path | None, listener: Listener) -> CatalogBuild:
    """Choose and relax the catalogue; relaxations that the hull's build has made already are used.

    Raises:
        MissingDataError: the data sets are not there.
    """
    from ..retrieval.catalog.build import build_catalog as build
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


def build_charges(into: Path | None) -> tuple[dict[str, Any], Path]:
    """Fit effective charges. Returns what is told of the table, and where it stands.

    Raises:
        MissingDataError: the data sets are not there.
    """
    from ..screening.ferroelectric.charge_fitting.table import fit_and_write
    from ..screening.ferroelectric.charges import TABLE

    folder = into or home() / "data"
    return fit_and_write(data_dir(), folder), folder / TABLE


def build_polar_difference(into: Path | None) -> tuple[dict[str, Any], Path]:
    """Calibrate polar-nonpolar energies with every potential at hand. Returns the table, and where it stands.

    Raises:
        MissingDataError: the data sets are not there.
    """
    from ..core.errors import MissingDataError
    from ..predictors.polar_difference import BEST, TABLE
    from ..predictors.polar_table import build_table
    from . import toolbox

    try:
        others = [toolbox.potential(BEST)]
    except MissingDataError:
        others = []
    made = build_table(data_dir(), others)
    folder = into or home() / "data"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TABLE).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    return made, folder / TABLE


def build_vacancy_correction(into: Path | None, listener: Listener) -> tuple[dict[str, Any], Path]:
    """Measure vacancies of the hosts that DFT has computed, and fit the correction. Returns the table, and where it stands.

    Raises:
        MissingDataError: the data sets are not there.
    """
    from ..predictors.vacancy_correction import TABLE
    from . import toolbox
    from .vacancy_energies import correction_table

    begun = False

    def told(done: int, total: int) -> None:
        nonlocal begun
        if not begun:
            listener.stage("vacancies", total)
            listener.advance(done - 1)
        begun = True
        listener.advance(1)

    made = correction_table(toolbox.tools_for_prediction(), told=told)
    folder = into or home() / "data"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TABLE).write_text(json.dumps(made) + "\n", encoding="utf-8")
    return made, folder / TABLE


def build_conduction(into: Path | None) -> tuple[dict[str, Any], Path]:
    """Fit the classes of conduction and measure them on families left out. Returns the figures, and where the table stands.

    Raises:
        MissingDataError: the data sets are not there.
    """
    from ..predictors.conduction.card import build_table
    from ..predictors.conduction.model import TABLE

    folder = into or home() / "data"
    folder.mkdir(parents=True, exist_ok=True)
    return build_table(data_dir(), folder), folder / TABLE


def build_synapse_accuracy(into: Path | None, listener: Listener) -> tuple[dict[str, Any], Path]:
    """Try assumed devices of every class on every workload. Returns the table, and where it stands."""
    from ..screening.synapse.accuracy import build_accuracy_table

    made = build_accuracy_table(progress=_Told(listener))
    path = (into or home() / "data") / "synapse" / "accuracy.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    return made, path


class _Told:
    """Turns (stage, done, total, seconds left) into a listener's bars, and now and then a sentence."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.stage = ""
        self.done = 0
        self.said = 0.0

    def __call__(self, stage: str, done: int, total: int, seconds_left: float | None = None) -> None:
        if stage != self.stage:
            self.stage, self.done = stage, 0
            self.listener.stage(stage, total)
        self.listener.advance(done - self.done)
        self.done = done
        if seconds_left is not None and time.time() - self.said > BETWEEN_ESTIMATES:
            self.said = time.time()
            self.listener.say(
                f"{stage}: {done} of {total}; about {_in_words(seconds_left)} left at this pace."
            )


def _in_words(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{max(minutes, 1)} min"
