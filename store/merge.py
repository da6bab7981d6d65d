"""What becomes of a stored record when the same crystal comes in again?

Merging is idempotent: what comes in twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.learnt import read_learnt
from .rows import Record

MOVES_ATOMS = ("relax", "ingest")
"""Stages after which a candidate has another geometry."""
MEASURES = "screen"
"""The stage whose latest step says what a screen has found."""


def merge(stored: Record, incoming: Record) -> Record:
    """One record of two of the same crystal.

    Properties are keyed by name and method, verdicts by screen: the incoming one wins and counts as the
    newest, unless it is the same. Provenance and failures are joined, the stored ones first; a step
    that differs in its time only is the same step. Of the measurements of one screen the incoming one's
    stand alone, as the values that go with them do. The geometry is the incoming one's if it has been
    relaxed or ingested in a way the stored one has not. A value that was corrected by a lesson goes when the estimate it
    was made from has changed.

    Args:
        stored: As read from the store.
        incoming: As JSON gives it back (lists, no tuples).
    """
    newer = _went_further(stored, incoming)
    geometry = incoming if newer else stored
    return stored | {
        "structure": geometry["structure"],
        "spacegroup_number": geometry["spacegroup_number"],
        "properties": _properties(stored["properties"], incoming["properties"]),
        "provenance": _joined(_still_valid(stored, incoming), incoming["provenance"], _without_time),
        "verdicts": _newest(stored["verdicts"], incoming["verdicts"], lambda verdict: verdict["screen"]),
        "failures": _joined(stored["failures"], incoming["failures"], lambda failure: failure),
    }


def _went_further(stored: Record, incoming: Record) -> bool:
    known = [_without_time(step) for step in stored["provenance"]]
    return any(
        step["stage"] in MOVES_ATOMS and _without_time(step) not in known for step in incoming["provenance"]
    )


def _still_valid(stored: Record, incoming: Record) -> list[Record]:
    """Stored steps without those measurements whose screen has measured anew."""
    coming = [_without_time(step) for step in incoming["provenance"]]
    measured = {step["name"] for step in coming if step["stage"] == MEASURES}
    return [
        step
        for step in stored["provenance"]
        if step["stage"] != MEASURES or step["name"] not in measured or _without_time(step) in coming
    ]


def _properties(stored: list[Record], incoming: list[Record]) -> list[Record]:
    """The newest of each name and method, without corrections of what has changed since."""
    old = {_property_key(value): value for value in stored}
    changed = {_property_key(value) for value in incoming if _differs(old.get(_property_key(value)), value)}
    coming = {_property_key(value) for value in incoming}

    def holds(value: Record) -> bool:
        learnt = read_learnt(value["method"])
        return learnt is None or _property_key(value) in coming or (value["name"], learnt.base) not in changed

    return _newest([value for value in stored if holds(value)], incoming, _property_key)


def _differs(old: Record | None, new: Record) -> bool:
    return old is not None and old["value"] != new["value"]


def _newest(stored: list[Any], incoming: list[Any], key: Callable[[Any], Any]) -> list[Any]:
    """Changed and new items come last, as the newest; the others keep their place."""
    old = {key(item): item for item in stored}
    changed = {key(item): item for item in incoming if old.get(key(item)) != item}
    return [item for item in stored if key(item) not in changed] + list(changed.values())


def _joined(stored: list[Any], incoming: list[Any], essence: Callable[[Any], Any]) -> list[Any]:
    joined = list(stored)
    known = [essence(item) for item in stored]
    for item in incoming:
        if essence(item) not in known:
            joined.append(item)
            known.append(essence(item))
    return joined


def _property_key(value: Record) -> tuple[str, str]:
    return value["name"], value["method"]


def _without_time(step: Record) -> Record:
    return {name: value for name, value in step.items() if name != "time"}
