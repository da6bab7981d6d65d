"""How is a lesson shown on a terminal? Errors, calibration and corrections, a table each."""

from __future__ import annotations

from typing import Any

from .output import say

FIGURES = (("mean_error", "mean error"), ("mae", "MAE"), ("rmse", "RMSE"), ("spearman", "rank corr."))
MEANING = (
    "error: estimate minus DFT; in brackets the 95% interval",
    "held: share of DFT values inside the central intervals that the stated uncertainties make",
    "factor: by which stated uncertainties should be multiplied, shrunk to 1 by {prior:g} imagined agreeing values",
)


def print_lesson(content: dict[str, Any], version: str) -> None:
    """The tables, and what their columns mean."""
    from rich.console import Console

    groups = content.get("groups", [])
    if not groups:
        say(f"The lesson {version} holds no pairs.")
        return
    console = Console(highlight=False)
    for table in (_errors(groups), _calibration(groups), _corrections(groups)):
        console.print(table)
    for line in MEANING:
        told = line.format(prior=groups[0]["calibration"]["prior_pairs"])
        console.print(told, style="dim", markup=False)


def _errors(groups: list[dict[str, Any]]):
    from rich.markup import escape

    table = _table("Estimates against DFT", "what", "n", *(heading for _, heading in FIGURES))
    for group in groups:
        table.add_row(f"[bold]{escape(_what(group))}[/]", *_figures(group["overall"]))
        for family, figures in group["by_class"].items():
            table.add_row(f"  {escape(_words(family))}", *_figures(figures), style="dim")
        if group["at_dft_geometry"]:
            table.add_row(
                "  at DFT's geometry, not learned from", *_figures(group["at_dft_geometry"]), style="dim"
            )
    return table


def _calibration(groups: list[dict[str, Any]]):
    from rich.markup import escape

    table = _table("Stated uncertainties", "what", "n", "mean z^2", "held", "factor")
    for group in groups:
        found = group["calibration"]
        shares = [f"{row['held']:.0%} of {row['stated']:.0%}" for row in found.get("coverage", ())]
        own = [f"{row['held']:.0%} in its own {row['stated']:.0%} interval" for row in found["intervals"]]
        square = f"{found['mean_square']:.2f}" if "mean_square" in found else "-"
        told = ", ".join([*shares, *own]) or found.get("note", "-")
        table.add_row(escape(_what(group)), str(found["n"]), square, escape(told), f"{found['factor']:.2f}")
    return table


def _corrections(groups: list[dict[str, Any]]):
    from rich.markup import escape

    table = _table("Corrections", "what", "n", "corrected", "shift", "why")
    for group in groups:
        made = group["correction"]
        shift = f"{made['mean'][0]:+.3g} {group['units']}" if made["mean"] else "-"
        done = "no" if made["kind"] == "as stated" else made["kind"]
        table.add_row(escape(_what(group)), str(made["n"]), done, shift, escape(made["why"]))
    return table


def _table(title: str, *headings: str):
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold", pad_edge=False, box=None)
    for heading in headings:
        table.add_column(heading, justify="right" if heading == "n" else "left")
    return table


def _figures(figures: dict[str, Any]) -> list[str]:
    cells = [str(figures["n"])]
    for name, _ in FIGURES:
        found = figures.get(name)
        if found is None:
            cells.append("-")
            continue
        low, high = found["interval"]
        cells.append(f"{found['value']:.3g} ({low:.3g} to {high:.3g})")
    return cells


def _what(group: dict[str, Any]) -> str:
    unit = "" if group["units"] == "1" else f", {group['units']}"
    return f"{group['name']}{unit}: {group['method']} against {group['teacher']}"


def _words(family: str) -> str:
    from ..core.chemistry_families import family_in_words

    return family_in_words(family)
