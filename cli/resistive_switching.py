"""How is a resistive-switching verdict read at a terminal? One block a candidate, from the mechanisms to the hops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ..core.candidate import Candidate
    from ..export.report_mechanisms import HopSet, Mechanisms, VacancySet

SCREEN = "resistive-switching"
MARKS = {"passed": ("pass", "green"), "failed": ("fail", "red"), "not judged": ("not judged", "yellow")}


def print_resistive_switching(candidates: Sequence[Candidate], inputs: Sequence[str] = ()) -> None:
    """A block for each candidate that the screen has judged; one line for the others.

    Args:
        candidates: In the order to print.
        inputs: The path each one came from.
    """
    from .blocks import print_blocks

    print_blocks(candidates, inputs, print_block)


def print_block(console: Console, candidate: Candidate) -> None:
    """Mechanisms, vacancies, hops and retention of a judged candidate; what is absent is left out."""
    from rich.padding import Padding

    from ..export.report_mechanisms import mechanisms

    told = mechanisms(candidate)
    if told is None:
        console.print("  The resistive-switching screen has not judged it.", style="dim")
        return
    console.print(Padding(_mechanisms(told), (0, 0, 0, 2)))
    for found in told.vacancies:
        _print_vacancies(console, found)
    for hops in told.hops:
        _print_hops(console, hops)
    if told.retention:
        console.print("  retention", style="bold")
        _print_plain(console, told.retention)


def _mechanisms(told: Mechanisms) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column()
    for row in told.rows:
        mark, style = MARKS[row.status]
        score = "" if row.score is None else f"{row.score:.2f}"
        flag = "by rule or near an edge: " if row.flagged and row.status == "passed" else ""
        table.add_row(row.name, Text(mark, style=style), score, Text(f"{flag}{row.reason}"))
    return table


def _print_vacancies(console: Console, found: VacancySet) -> None:
    energies = [
        f"{name} {value:.2f}"
        for name, value in (
            ("at its reference phase", found.at_reference),
            ("host's rich limit", found.rich),
            ("host's poor limit", found.poor),
        )
        if value is not None
    ]
    console.print(f"  vacancy of {found.element}", style="bold")
    _print_plain(console, f"{'; '.join(energies)} eV, neutral")
    if len(found.sites) > 1:
        _print_plain(
            console, "sites: " + ", ".join(f"{site.label} {site.energy:.2f}" for site in found.sites)
        )
    for note in found.notes:
        _print_plain(console, note, "dim")


def _print_hops(console: Console, found: HopSet) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console.print(f"  hops of {found.ion}", style="bold")
    table = Table.grid(padding=(0, 2))
    for justify in ("left", "right", "right", "left", "left"):
        table.add_column(justify=justify)
    for hop in found.hops:
        length = "" if hop.length is None else f"{hop.length:.2f} A"
        height = "-" if hop.height is None else f"{hop.height:.2f} eV"
        table.add_row(Text(hop.name), length, height, Text(hop.kind), Text(hop.note, style="dim"))
    console.print(Padding(table, (0, 0, 0, 4)))
    reached = [
        f"{name} at {height:.2f} eV"
        for name, height in zip(("1D", "2D", "3D"), found.connects, strict=True)
        if height is not None
    ]
    _print_plain(
        console, f"connects in {', '.join(reached)}" if reached else "the hops computed do not connect"
    )
    for note in found.notes:
        _print_plain(console, note, "dim")


def _print_plain(console: Console, line: str, style: str = "") -> None:
    from rich.padding import Padding
    from rich.text import Text

    console.print(Padding(Text(line, style=style), (0, 0, 0, 4)))
