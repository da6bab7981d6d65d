"""The report a run leaves: one HTML file that opens anywhere and loads nothing from a network.

The page forbids itself every connection, and every script but its own two (by their SHA-256), in a
content security policy: even text that slipped through the escaping could not run.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
from markupsafe import Markup

from .. import __version__
from ..core.candidate import Candidate
from .crystal import is_new
from .folders import write_atomically
from .report_drawings import arrows_symbol, gradients, symbol
from .report_history import changes, regions
from .report_lesson import asked_of_dft, lesson_block
from .report_map import population_map
from .report_mechanism_card import mechanism_card
from .report_picture import picture
from .report_scenes import Scene, scene
from .report_synapse import synapse_block
from .report_view import card, columns, funnel_key, funnel_rows, measured_count, predictions
from .report_words import NOT_COMPUTED, count, duration, formula, moment, number
from .run_summary import FunnelStage, RunSummary

__all__ = ["FunnelStage", "RunSummary", "render_report", "write_report"]


def write_report(
    path: Path | str,
    run: RunSummary,
    shortlist: Sequence[Candidate],
    funnel: Sequence[FunnelStage],
    population: Sequence[Candidate],
) -> Path:
    """Write the report, whole or not at all.

    Args:
        path: The HTML file; its folder must exist.
        run: The run.
        shortlist: Best first.
        funnel: Stages in order.
        population: All that was screened, for the map and for the parents' formulas.

    Raises:
        OutputError: the place cannot be written, or the disk is full.
    """
    path = Path(path)
    write_atomically(path, render_report(run, shortlist, funnel, population).encode())
    return path


def render_report(
    run: RunSummary,
    shortlist: Sequence[Candidate],
    funnel: Sequence[FunnelStage],
    population: Sequence[Candidate],
) -> str:
    """The report as text; arguments as in `write_report`."""
    plotly, script = _plotly_script(), _asset("report.js")
    table = columns(shortlist)
    formulas = {c.candidate_id: c.formula for c in (*population, *shortlist)}
    scenes = [scene(c) for c in shortlist]
    drawn = list(zip(shortlist, scenes, strict=True))
    where = population_map(population, shortlist)
    data = {
        "structures": [_structure(c, s) for c, s in drawn],
        "map": where.figure,
    }
    return _template().render(
        policy=_policy(plotly, script),
        style=_our_own(_asset("report.css")),
        plotly=_our_own(plotly),
        script=_our_own(script),
        data=_embedded(data),
        run=run,
        version=__version__,
        title=_title(run),
        started=moment(run.started),
        elapsed=duration(run.elapsed_seconds),
        settings=orjson.dumps(run.settings, default=str, option=_READABLE).decode() if run.settings else "",
        lede=_lede(shortlist, population),
        columns=table,
        cards=[
            card(c, i, formulas, table)
            | picture(c, s, i)
            | mechanism_card(c, i)
            | {"synapse": synapse_block(c, i)}
            for i, (c, s) in enumerate(drawn, 1)
        ],
        sprite=_sprite(scenes),
        map=where,
        changes=changes(run.since),
        regions=regions(run.looked),
        lesson=lesson_block(run),
        asked_of_dft=asked_of_dft(run),
        funnel=funnel_rows(funnel),
        funnel_key=funnel_key(funnel),
        predictions=predictions(shortlist),
        measured=measured_count(shortlist),
        not_computed=NOT_COMPUTED,
    )


_READABLE = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def _title(run: RunSummary) -> str:
    words = run.preset.replace("-", " ").replace("_", " ").strip()
    return "Discovery report" if words in ("", "all") else f"{words.capitalize()} candidates"


def _lede(shortlist: Sequence[Candidate], population: Sequence[Candidate]) -> str:
    new = sum(map(is_new, shortlist))
    if not shortlist:
        return "No crystal is on the shortlist of this run. The funnel below says where they were set aside, and why."
    told = f"{count(len(shortlist), 'crystal')} on the shortlist"
    if population:
        told += f", out of {number(len(population))} screened"
    if new == 0:
        return f"{told}. All of them were known before."
    share = "All" if new == len(shortlist) else number(new)
    verb = "is" if new == 1 else "are"
    return f"{told}. {share} of them {verb} new: found in none of the sources that were asked."


def _structure(candidate: Candidate, drawn: Scene) -> dict[str, Any]:
    return {"id": candidate.candidate_id, "formula": candidate.formula} | drawn.to_json()


def _sprite(scenes: Sequence[Scene]) -> Markup:
    elements = [element for one in scenes for element in one.elements]
    drawings = Markup("").join(symbol(one, f"draw-{i}") for i, one in enumerate(scenes, 1))
    arrows = Markup("").join(arrows_symbol(one, f"moves-{i}") for i, one in enumerate(scenes, 1))
    return Markup("<defs>") + gradients(elements) + Markup("</defs>") + drawings + arrows


def _embedded(data: Any) -> Markup:
    """JSON that can stand inside a `script` element: nothing in it can end the element."""
    text = orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return _our_own(text)


@lru_cache(maxsize=1)
def _plotly_script() -> str:
    from plotly.offline import get_plotlyjs

    # A browser reads CR LF as LF, and hashes what it read.
    return get_plotlyjs().replace("\r\n", "\n").replace("\r", "\n").replace("</script", r"<\/script")


def _our_own(text: str) -> Markup:
    """Text that goes into the page as it is: the package's files, Plotly's script, and JSON made harmless."""
    return Markup(text)  # noqa: S704


def _policy(*scripts: str) -> str:
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    return resources.files("hysteron.export").joinpath(name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _template():
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["formula"] = formula
    return environment.from_string(_asset("report.html"))
