"""How is a synapse verdict read at a terminal? Which applications a crystal fits, what limits it, and as which assumed device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..core.candidate import Candidate
    from ..export.report_synapse import ToldProfile, ToldSynapse

SCREEN = "synapse"
LONGEST_REASON = 2000
MARKS = {"fits": ("fits", "green"), "open": ("open", "yellow"), "no": ("no", "red")}


def print_synapse(candidates: Sequence[Candidate], inputs: Sequence[str] = ()) -> None:
    """A table of profiles for each candidate that the synapse screen has judged; one line for the others.

    Args:
        candidates: In the order to print.
        inputs: The path each one came from.
    """
    from .blocks import print_blocks

    print_blocks(candidates, inputs, print_synapse_block)


def print_synapse_block(console: Console, candidate: Candidate) -> None:
    """Verdict, profiles and notes of a candidate; of one that the screen has not judged one line that says so."""
    from rich.padding import Padding

    from ..export.foreign_details import text
    from ..export.report_synapse import synapse

    verdict, told = candidate.verdict(SCREEN), synapse(candidate)
    if verdict is None or told is None:
        console.print("  The synapse screen has not judged it.", style="dim")
        return
    mark, style = ("passes", "green") if verdict.passed else ("fails", "red")
    score = "" if verdict.score is None else f", score {verdict.score:.2f}"
    console.print(f"  [bold]verdict[/bold]  [{style}]{mark}[/{style}]{score}")
    console.print(Padding(_plain(text(verdict.reason, LONGEST_REASON)), (0, 0, 0, 2)))
    if told.profiles:
        console.print(Padding(_profiles(told), (0, 0, 0, 2)))
    for note in told.notes:
        console.print(Padding(_plain(note), (0, 0, 0, 2)), style="dim")


def _profiles(told: ToldSynapse) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 1))
    table.add_column("profile", overflow="fold", min_width=19, max_width=19)
    table.add_column("fits", no_wrap=True)
    table.add_column("assumed", overflow="fold", max_width=13)
    table.add_column("limiting; accuracy of assumed devices", overflow="fold", ratio=1)
    for profile in told.profiles:
        mark, style = MARKS[profile.fits_in_words]
        table.add_row(
            _plain(profile.title),
            Text(mark, style=style),
            _plain(f"class {profile.assumed_class}" if profile.assumed_class else "-"),
            _plain("\n".join(filter(None, (_limiting(profile), _accuracy(profile))))),
        )
    return table


def _limiting(profile: ToldProfile) -> str:
    """Whose it is, the crystal's or an assumed device's, and what it says."""
    if profile.limiting is None:
        return ""
    return f"{profile.limiting.label}: {profile.limiting.sentence or profile.limiting.name}"


def _accuracy(profile: ToldProfile) -> str:
    """By class, should there be several."""
    by_class: dict[str, list[str]] = {}
    for row in profile.accuracy:
        words = f"{row.workload} {row.mean:.2f} ({row.low:.2f} to {row.high:.2f}), ideal {row.ideal:.2f}"
        by_class.setdefault(row.assumed_class, []).append(words)
    return "\n".join(f"accuracy, assumed, class {name}: {'; '.join(rows)}" for name, rows in by_class.items())


def _plain(text: str) -> Text:
    """Text in which nothing is markup."""
    from rich.text import Text

    return Text(text)
