"""Does a predicted crystal match the true one, and how near does it come?

As papers on structure prediction count: pymatgen's `StructureMatcher` with stol 0.5, ltol 0.3 and an angle of 10 degrees,
everything else as it is by default, so that both crystals are brought to one volume; the root mean square distance of matched
atoms is in units of (V/N)^(1/3). At stol 0.5 five atoms placed at random match often; so the same is told at stol 0.2. A crystal
with two atoms nearer than 0.5 A, or without a cell, matches nothing.

Source: Jiao et al., arXiv:2309.04475, section 5.1 (match rate and RMSE, one sample for each crystal).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .generation_figures import is_sound
from .generation_intervals import Figures, mean, share

if TYPE_CHECKING:
    from pymatgen.core import Structure

SITE_TOLERANCE, STRICT_SITE_TOLERANCE = 0.5, 0.2
LENGTH_TOLERANCE = 0.3
ANGLE_TOLERANCE_DEGREE = 10.0
MATCHED = f"stol_{SITE_TOLERANCE:g}"
STRICTLY = f"stol_{STRICT_SITE_TOLERANCE:g}"

Distances = dict[str, float | None]
"""By tolerance: root mean square distance of matched atoms in units of (V/N)^(1/3), nothing where there is no match."""
NO_MATCH: Distances = {MATCHED: None, STRICTLY: None}


def distances(found: Structure | None, true: Structure) -> Distances:
    """How far a predicted crystal is from the true one."""
    if found is None or not is_sound(found):
        return dict(NO_MATCH)
    loosely = _distance(found, true, SITE_TOLERANCE)
    strictly = None if loosely is None else _distance(found, true, STRICT_SITE_TOLERANCE)
    return {MATCHED: loosely, STRICTLY: strictly}


def matched(some: Sequence[Distances], seed: int) -> Figures:
    """Match rate, and mean distance of those that match, by tolerance."""
    figures: Figures = {"n": len(some)}
    for tolerance in (MATCHED, STRICTLY):
        known = [distance for one in some if (distance := one[tolerance]) is not None]
        figures[tolerance] = {"match_rate": share(len(known), len(some)), "rmse": mean(known, seed)}
    return figures


def _distance(found: Structure, true: Structure, site_tolerance: float) -> float | None:
    told = _matcher(site_tolerance).get_rms_dist(found, true)
    return None if told is None else float(told[0])


@lru_cache(maxsize=2)
def _matcher(site_tolerance: float) -> Any:
    from pymatgen.analysis.structure_matcher import StructureMatcher

    return StructureMatcher(ltol=LENGTH_TOLERANCE, stol=site_tolerance, angle_tol=ANGLE_TOLERANCE_DEGREE)
