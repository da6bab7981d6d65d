"""How far off are predicted properties, beside a CGCNN of standard size trained on the same crystals for as many epochs?

Every row trains its models anew (kept with `--resume`): ours with CHGNet's atom features, ours without, and CGCNN. Errors are
on formulas that no training saw. CHGNet itself has seen most Materials Project crystals, those of the test formulas
included, which is why the variant without stands beside. The whole takes some hours on two cores; `--only ROW`
measures one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.errors import NotFoundError, nearest
from ..core.settings import data_dir
from . import readers
from .properties_abx3 import abx3_row
from .properties_coverage import coverage_row
from .properties_inference import inference_row
from .properties_rows import direct_gap_row, materials_project_row, perov5_row
from .properties_small import dielectric_row, vacancies_row
from .properties_stability import stability_row
from .properties_training import Trainings, say


def run(seed: int = 0, only: str | None = None, resume: bool = False, quick: bool = False) -> dict[str, Any]:
    """Measure the table, or one row of it.

    Args:
        seed: Of the bootstrap intervals; trainings have seed 0, or 0, 1 and 2.
        only: A name in `ROWS`.
        resume: Keep trainings that were made before.
        quick: Few crystals and two epochs, to see that it runs; no claim stands on it.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set or lacks a table.
        NotFoundError: no such row.
    """
    if only is not None and only not in ROWS:
        raise NotFoundError(f"No row {only!r} in this benchmark. {nearest(only, ROWS)}")
    data_dir()
    trainings = Trainings(quick)
    if not resume:
        trainings.forget()
    rows = {}
    for name in [only] if only else ROWS:
        say(f"{name} ...")
        rows[name] = ROWS[name](trainings, seed)
    return {
        "benchmark": "properties",
        "seed": seed,
        "baseline": "CGCNN (64, 3 convolutions, 128), same crystals, epochs, schedule and loss",
        "rows": rows,
    }


def readers_row(trainings: Trainings, seed: int) -> dict[str, Any]:
    """Whether OC20 and OMat24 are read as they were written; see `readers`."""
    return readers.run(frames=40 if trainings.quick else 400, seed=seed)


ONE_SEED = (0,)
ROWS: dict[str, Callable[[Trainings, int], dict[str, Any]]] = {
    "perov5-heat": lambda trainings, seed: perov5_row(trainings, seed, "perov5-val-by-formula", 0.060),
    "perov5-heat-random": lambda trainings, seed: perov5_row(
        trainings, seed, "perov5-val-random", None, ONE_SEED
    ),
    "perov5-heat-all": lambda trainings, seed: perov5_row(
        trainings, seed, "perov5-all-by-formula", 0.050, ONE_SEED
    ),
    "perov5-direct-gap": direct_gap_row,
    "materials-project": materials_project_row,
    "abx3": abx3_row,
    "oxygen-vacancies": vacancies_row,
    "dielectric": dielectric_row,
    "stability": stability_row,
    "coverage": coverage_row,
    "readers": readers_row,
    "inference": inference_row,
}
