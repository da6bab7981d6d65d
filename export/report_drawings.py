"""Crystals as small vector drawings: for the table, for print, and where a browser cannot turn them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
from markupsafe import Markup

from .report_scenes import SMALLER_BALLS, Scene, color, drawn_radius

SIZE = 100.0
MARGIN = 3.0
BOND_WIDTH_ANGSTROM = 0.16
ARROW_HEAD = 4.6
"""Of `SIZE`; an arrow that is shorter is all head."""
EDGES = tuple(
    (np.array(a), np.array(b))
    for a, b in itertools.combinations(itertools.product((0, 1), repeat=3), 2)
    if sum(abs(x - y) for x, y in zip(a, b, strict=True)) == 1
)
"""The twelve edges of a cell, as pairs of fractional corners."""


def symbol(scene: Scene, identifier: str) -> Markup:
    """An SVG `symbol` of a crystal, drawn once and used wherever it is shown.

    Args:
        scene: What to draw.
        identifier: Its id in the page; made by the report, never from outside.
    """
    canvas, flat, radii = _framed(scene)
    shapes = [*canvas.edges(), *canvas.balls_and_sticks(flat, radii)]
    return Markup(f'<symbol id="{identifier}" viewBox="0 0 {SIZE:g} {SIZE:g}">{"".join(shapes)}</symbol>')  # noqa: S704


def arrows_symbol(scene: Scene, identifier: str) -> Markup:
    """The displacements of a crystal as an SVG `symbol` to lie on its drawing; empty if there are none.

    Args:
        scene: What to draw.
        identifier: Its id in the page; made by the report, never from outside.
    """
    if scene.moves is None:
        return Markup("")
    canvas, flat, radii = _framed(scene)
    shapes = "".join(canvas.arrows(flat, radii))
    return Markup(  # noqa: S704
        f'<symbol id="{identifier}" viewBox="0 0 {SIZE:g} {SIZE:g}" overflow="visible">{shapes}</symbol>'
    )


def _framed(scene: Scene) -> tuple[_Canvas, np.ndarray, np.ndarray]:
    """The canvas that the crystal just fills, its atoms as the viewer sees them, and their radii, A."""
    corners = np.array(list(itertools.product((-0.5, 0.5), repeat=3))) @ scene.cell
    radii = np.array([drawn_radius(scene.elements[k]) for k in scene.kinds])
    flat = scene.positions @ scene.view.T
    frame = np.vstack(
        [flat[:, :2] + radii[:, None], flat[:, :2] - radii[:, None], (corners @ scene.view.T)[:, :2]]
    )
    middle = (frame.max(axis=0) + frame.min(axis=0)) / 2
    scale = (SIZE - 2 * MARGIN) / (frame.max(axis=0) - frame.min(axis=0)).max()
    return _Canvas(scene, middle, scale), flat, radii


def gradients(elements: Iterable[str]) -> Markup:
    """One ball-like gradient per element."""
    parts = []
    for element in sorted(set(elements)):
        base = color(element)
        parts.append(
            f'<radialGradient id="ball-{element}" cx=".36" cy=".32" r=".75">'
            f'<stop offset="0" stop-color="{_mixed(base, 255, 0.62)}"/><stop offset=".45" stop-color="{base}"/>'
            f'<stop offset="1" stop-color="{_mixed(base, 0, 0.42)}"/></radialGradient>'
        )
    return Markup("".join(parts))  # noqa: S704


class _Canvas:
    """Puts what the viewer sees onto the paper."""

    def __init__(self, scene: Scene, middle: np.ndarray, scale: float) -> None:
        self.scene, self.middle, self.scale = scene, middle, scale

    def edges(self) -> list[str]:
        lines = []
        for start, end in EDGES:
            ends = (np.array([start, end]) - 0.5) @ self.scene.cell @ self.scene.view.T
            lines.append(f'<path class="edge" d="M{self._at(ends[0])}L{self._at(ends[1])}"/>')
        return lines

    def balls_and_sticks(self, flat: np.ndarray, radii: np.ndarray) -> list[str]:
        """Atoms and bonds, the farthest first."""
        shapes = [(flat[i, 2], self._ball(i, flat, radii)) for i in range(len(flat))]
        for i, j in self.scene.bonds:
            shapes.append((min(flat[i, 2], flat[j, 2]) - 1e-3, self._stick(i, j, flat)))
        return [shape for _, shape in sorted(shapes, key=lambda pair: pair[0])]

    def arrows(self, flat: np.ndarray, radii: np.ndarray) -> list[str]:
        """From the surface of each ball, as small as it is on the stage, along its displacement; the farthest first."""
        moves = self.scene.moves
        if moves is None:
            return []
        seen = moves.factor * moves.vectors @ self.scene.view.T
        return [
            self._arrow(flat[i], seen[i], SMALLER_BALLS * float(radii[i]))
            for i in np.argsort(flat[:, 2])
            if moves.shown[i]
        ]

    def _arrow(self, center: np.ndarray, move: np.ndarray, radius: float) -> str:
        tail = center + radius * move / np.linalg.norm(move)
        start, end = (np.array(self._at(p).split(), dtype=float) for p in (tail, tail + move))
        length = float(np.linalg.norm(end - start))
        if length < 0.5:
            return ""  # it points at the viewer
        along = (end - start) / length
        across = np.array([-along[1], along[0]])
        head = min(ARROW_HEAD, length)
        neck = end - head * along
        wings = " L".join(
            f"{x:.1f} {y:.1f}" for x, y in (neck + 0.42 * head * across, neck - 0.42 * head * across)
        )
        shaft = f"M{start[0]:.1f} {start[1]:.1f}L{neck[0]:.1f} {neck[1]:.1f}"
        tip = f"M{end[0]:.1f} {end[1]:.1f} L{wings}Z"
        return f'<path class="move halo" d="{shaft}{tip}"/><path class="move" d="{shaft}{tip}"/>'

    def _ball(self, i: int, flat: np.ndarray, radii: np.ndarray) -> str:
        x, y = self._at(flat[i]).split()
        element = self.scene.elements[self.scene.kinds[i]]
        return f'<circle cx="{x}" cy="{y}" r="{radii[i] * self.scale:.2f}" fill="url(#ball-{element})"/>'

    def _stick(self, i: int, j: int, flat: np.ndarray) -> str:
        middle = (flat[i] + flat[j]) / 2
        halves = []
        for k in (i, j):
            tint = _mixed(color(self.scene.elements[self.scene.kinds[k]]), 0, 0.18)
            halves.append(
                f'<path class="stick" stroke="{tint}" d="M{self._at(flat[k])}L{self._at(middle)}"/>'
            )
        width = BOND_WIDTH_ANGSTROM * self.scale
        return f'<g stroke-width="{width:.2f}">{"".join(halves)}</g>'

    def _at(self, point: np.ndarray) -> str:
        x = SIZE / 2 + (point[0] - self.middle[0]) * self.scale
        y = SIZE / 2 - (point[1] - self.middle[1]) * self.scale
        return f"{x:.1f} {y:.1f}"


def _mixed(base: str, other: int, share: float) -> str:
    """A colour mixed with a grey level; `share` of the latter."""
    parts = [int(base[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(part * (1 - share) + other * share):02x}" for part in parts)
