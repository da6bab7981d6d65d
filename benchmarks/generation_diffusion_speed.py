"""How many crystals a second does the diffusion model make, with one thread and with all cores?

Sampling alone, and handed out: starts drawn (with `from_tokens` the token model writes them), sampled, and looked at as the
generator does it; only sound ones count then. The generator itself runs with one thread, so that equal seeds give equal crystals.
The baseline, in the same run: the token model with its checks, one thread.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from .generation_diffusion import MODES, maker_of, sound_ones
from .generation_intervals import Figures, median, ratio_of_medians
from .generation_kept import say
from .generation_speed import Timings, timed
from .generation_world import World

KINDS = ("sampled", "handed_out")


def diffusion_speed_row(world: World) -> Figures:
    """Timings that take turns, so that whatever else the machine does falls on all of them."""
    cores = os.cpu_count() or 1
    kinds = [(mode, threads) for mode in MODES for threads in sorted({1, cores})]
    tokens = Timings(world)
    tokens.handed_out()  # tables are read outside the clock
    for mode in MODES:
        _round(world, mode, 1, "warm")
    rounds: dict[tuple[str, int], list[Round]] = {kind: [] for kind in kinds}
    baseline: list[float] = []
    for i in range(world.plan.repeats):
        for mode, threads in kinds:
            rounds[mode, threads].append(_round(world, mode, threads, str(i)))
        found = timed(tokens.handed_out)
        baseline.append(found.crystals / found.wall)
        say(f"diffusion speed: round {i + 1} of {world.plan.repeats}")
    return {
        "tokens": _rate(baseline, world.seed),
        **{
            f"{mode}_{threads}_thread{'s' if threads > 1 else ''}": {
                kind: _figures([one.rate(kind) for one in taken], baseline, world.seed) for kind in KINDS
            }
            for (mode, threads), taken in rounds.items()
        },
        "evaluations": world.diffusion_config().steps,
        "crystals_of_a_timing": world.plan.diffusion_timed,
        "units": "crystals a second of wall time",
        "cores": cores,
        "rounds": world.plan.repeats,
    }


@dataclass(frozen=True)
class Round:
    """One timing.

    Attributes:
        crystals: Sampled.
        sound: Of them.
        sampling, whole: s.
    """

    crystals: int
    sound: int
    sampling: float
    whole: float

    def rate(self, kind: str) -> float:
        """Crystals a second, sampled or handed out."""
        return self.crystals / self.sampling if kind == "sampled" else self.sound / self.whole


def _round(world: World, mode: str, threads: int, stream: str) -> Round:
    """One batch; the same random stream whatever the number of threads."""
    maker = maker_of(world, world.diffusion_config(**MODES[mode]))
    rng, count = world.rng(f"diffusion speed {mode} {stream}"), world.plan.diffusion_timed
    with _threads(threads):
        began = time.perf_counter()
        start = next(maker.starts.batches(count, rng))
        begun = time.perf_counter()
        batch = maker.sampled(start, rng)
        sampling = time.perf_counter() - begun
        sound = sound_ones(start, batch)
        return Round(count, sound, sampling, time.perf_counter() - began)


def _figures(rates: list[float], baseline: list[float], seed: int) -> Figures:
    return _rate(rates, seed) | {"times_tokens": ratio_of_medians(rates, baseline, seed)}


def _rate(rates: list[float], seed: int) -> Figures:
    found = median(rates, seed)
    return {"rate": found["median"], "interval_95": found["interval_95"], "n": len(rates)}


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """So many threads for torch."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
