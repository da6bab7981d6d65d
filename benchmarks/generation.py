"""How good are generated crystals, beside ion exchange and beside chance?

Sets of 1,000 crystals each, and of 300 of the diffusion model, of at most 20 atoms in the primitive cell:

    raw              what the token model writes under the generator's defaults; written anew only where unsound
    reranked         what the generator hands on: more are written, known ones dropped, the rest ranked
    substitution     ion exchange in all training crystals of at most 20 atoms, under its defaults, known ones dropped
    random           a walk over the same grammar that knows nothing (`generation_random.py`), with the same checks
    polar            as raw, polar space groups asked for
    groups           as raw, 25 space groups asked for one by one, 40 crystals of each
    reranked_groups  as reranked, the same groups
    known            training crystals: what relaxer and hull make of crystals that exist

    diffusion_raw        what the diffusion model makes under the generator's defaults: all atoms and the cell diffused, then put
                         on the places of higher symmetry that lie near; written anew only where unsound, known ones stay
    diffusion_symmetric  as diffusion_raw, but space group and Wyckoff positions are the token model's, and the rest is diffused
    diffusion_groups     as diffusion_symmetric, the 25 space groups asked for one by one, 12 crystals of each
    diffusion_reranked   what the diffusion generator hands on: more are made, known ones dropped, the rest ranked
    diffusion_reranked_groups
                         as diffusion_reranked, from the token model's positions, the same groups, 12 crystals of each
    diffusion_steered    as diffusion_raw, its particles resampled by the energy above hull that the property network predicts

Protocol. Every set is relaxed alike, atoms and cell, by CHGNet as `hysteron relax` does it, and measured on the shipped hull of
CHGNet energies. No DFT stands behind these figures, and a phase that the hull lacks makes crystals seem stabler than they are,
in every set alike; `far_below_the_hull` says how often that must be. Shares are of all crystals of a set; a relaxation that
failed or did not come to rest counts as not stable, not kept, and infinitely far. The same crystal is what it is everywhere
in the project (formula, space group at 0.01 A and Wyckoff sequence equal, then pymatgen's matcher); known is what stands in
HYSTERON_DATA_DIR/crystals, all splits. Stable, unique and novel (`sun`) are looked at after relaxation; stricter counts
stand beside (`generation_rows.suns`), for a small distortion makes a novel crystal in the first, and a relaxer finds
low energies on its own. Displacements are those of `generation_displacement.py`, properties those of the property network
at the generated geometry.

Rows: `written` (all that needs no relaxation), one for each set after relaxation, `compared`, `conditioning`, `speed`; and of the
diffusion model

    diffusion_written     its sets before relaxation, beside `raw`
    diffusion_compared    its sets beside those of the token model, ion exchange and chance
    structure_prediction  one structure for each of 500 test formulas, beside chance (`generation_prediction.py`)
    evaluations           quality and speed by the number of evaluations of its network (`generation_evaluations.py`)
    adapters              properties and space groups that adapters are told, by guidance (`generation_adapters.py`)
    diffusion_speed       crystals a second, beside the token model (`generation_diffusion_speed.py`)

Relaxing the sets takes hours on two cores; with `--resume` sets and relaxations that were made before are kept, and whatever
was sampled and compared. A model and an adapter are found in HYSTERON_HOME or among what ships; other weights make other sets.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ..core.errors import NotFoundError, nearest
from ..core.settings import data_dir, home
from .generation_adapters import adapters_row
from .generation_claims import claims
from .generation_conditioning import conditioning_row
from .generation_diffusion_speed import diffusion_speed_row
from .generation_evaluations import evaluations_row
from .generation_intervals import Figures
from .generation_kept import Kept, say
from .generation_prediction import prediction_row
from .generation_rows import (
    DIFFUSION_PAIRS,
    compared_row,
    diffusion_written_row,
    relaxed_row,
    written_row,
)
from .generation_sets import RELAXED
from .generation_speed import speed_row
from .generation_world import QUICK, Plan, World

ROWS: dict[str, Callable[[World], Figures]] = {
    "written": written_row,
    **{name: partial(relaxed_row, name=name) for name in RELAXED},
    "compared": compared_row,
    "conditioning": conditioning_row,
    "speed": speed_row,
    "diffusion_written": diffusion_written_row,
    "diffusion_compared": partial(compared_row, pairs=DIFFUSION_PAIRS),
    "structure_prediction": prediction_row,
    "evaluations": evaluations_row,
    "adapters": adapters_row,
    "diffusion_speed": diffusion_speed_row,
}


def run(
    seed: int = 0,
    only: str | None = None,
    resume: bool = False,
    quick: bool = False,
    plan: Plan | None = None,
    folder: Path | None = None,
) -> dict[str, Any]:
    """Measure the table, or one row of it.

    Args:
        seed: Of what is written, of the training crystals looked at, and of the intervals.
        only: A name in `ROWS`.
        resume: Keep sets and relaxations that were made before.
        quick: A dozen crystals for each set, to see that it runs; no claim stands on it.
        plan: How much is measured, instead.
        folder: Where sets and relaxations stand, instead.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set or holds no crystals, or there are no weights.
        NotFoundError: no such row.
    """
    if only is not None and only not in ROWS:
        raise NotFoundError(f"No row {only!r} in this benchmark. {nearest(only, ROWS)}")
    data_dir()
    plan = plan or (QUICK if quick else Plan())
    name = "generation-quick" if quick else "generation"
    kept = Kept(resume, folder or home() / "cache" / "benchmarks" / name)
    world = World(seed, plan, kept)
    rows: dict[str, Figures] = {}
    for name in [only] if only else ROWS:
        began = time.monotonic()
        rows[name] = ROWS[name](world)
        say(f"{name}: done in {time.monotonic() - began:.0f} s")
    return {
        "benchmark": "generation",
        "seed": seed,
        "plan": plan.model_dump(mode="json"),
        **world.told(),
        "sets_of_an_earlier_run": sorted(set(kept.reused)),
        "claims": claims(rows),
        "rows": rows,
    }
