"""What might DFT say of a candidate, and how would the ranking see it then?

Every estimate that DFT could answer is drawn from its uncertainty, and the screens judge what was drawn, by their own
windows and scores: so the goals are those that the ranking weighs (how stable, how good a device), whatever the screens. A
candidate that a screen would reject then has nothing to offer in that goal.

An estimate without an uncertainty is not taken for certain: it is drawn as widely as the values of that property differ among
the candidates, and that is said. What DFT or an experiment gave, for the crystal or in a table, is certain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..core.candidate import Candidate, PropertyValue
from ..core.chemistry_families import chemistry_family
from ..core.contracts import Screen
from ..core.learnt import LEARNABLE, NEVER_NEGATIVE, REFERENCES, is_dft
from ..core.properties import method_slug
from ..core.uncertainty import stated_deviation
from .ranking import RankConfig

DRAWS = 32
SEED = 0
GOALS = ("stability", "device")
"""What a draw is judged by: the required screens together, and the best of the device screens."""
TOGETHER = {"switching_barrier_per_atom": "switching_barrier"}
"""The same quantity in another unit is drawn together with it."""


def standard_draws(count: int = DRAWS) -> np.ndarray:
    """Standard normal numbers, the same at every call and for every candidate, shape `(count, len(LEARNABLE))`.

    One from each of `count` equally likely slices, in a seeded order of its own for each property.
    """
    from scipy.special import ndtri

    rng = np.random.default_rng(SEED)
    slices = ndtri((np.arange(count) + 0.5) / count)
    return np.stack([rng.permutation(slices) for _ in LEARNABLE], axis=1)


def spreads(candidates: Sequence[Candidate]) -> dict[str, float]:
    """How much the values of each property differ among candidates, for estimates that state no uncertainty."""
    found: dict[str, float] = {}
    for name in LEARNABLE:
        values = [float(p.value) for c in candidates if (p := c.get(name)) is not None]  # type: ignore[arg-type]
        if len(values) > 1:
            found[name] = float(np.std(values))
    return found


def deviation(value: PropertyValue, spread: Mapping[str, float]) -> tuple[float, bool]:
    """Standard deviation of what DFT might say, and whether the estimate states it."""
    if is_dft(value.method) or method_slug(value.method) in REFERENCES:
        return 0.0, True
    stated = stated_deviation(value.uncertainty, value.interval, value.coverage)
    return (stated, True) if stated else (spread.get(value.name, 0.0), False)


def unstated(candidate: Candidate) -> list[str]:
    """Properties whose estimate states no uncertainty."""
    found = [value for name in LEARNABLE if (value := candidate.get(name)) is not None]
    return [v.name for v in found if v.name not in TOGETHER and not deviation(v, {})[1]]


def hopes(
    candidate: Candidate,
    screens: Sequence[Screen],
    config: RankConfig,
    spread: Mapping[str, float],
    draws: np.ndarray,
) -> np.ndarray:
    """How the candidate would stand for each draw: the goals, 0 to 1, shape `(ndraws, 2)`.

    Args:
        candidate: Measured, with the values it is to be judged by.
        screens: Those of the run.
        config: Which screens are required, and which are of devices.
        spread: As `spreads` gives it.
        draws: As `standard_draws` gives it.
    """
    wanted = [s for s in screens if s.name in (*config.required, *config.device_screens)]
    drawn = _Drawn(candidate, spread)
    if not drawn.values:
        return np.tile(_goals(candidate, wanted, config), (len(draws), 1))
    return np.array([_goals(drawn.at(row), wanted, config) for row in draws])


def kin(candidate: Candidate) -> str:
    """Candidates of equal kin are siblings: the same class of chemistry and the same prototype."""
    composition = candidate.structure.composition
    return f"{chemistry_family(composition)} {composition.anonymized_formula}-{candidate.spacegroup_number}"


class _Drawn:
    """A candidate whose uncertain values can be set."""

    def __init__(self, candidate: Candidate, spread: Mapping[str, float]) -> None:
        self.candidate = candidate
        best = [value for name in LEARNABLE if (value := candidate.get(name)) is not None]
        sized = [(value, deviation(value, spread)[0]) for value in best]
        self.values = [(value, size) for value, size in sized if size > 0]

    def at(self, row: np.ndarray) -> Candidate:
        """As if DFT had said so: the values drawn, without uncertainty, under the methods they are judged by."""
        answers = []
        for value, size in self.values:
            column = LEARNABLE.index(TOGETHER.get(value.name, value.name))
            number = float(value.value) + size * float(row[column])  # type: ignore[arg-type]
            number = max(number, 0.0) if value.name in NEVER_NEGATIVE else number
            answers.append(replace(value, value=number, uncertainty=None, interval=None, coverage=None))
        return self.candidate.with_property(*answers)


def _goals(candidate: Candidate, screens: Sequence[Screen], config: RankConfig) -> tuple[float, float]:
    scores = {screen.name: _score(screen, candidate) for screen in screens}
    required = [scores[name] for name in config.required if name in scores]
    devices = [scores[name] for name in config.device_screens if name in scores]
    return min(required, default=1.0), max(devices, default=0.0)


def _score(screen: Screen, candidate: Candidate) -> float:
    verdict = screen.judge(candidate)
    return float(verdict.score or 0.0) if verdict.passed else 0.0
