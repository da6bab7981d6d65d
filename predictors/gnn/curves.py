"""How did a training go? Its log as a picture: the training loss, and every validation error, by epoch."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .training import Progress

PANELS_PER_ROW = 3
PANEL_INCHES = (3.6, 2.6)


def append_to_log(path: Path, progress: Progress) -> None:
    """Add the line of one epoch to a log of JSON lines."""
    with path.open("a", encoding="utf-8") as log:
        log.write(json.dumps(asdict(progress)) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """The epochs of a log in order; of an epoch that was run twice the later line, a broken last line left out."""
    epochs: dict[int, dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            row = json.loads(line)
            epochs[int(row["epoch"])] = row
        except (ValueError, KeyError, TypeError):
            continue
    return [epochs[k] for k in sorted(epochs)]


def draw_curves(log: Path, picture: Path, title: str = "") -> None:
    """Draw loss and errors of a log as PNG, one panel each.

    Args:
        log: Lines with `epoch`, `loss` and `errors` (by name).
        picture: File to write; left alone while the log is empty.
        title: Above the panels.
    """
    rows = read_log(log)
    if not rows:
        return
    from matplotlib.figure import Figure

    series = {"training loss": {row["epoch"]: row["loss"] for row in rows}}
    for row in rows:
        for name, value in row.get("errors", {}).items():
            series.setdefault(name, {})[row["epoch"]] = value
    columns = min(PANELS_PER_ROW, len(series))
    lines = math.ceil(len(series) / columns)
    figure = Figure(figsize=(PANEL_INCHES[0] * columns, PANEL_INCHES[1] * lines + 0.3), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for panel, (name, values) in zip(panels, series.items(), strict=False):
        _draw(panel, name, values)
    for panel in panels[len(series) :]:
        panel.set_visible(False)
    if title:
        figure.suptitle(title)
    part = picture.with_suffix(".part")
    figure.savefig(part, format="png", dpi=120)
    part.replace(picture)


def _draw(panel: Any, name: str, values: Mapping[int, float]) -> None:
    panel.plot(list(values), list(values.values()), linewidth=1.2, marker="." if len(values) < 40 else "")
    panel.set_title(name, fontsize="small")
    panel.set_xlabel("epoch", fontsize="small")
    if all(v > 0 for v in values.values()):
        panel.set_yscale("log")
    panel.tick_params(labelsize="x-small")
