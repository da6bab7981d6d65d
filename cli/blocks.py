"""How are candidates printed that each fill a block? A heading with id, formula and input, then what a screen found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from ..core.candidate import Candidate

WIDTH_WHEN_PIPED = 110


def print_blocks(
    candidates: Sequence[Candidate], inputs: Sequence[str], block: Callable[[Console, Candidate], None]
) -> None:
    """A heading and a block for each candidate, on standard output.

    Args:
        candidates: In the order to print.
        inputs: The path each one came from; may be shorter.
        block: Prints what belongs below a candidate's heading.
    """
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else WIDTH_WHEN_PIPED, highlight=False)
    for i, candidate in enumerate(candidates):
        if i:
            console.print()
        _print_title(console, candidate, inputs[i] if i < len(inputs) else "")
        block(console, candidate)


def _print_title(console: Console, candidate: Candidate, where: str) -> None:
    from rich.text import Text

    from ..export.foreign_details import text

    line = Text.assemble((text(candidate.candidate_id), "bold"), f"  {text(candidate.formula)}")
    if where:
        line.append(f"  {text(where)}", style="dim")
    console.print(line)
