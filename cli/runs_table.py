"""How are runs shown on a terminal? Two lines each: how it stands, what it found, what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .output import DEVICES

if TYPE_CHECKING:
    from ..flows.costs import Account
    from ..store.runs import RunRow

HEADINGS = ("run", "for", "new", "relaxed", "reused", "found", "list", "time", "passes")
LEFT = ("run", "for", "passes")
PASSES_WIDE = 10
SHORT = DEVICES | {"stability": "ST", "supply": "SU"}
"""Screens in the column of passes."""
MEANING = (
    "new: crystals proposed; relaxed: how many, and the time for each; reused: by an earlier run",
    "found: relaxed and ranked; list: the shortlist, and who is new on it since the run before",
)


def print_runs(rows: Sequence[RunRow], found: Sequence[Account]) -> None:
    """The table, and what its columns mean."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for heading in HEADINGS:
        side = "left" if heading in LEFT else "right"
        width = PASSES_WIDE if heading == "passes" else len(heading)
        table.add_column(heading, justify=side, no_wrap=heading == "run", min_width=width)
    for row, account in zip(rows, found, strict=True):
        table.add_row(*("\n".join(cell) for cell in _cells(row, account)))
    console.print(table)
    legend = ", ".join(f"{short}: {name}" for name, short in SHORT.items())
    for line in (f"passes: {legend}", *MEANING):
        console.print(line, style="dim", markup=False)


def _cells(row: RunRow, account: Account) -> list[tuple[str, str]]:
    """The two lines of each column."""
    run = row.config.get("run", {})
    budget = "" if run.get("relaxations") or not run.get("budget") else f"of {run['budget']}"
    passed = [f"{SHORT.get(name, name)} {number}" for name, number in account.passed.items()]
    each = account.seconds_per_relaxation
    new = account.new_since_last
    return [
        (row.run_id, row.status),
        (str(run.get("preset", "-")), f"seed {row.seed}"),
        (str(account.proposed), ""),
        (str(account.relaxed), "" if each is None else f"{each:.2g} s"),
        (str(account.reused), ""),
        (_or_dash(account.found), ""),
        (_or_dash(account.shortlist), "" if new is None else f"{new} new"),
        (duration(account.seconds), budget),
        (" ".join(passed[:2]) or "-", " ".join(passed[2:])),
    ]


def _or_dash(number: int | None) -> str:
    return "-" if number is None else str(number)


def duration(seconds: float | None) -> str:
    """`48s`, `5m02s`, `1h10m`."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"
