"""Does the model write crystals with the properties that it is asked for?

The property network says what the crystals have, as they are generated; it is not the model that wrote them, but both learned
from the same crystals. Beside each asked set stands one of equal size of which nothing is asked: the ratio of the shares inside
the range says what asking is worth. Where the base rate is above a third, no ratio can reach three.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.candidate import Candidate
from ..core.formation import expected_distances
from ..generators.ranges import STABILITY, Range, lies_in
from .generation_figures import Made
from .generation_intervals import Figures, ratio, share
from .generation_kept import Progress, Set, say
from .generation_sets import key_of, written
from .generation_world import World

RANGES: dict[str, dict[str, Range]] = {
    "band_gap=2..4": {"band_gap": (2.0, 4.0)},
    "band_gap=0.5..1.5": {"band_gap": (0.5, 1.5)},
    "formation_energy_per_atom=..-2.5": {"formation_energy_per_atom": (None, -2.5)},
    "energy_above_hull=..0.025": {"energy_above_hull": (None, 0.025)},
    "band_gap=2..4 and formation_energy_per_atom=..-2": {
        "band_gap": (2.0, 4.0),
        "formation_energy_per_atom": (None, -2.0),
    },
}
"""eV, eV/atom."""
PREDICTED = ("band_gap", "formation_energy_per_atom", STABILITY)
PREDICTED_AT_ONCE = 64
NOTHING = "nothing"

Prediction = dict[str, float | None]


def conditioning_row(world: World) -> Figures:
    """Every range, under the default guidance and two others."""
    base = _predicted(world, NOTHING, {}, 0.0)
    default = world.config().guidance
    guidances = sorted({0.0, 1.0, default})
    found: Figures = {}
    for name, ranges in RANGES.items():
        sets = {f"guidance_{g:g}": _predicted(world, f"{name} {g:g}", ranges, g) for g in guidances}
        found[name] = {key: compared(some, base, ranges, world.seed) for key, some in sets.items()}
        say(f"{name}: " + ", ".join(f"{key} {f['times']['ratio']}" for key, f in found[name].items()))
    return {
        "ranges": found,
        "default_guidance": default,
        "asked_beside": "nothing: near_hull, which the generator asks by default, is left out on both sides",
        "units": "band_gap: eV; energies: eV/atom",
        "judge": getattr(world.predictor, "method", world.predictor.name),
    }


def compared(asked: list[Prediction], base: list[Prediction], ranges: dict[str, Range], seed: int) -> Figures:
    """Share inside the ranges, where they were asked for and where not; what nobody predicts is not inside."""
    hits, base_hits = (sum(is_inside(one, ranges) for one in some) for some in (asked, base))
    return {
        **against(hits, len(asked), base_hits, len(base), seed),
        "without_a_prediction": sum(any(one[name] is None for name in ranges) for one in asked),
    }


def against(hits: int, n: int, base_hits: int, base_n: int, seed: int) -> Figures:
    """A share where it was asked for, beside the share where it was not."""
    rate = base_hits / base_n if base_n else 0.0
    return {
        "asked": share(hits, n),
        "not_asked": share(base_hits, base_n),
        "times": ratio(hits, n, base_hits, base_n, seed) | {"n": n},
        "greatest_possible_times": 1 / rate if rate else None,
    }


def is_inside(prediction: Prediction, ranges: dict[str, Range]) -> bool:
    """Whether every property is known and in its range."""
    values = {name: prediction[name] for name in ranges}
    return all(value is not None and lies_in(value, ranges[name]) for name, value in values.items())


def _predicted(world: World, name: str, ranges: dict[str, Range], guidance: float) -> list[Prediction]:
    """What the network says of the crystals of a set; kept with them."""
    config = world.config(near_hull=None, properties=ranges, guidance=guidance)
    count = world.plan.conditioned

    key = key_of(
        world,
        "conditioned",
        count=count,
        asked=config.model_dump(mode="json"),
        predictor=getattr(world.predictor, "model_hash", ""),
        hull=world.hull.name,
    )
    file_name = f"asked-{name.replace(' ', '-')}"
    return predicted_set(world, file_name, key, lambda: written(world, config, count, f"asked {name}"))[1]


def predicted_set(
    world: World, name: str, key: dict[str, Any], make: Callable[[], Set]
) -> tuple[list[Made], list[Prediction]]:
    """The crystals of a set, and what the network says of them; kept with them.

    Args:
        world: Has the network.
        name: Of the set.
        key: JSON of all that decides it.
        make: Makes it.
    """

    def make_and_predict() -> Set:
        crystals, told = make()
        candidates = [Candidate(f"asked-{i}", one.structure) for i, one in enumerate(crystals)]
        return crystals, told | {"predicted": predictions(world, candidates)}

    crystals, told = world.kept.made(name, key, make_and_predict)
    return crystals, told["predicted"]


def predictions(world: World, candidates: list[Candidate]) -> list[Prediction]:
    """Gap, formation energy and, by way of the hull, distance from it, at the geometry as it is."""
    found: list[Prediction] = []
    told = Progress("predicted", len(candidates))
    for start in range(0, len(candidates), PREDICTED_AT_ONCE):
        some = world.predictor.predict(candidates[start : start + PREDICTED_AT_ONCE])
        distances = expected_distances(some, world.hull)
        for candidate, distance in zip(some, distances, strict=True):
            values = {name: _number(candidate.value(name)) for name in PREDICTED[:2]}
            found.append(values | {STABILITY: _number(distance)})
        told.advance(len(some))
    return found


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
