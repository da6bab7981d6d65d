"""Which sets of crystals are compared, and how is each one made?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from ..core.contracts import Tools
from ..core.errors import InputError
from ..core.identity import bucket_of
from ..generators.soundness import one_thread
from ..generators.substitution import Substitution
from ..generators.tokens.generator import Tokens
from ..generators.tokens.generator_config import TokenGeneratorConfig, style_of
from ..generators.tokens.sampling import AT_ONCE
from ..generators.tokens.writing import Sound, Writer
from ..generators.wyckoff.decode import decode
from .generation_diffusion import (
    BEFORE_REDRAWING,
    DIFFUSED,
    diffused_groups,
    diffused_set,
    reranked,
    reranked_groups,
    set_key,
    unchecked_set,
)
from .generation_figures import Made, Outcome, outcomes_of
from .generation_handed_on import handed_on, handed_on_by_group, of_candidates
from .generation_kept import Progress, Set, settings_of
from .generation_random import RandomWriter
from .generation_world import World

FERROELECTRIC_GROUPS = (4, 26, 29, 31, 33, 36, 38, 99, 160, 161, 186)
"""Those of the well known ferroelectrics and polar semiconductors: BaTiO3, PbTiO3, LiNbO3, HfO2, KNbO3, ZnO ..."""
FREQUENT_GROUPS = (225, 71, 139, 221, 194, 12, 62, 63, 123, 166, 216, 187, 2, 129)
"""The most frequent ones of the 32,368 training crystals of at most 20 atoms that are not among those above."""
GROUPS = (*FERROELECTRIC_GROUPS, *FREQUENT_GROUPS)


def made(world: World, name: str) -> Set:
    """The crystals of a set, and what is told of how they were made."""
    return world.kept.made(name, key_of(world, name), lambda: MAKERS[name](world))


def outcomes(world: World, name: str) -> list[Outcome]:
    """The crystals of a set with what relaxing made of them."""
    crystals, _ = made(world, name)
    relaxations = world.kept.relaxed(name, crystals, world.relaxer)
    return outcomes_of(crystals, relaxations, world.hull)


def key_of(world: World, name: str, **more: Any) -> dict[str, Any]:
    """All that decides a set."""
    if name in DIFFUSED or name in BEFORE_REDRAWING.values():
        return set_key(world, name)
    plan = world.plan
    key = {"set": name, "seed": world.seed, "count": plan.count, "code": world.code, **more}
    if name in ("groups", "reranked_groups"):
        key["count"] = plan.per_group
    if name not in ("random", "substitution", "known"):
        key["weights"] = world.weights
    if name in ("reranked", "reranked_groups", "substitution", "known"):
        key["reference"] = world.reference.digest
    if name in ("reranked", "reranked_groups"):
        key |= {"predictor": getattr(world.predictor, "model_hash", ""), "hull": world.hull.name}
    return key


def written(world: World, config: TokenGeneratorConfig, count: int, stream: str) -> Set:
    """Crystals of the model, written anew only where they are not sound; duplicates and known ones stay."""
    writer, told = Writer(world.trained), Progress(f"{stream}: written", count)
    draws = generator(world, stream)
    some: list[Made] = []
    sounds = writer.sound(world.grammar(config), draws, style_of(config), min(count, AT_ONCE))
    for sound in islice(sounds, count):
        some.append(of_sound(sound))
        told.advance()
    return some, {**settings_of(config), **counted(writer)}


def generator(world: World, stream: str) -> Any:
    """A torch generator for a stream of that name."""
    import torch

    return torch.Generator().manual_seed(int(world.rng(stream).integers(2**63 - 1)))


def counted(writer: Writer) -> dict[str, Any]:
    """Why some were written anew; the model writes whole batches, of which the last is looked at in part."""
    return {"written_in_whole_batches": writer.written, "refused": dict(writer.refused)}


def of_sound(sound: Sound) -> Made:
    """As a member of a set."""
    return Made(sound.structure, sound.crystal.spacegroup_number, sound.log_probability)


def _raw(world: World) -> Set:
    return written(world, world.config(), world.plan.count, "raw")


def _polar(world: World) -> Set:
    return written(world, world.config(polar_only=True), world.plan.count, "polar")


def _unchecked(world: World) -> Set:
    """As `raw`, but whatever the model writes is taken; what is no cell at all is missing."""
    config, writer = world.config(), Writer(world.trained)
    with one_thread():
        some = [
            Made(decode(one.crystal), one.crystal.spacegroup_number, one.log_probability)
            for one in writer.sampler.write(
                world.grammar(config), world.plan.count, generator(world, "unchecked"), style_of(config)
            )
        ]
    return some, settings_of(config)


def _groups(world: World) -> Set:
    """As `raw`, one space group after the other; one that gives no sound crystals is told of."""
    crystals: list[Made] = []
    told: dict[str, Any] = {"written_in_whole_batches": 0, "refused": {}, "in_vain": {}}
    count = world.plan.per_group
    for number in GROUPS:
        config = world.config(spacegroup_number=number)
        try:
            some, counts = written(world, config, count, f"group {number}")
        except InputError as error:
            told["in_vain"][str(number)] = str(error)
            continue
        crystals += some
        told["written_in_whole_batches"] += counts["written_in_whole_batches"]
        for reason, times in counts["refused"].items():
            told["refused"][reason] = told["refused"].get(reason, 0) + times
    return crystals, {"groups": list(GROUPS), "per_group": count, **told}


def _reranked(world: World) -> Set:
    config = world.config()
    return handed_on(world, Tokens(config), world.plan.count, "reranked"), settings_of(config)


def _reranked_groups(world: World) -> Set:
    def asked(number: int) -> Tokens:
        return Tokens(world.config(spacegroup_number=number))

    return handed_on_by_group(world, asked, GROUPS, world.plan.per_group, "reranked group")


def _known(world: World) -> Set:
    """Training crystals: what the relaxer and the hull make of those that exist."""
    records = world.reference.training()
    chosen = world.rng("known").permutation(len(records))[: world.plan.count]
    structures = [records[i].structure() for i in sorted(chosen.tolist())]
    return [Made(s, bucket_of(s).spacegroup_number, None) for s in structures], {"of": len(records)}


def _substitution(world: World) -> Set:
    seeds = world.reference.seeds()
    made_by = Substitution()
    told = Progress("substitution: proposed", world.plan.count)
    found = []
    tools = Tools(known=world.reference)
    for candidate in made_by.generate(seeds, world.plan.count, world.rng("substitution"), tools):
        found.append(candidate)
        told.advance()
    return of_candidates(found), {**settings_of(made_by.config), "seeds": len(seeds)}


def _random(world: World) -> Set:
    writer = RandomWriter()
    stream = writer.sound(world.grammar(world.config()), world.rng("random"))
    some = [of_sound(sound) for sound in islice(stream, world.plan.count)]
    return some, {"written": writer.written, "refused": dict(writer.refused)}


MAKERS: dict[str, Callable[[World], Set]] = {
    "raw": _raw,
    "reranked": _reranked,
    "reranked_groups": _reranked_groups,
    "known": _known,
    "substitution": _substitution,
    "random": _random,
    "polar": _polar,
    "groups": _groups,
    "unchecked": _unchecked,
    "diffusion_raw": partial(diffused_set, name="diffusion_raw"),
    "diffusion_symmetric": partial(diffused_set, name="diffusion_symmetric", from_tokens=True),
    "diffusion_groups": lambda world: diffused_groups(world, GROUPS),
    "diffusion_reranked": reranked,
    "diffusion_reranked_groups": lambda world: reranked_groups(world, GROUPS),
    "diffusion_steered": partial(diffused_set, name="diffusion_steered", steering="predictor"),
    **{name: partial(unchecked_set, mode=mode) for mode, name in BEFORE_REDRAWING.items()},
}
RELAXED = (
    "raw",
    "reranked",
    "substitution",
    "random",
    "polar",
    "groups",
    "reranked_groups",
    "known",
    *DIFFUSED,
)
"""Sets of which each has a row of its own."""
