"""How are runs shown on a terminal? One line each: how it stands, what it found, what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .output import DEVICES

if TYPE_CHECKING:
    from ..flows.costs import Account
    from ..store.runs import RunRow

HEADINGS = {
    "run": "left",
    "status": "left",
    "preset": "left",
    "seed": "right",
    "work": "right",
    "proposed": "right",
    "relaxed": "right",
    "reused": "right",
    "passes": "left",
    "found": "right",
    "list": "right",
    "new": "right",
    "time": "right",
    "s/relax": "right",
}
SHORT = DEVICES | {"stability": "ST", "supply": "SU"}
"""Screens in the column of passes."""


def print_runs(rows: Sequence[RunRow], found: Sequence[Account]) -> None:
    """The table, and what its columns mean."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading, side in HEADINGS.items():
        table.add_column(heading, justify=side, no_wrap=heading != "passes")  # type: ignore[arg-type]
    for row, account in zip(rows, found, strict=True):
        table.add_row(*_cells(row, account))
    console.print(table)
    legend = ", ".join(f"{short}: {name}" for name, short in SHORT.items())
    for line in (f"passes: {legend}", MEANING):
        console.print(line, style="dim", markup=False)


MEANING = (
    "reused: relaxations taken over from earlier runs; found: relaxed and ranked; list: length of the shortlist; new: on it, "
    "and not on that of the run before; s/relax: seconds per relaxation"
)


def _cells(row: RunRow, account: Account) -> list[str]:
    run = row.config.get("run", {})
    work = f"{run['relaxations']} relax" if run.get("relaxations") else str(run.get("budget") or "-")
    passed = [f"{SHORT.get(name, name)} {number}" for name, number in account.passed.items()]
    return [
        row.run_id,
        row.status,
        str(run.get("preset", "-")),
        str(row.seed),
        work,
        str(account.proposed),
        str(account.relaxed),
        str(account.reused),
        " ".join(passed) or "-",
        _or_dash(account.found),
        _or_dash(account.shortlist),
        _or_dash(account.new_since_last),
        duration(account.seconds),
        "-" if account.seconds_per_relaxation is None else f"{account.seconds_per_relaxation:.2g}",
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
