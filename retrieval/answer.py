"""Ask a source what a plan wants to know: the one road of the planner, the assistants and a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.contracts import Source
from ..core.filters import lookup, parse, parse_name
from .plan import Plan

if TYPE_CHECKING:
    from ..core.candidate import Candidate


@dataclass(frozen=True)
class Found:
    """What a source holds.

    Attributes:
        plan: What was asked.
        candidates: In the plan's order, at most its limit.
        total: How many match, the limit aside.
        source: Name of the source.
        version: Of its data.
    """

    plan: Plan
    candidates: tuple[Candidate, ...]
    total: int
    source: str
    version: str


def carry_out(plan: Plan, source: Source) -> Found:
    """Search, sort and cut.

    Raises:
        FilterError: the source cannot be asked this.
    """
    query = parse(plan.filter) if plan.filter else None
    matching = sorted_by(list(source.search(query)), plan.sort)
    return Found(plan, tuple(matching[: plan.limit]), len(matching), source.name, source.version)


def sorted_by(candidates: Sequence[Candidate], sort: str | None) -> list[Candidate]:
    """By a field or property, as `hysteron query --sort`: absent values last, ties by id.

    Args:
        candidates: In any order.
        sort: A name; a leading `-` puts the greatest first; `None` sorts by id.
    """
    by_id = sorted(candidates, key=lambda candidate: candidate.candidate_id)
    if sort is None:
        return by_id
    name = parse_name(sort.removeprefix("-"))

    def value(candidate: Candidate) -> Any:
        return lookup(name, candidate)

    present = [candidate for candidate in by_id if value(candidate) is not None]
    absent = [candidate for candidate in by_id if value(candidate) is None]
    return sorted(present, key=value, reverse=sort.startswith("-")) + absent
