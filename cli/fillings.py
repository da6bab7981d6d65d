"""How are the fillings of a masked crystal shown: ranked, beside the template, with what is known of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.candidate import Candidate, Step

_PREDICTED = {
    "formation_energy_per_atom": "E_form\neV/atom",
    "band_gap": "gap\neV",
}
_ABOVE_HULL = "predicted_energy_above_hull"
_RANK, _NATS, _DIFFERENCE, _ABOVE, _NEWS = "#", "ln p\nnats", "differs\nnats", "above hull\neV/atom", ""
_DISPENSABLE = ("formula", "space group", _PREDICTED["formation_energy_per_atom"], _DIFFERENCE)
"""Left out in this order where the table would be too wide; the candidate's id says the first two as well."""
_WORDS = ("exchange", "formula", "space group", _NEWS, "candidate")
_WIDTH = 120
_GUTTER = 2


def print_fillings(candidates: Sequence[Candidate]) -> None:
    """The table for people; the template stands in its place among its fillings, without a rank.

    Args:
        candidates: In their order, the most probable first.
    """
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
    if not candidates:
        console.print("Nothing fills the masks.", markup=False)
        return
    rows = [_row(i, candidate) for i, candidate in enumerate(candidates, 1)]
    own = float(_step(candidates[0]).details["template_log_probability"])
    nats = [float(candidate.value("log_probability")) for candidate in candidates]
    place = next((i for i, one in enumerate(nats) if one < own), len(candidates))
    rows.insert(place, _template_row(candidates[0]))
    columns = _columns(candidates, rows, console.width)
    table = Table(header_style="bold", pad_edge=False, box=None)
    for heading in columns:
        table.add_column(heading, justify="left" if heading in _WORDS else "right", no_wrap=True)
    for i, row in enumerate(rows):
        table.add_row(*(row.get(heading, "") for heading in columns), style="dim" if i == place else None)
    console.print(table)
    for line in _legend(candidates, columns):
        console.print(line, style="dim", markup=False)


def _columns(candidates: Sequence[Candidate], rows: Sequence[dict[str, str]], width: int) -> list[str]:
    """Headings of what there is to show and room for."""
    predicted = [heading for name, heading in _PREDICTED.items() if any(c.get(name) for c in candidates)]
    above = [_ABOVE] if any(_ABOVE_HULL in _step(c).details for c in candidates) else []
    names = [
        _RANK,
        "exchange",
        "formula",
        "space group",
        _NATS,
        _DIFFERENCE,
        *predicted,
        *above,
        _NEWS,
        "candidate",
    ]
    widths = {name: max(map(len, [*name.splitlines(), *(r.get(name, "") for r in rows)])) for name in names}
    for name in _DISPENSABLE:
        if sum(widths[name] for name in names) + _GUTTER * (len(names) - 1) > width and name in names:
            names.remove(name)
    return names


def _row(rank: int, candidate: Candidate) -> dict[str, str]:
    details = _step(candidate).details
    return {
        _RANK: str(rank),
        "exchange": details["exchange"],
        "formula": candidate.formula,
        "space group": _group(candidate.spacegroup_number),
        _NATS: f"{candidate.value('log_probability'):.2f}",
        _DIFFERENCE: f"{details['log_probability_difference']:+.2f}",
        **{heading: _number(candidate.value(name)) for name, heading in _PREDICTED.items()},
        _ABOVE: _number(details.get(_ABOVE_HULL)),
        _NEWS: "known" if details.get("known_as") else "new",
        "candidate": candidate.candidate_id,
    }


def _template_row(candidate: Candidate) -> dict[str, str]:
    step = _step(candidate)
    details = step.details
    return {
        "exchange": "as it is",
        "formula": details["template_formula"],
        "space group": _group(details["template_spacegroup_number"]),
        _NATS: f"{details['template_log_probability']:.2f}",
        "candidate": ", ".join(step.parents),
    }


def _legend(candidates: Sequence[Candidate], columns: Sequence[str]) -> list[str]:
    value = candidates[0].get("log_probability")
    method = value.method if value else "the model"
    lines = [f"ln p: log-probability of the crystal, by {method}; high means usual, not stable"]
    if _DIFFERENCE in columns:
        lines.append("differs: from the template's own")
    for name, heading in _PREDICTED.items():
        if heading in columns:
            methods = sorted({found.method for c in candidates if (found := c.get(name))})
            lines.append(f"{heading.splitlines()[0]}: {name} by {'; '.join(methods)}, not relaxed")
    if _ABOVE in columns:
        lines.append("above hull: what the predicted formation energy means against the hull")
    return lines


def _step(candidate: Candidate) -> Step:
    """The step in which the template was filled."""
    return [step for step in candidate.provenance if step.stage == "generate"][-1]


def _group(number: int | None) -> str:
    from ..export.crystal import spacegroup_symbol

    return "-" if number is None else f"{spacegroup_symbol(number)} ({number})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
