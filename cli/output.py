"""How candidates are printed: a table for people, JSONL, CSV or CIF for programs.

Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import math
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

HEADINGS = {
    "energy_above_hull": "above hull\neV/atom",
    "band_gap": "gap\neV",
    "polarization": "P\nuC/cm^2",
    "polar_nonpolar_energy_difference": "dE\nmeV/atom",
    "migration_barrier": "hop\neV",
}
"""Properties that a table shows, where any candidate has them."""
DEVICES = {"ferroelectric": "FE", "resistive-switching": "RS", "synapse": "SY"}
"""Verdicts that a table shows; `hysteron show` has all, with reasons."""


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
    columns: Sequence[str] = (),
) -> None:
    """Print candidates in one of the four formats.

    Args:
        candidates: In the order to print.
        format: `None` chooses by where standard output goes.
        inputs: For `relax`, `predict` and `screen`: the path each one came from.
        title: Heading of the table.
        columns: Properties and fields that a table shows beside the usual ones.
    """
    kind = chosen(format)
    if kind is Format.table:
        print_table(candidates, title, columns)
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


def print_table(candidates: Sequence[Candidate], title: str = "", columns: Sequence[str] = ()) -> None:
    """The table for people, at 80 columns and more; the methods stand below."""
    from rich.console import Console
    from rich.table import Table

    wide = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    names = [name for name in HEADINGS if any(c.get(name) for c in candidates)]
    names += [name for name in dict.fromkeys(columns) if name not in names]
    table = Table(title=title or None, title_justify="left", header_style="bold", pad_edge=False, box=None)
    table.add_column("#", justify="right", style="dim")
    for heading in ("candidate", "", "passes"):
        table.add_column(heading, no_wrap=True)
    for name in names:
        table.add_column(_heading(name), justify="right", no_wrap=True)
    for i, candidate in enumerate(candidates, 1):
        passed = " ".join(DEVICES[v.screen] for v in candidate.verdicts if v.passed and v.screen in DEVICES)
        known = "new" if candidate.provenance and candidate.provenance[0].stage == "generate" else "known"
        cells = [_cell(candidate, name) for name in names]
        table.add_row(str(i), candidate.candidate_id, known, passed, *cells)
    wide.print(table)
    legend = ", ".join(f"{short}: {name}" for name, short in DEVICES.items())
    how_to_read = ("candidate: formula-space group-digest; 0.005(38) is 0.005 +- 0.038", f"passes: {legend}")
    for line in (*how_to_read, *_methods(candidates, names)):
        wide.print(line, style="dim", markup=False)


def _heading(name: str) -> str:
    """As the usual columns have it, or the name and its unit."""
    from ..core.filters import parse_name
    from ..core.properties import PROPERTIES

    if name in HEADINGS:
        return HEADINGS[name]
    row = PROPERTIES.get(parse_name(name).name)
    return name.replace("_", " ") + (f"\n{row.units}" if row and row.units != "1" else "")


def _cell(candidate: Candidate, name: str) -> str:
    """A property with its uncertainty, or a field."""
    from ..core.filters import lookup, parse_name

    parsed = parse_name(name)
    if parsed.is_property:
        return _shown(candidate.get(parsed.name, parsed.method))
    value = lookup(parsed, candidate)
    return "-" if value is None else str(value)


def _shown(value: PropertyValue | None) -> str:
    """`0.005(38)` is 0.005 with a standard deviation of 0.038, in the units of the last digit; two digits of it are told."""
    if value is None:
        return "-"
    if not isinstance(value.value, float | int):
        return str(value.value)
    if not value.uncertainty:
        return f"{value.value:.3g}" if abs(value.value) >= 1 else f"{value.value:.3f}"
    decimals = max(0, 1 - math.floor(math.log10(value.uncertainty)))
    return f"{value.value:.{decimals}f}({round(value.uncertainty * 10**decimals)})"


def _methods(candidates: Iterable[Candidate], names: Iterable[str]) -> list[str]:
    lines = []
    from ..core.filters import parse_name

    for name in map(parse_name, names):
        if name.is_property:
            methods = sorted({found.method for c in candidates if (found := c.get(name.name, name.method))})
            lines.append(
                f"{_heading(str(name)).splitlines()[0]}: {name.name} by {'; '.join(methods) or 'nobody yet'}"
            )
    return lines


def print_failures(failures: Iterable[tuple[str, str]]) -> None:
    """What could not be treated, one line each, on standard error."""
    for what, reason in failures:
        say(f"  {what}: {reason}")
