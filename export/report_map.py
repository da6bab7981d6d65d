"""Where the candidates of a run lie: energy above hull against the quantity the run is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.candidate import Candidate
from ..core.properties import describe
from .crystal import is_new, origin, spacegroup_number, spacegroup_symbol
from .report_words import label, number, units, value_text

ABSCISSAS = (
    "polarization",
    "vacancy_formation_energy",
    "migration_barrier",
    "band_gap",
    "formation_energy_per_atom",
)
"""What is drawn along x: the first of these that enough of the shortlist has."""
ORDINATE = "energy_above_hull"
MOST_POINTS = 4000
LEAST_TOP = 0.3
"""eV/atom: the frame shows at least this much of the energy above hull, if there is anything there."""


@dataclass(frozen=True)
class Map:
    """The plot, and the words under it.

    Attributes:
        figure: For the report's script; `None` if nothing can be drawn.
        caption: What is drawn and what is not.
        alternative: The same for someone who cannot see the plot.
    """

    figure: dict[str, Any] | None
    caption: str
    alternative: str = ""


def population_map(population: Sequence[Candidate], shortlist: Sequence[Candidate]) -> Map:
    """The map of a run.

    Args:
        population: All that was screened.
        shortlist: Best first; drawn with their rank.
    """
    ranks = {c.candidate_id: i for i, c in enumerate(shortlist, 1)}
    everyone = list({c.candidate_id: c for c in (*population, *shortlist)}.values())
    abscissa = _abscissa(shortlist, everyone)
    if abscissa is None:
        return Map(None, "No candidate has both an energy above hull and a quantity to plot it against.")
    drawn = _drawn([c for c in everyone if _has(c, abscissa) and _has(c, ORDINATE)], ranks)
    points = [_point(c, abscissa, ranks.get(c.candidate_id)) for c in drawn]
    top = _top([p["y"] for p in points], [p["y"] for p in points if p["rank"]])
    above = sum(p["y"] > top for p in points)
    threshold = _threshold(everyone)
    figure = {
        "points": points,
        "x": _axis(abscissa),
        "y": _axis(ORDINATE),
        "top": top,
        "bottom": min(0.0, *(p["y"] for p in points)),
        "threshold": threshold,
    }
    return Map(figure, _caption(abscissa, drawn, everyone, above), _alternative(abscissa, points))


def _has(candidate: Candidate, name: str) -> bool:
    return isinstance(candidate.value(name), float | int)


def _drawn(candidates: Sequence[Candidate], ranks: dict[str, int]) -> list[Candidate]:
    """All of them, or as many as a page can hold: the shortlist, then the nearest to the hull."""
    ordered = sorted(
        candidates, key=lambda c: (c.candidate_id not in ranks, c.value(ORDINATE), c.candidate_id)
    )
    return ordered[:MOST_POINTS]


def _abscissa(shortlist: Sequence[Candidate], everyone: Sequence[Candidate]) -> str | None:
    """The first quantity that most of those with any of them have; else the most frequent one."""

    def share(name: str, group: Sequence[Candidate]) -> int:
        return sum(_has(c, name) and _has(c, ORDINATE) for c in group)

    for group in (shortlist, everyone):
        counts = {name: share(name, group) for name in ABSCISSAS}
        for name, found in counts.items():
            if found and found >= 0.3 * max(counts.values()):
                return name
    return None


def _point(candidate: Candidate, abscissa: str, rank: int | None) -> dict[str, Any]:
    x, y = candidate.get(abscissa), candidate.get(ORDINATE)
    assert x is not None
    assert y is not None
    group = spacegroup_number(candidate)
    return {
        "id": candidate.candidate_id,
        "formula": candidate.formula,
        "group": f"{spacegroup_symbol(group)} ({group})" if group else "",
        "x": x.value,
        "y": y.value,
        "xText": f"{value_text(x)} {units(x.units)}",
        "yText": f"{value_text(y)} {units(y.units)}",
        "origin": origin(candidate),
        "new": is_new(candidate),
        "rank": rank,
    }


def _axis(name: str) -> dict[str, str]:
    return {"label": label(name), "units": units(describe(name).units)}


def _top(heights: Sequence[float], listed: Sequence[float]) -> float:
    """Upper end of the frame, eV/atom: all of the shortlist, and nine tenths of the rest."""
    wanted = max(LEAST_TOP, float(np.quantile(heights, 0.9)), *listed) if listed else max(heights)
    return float(min(wanted, max(heights)))


def _threshold(candidates: Sequence[Candidate]) -> float | None:
    """What the stability screen held the energy against, if it was one number for all."""
    found = {v.threshold for c in candidates if (v := c.verdict("stability")) and v.threshold is not None}
    return found.pop() if len(found) == 1 else None


def _caption(abscissa: str, drawn: Sequence[Candidate], everyone: Sequence[Candidate], above: int) -> str:
    missing = sum(not (_has(c, abscissa) and _has(c, ORDINATE)) for c in everyone)
    text = f"{len(drawn)} of {len(everyone)} screened crystals are drawn. "
    if len(drawn) == MOST_POINTS:
        text += "Of the others, those nearest to the hull are shown. "
    if missing:
        text += f"For {missing}, {label(abscissa).lower()} or energy above hull was not computed. "
    if above:
        verb = "lies" if above == 1 else "lie"
        text += f"{above} {verb} above the frame; a double click shows everything. "
    return text.strip()


def _alternative(abscissa: str, points: Sequence[dict[str, Any]]) -> str:
    listed = sorted((p for p in points if p["rank"]), key=lambda p: p["rank"])
    told = "; ".join(f"{p['formula']} {p['xText']}, {p['yText']}" for p in listed[:10])
    low, high = min(p["x"] for p in points), max(p["x"] for p in points)
    return (
        f"Scatter plot of energy above hull against {label(abscissa).lower()} for {len(points)} crystals; "
        f"{label(abscissa).lower()} from {number(float(low))} to {number(float(high))} "
        f"{units(describe(abscissa).units)}. Shortlisted: {told or 'none'}."
    )
