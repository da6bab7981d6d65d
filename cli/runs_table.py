"""How are runs shown on a terminal? Two or three lines each: how it stands, what it found, what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .output import DEVICES

if TYPE_CHECKING:
    from ..flows.costs import Account
    from ..store.runs import RunRow

HEADINGS = ("run", "for", "new", "relaxed", "reused", "found", "list", "time", "passes")
LEFT = ("run", "for", "passes")
PASSES_A_LINE = 2
SHORT = DEVICES | {"stability": "ST", "supply": "SU"}
"""Screens in the column of passes."""
MEANING = (
    "new: crystals proposed; relaxed: how many, and seconds for each",
    "found: relaxed or reused, new, and ranked; time: wall time, and its budget",
    "list: length of the shortlist, and who is new on it since the run before",
)
REUSED = "reused: relaxed by another run before"


def print_runs(rows: Sequence[RunRow], found: Sequence[Account]) -> None:
    """The table, and what its columns mean; a column of zeros is left out."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    reused = any(account.reused for account in found)
    shown = [i for i, heading in enumerate(HEADINGS) if heading != "reused" or reused]
    for heading in (HEADINGS[i] for i in shown):
        side, shrinks = "left" if heading in LEFT else "right", heading == "for"
        table.add_column(heading, justify=side, no_wrap=not shrinks, overflow="ellipsis")
    for row, account in zip(rows, found, strict=True):
        cells = _cells(row, account)
        table.add_row(*("\n".join(cells[i]) for i in shown))
    console.print(table)
    screens = {name for account in found for name in account.passed}
    legend = ", ".join(f"{short}: {name}" for name, short in SHORT.items() if name in screens)
    meaning = [*([f"passes: {legend}"] if legend else []), *MEANING, *([REUSED] if reused else [])]
    for line in meaning:
        console.print(line, style="dim", markup=False)


def _cells(row: RunRow, account: Account) -> list[Sequence[str]]:
    """The lines of each column."""
    run = row.config.get("run", {})
    passed = [f"{SHORT.get(name, name)} {number}" for name, number in account.passed.items()]
    each, new = account.seconds_per_relaxation, account.new_since_last
    return [
        (row.run_id, row.status),
        (str(run.get("preset", "-")), f"seed {row.seed}"),
        (str(account.proposed),),
        (str(account.relaxed), "" if each is None else f"{each:.2g} s"),
        (str(account.reused),),
        (_or_dash(account.found),),
        (_or_dash(account.shortlist), "" if new is None else f"{new} new"),
        _time(row, account),
        [" ".join(passed[i : i + PASSES_A_LINE]) for i in range(0, len(passed), PASSES_A_LINE)] or ["-"],
    ]


def _time(row: RunRow, account: Account) -> Sequence[str]:
    """Wall time, and its budget; of a run under way how long it has been so."""
    if row.status == "running" and row.started:
        since = datetime.now(UTC) - datetime.fromisoformat(row.started)
        return duration(since.total_seconds()), "so far"
    run = row.config.get("run", {})
    budget = "" if run.get("relaxations") or not run.get("budget") else f"of {run['budget']}"
    return duration(account.seconds), budget


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
