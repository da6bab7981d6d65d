"""How good are the crystals of the diffusion model, by the number of evaluations of its network?

Four numbers, from ten to 150: how many test formulas are found, with their Wyckoff positions given and without; how many crystals
of which nothing is asked have atoms apart and a cell, as they are sampled, and how far above the hull the property network puts
them, where one that has not counts as infinitely far; and how many crystals a second are sampled, in this run, with one thread of
torch.
"""

from __future__ import annotations

import math
import time

from ..generators.diffusion.adapters import SPACEGROUP
from ..generators.ranges import STABILITY
from ..generators.soundness import one_thread
from .generation_conditioning import predicted_set
from .generation_diffusion import MODES, diffusion_key, maker_of, unchecked
from .generation_figures import is_sound
from .generation_intervals import Figures, median, share
from .generation_kept import Set, say
from .generation_prediction import figures_of
from .generation_targets import targets
from .generation_world import World

EVALUATIONS = (10, 20, 50, 150)
PREDICTED_WAYS = ("skeleton", "plain")


def evaluations_row(world: World) -> Figures:
    """The curve."""
    asked = targets(world).chosen[: world.plan.curve]
    found: Figures = {}
    for number in EVALUATIONS:
        found[f"evaluations_{number}"] = {
            "structure_prediction": {way: figures_of(world, way, asked, number) for way in PREDICTED_WAYS},
            "unconditioned": {mode: _unconditioned(world, mode, number) for mode in MODES},
            "sampled": {mode: _rate(world, mode, number) for mode in MODES},
        }
        say(f"{number} evaluations: measured")
    return {
        "curve": found,
        "default_evaluations": world.diffusion_config().steps,
        "formulas": len(asked),
        "units": "rate: crystals a second of wall time; rmse: (V/N)^(1/3); predicted energy above hull: eV/atom",
    }


def _unconditioned(world: World, mode: str, number: int) -> Figures:
    """Validity, and the predicted distance from the hull."""
    config, count = world.diffusion_config(**MODES[mode], steps=number), world.plan.curve
    name = f"evaluations-{mode}-{number}"

    def make() -> Set:
        crystals, told = unchecked(world, config, count, name)
        return [one for one in crystals if is_sound(one.structure)], told

    key = diffusion_key(
        world,
        name,
        count,
        settings=config.model_dump(mode="json"),
        adapter=world.adapter_weights(SPACEGROUP) if config.is_symmetric else None,
        predictor=getattr(world.predictor, "model_hash", ""),
        hull=world.hull.name,
    )
    heights = [one[STABILITY] for one in predicted_set(world, name, key, make)[1]]
    known = [height for height in heights if height is not None]
    return {
        "validity": share(len(heights), count),
        "predicted_energy_above_hull_eV_per_atom": median(
            [*known, *[math.inf] * (count - len(known))], world.seed
        ),
        "of_those_predicted_eV_per_atom": median(known, world.seed),
    }


def _rate(world: World, mode: str, number: int) -> Figures:
    """Of sampling alone, crystals a second."""
    config = world.diffusion_config(**MODES[mode], steps=number)
    maker, rng, count = maker_of(world, config), world.rng(f"rate {mode}"), world.plan.diffusion_timed
    starts, rates = maker.starts.batches(count, rng), []
    with one_thread():
        for _ in range(world.plan.repeats):
            start = next(starts)
            began = time.perf_counter()
            maker.sampled(start, rng)
            rates.append(count / (time.perf_counter() - began))
    found = median(rates, world.seed)
    return {"rate": found["median"], "interval_95": found["interval_95"], "n": count * len(rates)}
