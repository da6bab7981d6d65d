"""Does it pay to weight regions of chemistry by their past yield? A simulation with yields that nobody knows.

A world has `REGIONS` regions of very unequal sizes (Pareto) and yields (Beta, most of them low). Each night so many crystals are
relaxed, shared out over the regions in proportion to size times weight, and pass at random with the region's yield. The
weights are those of `flows.exploration`, from the nights before; the baseline weighs all regions alike. In a second kind of world
a region is exhausted as it is looked at: its yield falls by a factor of e when as many crystals of it were relaxed
as it has share in `EXHAUSTED_AFTER`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..flows.exploration import explore

REGIONS = 30
NIGHTS = 14
RELAXATIONS = 60
EXHAUSTED_AFTER = 2000
"""Relaxations; more than twice what all nights make together."""


def figures(worlds: int, seed: int) -> dict[str, Any]:
    """Finds with weights over finds without, in worlds that last and in worlds that are exhausted."""
    return {
        "worlds": worlds,
        "regions": REGIONS,
        "nights": NIGHTS,
        "relaxations_per_night": RELAXATIONS,
        "baseline": "all regions weighed alike, in the same worlds",
        "lasting": _compared(*simulate(worlds, seed)),
        "exhausted": _compared(*simulate(worlds, seed, exhausted=True)),
    }


def simulate(worlds: int, seed: int, exhausted: bool = False) -> tuple[list[int], list[int]]:
    """Finds of each world with weights, and without."""
    weighted, even = [], []
    for world in range(worlds):
        rng = np.random.default_rng(np.random.SeedSequence([seed, world]))
        yields, sizes = rng.beta(0.6, 4.0, size=REGIONS), 1.0 + rng.pareto(1.0, size=REGIONS)
        for finds, learns in ((weighted, True), (even, False)):
            draws = np.random.default_rng(np.random.SeedSequence([seed, world, 1]))
            finds.append(_nights(draws, yields, sizes / sizes.sum(), learns, exhausted))
    return weighted, even


def _nights(
    rng: np.random.Generator, yields: np.ndarray, sizes: np.ndarray, learns: bool, exhausted: bool
) -> int:
    names = [str(i) for i in range(REGIONS)]
    tried, passed = np.zeros(REGIONS, dtype=int), np.zeros(REGIONS, dtype=int)
    for _ in range(NIGHTS):
        history = [dict(zip(names, counts.tolist(), strict=True)) for counts in (tried, passed)]
        where = explore({k: n for k, n in history[0].items() if n and learns}, history[1])
        shares = sizes * np.array([where.weight(name) for name in names])
        trials = rng.multinomial(RELAXATIONS, shares / shares.sum())
        left = np.exp(-tried / (EXHAUSTED_AFTER * sizes)) if exhausted else 1.0
        passed += rng.binomial(trials, yields * left)
        tried += trials
    return int(passed.sum())


def _compared(weighted: list[int], even: list[int]) -> dict[str, Any]:
    ratios = np.array(weighted) / np.maximum(even, 1)
    return {
        "finds": float(np.mean(weighted)),
        "baseline_finds": float(np.mean(even)),
        "ratio_median": float(np.median(ratios)),
        "ratio_interval_90": [float(x) for x in np.percentile(ratios, [5, 95])],
        "share_of_worlds_with_more": float(np.mean(np.array(weighted) > np.array(even))),
    }
