"""`hysteron data`: what the program stands on, and how to make it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import say

app = typer.Typer(
    no_args_is_help=True, help="List the shipped tables, or build them anew from the downloaded data sets."
)
build = typer.Typer(
    no_args_is_help=True, help="Build a table from HYSTERON_DATA_DIR; takes up again where it stopped."
)
app.add_typer(build, name="build")

IntoOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder for the table. Default: data in HYSTERON_HOME, where it wins over the shipped one."
    ),
]
WorkOption = Annotated[
    Path | None,
    typer.Option("--work", help="Folder for results as they come. Default: cache/NAME in HYSTERON_HOME."),
]


@app.command("list")
def list_tables() -> None:
    """Which tables there are, which place each is read from, and how large it is."""
    from ..flows import tables

    for table in tables.listed():
        print(f"{table.name:<18} {table.size_kilobytes:>6.0f} kB  {table.place:<8} {table.path}")


@build.command()
def catalog(into: IntoOption = None, work: WorkOption = None) -> None:
    """Choose and relax the catalogue of known materials (some 3,000; minutes to an hour on two cores)."""
    from ..flows import tables
    from .progress import bars

    with bars() as shown:
        built = tables.build_catalog(into, work, shown)
    say(f"{len(built.rows)} crystals, {len(built.left)} left out; the card beside the table says why.")


@build.command()
def hull(
    into: IntoOption = None,
    work: WorkOption = None,
    potential: Annotated[
        str, typer.Option(help="Whose energies: a registered potential; each has a table of its own.")
    ] = "chgnet",
    limit: Annotated[
        str | None,
        typer.Option(help="Begin no new work after this wall time, such as 1h30m.", show_default=False),
    ] = None,
    anew: Annotated[
        bool,
        typer.Option(
            "--anew", help="Compute everything again, also what the table there is or the work folder holds."
        ),
    ] = False,
) -> None:
    """Compute and relax the competing phases (some 63,000; hours on two cores, in as many calls as you like)."""
    from ..flows import tables
    from .progress import bars

    with bars() as shown:
        card = tables.build_hull(potential, into, work, limit, anew, shown)
    say(f"{card['name']}: {card['phases']} phases, {card['relaxed']} of them relaxed.")
    for reason, count in card["not_relaxed"].items():
        say(f"  not relaxed: {count} ({reason})")
