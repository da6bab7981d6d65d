"""Which structure does the diffusion model give to a formula, and is it the right one?

One sample for each test formula (`generation_targets.py`), matched as in `generation_matching.py`. The ways, by what is given:

    plain                 types and number of atoms of the true primitive cell, as papers do it; all else is diffused
    skeleton              space group and Wyckoff positions as well; what symmetry leaves free is diffused
    from_tokens           the formula alone: the token model says group and positions
    plain_picked          as `plain`, but of eight samples the one that the property network expects to be lowest in energy
    from_tokens_picked    as `from_tokens`, likewise, each sample from a crystal of its own of the token model
    tokens                the formula alone: the crystal that the token model writes, whose positions `from_tokens` takes
    random_in_mean_cell   chance that knows the group's mean cell (`generation_cells.py`)
    random_in_skeleton    chance that knows the Wyckoff positions besides

Papers compare `plain`; what the generator hands on is picked. A `plain` crystal is put on the places of higher symmetry that
lie near, as the generator does it; `as_sampled` is without that. Nothing is sampled anew: a crystal that is not sound has
missed. What the token model cannot write has missed as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch

from ..core.candidate import Candidate
from ..core.errors import InputError
from ..core.settings import config_hash
from ..generators.diffusion.adapters import SPACEGROUP
from ..generators.diffusion.crystals import settled
from ..generators.diffusion.entries import symmetric_entry
from ..generators.diffusion.maker import AT_ONCE, group_facts
from ..generators.diffusion.sampler import Style, plain_start, sample
from ..generators.diffusion.starts import Start
from ..generators.diffusion.table import MASK, padded
from ..generators.soundness import one_thread, overlaps
from ..generators.tokens.generator_config import style_of
from ..generators.tokens.writing import Sound, Writer
from ..generators.wyckoff.crystal import WyckoffCrystal
from .generation_cells import random_in_mean_cell, random_in_skeleton
from .generation_conditioning import predictions
from .generation_diffusion import as_sampled, diffusion_key
from .generation_figures import Made, is_sound
from .generation_intervals import Figures, difference
from .generation_kept import Progress, Set, say
from .generation_matching import (
    ANGLE_TOLERANCE_DEGREE,
    LENGTH_TOLERANCE,
    MATCHED,
    NO_MATCH,
    STRICTLY,
    distances,
    matched,
)
from .generation_sets import generator, of_sound
from .generation_targets import Target, targets
from .generation_world import World

if TYPE_CHECKING:
    from pymatgen.core import Structure

TRIES = 8
"""Samples of a formula of which one is picked."""
WRITTEN_AT_ONCE = 8
"""Crystals of one formula that the token model writes side by side; the first sound one counts."""
BASELINES = ("random_in_mean_cell", "random_in_skeleton")


def prediction_row(world: World) -> Figures:
    """Every way, on the same formulas."""
    asked = targets(world)
    ways = {way: figures_of(world, way, asked.chosen) for way in WAYS}
    for way, figures in ways.items():
        say(f"{way}: {figures[MATCHED]['match_rate']['hits']} of {len(asked.chosen)} formulas matched")
    cells = [world.mean_cells.whose(one.crystal.spacegroup_number) for one in asked.chosen]
    return {
        "targets": asked.told(),
        "ways": ways,
        "differences": {
            f"{way} less {baseline}": _differences(ways[way], ways[baseline])
            for way in (*DIFFUSED_WAYS, "tokens")
            for baseline in BASELINES
        },
        "evaluations": world.diffusion_config().steps,
        "matcher": {"ltol": LENGTH_TOLERANCE, "angle_tol": ANGLE_TOLERANCE_DEGREE},
        "units": "rmse: (V/N)^(1/3)",
        "mean_cells": {
            "of_the_group": sum(isinstance(one, int) for one in cells),
            "of_the_crystal_system_or_of_all": sum(isinstance(one, str) for one in cells),
        },
    }


def figures_of(world: World, way: str, asked: Sequence[Target], evaluations: int | None = None) -> Figures:
    """Match rates and distances of one way.

    Args:
        world: Has the models.
        way: One of `WAYS`.
        asked: What has to be found.
        evaluations: Of the network; those of the generator's defaults if none are named.
    """
    told = _predicted(world, way, asked, evaluations or world.diffusion_config().steps)[1]
    five = [i for i, one in enumerate(asked) if one.is_abx3]
    found = matched(told["distances"], world.seed)
    found["five_atom_ABX3"] = matched([told["distances"][i] for i in five], world.seed)
    found["not_sound"], found["not_made"] = told["not_sound"], told["not_made"]
    if "as_sampled" in told:
        found["as_sampled"] = matched(told["as_sampled"], world.seed)
    return found


def _predicted(world: World, way: str, asked: Sequence[Target], evaluations: int) -> Set:
    """The crystals of one way, and how far each is from the true one; kept."""
    stream = f"predicted {way} {evaluations}" if way in DIFFUSED_WAYS else f"predicted {way}"

    def make() -> Set:
        found, more = WAYS[way](world, asked, evaluations, stream)
        return [one for one in found if one is not None], more | _compared(way, found, asked)

    key = diffusion_key(
        world,
        stream,
        len(asked),
        targets=config_hash({"keys": [one.key for one in asked]}),
        reference=world.reference.digest,
        adapter=world.adapter_weights(SPACEGROUP),
        predictor=getattr(world.predictor, "model_hash", "") if way.endswith("picked") else None,
    )
    return world.kept.made(stream.replace(" ", "-"), key, make)


def _compared(way: str, found: Sequence[Made | None], asked: Sequence[Target]) -> dict[str, Any]:
    """How far each crystal is from the true one, plain ones settled first."""
    told, rows, unsettled = Progress(f"{way}: compared", len(asked)), [], []
    not_sound = 0
    for one, target in zip(found, asked, strict=True):
        told.advance()
        if one is None or not is_sound(one.structure):
            not_sound += one is not None
            rows.append(dict(NO_MATCH))
            unsettled.append(dict(NO_MATCH))
            continue
        if way.startswith("plain"):
            unsettled.append(distances(one.structure, target.structure))
            rows.append(distances(settled(one.structure), target.structure))
        else:
            rows.append(distances(one.structure, target.structure))
    figures = {
        "distances": rows,
        "not_sound": not_sound,
        "not_made": sum(one is None for one in found),
    }
    return figures | ({"as_sampled": unsettled} if way == "plain" else {})


Found = tuple[list[Made | None], dict[str, Any]]
"""A crystal for each target or none, and what is told of how they were made."""


def _plain(world: World, asked: Sequence[Target], evaluations: int, stream: str) -> Found:
    return _diffused(world, [one.crystal for one in asked], typed_start, evaluations, stream), {}


def _skeleton(world: World, asked: Sequence[Target], evaluations: int, stream: str) -> Found:
    return _diffused(world, [one.crystal for one in asked], symmetric_start, evaluations, stream), {}


def _from_tokens(world: World, asked: Sequence[Target], evaluations: int, stream: str) -> Found:
    """Those of `tokens`, their numbers diffused; what the token model does not write is missing."""
    told = _predicted(world, "tokens", asked, evaluations)[1]["crystals"]
    known = {i: WyckoffCrystal.from_dict(some[0]) for i, some in enumerate(told) if some}
    some = _diffused(world, list(known.values()), symmetric_start, evaluations, stream)
    by_place = dict(zip(known, some, strict=True))
    return [by_place.get(i) for i in range(len(asked))], {}


def _plain_picked(world: World, asked: Sequence[Target], evaluations: int, stream: str) -> Found:
    places = [i for i in range(len(asked)) for _ in range(TRIES)]
    some = _diffused(world, [asked[i].crystal for i in places], typed_start, evaluations, stream)
    calm = [one and Made(settled(one.structure), one.spacegroup_number) for one in some]
    return _picked(world, places, calm, len(asked)), {}


def _from_tokens_picked(world: World, asked: Sequence[Target], evaluations: int, stream: str) -> Found:
    told = _predicted(world, "tokens", asked, evaluations)[1]["crystals"]
    pairs = [(i, WyckoffCrystal.from_dict(one)) for i, some in enumerate(told) for one in some]
    some = _diffused(world, [crystal for _, crystal in pairs], symmetric_start, evaluations, stream)
    return _picked(world, [i for i, _ in pairs], some, len(asked)), {}


def _picked(
    world: World, places: Sequence[int], some: Sequence[Made | None], count: int
) -> list[Made | None]:
    """For each place the sound crystal of the lowest formation energy, as the property network expects it."""
    sound = [(i, one) for i, one in zip(places, some, strict=True) if one and not overlaps(one.structure)]
    predicted = predictions(world, [Candidate(f"try-{k}", one.structure) for k, (_, one) in enumerate(sound)])
    best: list[tuple[float, Made] | None] = [None] * count
    for (i, one), told in zip(sound, predicted, strict=True):
        energy = told["formation_energy_per_atom"]
        height, known = math.inf if energy is None else energy, best[i]
        if known is None or height < known[0]:
            best[i] = height, one
    return [one and one[1] for one in best]


def _tokens(world: World, asked: Sequence[Target], _evaluations: int, stream: str) -> Found:
    """The first sound crystal of each formula, whatever its charges; a formula that cannot be written is told of.

    Of every formula up to `TRIES` crystals are kept for those who pick.
    """
    found: list[Made | None] = []
    crystals: list[list[dict]] = []
    in_vain: dict[str, str] = {}
    told = Progress("tokens: formulas", len(asked))
    for target in asked:
        config = world.config(formula=target.formula, intermetallics=True)
        draws = generator(world, f"{stream} {target.formula}")
        some: list[Sound] = []
        try:
            sounds = Writer(world.trained).sound(
                world.grammar(config), draws, style_of(config), WRITTEN_AT_ONCE
            )
            some += islice(sounds, TRIES)
        except InputError as error:
            in_vain[target.formula] = str(error)
        found.append(of_sound(some[0]) if some else None)
        crystals.append([one.crystal.to_dict() for one in some])
        told.advance()
    return found, {"crystals": crystals, "in_vain": in_vain}


def _random_in_mean_cell(world: World, asked: Sequence[Target], _evaluations: int, stream: str) -> Found:
    return _by_chance(world, asked, stream, random_in_mean_cell), {}


def _random_in_skeleton(world: World, asked: Sequence[Target], _evaluations: int, stream: str) -> Found:
    return _by_chance(world, asked, stream, random_in_skeleton), {}


WAYS: dict[str, Callable[[World, Sequence[Target], int, str], Found]] = {
    "plain": _plain,
    "skeleton": _skeleton,
    "from_tokens": _from_tokens,
    "plain_picked": _plain_picked,
    "from_tokens_picked": _from_tokens_picked,
    "tokens": _tokens,
    "random_in_mean_cell": _random_in_mean_cell,
    "random_in_skeleton": _random_in_skeleton,
}
DIFFUSED_WAYS = ("plain", "skeleton", "from_tokens", "plain_picked", "from_tokens_picked")


def typed_start(crystals: Sequence[WyckoffCrystal]) -> Start:
    """The atoms of crystals, and nothing else of them."""
    from pymatgen.core import Element

    start = plain_start([crystal.natoms for crystal in crystals])
    types = torch.full_like(start.types, MASK)
    for row, crystal in zip(types, crystals, strict=True):
        numbers = [Element(symbol).Z for symbol, n in crystal.amounts.items() for _ in range(n)]
        row[: len(numbers)] = torch.tensor(numbers)
    return Start(start.but(types=types))


def symmetric_start(crystals: Sequence[WyckoffCrystal]) -> Start:
    """Space groups and occupied positions of crystals; the sampler draws free coordinates and lattice anew."""
    return Start(padded([symmetric_entry(crystal) for crystal in crystals]), tuple(crystals))


def _diffused(
    world: World,
    crystals: Sequence[WyckoffCrystal],
    start_of: Callable[[Sequence[WyckoffCrystal]], Start],
    evaluations: int,
    stream: str,
) -> list[Made | None]:
    """One sample of each crystal, in batches of nearly one size."""
    order = sorted(range(len(crystals)), key=lambda i: crystals[i].natoms)
    draws, told = generator(world, stream), Progress(f"{stream}: sampled", len(crystals))
    found: list[Made | None] = [None] * len(crystals)
    with one_thread():
        for first in range(0, len(order), AT_ONCE):
            places = order[first : first + AT_ONCE]
            start = start_of([crystals[i] for i in places])
            facts = group_facts(start, world.adapter(SPACEGROUP))
            batch = sample(world.diffusion.network, start.batch, draws, Style(evaluations), facts=facts)
            for i, one in zip(places, as_sampled(start, batch), strict=True):
                found[i] = one
            told.advance(len(places))
    return found


def _by_chance(
    world: World, asked: Sequence[Target], stream: str, drawn: Callable[..., Structure]
) -> list[Made | None]:
    rng, cells = world.rng(stream), world.mean_cells
    return [Made(drawn(one.crystal, cells, rng), one.crystal.spacegroup_number) for one in asked]


def _differences(one: Figures, other: Figures) -> Figures:
    """Of match rates, by tolerance; as if of independent sets, though both are of the same formulas, so the interval is wide."""
    rates = {name: (one[name]["match_rate"], other[name]["match_rate"]) for name in (MATCHED, STRICTLY)}
    return {
        name: difference(mine["hits"], mine["n"], theirs["hits"], theirs["n"])
        for name, (mine, theirs) in rates.items()
    }
