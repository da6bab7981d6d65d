"""Which of the crystals written are handed on first?

The model's log-probability says how usual a crystal is; the predicted distance from the hull, where a predictor and a
hull are at hand, how stable. Larger crystals are less probable because they say more, so the log-probability is taken
per item that was said. What is expected far below the hull loses as well: more often a competing phase is missing there
than a discovery made. What the predictor does not confirm of the property ranges asked for comes after what it does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.formation import expected_distances
from .ranges import STABILITY, Range, lies_in

if TYPE_CHECKING:
    from ..core.candidate import Candidate
    from ..core.contracts import Tools

NATS_PER_EV = 10.0
"""What 1 eV/atom of predicted distance above the hull weighs against a nat per item."""
UNKNOWN_EV = 0.5
"""Taken for a crystal whose distance cannot be predicted, and no distance counts for more."""
CREDIBLE_EV = 0.1
"""Below the hull, eV/atom; beyond it each further eV counts as one above the hull does."""


@dataclass(frozen=True)
class Ranked:
    """A crystal with what decides its place.

    Attributes:
        candidate: As it came; what is predicted of a crystal that is not relaxed serves the order alone.
        confirmed: Whether the predictor puts every property asked for into its range.
        distance: Predicted, from the hull, eV/atom.
        score: Higher is better.
    """

    candidate: Candidate
    confirmed: bool
    distance: float | None
    score: float

    @property
    def described(self) -> Candidate:
        """The candidate, with the predicted distance that ranked it in the step that made it."""
        if self.distance is None:
            return self.candidate
        *before, made = self.candidate.provenance
        details = {**made.details, "predicted_energy_above_hull": round(self.distance, 6)}
        step = dataclasses.replace(made, details=details)
        return dataclasses.replace(self.candidate, provenance=(*before, step))


def ranked(
    candidates: Sequence[Candidate],
    items: Sequence[int],
    ranges: Mapping[str, Range],
    tools: Tools,
) -> list[Ranked]:
    """Best first; equal ones by id.

    Args:
        candidates: With `log_probability`.
        items: How many words and numbers each one says.
        ranges: Properties asked for.
        tools: `predictor` and `hull` are used if they are there.
    """
    predicted = list(candidates) if tools.predictor is None else tools.predictor.predict(candidates)
    distances: list[float | None] = [None] * len(predicted)
    if tools.predictor is not None and tools.hull is not None:
        distances = expected_distances(predicted, tools.hull)
    found = [
        _ranked(candidate, told, said, distance, ranges)
        for candidate, told, said, distance in zip(candidates, predicted, items, distances, strict=True)
    ]
    return sorted(found, key=lambda r: (not r.confirmed, -r.score, r.candidate.candidate_id))


def _ranked(
    candidate: Candidate, told: Candidate, said: int, distance: float | None, ranges: Mapping[str, Range]
) -> Ranked:
    nats = float(candidate.value("log_probability") or 0.0) / max(said, 1)
    height = UNKNOWN_EV if distance is None else min(max(distance, -CREDIBLE_EV - distance, 0.0), UNKNOWN_EV)
    return Ranked(candidate, _is_confirmed(told, distance, ranges), distance, nats - NATS_PER_EV * height)


def _is_confirmed(candidate: Candidate, distance: float | None, ranges: Mapping[str, Range]) -> bool:
    """What nobody predicts is not confirmed, unless nobody predicts anything."""
    for name, limits in ranges.items():
        value = distance if name == STABILITY else candidate.value(name)
        if value is None or not lies_in(float(value), limits):
            return False
    return True
