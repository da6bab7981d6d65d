"""The bars say how fast it goes and how long it takes."""

import io
from itertools import count

from hysteron.cli import progress
from rich.console import Console


def test_rates():
    assert progress.per_second(7, 2) == "3.5/s"
    assert progress.per_second(1000, 2) == "500/s"
    assert progress.per_second(1, 50) == "0.02/s"
    assert progress.per_second(0, 2) == ""
    assert progress.per_second(3, 0.01) == ""


def test_a_bar_shows_rate_and_time_left(monkeypatch):
    clock = count(0, 2)
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=110)
    monkeypatch.setattr(progress, "console_error", lambda: console)
    monkeypatch.setattr(progress, "monotonic", lambda: float(next(clock)))
    with progress.Bars() as bars:
        bars._progress.get_time = lambda: float(next(clock))
        bars.stage("relax", 100)
        bars.advance(4)
        bars.advance(4)
        bars._progress.refresh()
    assert "/s" in shown.getvalue()
    assert "8/100" in shown.getvalue()
