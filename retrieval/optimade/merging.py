"""Which records are the same crystal, and what do they say of it together?

A crystal that several records hold becomes one candidate: the geometry of the provider that stands first in the
table, the values of all, and one step of provenance per record. The ids do not depend on who answered first.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ...core.candidate import Candidate, PropertyValue, Step
from ...core.filters import Filter, matches
from ...core.identity import IdentityIndex
from .mapping import COMPUTED
from .records import Record


def merged(records: Sequence[Record], query: Filter | None = None) -> list[Candidate]:
    """One candidate per crystal, sorted by id.

    Args:
        records: Each of which matches `query`; those of a provider in an earlier place have precedence.
        query: What every candidate still has to match when values of several records come together.
    """
    places = {name: place for place, name in enumerate(dict.fromkeys(r.provider.name for r in records))}

    def rank(record: Record) -> tuple[str, int, str]:
        return str(record.bucket), places[record.provider.name], record.material_id

    index = IdentityIndex()
    crystals: dict[str, list[Record]] = defaultdict(list)
    for record in sorted(records, key=rank):
        identifier, _, _ = index.assign(record.structure, record.bucket)
        crystals[identifier].append(record)
    return [_together(identifier, crystals[identifier], query) for identifier in sorted(crystals)]


def _together(identifier: str, records: list[Record], query: Filter | None) -> Candidate:
    candidate = records[0].candidate(identifier)
    for record in records[1:]:
        candidate = _joined(candidate, record, query)
    return candidate


def _joined(candidate: Candidate, record: Record, query: Filter | None) -> Candidate:
    """With the values of one more record, unless one of the same method is there or the filter would not hold.

    Values that are not taken stand in the record's step, as `other_values`.
    """
    known = {(value.name, value.method) for value in candidate.properties}
    told = [value for value in record.properties if value.name not in COMPUTED]
    new = tuple(value for value in told if (value.name, value.method) not in known)
    more = dataclasses.replace(candidate, properties=candidate.properties + new)
    if query is not None and matches(query, more) is not True:
        more, new = candidate, ()
    return more.with_step(_step(record.step, [value for value in told if value not in new]))


def _step(step: Step, others: list[PropertyValue]) -> Step:
    if not others:
        return step
    values: list[dict[str, Any]] = [
        {"name": value.name, "value": value.value, "units": value.units, "method": value.method}
        for value in others
    ]
    return dataclasses.replace(step, details=step.details | {"other_values": values})
