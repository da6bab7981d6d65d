"""What does the energy along a switching path look like? A small vector drawing for the report.

The ordinate is the energy relative to the polar end, the abscissa the path from the nonpolar parent (0), or
from the reversed state, to the polar end (1). The barrier is measured out beside the drawing, as on a
draughtsman's sheet, so that it crosses no line. Colours come from the style sheet: dark and print follow it.
"""

from __future__ import annotations

import re

import numpy as np
from markupsafe import Markup, escape

from .crystal import spacegroup_symbol
from .report_switching import SwitchingPath
from .report_words import number

WIDTH, HEIGHT = 480.0, 252.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 344.0, 26.0, 194.0
"""Of the plot; to its right stands the barrier."""
GAUGE = RIGHT + 18.0
"""Where the barrier is measured out."""
TICKS = 5
LEAST_SPAN = 1.0
"""meV/atom that the ordinate shows at least: what is smaller is the noise of a potential."""
NO_BARRIER = 0.05
"""meV/atom; less is told as none."""


def profile(path: SwitchingPath, start: int | None, end: int | None, identifier: str) -> Markup:
    """The energy profile as an inline SVG with a title and a description.

    Args:
        path: Its energies.
        start: Space group of its beginning, if known.
        end: Space group of the polar end, if known.
        identifier: Beginning of the ids in the page; made by the report, never from outside.
    """
    axes = _Axes(path)
    shapes = [*axes.frame(), *axes.curve(), *axes.gauge(), *_ends(path, start, end)]
    names = (f"{identifier}-title", f"{identifier}-desc")
    return Markup(  # noqa: S704
        f'<svg class="profile" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-labelledby="{" ".join(names)}">'
        f'<title id="{names[0]}">{escape(_title(path, start, end))}</title>'
        f'<desc id="{names[1]}">{escape(_description(path))}</desc>{"".join(shapes)}</svg>'
    )


class _Axes:
    """Puts energies onto the paper."""

    def __init__(self, path: SwitchingPath) -> None:
        self.path = path
        polar = float(path.energies[-1])
        self.polar, self.top = polar, polar + path.barrier_per_atom
        low = min(float(path.energies.min()), polar)
        high = max(float(path.energies.max()), self.top, low + LEAST_SPAN)
        margin = 0.06 * (high - low)
        self.low, self.high = low - margin, high + margin

    def x(self, fraction: float) -> float:
        return LEFT + 10 + fraction * (RIGHT - LEFT - 20)

    def y(self, energy: float) -> float:
        return BOTTOM - (energy - self.low) / (self.high - self.low) * (BOTTOM - TOP)

    def frame(self) -> list[str]:
        """Ordinate with ticks and unit, abscissa."""
        step = _step((self.high - self.low) / TICKS)
        decimals = max(0, -int(np.floor(np.log10(step) + 1e-9)))
        values = np.arange(np.ceil(self.low / step), np.floor(self.high / step) + 1) * step
        shapes = []
        for value in values:
            y = self.y(float(value))
            shapes.append(f'<path class="grid" d="M{LEFT:g} {y:.1f}H{RIGHT:g}"/>')
            label = number(float(value), decimals)
            shapes.append(
                f'<text class="tick" x="{LEFT - 6:g}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
            )
        shapes.append(f'<path class="axis" d="M{LEFT:g} {TOP - 6:g}V{BOTTOM:g}H{RIGHT:g}"/>')
        shapes.append(
            f'<text class="name" x="4" y="{TOP - 13:g}">Energy above the polar end (meV/atom)</text>'
        )
        return shapes

    def curve(self) -> list[str]:
        """The images, joined by a line that does not overshoot them."""
        xs = np.array([self.x(float(f)) for f in self.path.fractions])
        ys = np.array([self.y(float(e)) for e in self.path.energies])
        shapes = [f'<path class="curve" d="{_smooth(xs, ys)}"/>']
        for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
            words = f"{self.path.fractions[i]:.3f}: {number(float(self.path.energies[i]), 1)} meV/atom"
            top = " top" if i == self.path.highest and self.path.barrier_per_atom >= NO_BARRIER else ""
            shapes.append(
                f'<circle class="image{top}" cx="{x:.1f}" cy="{y:.1f}" r="3.4"><title>{words}</title></circle>'
            )
        return shapes

    def gauge(self) -> list[str]:
        """The barrier: from the polar end up to the highest image."""
        if self.path.barrier_per_atom < NO_BARRIER:
            return [
                f'<text class="number" x="{GAUGE - 14:g}" y="{self.y(self.polar) + 4:.1f}">no barrier</text>'
            ]
        high, low = self.y(self.top), self.y(self.polar)
        first = self.x(float(self.path.fractions[self.path.highest]))
        last = self.x(float(self.path.fractions[-1]))
        lines = f"M{first + 6:.1f} {high:.1f}H{GAUGE + 6:g}M{last + 6:.1f} {low:.1f}H{GAUGE + 6:g}"
        shapes = [
            f'<path class="level" d="{lines}"/>',
            f'<path class="gauge" d="{_double_arrow(high, low)}"/>',
        ]
        middle = min(max((high + low) / 2, TOP + 16), BOTTOM - 30)
        words = [("soft", "barrier"), ("number", f"{number(self.path.barrier_per_atom)} meV/atom")]
        if self.path.barrier is not None:
            words.append(("number", f"{number(self.path.barrier)} eV/f.u."))
        for line, (kind, text) in enumerate(words):
            y = middle + 4 + 15 * (line - (len(words) - 1) / 2)
            shapes.append(f'<text class="{kind}" x="{GAUGE + 9:g}" y="{y:.1f}">{text}</text>')
        return shapes


def _double_arrow(high: float, low: float) -> str:
    head = min(5.0, (low - high) / 2)
    tips = (
        f"M{GAUGE - 3:g} {high + head:.1f}L{GAUGE:g} {high:.1f}L{GAUGE + 3:g} {high + head:.1f}"
        f"M{GAUGE - 3:g} {low - head:.1f}L{GAUGE:g} {low:.1f}L{GAUGE + 3:g} {low - head:.1f}"
    )
    return f"M{GAUGE:g} {high:.1f}V{low:.1f}{tips}"


def _step(least: float) -> float:
    """The next of 1, 2, 5, 10, 20 and so on."""
    power = 10.0 ** np.floor(np.log10(least))
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9)))


def _smooth(xs: np.ndarray, ys: np.ndarray) -> str:
    """A cubic through the points that is monotone between any two: it shows no barrier that none of them has.

    Source: Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5, 300 (1984), doi:10.1137/0905021, as in scipy's
    `PchipInterpolator`.
    """
    if len(xs) == 2:
        return f"M{xs[0]:.1f} {ys[0]:.1f}L{xs[1]:.1f} {ys[1]:.1f}"
    from scipy.interpolate import PchipInterpolator

    slopes = PchipInterpolator(xs, ys).derivative()(xs)
    parts = [f"M{xs[0]:.1f} {ys[0]:.1f}"]
    for i in range(len(xs) - 1):
        third = (xs[i + 1] - xs[i]) / 3
        one, two = ys[i] + third * slopes[i], ys[i + 1] - third * slopes[i + 1]
        parts.append(
            f"C{xs[i] + third:.1f} {one:.1f} {xs[i + 1] - third:.1f} {two:.1f} {xs[i + 1]:.1f} {ys[i + 1]:.1f}"
        )
    return "".join(parts)


def _ends(path: SwitchingPath, start: int | None, end: int | None) -> list[str]:
    """What stands at either end of the abscissa, with its space group."""
    names = ("reversed, −P", "polar, +P") if path.reversed else ("nonpolar parent", "polar")
    first = LEFT + 10
    last = RIGHT - 10
    shapes = [
        f'<path class="axis" d="M{x:g} {BOTTOM:g}v5"/><text class="tick" x="{x:g}" y="{BOTTOM + 18:g}" '
        f'text-anchor="middle">{mark}</text>'
        for x, mark in ((first, "0"), (last, "1"))
    ]
    middle = (first + last) / 2
    shapes.append(
        f'<text class="name" x="{middle:g}" y="{BOTTOM + 18:g}" text-anchor="middle">along the path</text>'
    )
    places = ((LEFT - 2, "start", names[0], start), (RIGHT + 2, "end", names[1], end))
    for x, anchor, name, group in places:
        shapes.append(
            f'<text class="group" x="{x:g}" y="{BOTTOM + 36:g}" text-anchor="{anchor}">{_hermann_mauguin(group)}</text>'
            f'<text class="soft" x="{x:g}" y="{BOTTOM + 52:g}" text-anchor="{anchor}">{name}</text>'
        )
    return shapes


def _hermann_mauguin(group: int | None) -> str:
    """A symbol in SVG's words: letters slanted, axes inverted with a bar, screws lowered."""
    text = str(escape(spacegroup_symbol(group))) or "?"
    parts = re.findall(r"_\d|-\d|[A-Za-z]+|[^A-Za-z]", text)
    shapes, lowered = [], False
    for part in parts:
        lift = ' dy="-3"' if lowered else ""
        lowered = part.startswith("_")
        kind = (
            "screw"
            if lowered
            else "bar"
            if part.startswith("-")
            else "letters"
            if part.isalpha()
            else "digit"
        )
        lift = ' dy="3"' if lowered and not lift else lift
        shapes.append(f'<tspan class="{kind}"{lift}>{part.lstrip("_-")}</tspan>')
    return "".join(shapes)


def _title(path: SwitchingPath, start: int | None, end: int | None) -> str:
    one, two = (spacegroup_symbol(group) or "unknown" for group in (start, end))
    if path.reversed:
        return f"Energy along the path from the reversed state (−P) to the polar end (+P), {two}"
    return f"Energy along the path from the nonpolar parent {one} to the polar end {two}"


def _description(path: SwitchingPath) -> str:
    values = ", ".join(number(float(e), 1) for e in path.energies[:: max(1, len(path.energies) // 20)])
    where = f"at {path.fractions[path.highest]:.2f} of the path"
    barrier = f"{number(path.barrier_per_atom)} meV/atom"
    if path.barrier is not None:
        barrier += f", {number(path.barrier)} eV per formula unit"
    return (
        f"{path.kind_in_words}; {len(path.energies)} images. Barrier {barrier}; highest image {where}. "
        f"Energies in meV/atom relative to the polar end, from 0 to 1: {values}."
    )
