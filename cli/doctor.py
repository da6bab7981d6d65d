"""`hysteron doctor`: is everything in place?"""

from __future__ import annotations

import typer


def doctor() -> None:
    """Check packages, pins, tables, store and folders; says what to do about each thing that is wrong."""
    from rich.console import Console

    from ..flows.health import checks

    console = Console(highlight=False)
    wrong = 0
    for check in checks():
        mark = "[green]ok  [/green]" if check.ok else "[red]look[/red]"
        console.print(f"{mark} {check.name}: ", end="")
        console.print(check.finding, markup=False)
        wrong += not check.ok
    if wrong:
        raise typer.Exit(1)
