"""How candidates are printed: a table for people, JSONL, CSV or CIF for programs.

Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..core.candidate import Candidate, PropertyValue


class Format(StrEnum):
    """What `--format` takes."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"
    cif = "cif"


FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format", "-f", help="Default: table on a terminal, jsonl when piped.", show_default=False
    ),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        help="Store of candidates: a file, sqlite:///FILE or postgresql://... Default: HYSTERON_STORE, "
        "or store.db in HYSTERON_HOME.",
        show_default=False,
    ),
]

COLUMNS = ("energy_above_hull", "band_gap", "polarization", "polar_nonpolar_energy_difference")
"""Properties that a table shows, where any candidate has them."""
NOT_A_DEVICE = ("stability", "supply", "novelty")
"""Verdicts that a table leaves to `hysteron show`."""


def console_error():
    """The console for progress and log."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def say(sentence: str) -> None:
    """A sentence on standard error."""
    print(sentence, file=sys.stderr)


def chosen(format: Format | None) -> Format:
    """The format asked for, or the one that fits where standard output goes."""
    return format or (Format.table if sys.stdout.isatty() else Format.jsonl)


def print_candidates(
    candidates: Sequence[Candidate],
    format: Format | None,
    inputs: Sequence[str] | None = None,
    title: str = "",
) -> None:
    """Print candidates in one of the four formats.

    Args:
        candidates: In the order to print.
        format: `None` chooses by where standard output goes.
        inputs: For `relax`, `predict` and `screen`: the path each one came from.
        title: Heading of the table.
    """
    kind = chosen(format)
    if kind is Format.table:
        print_table(candidates, title)
    elif kind is Format.jsonl:
        from ..export.jsonl import records

        for line in records(candidates, inputs):
            write(line.decode())
    elif kind is Format.csv:
        from ..export.table import shortlist_csv

        write(shortlist_csv(candidates))
    else:
        from ..export.cif import cif_text

        for candidate in candidates:
            write(cif_text(candidate))


def write_record(record: dict) -> None:
    """One JSONL line on standard output."""
    from ..export.jsonl import record_line

    write(record_line(record).decode())


def write(text: str) -> None:
    """Text on standard output; the command ends well if the reader (head, say) has gone."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None


def print_table(candidates: Sequence[Candidate], title: str = "") -> None:
    """The table for people; units in the heading, uncertainty after the value, methods below."""
    from rich.console import Console
    from rich.table import Table

    from ..core.properties import describe

    wide = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    names = [name for name in COLUMNS if any(c.get(name) for c in candidates)]
    table = Table(title=title or None, title_justify="left", header_style="bold", pad_edge=False, box=None)
    table.add_column("#", justify="right", style="dim")
    for heading in ("candidate", "formula", "group", "from"):
        table.add_column(heading, no_wrap=True)
    table.add_column("passes", overflow="fold")
    for name in names:
        units = describe(name).units
        table.add_column(f"{name}\n({units})", justify="right", overflow="fold")
    for i, candidate in enumerate(candidates, 1):
        passed = ", ".join(v.screen for v in candidate.verdicts if v.passed and v.screen not in NOT_A_DEVICE)
        origin = candidate.provenance[0].name if candidate.provenance else ""
        group = str(candidate.spacegroup_number or "")
        cells = [_shown(candidate.get(name)) for name in names]
        table.add_row(str(i), candidate.candidate_id, candidate.formula, group, origin, passed, *cells)
    wide.print(table)
    for line in _methods(candidates, names):
        wide.print(line, style="dim", markup=False)


def _shown(value: PropertyValue | None) -> str:
    if value is None:
        return "-"
    if not isinstance(value.value, float | int):
        return str(value.value)
    shown = f"{value.value:.3g}" if abs(value.value) >= 1 else f"{value.value:.3f}"
    return shown if value.uncertainty is None else f"{shown} +- {value.uncertainty:.2g}"


def _methods(candidates: Iterable[Candidate], names: Iterable[str]) -> list[str]:
    lines = []
    for name in names:
        methods = sorted({found.method for c in candidates if (found := c.get(name))})
        lines.append(f"{name}: {'; '.join(methods)}")
    return lines


def print_failures(failures: Iterable[tuple[str, str]]) -> None:
    """What could not be treated, one line each, on standard error."""
    for what, reason in failures:
        say(f"  {what}: {reason}")
