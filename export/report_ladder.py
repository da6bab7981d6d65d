"""Which hops does an ion make, and at what height do they connect? A small vector drawing for the report.

Each class of hops is a dot at its height above the most stable vacancy; rules mark where the hops connect through the
crystal in 1, 2 and 3 dimensions. Behind them lies the window in which a barrier passes, and the height that keeps a
state for ten years. Colours come from the style sheet: dark and print follow it.
"""

from __future__ import annotations

from markupsafe import Markup, escape

from .report_mechanisms import HopRow, HopSet
from .report_words import number

WIDTH = 480.0
LEFT, RIGHT = 26.0, 454.0
BASE, HEIGHT = 96.0, 132.0
TOP = 30.0
LEAST_SPAN_EV = 1.8
ROW = 12.0
"""Between dots of about the same height, stacked."""
CLOSE = 9.0


def ladder(
    found: HopSet, window: tuple[float, float] | None, ten_years: float | None, identifier: str
) -> Markup | None:
    """The heights of the hops as an inline SVG with a title and a description; `None` if none is known.

    Args:
        found: Hops of one ion.
        window: In which a barrier passes, eV.
        ten_years: Barrier that keeps a state for ten years at 85 C, eV.
        identifier: Beginning of the ids in the page; made by the report, never from outside.
    """
    known = [(hop, hop.height) for hop in found.hops if hop.height is not None]
    if not known:
        return None
    span = max(LEAST_SPAN_EV, *(1.08 * height for _, height in known))

    def x(energy: float) -> float:
        return LEFT + min(max(energy, 0.0), span) / span * (RIGHT - LEFT)

    shapes = [
        *_window(window, x, span),
        *_axis(span, x),
        *_ten_years(ten_years, x, span),
        *_connections(found, x),
    ]
    shapes += _dots(known, x)
    names = (f"{identifier}-title", f"{identifier}-desc")
    return Markup(  # noqa: S704
        f'<svg class="profile ladder" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-labelledby="{" ".join(names)}">'
        f'<title id="{names[0]}">Barriers of the hops of {escape(found.ion)}</title>'
        f'<desc id="{names[1]}">{escape(_description(found))}</desc>{"".join(shapes)}</svg>'
    )


def _axis(span: float, x) -> list[str]:
    step = 0.2 if span <= 2.2 else 0.5 if span <= 5 else 1.0
    shapes = [f'<path class="axis" d="M{LEFT:g} {BASE:g}H{RIGHT:g}"/>']
    for i in range(int(span / step) + 1):
        at = x(i * step)
        shapes.append(
            f'<path class="axis" d="M{at:.1f} {BASE:g}v4"/><text class="tick" x="{at:.1f}" y="{BASE + 17:g}" '
            f'text-anchor="middle">{number(i * step, 1)}</text>'
        )
    shapes.append(
        f'<text class="name" x="{RIGHT:g}" y="{HEIGHT - 3:g}" text-anchor="end">Barrier (eV)</text>'
    )
    return shapes


def _window(window: tuple[float, float] | None, x, span: float) -> list[str]:
    if window is None or window[0] >= span:
        return []
    low, high = x(window[0]), x(window[1])
    return [
        f'<rect class="window" x="{low:.1f}" y="{TOP:g}" width="{high - low:.1f}" height="{BASE - TOP:g}"/>',
        f'<text class="soft" x="{(low + high) / 2:.1f}" y="{HEIGHT - 3:g}" text-anchor="middle">passes</text>',
    ]


def _ten_years(ten_years: float | None, x, span: float) -> list[str]:
    if ten_years is None or ten_years > span:
        return []
    at = x(ten_years)
    return [
        f'<path class="level" d="M{at:.1f} {TOP:g}V{BASE:g}"/>',
        f'<text class="soft" x="{at:.1f}" y="{TOP - 16:g}" text-anchor="middle">ten years at 85 °C</text>',
    ]


def _connections(found: HopSet, x) -> list[str]:
    """Where the hops connect; dimensions that are reached at one height stand together."""
    levels: dict[float, list[str]] = {}
    for name, height in zip(("1D", "2D", "3D"), found.connects, strict=True):
        if height is not None:
            levels.setdefault(round(height, 3), []).append(name)
    shapes = []
    for height, names in levels.items():
        at = x(height)
        shapes.append(
            f'<path class="gauge" d="M{at:.1f} {TOP:g}V{BASE:g}"/><text class="number" x="{at:.1f}" y="{TOP - 4:g}" '
            f'text-anchor="middle">{", ".join(names)}</text>'
        )
    return shapes


def _dots(known: list[tuple[HopRow, float]], x) -> list[str]:
    shapes, placed = [], []
    for hop, height in sorted(known, key=lambda one: one[1]):
        at = x(height)
        level = sum(abs(at - other) < CLOSE for other in placed)
        placed.append(at)
        words = f"{escape(hop.name)}: {number(height, 2)} eV, {escape(hop.kind)}"
        y = max(BASE - 10 - ROW * level, TOP + 4)
        shapes.append(
            f'<circle class="image" cx="{at:.1f}" cy="{y:.1f}" r="4"><title>{words}</title></circle>'
        )
    return shapes


def _description(found: HopSet) -> str:
    heights = ", ".join(f"{hop.name} {number(hop.height, 2)}" for hop in found.hops if hop.height is not None)
    connects = [
        f"{name} at {number(height, 2)}"
        for name, height in zip(("1D", "2D", "3D"), found.connects, strict=True)
        if height is not None
    ]
    through = f" The hops connect in {', '.join(connects)} eV." if connects else ""
    return f"Heights in eV: {heights}.{through}"
