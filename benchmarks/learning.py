"""Do DFT answers make the estimates better, and does choosing by expected improvement find more than the ranking does?

Estimates and DFT values are genuine (`learning_estimates`); nothing is tuned on the rows that are told here: the network's
test formulas, and the halves of Castelli's perovskites and of Smidt's ferroelectrics that chose no constant. Baselines of the
same run: the estimates as they are, and for the choice the ranking and chance.
"""

from __future__ import annotations

from typing import Any

from . import learning_estimates
from .learning_held_out import held_out
from .learning_nights import ferroelectric_pool, insulator_pool, nights, perovskite_pool

ORDERS, QUICK_ORDERS = 100, 5
SEEDS, QUICK_SEEDS = 60, 3
WHAT = {
    "band_gap": "gaps by the network, PBE, against PBE: nothing is wrong but the widths",
    "energy_above_hull": "distance from the hull by the network against PBE",
    "castelli": "gaps by the same network, PBE, against GLLB-SC: larger by design",
    "polarization": "effective charges fitted to other chemistries against Berry phases",
    "polar_nonpolar_energy_difference": "CHGNet 0.3.0 as it is, no uncertainty stated, against PBE",
}


def run(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """All figures.

    Args:
        seed: Of the orders and of the pools.
        quick: Small samples.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set, or lacks a file.
    """
    crystals = learning_estimates.materials_project("test", quick)
    polar = learning_estimates.ferroelectrics("test")
    sets = crystals | {"castelli": learning_estimates.castelli("test", quick)} | polar
    orders, seeds = (QUICK_ORDERS, QUICK_SEEDS) if quick else (ORDERS, SEEDS)
    pools = (
        ferroelectric_pool(learning_estimates.ferroelectrics()),
        insulator_pool(crystals),
        perovskite_pool(sets["castelli"]),
    )
    return {
        "benchmark": "learning",
        "seed": seed,
        "n": {name: len(pairs) for name, pairs in sets.items()},
        "intervals": "90% over the orders, and over the seeds",
        "held_out": {
            name: {"what": WHAT[name], "after": held_out(pairs, seed, orders)} for name, pairs in sets.items()
        },
        "baseline": "the estimates as they are; the ranking, and chance",
        "nights": {pool.name: nights(pool, seeds, seed) for pool in pools},
    }
