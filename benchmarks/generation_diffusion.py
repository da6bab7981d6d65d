"""Which crystals of the diffusion model are looked at, and how is each set made?

In both of its modes: `plain`, where all atoms and the whole cell are diffused, and `from_tokens`, where the token model says
space group and Wyckoff positions and what symmetry leaves free is diffused.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from ..core.contracts import Tools
from ..core.errors import InputError
from ..core.identity import SYMPREC_ANGSTROM
from ..generators.diffusion.adapters import SPACEGROUP
from ..generators.diffusion.crystals import (
    examined_plain,
    examined_symmetric,
    structures_of,
    symmetric_crystals,
)
from ..generators.diffusion.generator import Diffusion
from ..generators.diffusion.generator_config import DiffusionGeneratorConfig
from ..generators.diffusion.maker import AT_ONCE, Maker, Sound
from ..generators.diffusion.sampler import Wish
from ..generators.diffusion.starts import Start
from ..generators.diffusion.table import Batch
from ..generators.soundness import one_thread
from ..generators.wyckoff.decode import decode
from .generation_figures import Made, symmetry_of
from .generation_handed_on import handed_on, handed_on_by_group
from .generation_kept import Progress, Set, settings_of
from .generation_world import World

MODES: dict[str, dict[str, Any]] = {"plain": {}, "from_tokens": {"from_tokens": True}}
"""How crystals are made, by the generator's settings."""
DIFFUSED = (
    "diffusion_raw",
    "diffusion_symmetric",
    "diffusion_groups",
    "diffusion_reranked",
    "diffusion_reranked_groups",
    "diffusion_steered",
)
"""Sets of the diffusion model that are relaxed."""
DIFFUSED_BY_GROUP = ("diffusion_groups", "diffusion_reranked_groups")
"""Those of which one space group after the other is asked."""
DIFFUSED_AND_RANKED = ("diffusion_reranked", "diffusion_reranked_groups")
"""Those that the generator hands on."""
BEFORE_REDRAWING = {"plain": "diffusion_unchecked", "from_tokens": "diffusion_symmetric_unchecked"}
"""By mode, the set of which nothing is written anew."""


def diffused_set(world: World, name: str, **wishes: Any) -> Set:
    """A set of crystals that are written anew only where they are not sound."""
    return diffused(world, world.diffusion_config(**wishes), world.plan.diffused, name)


def diffused_groups(world: World, groups: Sequence[int]) -> Set:
    """From the token model's positions, one space group after the other; one that gives no sound crystals is told of."""
    crystals: list[Made] = []
    count = world.plan.diffused_per_group
    told: dict[str, Any] = {
        "groups": list(groups),
        "per_group": count,
        "made": 0,
        "refused": {},
        "in_vain": {},
    }
    progress = Progress("diffusion_groups: groups", len(groups))
    for number in groups:
        config = world.diffusion_config(spacegroup_number=number)
        try:
            some, counts = diffused(world, config, count, f"diffusion group {number}")
        except InputError as error:
            told["in_vain"][str(number)] = str(error)
        else:
            crystals += some
            told["made"] += counts["made"]
            for reason, times in counts["refused"].items():
                told["refused"][reason] = told["refused"].get(reason, 0) + times
        progress.advance()
    return crystals, told


def reranked(world: World) -> Set:
    """What the generator hands on."""
    config = world.diffusion_config()
    return handed_on(world, Diffusion(config), world.plan.diffused, "diffusion_reranked"), settings_of(config)


def reranked_groups(world: World, groups: Sequence[int]) -> Set:
    """What the generator hands on from the token model's positions, one space group after the other."""

    def asked(number: int) -> Diffusion:
        return Diffusion(world.diffusion_config(spacegroup_number=number))

    return handed_on_by_group(world, asked, groups, world.plan.diffused_per_group, "diffusion reranked group")


def unchecked_set(world: World, mode: str) -> Set:
    """Whatever the sampler gives, sound or not; what is no cell at all is missing."""
    config = world.diffusion_config(**MODES[mode])
    return unchecked(world, config, world.plan.diffused, BEFORE_REDRAWING[mode])


def set_key(world: World, name: str) -> dict[str, Any]:
    """All that decides a set of this file."""
    plan, more = world.plan, {}
    if name in (*DIFFUSED_BY_GROUP, "diffusion_symmetric", BEFORE_REDRAWING["from_tokens"]):
        more["adapter"] = world.adapter_weights(SPACEGROUP)
    if name in DIFFUSED_AND_RANKED:
        more["reference"] = world.reference.digest
    if name in (*DIFFUSED_AND_RANKED, "diffusion_steered"):
        more |= {"predictor": getattr(world.predictor, "model_hash", ""), "hull": world.hull.name}
    count = plan.diffused_per_group if name in DIFFUSED_BY_GROUP else plan.diffused
    return diffusion_key(world, name, count, **more)


def diffusion_key(world: World, name: str, count: int, **more: Any) -> dict[str, Any]:
    """What decides every set that the diffusion model makes, and more."""
    return {
        "set": name,
        "seed": world.seed,
        "count": count,
        "code": world.diffusion_code,
        "weights": world.weights,
        "diffusion_weights": world.diffusion_weights,
        **more,
    }


def diffused(
    world: World,
    config: DiffusionGeneratorConfig,
    count: int,
    stream: str,
    wishes: Sequence[Wish] | None = None,
) -> Set:
    """Crystals that are written anew only where they are not sound; duplicates and known ones stay.

    Args:
        world: Has the models.
        config: What is asked.
        count: How many.
        stream: Name of the random stream.
        wishes: Followed instead of those that the settings name.
    """
    maker, told = maker_of(world, config), Progress(f"{stream}: made", count)
    if wishes is not None:
        maker.wishes = tuple(wishes)
    some: list[Made] = []
    with one_thread():
        for sound in islice(maker.sound(world.rng(stream), min(count, AT_ONCE)), count):
            some.append(_of_sound(sound))
            told.advance()
    return some, {**settings_of(config), "made": maker.made, "refused": dict(maker.refused)}


def unchecked(world: World, config: DiffusionGeneratorConfig, count: int, stream: str) -> Set:
    """Crystals as the sampler gives them.

    A batch goes from small crystals to large ones; so those that are too many are left out by lot.
    """
    maker, rng = maker_of(world, config), world.rng(stream)
    some: list[Made | None] = []
    with one_thread():
        for start in maker.starts.batches(min(count, AT_ONCE), rng):
            some += as_sampled(start, maker.sampled(start, rng))
            if len(some) >= count:
                break
    chosen = [some[i] for i in rng.permutation(len(some))[:count]]
    return [one for one in chosen if one is not None], settings_of(config)


def maker_of(world: World, config: DiffusionGeneratorConfig) -> Maker:
    """As the generator makes it: with the adapters that there are for what is asked."""
    asked = [*config.properties, *([SPACEGROUP] if config.is_symmetric else [])]
    adapters = [one for name in asked if (one := world.adapter(name)) is not None]
    tools = Tools() if config.steering == "none" else Tools(predictor=world.predictor, hull=world.hull)
    tokens = world.trained if config.is_symmetric else None
    return Maker(config, world.diffusion, adapters, tokens, tools)


def as_sampled(start: Start, batch: Batch) -> list[Made | None]:
    """Crystals of a batch, whatever they are; none where there is no sensible cell."""
    if start.skeletons is None:
        return [_found(structure) for structure in structures_of(batch)]
    crystals = symmetric_crystals(batch, start.skeletons)
    return [None if one is None else Made(decode(one), one.spacegroup_number) for one in crystals]


def sound_ones(start: Start, batch: Batch) -> int:
    """How many of a batch the generator would hand out, where no formula is asked for; looked at as it does."""
    if start.skeletons is None:
        found = [examined_plain(structure, intermetallics=False) for structure in structures_of(batch)]
    else:
        found = [examined_symmetric(crystal) for crystal in symmetric_crystals(batch, start.skeletons)]
    return sum(structure is not None for structure, _ in found)


def _of_sound(sound: Sound) -> Made:
    if sound.crystal is None:
        return _found(sound.structure)
    return Made(sound.structure, sound.crystal.spacegroup_number)


def _found(structure: Any) -> Made:
    """With the group that it has."""
    return Made(structure, symmetry_of(structure, SYMPREC_ANGSTROM)[0])
