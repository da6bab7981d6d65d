"""Compounds of a toy line from metal to insulator, and a classifier that tells what it is asked to tell."""

from __future__ import annotations

import numpy as np
from hysteron.core.contracts import Conduction
from hysteron.predictors.conduction.fit import Labelled
from hysteron.predictors.conduction.process import INSULATOR, METAL, TRANSITION


def on_a_line(families: int = 24, members: int = 4, seed: int = 3) -> Labelled:
    """Families along one feature: metals below -1, insulators above 1, transitions between; a second feature is noise."""
    rng = np.random.default_rng(seed)
    middles = np.linspace(-3, 3, families)
    places = np.repeat(middles, members) + rng.normal(0, 0.05, families * members)
    labels = np.where(places < -1, METAL, np.where(places > 1, INSULATOR, TRANSITION))
    names = np.repeat([f"family {i}" for i in range(families)], members)
    return Labelled(
        formulas=np.array([f"compound {i}" for i in range(len(places))]),
        labels=labels,
        rows=np.column_stack([places, rng.normal(0, 0.1, len(places))]),
        families=names,
        kinds=names,
    )


class Told:
    """Implements `ConductionClasses`: one answer for all."""

    method = "told"

    def __init__(self, answer) -> None:
        self.answer = answer

    def classes(self, structures):
        return [self.answer for _ in structures]


def conduction(transition: float = 0.55, familiar: bool = True, family: str | None = None) -> Conduction:
    """Of metal and insulator the halves of the rest."""
    rest = (1 - transition) / 2
    return Conduction(rest, rest, transition, familiar, family)
