"""How often is the nonpolar parent the right one, when only the polar crystal is given?

Right is the space group of the nonpolar crystal that the DFT workflow started from. Some polar crystals have several
workflows with different nonpolar crystals (WO3 from P6/mmm and from P6_3/mcm): no order can be right for both, so beside the
share of workflows stands that of polar crystals whose first parent is any of theirs.

The weights by which parents are ranked (`Parent.rank`) were chosen on these pairs and on the unlabelled ones. What they
are worth on formulas they were not chosen on, `ranked_by_other_formulas` tells: ten folds by formula, in each the
weights of a conditional logit fitted to the rest.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.polar_pairs import Pair
from ..core.symmetry import dataset_at
from ..screening.ferroelectric.group_frequency import log_frequency
from ..screening.ferroelectric.parents import FIRST_RUNG_RATIO, Parent, all_parents, ladder
from .ferroelectric_figures import share

SYMPREC_ANGSTROM = 0.01
BASELINE_SYMPREC_ANGSTROM = 0.1
"""The tolerance most used for a loose look: the baseline."""
KEPT = 5
FOLDS = 10
TARGET = {"among_five": 0.95, "first": 0.78, "share_with_a_parent": 0.95}


@dataclass(frozen=True)
class Search:
    """What was found of one pair's polar end."""

    pair: Pair
    parents: tuple[Parent, ...]
    by_ladder: tuple[int, ...]
    baseline: int | None
    seconds: float

    @property
    def groups(self) -> list[int]:
        """Space groups of the parents, ranked, all of them."""
        return [parent.symmetry.spacegroup_number for parent in self.parents]


def search(pair: Pair) -> Search:
    """All parents of a polar end, ranked; the time is the processor's."""
    started = time.process_time()
    parents = sorted(all_parents(pair.polar, SYMPREC_ANGSTROM), key=lambda parent: parent.rank)
    seconds = time.process_time() - started
    rungs = ladder(pair.polar, FIRST_RUNG_RATIO * SYMPREC_ANGSTROM)
    found = [dataset_at(ideal, 1e-3) for ideal in rungs]
    loose = dataset_at(pair.polar, BASELINE_SYMPREC_ANGSTROM)
    return Search(
        pair,
        tuple(parents),
        tuple(int(dataset.number) for dataset in found if dataset is not None),
        None if loose is None else int(loose.number),
        seconds,
    )


def parents_row(preferred: Sequence[Search], unlabelled: Sequence[Search], seed: int) -> dict[str, Any]:
    """Shares over the preferred pairs; the unlabelled ones stand apart.

    Args:
        preferred: Searches of the labels.
        unlabelled: Searches of the other pairs.
        seed: Of samples and folds.
    """
    return {
        "target": TARGET,
        "preferred": _figures(preferred, seed),
        "ranked_by_other_formulas": _cross_validated(preferred, unlabelled, seed),
        "unlabelled": _figures(unlabelled, seed),
        "baseline": f"one spglib search at symprec {BASELINE_SYMPREC_ANGSTROM:g} A",
    }


def _figures(searches: Sequence[Search], seed: int) -> dict[str, Any]:
    formulas = [one.pair.formula for one in searches]

    def told(hits: list[bool]) -> dict[str, Any]:
        return share(hits, formulas, seed)

    right = [one.pair.nonpolar_spacegroup for one in searches]
    both = list(zip(searches, right, strict=True))
    any_of = _reference_groups(searches)
    return {
        "among_five": told([group in one.groups[:KEPT] for one, group in both]),
        "first": told([one.groups[:1] == [group] for one, group in both]),
        "first_is_any_of_the_crystals_parents": told(
            [one.groups[:1] != [] and one.groups[0] in any_of[one.pair.polar_id] for one in searches]
        ),
        "share_with_a_parent": told([bool(one.parents) for one in searches]),
        "ladder_alone_among_five": told([group in one.by_ladder[:KEPT] for one, group in both]),
        "baseline_first": told([one.baseline == group for one, group in both]),
        "median_search_cpu_seconds": float(np.median([one.seconds for one in searches])),
        "median_search_cpu_seconds_20_atoms": float(
            np.median([one.seconds for one in searches if len(one.pair.polar) <= 20])
        ),
    }


def _reference_groups(searches: Sequence[Search]) -> dict[str, set[int]]:
    groups: dict[str, set[int]] = {}
    for one in searches:
        groups.setdefault(one.pair.polar_id, set()).add(one.pair.nonpolar_spacegroup)
    return groups


def _cross_validated(preferred: Sequence[Search], unlabelled: Sequence[Search], seed: int) -> dict[str, Any]:
    """First and among five of the preferred pairs, ranked by weights fitted to other formulas."""
    everything = [*preferred, *unlabelled]
    names = sorted({one.pair.formula for one in everything})
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {names[i]: k % FOLDS for k, i in enumerate(order)}
    first, five = [False] * len(preferred), [False] * len(preferred)
    for k in range(FOLDS):
        weights = fitted_weights([one for one in everything if fold[one.pair.formula] != k])
        for i, one in enumerate(preferred):
            if fold[one.pair.formula] == k and one.parents:
                ranked = np.array(one.groups)[np.argsort(-_features(one) @ weights, kind="stable")]
                first[i] = ranked[0] == one.pair.nonpolar_spacegroup
                five[i] = one.pair.nonpolar_spacegroup in ranked[:KEPT]
    formulas = [one.pair.formula for one in preferred]
    return {"first": share(first, formulas, seed), "among_five": share(five, formulas, seed)}


def _features(one: Search) -> np.ndarray:
    """Displacement, symmetry and frequency of each parent, shape `(nparents, 3)`."""
    return np.array(
        [
            (p.distortion_rms, np.log2(p.index), log_frequency(p.symmetry.spacegroup_number))
            for p in one.parents
        ]
    )


def fitted_weights(searches: Sequence[Search]) -> np.ndarray:
    """Weights of `_features` under which the right parents are most probable (conditional logit), shape `(3,)`.

    Source: McFadden, in Frontiers in Econometrics (1974), equation 12.
    """
    from scipy.optimize import minimize

    choices = [
        (_features(one), one.groups.index(one.pair.nonpolar_spacegroup))
        for one in searches
        if len(one.parents) > 1 and one.pair.nonpolar_spacegroup in one.groups
    ]

    def surprise(weights: np.ndarray) -> float:
        total = 0.0
        for features, right in choices:
            scores = features @ weights
            total += np.logaddexp.reduce(scores) - scores[right]
        return total / max(len(choices), 1) + 1e-4 * float(weights @ weights)

    return minimize(surprise, np.zeros(3), method="BFGS").x
