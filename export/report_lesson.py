"""What does the report say of DFT results: what they taught, and who is asked next?

A table of errors before and after the correction, and for each property a parity plot: DFT across, the estimate up, as it
was (rings) and corrected (dots), each with its standard deviation. Colours come from the style sheet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

from ..core.chemistry_families import family_in_words
from .report_words import count, formula, number
from .run_summary import LessonSummary, RunSummary

PLOTS = 6
"""Properties and methods that are drawn, those with the most pairs first."""
POINTS = 300
"""Pairs that a plot shows at most."""
SIZE = 340.0
LEFT, TOP, RIGHT, BOTTOM = 56.0, 26.0, 326.0, 296.0
"""Of the square plot."""
TICKS = 4


def lesson_block(run: RunSummary) -> dict[str, Any] | None:
    """The lesson as the template writes it; `None` if no lesson was used."""
    lesson = run.lesson
    if lesson is None:
        return None
    return {
        "version": lesson.version,
        "rows": [_row(group, lesson) for group in lesson.groups],
        "plots": [_plot(group, lesson, i) for i, group in enumerate(_drawn(lesson), 1)],
    }


def asked_of_dft(run: RunSummary) -> list[dict[str, Any]]:
    """Who gets DFT inputs, and why."""
    return [{"id": i, "formula": formula(name), "why": why} for i, name, why in run.asked_of_dft]


def _row(group: dict[str, Any], lesson: LessonSummary) -> dict[str, Any]:
    pairs = _pairs(group, lesson)
    made, overall = group["correction"], group["overall"]
    classes = [f"{family_in_words(name)} {found['n']}" for name, found in group["by_class"].items()]
    return {
        "property": group["name"].replace("_", " "),
        "units": "" if group["units"] == "1" else group["units"],
        "method": group["method"],
        "teacher": group["teacher"],
        "n": count(overall["n"], "pair"),
        "classes": ", ".join(classes),
        "mae": _figure(overall, "mae") or overall.get("note", ""),
        "mean_error": _figure(overall, "mean_error"),
        "corrected_mae": _corrected_mae(pairs),
        "factor": f"{group['calibration']['factor']:.2f}" if group["calibration"]["n"] else "none stated",
        "kind": "not corrected" if made["kind"] == "as stated" else made["kind"],
        "why": made["why"],
    }


def _figure(figures: dict[str, Any], name: str) -> str:
    found = figures.get(name)
    if found is None:
        return ""
    low, high = found["interval"]
    return f"{number(found['value'], 2)} ({number(low, 2)} to {number(high, 2)})"


def _corrected_mae(pairs: Sequence[dict[str, Any]]) -> str:
    errors = [abs(p["corrected"] - p["dft"]) for p in pairs if "corrected" in p]
    return number(sum(errors) / len(errors), 2) if errors else ""


def _drawn(lesson: LessonSummary) -> list[dict[str, Any]]:
    groups = [group for group in lesson.groups if _pairs(group, lesson)]
    return sorted(groups, key=lambda group: -len(_pairs(group, lesson)))[:PLOTS]


def _pairs(group: dict[str, Any], lesson: LessonSummary) -> list[dict[str, Any]]:
    """Those that are learned from."""
    key = (group["name"], group["method"], group["teacher"])
    return [
        p
        for p in lesson.pairs
        if (p["name"], p["method"], p["teacher"]) == key and p["geometry"] == "as exported"
    ]


def _plot(group: dict[str, Any], lesson: LessonSummary, place: int) -> Markup:
    """One parity plot as an inline SVG with a title and a description."""
    pairs = _pairs(group, lesson)[:POINTS]
    scale = _Scale([x for p in pairs for x in (p["dft"], *_ends(p, "estimate"), *_ends(p, "corrected"))])
    unit = "" if group["units"] == "1" else f", {group['units']}"
    name = group["name"].replace("_", " ")
    title = f"{name}{unit}: {group['method']} against {group['teacher']}"
    identifiers = (f"parity-{place}-title", f"parity-{place}-desc")
    shapes = [*_frame(scale, f"{name}{unit}"), *(shape for p in pairs for shape in _point(p, scale))]
    told = f"{count(len(pairs), 'candidate')}; rings: as estimated; dots: corrected; lines: one standard deviation"
    return Markup(  # noqa: S704
        f'<svg class="profile parity" viewBox="0 0 {SIZE:g} {SIZE:g}" role="img" aria-labelledby="{" ".join(identifiers)}">'
        f'<title id="{identifiers[0]}">{escape(title)}</title><desc id="{identifiers[1]}">{escape(told)}.</desc>'
        f"{''.join(shapes)}</svg>"
    )


def _ends(pair: dict[str, Any], which: str) -> tuple[float, ...]:
    """A value less and plus its standard deviation, as far as they are known."""
    if which not in pair:
        return ()
    width = (pair["deviation"] if which == "corrected" else pair["uncertainty"]) or 0.0
    return pair[which] - width, pair[which] + width


class _Scale:
    """One scale for both axes."""

    def __init__(self, values: Sequence[float]) -> None:
        low, high = min(values), max(values)
        margin = 0.05 * (high - low) or max(1.0, 0.1 * abs(high))
        self.low, self.high = low - margin, high + margin

    def x(self, value: float) -> float:
        """Across."""
        return LEFT + (RIGHT - LEFT) * self._part(value)

    def y(self, value: float) -> float:
        """Up."""
        return BOTTOM - (BOTTOM - TOP) * self._part(value)

    def ticks(self) -> list[float]:
        """Round numbers inside."""
        step = 10 ** math.floor(math.log10((self.high - self.low) / TICKS))
        step *= next(f for f in (1, 2, 5, 10) if (self.high - self.low) / (f * step) <= TICKS + 1)
        first = math.ceil(self.low / step)
        return [i * step for i in range(first, math.floor(self.high / step) + 1)]

    def _part(self, value: float) -> float:
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def _frame(scale: _Scale, name: str) -> list[str]:
    shapes = []
    for tick in scale.ticks():
        x, y = scale.x(tick), scale.y(tick)
        shapes.append(f'<path class="grid" d="M{x:.1f} {TOP:g}V{BOTTOM:g}M{LEFT:g} {y:.1f}H{RIGHT:g}"/>')
        shapes.append(
            f'<text class="tick" x="{x:.1f}" y="{BOTTOM + 16:g}" text-anchor="middle">{tick:g}</text>'
        )
        shapes.append(
            f'<text class="tick" x="{LEFT - 8:g}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
        )
    shapes.append(f'<path class="axis" d="M{LEFT:g} {BOTTOM:g}L{RIGHT:g} {TOP:g}"/>')
    shapes.append(f'<text class="name" x="{LEFT:g}" y="{TOP - 10:g}">Estimate: {escape(name)}</text>')
    shapes.append(f'<text class="name" x="{RIGHT:g}" y="{BOTTOM + 36:g}" text-anchor="end">DFT</text>')
    return shapes


def _point(pair: dict[str, Any], scale: _Scale) -> list[str]:
    told = f"{pair['candidate_id']}: DFT {pair['dft']:.3g}, estimated {_said(pair, 'estimate')}"
    told += f", corrected {_said(pair, 'corrected')}" if "corrected" in pair else ""
    shapes = []
    for which, bar, dot in (("estimate", "axis", "image"), ("corrected", "curve", "image top")):
        if which not in pair:
            continue
        x, y = scale.x(pair["dft"]), scale.y(pair[which])
        low, high = (scale.y(end) for end in _ends(pair, which))
        shapes.append(f'<path class="{bar}" d="M{x:.1f} {low:.1f}V{high:.1f}"/>')
        shapes.append(
            f'<circle class="{dot}" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{escape(told)}</title></circle>'
        )
    return shapes


def _said(pair: dict[str, Any], which: str) -> str:
    """`1.23 +- 0.2`, or the value alone."""
    low, high = _ends(pair, which)
    return f"{pair[which]:.3g}" + (f" +- {(high - low) / 2:.2g}" if high > low else "")
