"""What the report says of the runs before: what changed on the shortlist, and where this run was sent to look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .report_words import count, formula, moment, number
from .run_summary import Change, Look, Since

SHOWN = 10
"""Regions that are listed; the others open at a click."""
MOVES_SHOWN = 3
"""More moves than these open at a click: who is new pushes all below it down by one."""


def changes(since: Since | None) -> dict[str, Any] | None:
    """The changes as the template writes them: who is new, who fell off, who moved; `None` without a run before."""
    if since is None:
        return None
    folded = len(since.moved) > MOVES_SHOWN
    return {
        "run_id": since.run_id,
        "finished": moment(since.finished),
        "lede": _lede(since),
        "groups": _groups(("New", "new", since.new), ("Fell off", "off", since.fell_off))
        + ([] if folded else _groups(("Moved", "moved", since.moved))),
        "folded": _groups(("", "moved", since.moved)) if folded else [],
        "folded_title": f"{number(len(since.moved))} moved",
    }


def _groups(*groups: tuple[str, str, Sequence[Change]]) -> list[dict[str, Any]]:
    """Those that have members, by name and kind."""
    return [
        {"name": name, "kind": kind, "rows": [_change(one) for one in rows]}
        for name, kind, rows in groups
        if rows
    ]


def _lede(since: Since) -> str:
    if not (since.new or since.fell_off or since.moved):
        return "Nothing has changed on the shortlist."
    told = [f"{count(len(since.new), 'crystal')} new on the shortlist" if since.new else "Nobody is new"]
    if since.fell_off:
        told.append(f"{number(len(since.fell_off))} fell off")
    if since.moved:
        told.append(f"{number(len(since.moved))} moved")
    if since.stayed:
        told.append(
            f"{number(len(since.stayed))} stayed where they were" if len(since.stayed) > 1 else "one stayed"
        )
    return f"{', '.join(told)}."


def _change(change: Change) -> dict[str, Any]:
    return {
        "id": change.candidate_id,
        "formula": formula(change.formula) if change.formula else "",
        "plain_formula": change.formula or change.candidate_id,
        "was": change.was,
        "now": change.now,
        "rise": None if change.was is None or change.now is None else change.was - change.now,
        "reason": change.reason,
    }


def regions(looked: Sequence[Look]) -> dict[str, Any]:
    """Rows of the regions, the first ones and the rest."""
    rows = [_region(look) for look in looked]
    return {"rows": rows[:SHOWN], "rest": rows[SHOWN:], "more": count(len(rows) - SHOWN, "more region")}


def _region(look: Look) -> dict[str, Any]:
    return {
        "region": look.region,
        "before": f"{number(look.passed)} of {number(look.tried)}" if look.tried else "none tried",
        "hoped": "" if look.hoped is None else f"{100 * look.hoped:.0f}%",
        "weight": f"{look.weight:.2f}",
        "share": f"{100 * min(1.0, max(0.0, look.weight)):.0f}",
        "proposed": number(look.proposed),
        "relaxed": number(look.relaxed),
        "found": number(look.found),
        "reason": look.reason,
    }
