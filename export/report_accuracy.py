"""How well would assumed devices serve? A small drawing of dots and intervals for the report.

One row for each workload and class: the mean as a dot, the interval as a line, ideal weights as a bar across it, guessing
as dashes. Colours come from the style sheet: dark and print follow it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from .report_words import number

WIDTH = 480.0
LEFT, RIGHT, TOP = 176.0, 436.0, 30.0
"""Of the plot; names of the workloads stand to its left."""
ROW = 38.0
FOOT = 30.0
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class AccuracyRow:
    """Accuracy of one workload on assumed devices of one class; all shares are 0 to 1.

    Attributes:
        workload: In words.
        assumed_class: The class of the devices.
        mean: Over the devices drawn.
        low: Lower end of the interval.
        high: Upper end.
        ideal: With ideal weights.
        chance: Of guessing, if it is told.
        count: How many devices were drawn, if it is told.
    """

    workload: str
    assumed_class: str
    mean: float
    low: float
    high: float
    ideal: float
    chance: float | None
    count: int | None

    @property
    def words(self) -> str:
        """The row as a sentence without a full stop."""
        guessed = "" if self.chance is None else f", guessing {number(self.chance, 2)}"
        drawn = "" if self.count is None else f", n = {self.count}"
        return (
            f"{self.workload}, assumed device of class {self.assumed_class}: {number(self.mean, 2)} "
            f"({number(self.low, 2)} to {number(self.high, 2)}{drawn}), ideal weights {number(self.ideal, 2)}{guessed}"
        )


def accuracy_chart(rows: Sequence[AccuracyRow], identifier: str) -> Markup:
    """The rows as an inline SVG with a title and a description.

    Args:
        rows: At least one.
        identifier: Beginning of the ids in the page; made by the report, never from outside.
    """
    bottom = TOP + ROW * len(rows)
    shapes = [*_frame(bottom), *(part for i, row in enumerate(rows) for part in _row(row, i))]
    names = (f"{identifier}-title", f"{identifier}-desc")
    told = "; ".join(row.words for row in rows)
    return Markup(  # noqa: S704
        f'<svg class="profile" viewBox="0 0 {WIDTH:g} {bottom + FOOT:g}" role="img" aria-labelledby="{" ".join(names)}">'
        f'<title id="{names[0]}">Accuracy of assumed devices by workload</title>'
        f'<desc id="{names[1]}">{escape(told)}.</desc>{"".join(shapes)}</svg>'
    )


def _frame(bottom: float) -> list[str]:
    shapes = []
    for tick in TICKS:
        x = _x(tick)
        shapes.append(f'<path class="grid" d="M{x:.1f} {TOP - 6:g}V{bottom:g}"/>')
        shapes.append(
            f'<text class="tick" x="{x:.1f}" y="{bottom + 18:g}" text-anchor="middle">{tick:g}</text>'
        )
    shapes.append(f'<path class="axis" d="M{LEFT:g} {bottom:g}H{RIGHT:g}"/>')
    shapes.append(f'<text class="name" x="{LEFT:g}" y="{TOP - 14:g}">Accuracy of an assumed device</text>')
    return shapes


def _row(row: AccuracyRow, place: int) -> list[str]:
    y = TOP + ROW * (place + 0.5)
    ideal = _x(row.ideal)
    guessed = (
        [f'<path class="level" d="M{_x(row.chance):.1f} {y - 10:.1f}V{y + 10:.1f}"/>']
        if row.chance is not None
        else []
    )
    return [
        *guessed,
        f'<text x="{LEFT - 12:g}" y="{y - 1:.1f}" text-anchor="end">{escape(row.workload)}</text>',
        f'<text class="soft" x="{LEFT - 12:g}" y="{y + 13:.1f}" text-anchor="end">assumed, class '
        f"{escape(row.assumed_class)}</text>",
        f'<path class="gauge" d="M{ideal:.1f} {y - 10:.1f}V{y + 10:.1f}"/>',
        f'<path class="curve" d="M{_x(row.low):.1f} {y:.1f}H{_x(row.high):.1f}"/>',
        f'<circle class="image" cx="{_x(row.mean):.1f}" cy="{y:.1f}" r="4"><title>{escape(row.words)}</title></circle>',
    ]


def _x(accuracy: float) -> float:
    return LEFT + accuracy * (RIGHT - LEFT)
