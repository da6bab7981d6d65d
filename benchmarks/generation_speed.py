"""How many crystals a second are written, and how many are handed out?

Everything runs in one process with one thread of torch, as the generator does it. Two baselines stand beside, in the same
run: the random walk over the same grammar with the same checks, and bringing the crystals back into
the words of their space groups (`encode`), which is what a check of symmetry costs without any model.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ..generators.soundness import examined, one_thread
from ..generators.tokens.generator_config import style_of
from ..generators.tokens.sampling import Written
from ..generators.tokens.writing import Writer
from ..generators.wyckoff.encode import encode
from .generation_intervals import Figures, median, ratio_of_medians
from .generation_kept import say
from .generation_random import RandomWriter
from .generation_sets import generator
from .generation_world import World

if TYPE_CHECKING:
    from pymatgen.core import Structure


def speed_row(world: World) -> Figures:
    """Timings that take turns, so that whatever else the machine does falls on all of them."""
    timings = Timings(world)
    names = ("written", "handed_out", "random", "encode")
    for name in names:
        getattr(
            timings, name
        )()  # tables are read, and the grammar works out what it keeps, outside the clock
    rounds: dict[str, list[Round]] = {name: [] for name in names}
    for i in range(world.plan.repeats):
        for name in names:
            rounds[name].append(timed(getattr(timings, name)))
        say(f"speed: round {i + 1} of {world.plan.repeats}")
    rates = {name: [some.crystals / some.wall for some in taken] for name, taken in rounds.items()}
    figures: Figures = {}
    for name, taken in rounds.items():
        found = median(rates[name], world.seed)
        figures[name] = {
            "rate": found["median"],
            "interval_95": found["interval_95"],
            "cpu_rate": float(np.median([some.crystals / some.cpu for some in taken])),
            "n": sum(some.crystals for some in taken),
        }
    for baseline in ("random", "encode"):
        for name in ("written", "handed_out"):
            found = ratio_of_medians(rates[name], rates[baseline], world.seed)
            figures[name][f"times_{baseline}"] = found
    return {
        **figures,
        "units": "crystals a second of wall time; cpu_rate: of CPU time",
        "cores": os.cpu_count(),
        "threads": 1,
        "rounds": world.plan.repeats,
    }


@dataclass(frozen=True)
class Round:
    """One timing.

    Attributes:
        crystals: How many.
        wall, cpu: s.
    """

    crystals: int
    wall: float
    cpu: float


class Timings:
    """What is timed; each gives the number of its crystals.

    Args:
        world: Has the model.
    """

    def __init__(self, world: World) -> None:
        config = world.config()
        self.count = world.plan.timed
        self.grammar, self.style = world.grammar(config), style_of(config)
        self.sampler, self.random_writer = Writer(world.trained).sampler, RandomWriter()
        self.draws, self.rng = generator(world, "speed"), world.rng("speed, random")
        self.most_atoms = world.trained.vocabulary.most_atoms
        self.sound: list[Structure] = []

    def written(self) -> int:
        """The sampler alone."""
        return len(self._written())

    def handed_out(self) -> int:
        """Written and looked at as the generator does it; only sound ones count."""
        self.sound = [
            structure for one in self._written() if (structure := examined(one.crystal)[0]) is not None
        ]
        return len(self.sound)

    def random(self) -> int:
        """The baseline that knows nothing, looked at in the same way."""
        return len(list(islice(self.random_writer.sound(self.grammar, self.rng), self.count)))

    def encode(self) -> int:
        """Crystals back into words."""
        for structure in self.sound:
            encode(structure, self.most_atoms)
        return len(self.sound)

    def _written(self) -> list[Written]:
        with one_thread():
            return list(self.sampler.write(self.grammar, self.count, self.draws, self.style))


def timed(work: Callable[[], int]) -> Round:
    """How long some work takes that gives the number of its crystals."""
    wall, cpu = time.perf_counter(), time.process_time()
    crystals = work()
    return Round(crystals, time.perf_counter() - wall, time.process_time() - cpu)
