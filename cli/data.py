"""`hysteron data`: what the program stands on, how to make it anew, and how to get public data sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import say

if TYPE_CHECKING:
    from ..flows.sources import Source

app = typer.Typer(
    no_args_is_help=True,
    help="List tables and public data sets, get data sets, or build the tables anew from them.",
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


FetchedIntoOption = Annotated[
    Path | None,
    typer.Option(help="The data folder. Default: data in HYSTERON_HOME.", show_default=False),
]


@app.command("list")
def list_data(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Data sets, groups or families to show in full.", show_default=False),
    ] = None,
    into: FetchedIntoOption = None,
) -> None:
    """Which tables there are and where each is read from; which public data sets there are, and which are here."""
    from ..flows import fetch, sources, tables

    folder = fetch.data_folder(into)
    if names:
        for source in sources.sources_named(names, families=True):
            print(_in_full(source, folder))
        return
    print("Tables")
    for table in tables.listed():
        print(f"  {table.name:<36} {table.size_kilobytes:>6.0f} kB  {table.place:<8} {table.path}")
    family = None
    for source in sources.sources():
        if source.family != family:
            family = source.family
            print(f"\n{family}: {source.title} ({source.licence})")
        print(f"  {source.name:<36} {_size(source):>9}  {_state(source, folder)}".rstrip())
    print("\nGroups, for 'hysteron data fetch': " + ", ".join(_groups()))


@app.command()
def fetch(
    names: Annotated[
        list[str], typer.Argument(help="Data sets or groups, as 'hysteron data list' shows them.")
    ],
    into: FetchedIntoOption = None,
    anew: Annotated[bool, typer.Option("--anew", help="Also what is there already.")] = False,
    keep_archives: Annotated[
        bool, typer.Option("--keep-archives", help="Do not delete an archive once it is unpacked.")
    ] = False,
) -> None:
    """Download public data sets; goes on where it was interrupted, and compares checksums."""
    from ..flows import fetch as fetching
    from ..flows import sources
    from .progress import bars

    chosen = sources.sources_named(names)
    folder = fetching.data_folder(into)
    with bars() as shown:
        for source in chosen:
            record = fetching.fetch(source, folder, shown, anew, keep_archives)
            checksum = "as published" if record.compared else f"none published; SHA-256 {record.sha256} noted"
            shown.say(f"{source.name}: {folder / record.path} ({source.licence}; checksum {checksum})")
    say(f"So that readers find it: HYSTERON_DATA_DIR={folder}")


def _size(source: Source) -> str:
    if source.megabytes is None:
        return "-"
    return f"{source.megabytes / 1000:.1f} GB" if source.megabytes >= 1000 else f"{source.megabytes:.0f} MB"


def _state(source: Source, folder: Path) -> str:
    """Whether it is here, wholly or in part."""
    from ..flows import fetch as fetching

    if record := fetching.recorded(source, folder):
        return f"here since {record.date}: {record.path}"
    if fetching.place_of(source, folder).exists():
        return f"here: {source.folder}"
    if begun := fetching.begun_bytes(source, folder):
        return f"begun, {begun / 1e6:.0f} MB"
    return "by hand" if source.by_hand else ""


def _in_full(source: Source, folder: Path) -> str:
    """Everything that is known of a download."""
    from ..flows import fetch as fetching

    published = (
        f"MD5 {source.md5}"
        if source.md5
        else f"SHA-256 {source.sha256}"
        if source.sha256
        else "none published"
    )
    unpacked = f", {source.unpacked_megabytes / 1000:.1f} GB unpacked" if source.unpacked_megabytes else ""
    rows = {
        "what": source.title,
        "from": source.url or source.by_hand,
        "page": source.page,
        "size": f"{_size(source)}{unpacked}",
        "checksum": f"{published} ({source.checksum_from})" if source.checksum_from else published,
        "licence": source.licence,
        "cite": source.citation,
        "format": source.format,
        "place": str(fetching.place_of(source, folder)),
        "state": _state(source, folder) or "not here",
    }
    return "\n".join([source.name, *(f"  {name:<9} {value}" for name, value in rows.items())])


def _groups() -> list[str]:
    from ..flows import sources

    return list(dict.fromkeys(source.group for source in sources.sources() if source.group))


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


@build.command()
def charges(into: IntoOption = None) -> None:
    """Fit effective charges to DFT polarizations (seconds)."""
    from ..flows import tables

    table, path = tables.build_charges(into)
    say(f"{table['pairs']} pairs of {table['formulas']} formulas: {path} and its card.")


@build.command("polar-difference")
def polar_difference(into: IntoOption = None) -> None:
    """Calibrate energies of polar against nonpolar crystals on DFT (minutes)."""
    from ..flows import tables

    table, path = tables.build_polar_difference(into)
    say(f"{len(table['fits'])} fits to {table['n']} pairs: {path}")


@build.command("vacancy-correction")
def vacancy_correction(into: IntoOption = None) -> None:
    """Learn how a potential's oxygen vacancies differ from DFT's (half an hour on one core)."""
    from ..flows import tables
    from .progress import bars

    with bars() as shown:
        table, path = tables.build_vacancy_correction(into, shown)
    say(f"{len(table['fit']['energies'])} hosts: {path}")


@build.command()
def conduction(into: IntoOption = None) -> None:
    """Fit the classes metal, insulator and transition (a minute or two)."""
    from ..flows import tables

    figures, path = tables.build_conduction(into)
    found = figures["left_out"]["family"]["balanced_accuracy"]["value"]
    say(f"balanced accuracy {found:.2f} with families left out: {path} and its card.")


@build.command("synapse-accuracy")
def synapse_accuracy(into: IntoOption = None) -> None:
    """Try assumed devices of every mechanism class on the synaptic workloads (minutes)."""
    from ..flows import tables
    from .progress import bars

    with bars() as shown:
        table, path = tables.build_synapse_accuracy(into, shown)
    say(f"{len(table) - 1} workloads: {path}")


@build.command("barrier-error")
def barrier_error(into: IntoOption = None) -> None:
    """Measure how far barriers of hopping cations lie from DFT's on paths of the literature (an hour on one core)."""
    import json

    from ..benchmarks.migration_fitting import build as fit
    from ..core.settings import data_dir, home
    from ..flows import toolbox
    from ..screening.defects.barrier_error import TABLE

    tools = toolbox.tools_for_prediction()
    assert tools.potential is not None
    assert tools.atoms_relaxer is not None
    table = fit(data_dir(), tools.potential, tools.atoms_relaxer)
    path = (into or home() / "data") / TABLE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    say(f"{table['n_paths']} paths: {path}")
