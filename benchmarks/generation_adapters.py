"""Does the diffusion model make crystals with the properties that its adapters are told?

Crystals diffused without symmetry, at several guidances, beside as many of which nothing is asked. Whether a property lies in the
range that was asked for, the property network says, at the geometry as it is made; of a space group that was asked for,
crystal system and number are looked for at 0.01 A, after atoms were put on the places of higher symmetry that lie near, as the
generator does it. At guidance 0 adapters are not asked at all, so one set stands there for all of them. An adapter that is not
there is told of, not passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..generators.diffusion.adapters import SPACEGROUP, group_features
from ..generators.diffusion.lessons import group_kinds
from ..generators.diffusion.sampler import Wish
from ..generators.ranges import Range
from ..generators.wyckoff.lattice import crystal_system
from .generation_conditioning import NOTHING, RANGES, Prediction, against, compared, predicted_set
from .generation_diffusion import diffused, diffusion_key
from .generation_figures import Made
from .generation_intervals import Figures
from .generation_kept import say
from .generation_world import World

WISHES = (
    "band_gap=2..4",
    "formation_energy_per_atom=..-2.5",
    "energy_above_hull=..0.025",
    "band_gap=2..4 and formation_energy_per_atom=..-2",
)
"""Names of ranges that the token model is asked for as well; the last one is of two adapters at once."""
GROUPS = (221, 225, 123, 99, 62, 194)
"""Cubic, tetragonal, orthorhombic and hexagonal ones, some of them usual and some rare."""
GUIDANCES = (0.0, 1.0, 2.0, 4.0)


def adapters_row(world: World) -> Figures:
    """Every adapter that there is, at every guidance."""
    named = dict.fromkeys([*(name for wish in WISHES for name in RANGES[wish]), SPACEGROUP])
    missing = {name: _why(name) for name in named if world.adapter(name) is None}
    for sentence in missing.values():
        say(sentence)
    found: Figures = {"ranges": {}, "space_groups": {}}
    if len(missing) < len(named):
        base, unguided = _unasked(world, "base"), _unasked(world, "guidance 0")
        for name in WISHES:
            if not set(RANGES[name]) & set(missing):
                found["ranges"][name] = _of_ranges(world, name, unguided, base)
        for number in () if SPACEGROUP in missing else GROUPS:
            found["space_groups"][str(number)] = _of_group(world, number, unguided, base)
    return found | {
        "missing": missing,
        "default_guidance": world.diffusion_config().guidance,
        "judge": getattr(world.predictor, "method", world.predictor.name),
        "units": "band_gap: eV; energies: eV/atom",
    }


def best_guidance(by_guidance: dict[str, Figures]) -> str | None:
    """Where the ratio to what is unasked is greatest, as the same sample says; nothing where there is no ratio."""
    ratios = {guidance: figures["times"]["ratio"] for guidance, figures in by_guidance.items()}
    known = {guidance: ratio for guidance, ratio in ratios.items() if ratio is not None}
    return max(known, key=known.__getitem__) if known else None


@dataclass(frozen=True)
class Unasked:
    """Crystals of which nothing is asked, and what is predicted of them."""

    crystals: list[Made]
    predicted: list[Prediction]


def _unasked(world: World, stream: str) -> Unasked:
    return Unasked(*_judged(world, f"{NOTHING} {stream}", {}, 0.0))


def _of_ranges(world: World, name: str, unguided: Unasked, base: Unasked) -> Figures:
    """Shares inside the ranges of a name, by guidance."""
    ranges, found = RANGES[name], {}
    for guidance in GUIDANCES:
        some = unguided.predicted if guidance == 0 else _judged(world, name, ranges, guidance)[1]
        found[f"guidance_{guidance:g}"] = compared(some, base.predicted, ranges, world.seed)
    say(f"{name}: " + ", ".join(f"{key} {figures['times']['ratio']}" for key, figures in found.items()))
    return found


def _of_group(world: World, number: int, unguided: Unasked, base: Unasked) -> Figures:
    """Shares of a space group and of its crystal system, by guidance."""
    system = crystal_system(number)
    found: Figures = {"crystal_system": system, "of_the_system": {}, "of_the_group": {}}
    for guidance in GUIDANCES:
        some = unguided.crystals if guidance == 0 else _in_group(world, number, guidance)
        for name, has in (
            ("of_the_system", lambda one: crystal_system(one.spacegroup_number) == system),
            ("of_the_group", lambda one: one.spacegroup_number == number),
        ):
            found[name][f"guidance_{guidance:g}"] = _counted(some, base.crystals, has, world.seed)
    return found


def _judged(
    world: World, name: str, ranges: dict[str, Range], guidance: float
) -> tuple[list[Made], list[Prediction]]:
    """Crystals that adapters were told ranges of, and what the network says of them; kept."""
    config, count = world.diffusion_config(properties=ranges, guidance=guidance), world.plan.adapted
    stream = f"adapted {name} {guidance:g}"
    key = diffusion_key(
        world,
        stream,
        count,
        adapters={one: world.adapter_weights(one) for one in ranges},
        asked=config.model_dump(mode="json"),
        predictor=getattr(world.predictor, "model_hash", ""),
        hull=world.hull.name,
    )
    return predicted_set(world, stream.replace(" ", "-"), key, lambda: diffused(world, config, count, stream))


def _in_group(world: World, number: int, guidance: float) -> list[Made]:
    """Crystals diffused without symmetry, while the adapter is told a space group; kept."""
    trained = world.adapter(SPACEGROUP)
    assert trained is not None
    config, count = world.diffusion_config(guidance=guidance), world.plan.adapted
    wish = Wish(trained.adapter, group_features([group_kinds(number)])[0])
    stream = f"adapted group {number} {guidance:g}"
    key = diffusion_key(
        world,
        stream,
        count,
        adapters={SPACEGROUP: world.adapter_weights(SPACEGROUP)},
        asked=config.model_dump(mode="json"),
    )
    make = world.kept.made
    return make(stream.replace(" ", "-"), key, lambda: diffused(world, config, count, stream, [wish]))[0]


def _counted(some: Sequence[Made], base: Sequence[Made], has: Callable[[Made], bool], seed: int) -> Figures:
    return against(sum(map(has, some)), len(some), sum(map(has, base)), len(base), seed)


def _why(name: str) -> str:
    return (
        f"There is no adapter for {name} that belongs to the diffusion model; "
        f"'hysteron train diffusion-adapter --property {name}' makes one."
    )
