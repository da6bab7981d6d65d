"""One candidate in full, for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.candidate import Candidate


def print_details(candidate: Candidate, twins: Sequence[str]) -> None:
    """Structure, properties, verdicts, how it switches, lineage and failures of a candidate on standard output."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from . import ferroelectric, resistive_switching, synapse

    console = Console(highlight=False)
    console.print(f"[bold]{escape(candidate.candidate_id)}[/bold]  {escape(candidate.formula)}")
    console.print(f"space group {candidate.spacegroup_number}, {len(candidate.structure)} sites")
    lattice = candidate.structure.lattice
    console.print("a, b, c = {:.4f}, {:.4f}, {:.4f} A".format(*lattice.abc))
    console.print("alpha, beta, gamma = {:.2f}, {:.2f}, {:.2f} deg".format(*lattice.angles))
    if twins:
        console.print(f"the same after relaxation as {escape(', '.join(twins))}")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("property", "value", "unit", "method", "source"):
        table.add_column(heading, overflow="fold")
    for value in sorted(candidate.properties, key=lambda p: p.name):
        shown = _number(value.value) + (
            f" +- {value.uncertainty:.2g}" if value.uncertainty is not None else ""
        )
        table.add_row(value.name, shown, value.units, escape(value.method), escape(value.source))
    console.print(table)
    for verdict in candidate.verdicts:
        mark = "passes" if verdict.passed else "fails"
        console.print(f"{mark} [bold]{escape(verdict.screen)}[/bold]: {escape(verdict.reason)}")
    ferroelectric.print_block(console, candidate)
    if candidate.verdict(resistive_switching.SCREEN):
        resistive_switching.print_block(console, candidate)
    if candidate.verdict(synapse.SCREEN):
        synapse.print_synapse_block(console, candidate)
    for step in candidate.provenance:
        parents = f" from {', '.join(step.parents)}" if step.parents else ""
        console.print(escape(f"{step.time}  {step.stage}: {step.name} {step.version}{parents}"), style="dim")
    for failure in candidate.failures:
        console.print(
            f"[red]{escape(failure.stage)} ({escape(failure.name)}): {escape(failure.reason)}[/red]"
        )


def _number(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"{v:.3f}" for v in value)
    return f"{value:.5g}" if isinstance(value, float) else str(value)
