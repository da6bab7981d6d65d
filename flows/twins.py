"""Which new crystals turned out to be another one when they came to rest?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.candidate import Candidate, Verdict
from . import memory, toolbox

if TYPE_CHECKING:
    from ..retrieval.known import KnownCrystals
    from .run import Run


def with_novelty(run: Run, members: Sequence[Candidate], seeds: Sequence[Candidate]) -> list[Candidate]:
    """Candidates, the new ones with a verdict: did it relax into a known crystal, or a new one of this run or an earlier?

    What stands from earlier runs is asked first, so that a crystal keeps its name from night to night. Pairs are noted in
    the store.

    Args:
        run: The run.
        members: All that was screened.
        seeds: The known materials.
    """
    places = {identifier: i for i, identifier in enumerate(memory.remembered(run).standing)}
    proposed = [c for c in members if c.provenance[0].stage == "generate"]
    standing = sorted((c for c in proposed if c.candidate_id in places), key=lambda c: places[c.candidate_id])
    new = sorted((c for c in proposed if c.candidate_id not in places), key=lambda c: c.candidate_id)
    index = toolbox.known((c.candidate_id, c.structure) for c in seeds)
    found = _twins(standing, index)
    earlier = memory.at_rest_before(run, {c.formula for c in new}) if new else []
    own = {c.candidate_id for c in proposed}
    index.add_all((c.candidate_id, c.structure) for c in earlier if c.candidate_id not in own)
    found |= _twins(new, index)
    run.store.add_same_as((i, twin) for i, twin in found.items() if twin is not None)
    return [
        c.with_verdict(_novelty(found[c.candidate_id])) if c.candidate_id in found else c for c in members
    ]


def _twins(candidates: Sequence[Candidate], index: KnownCrystals) -> dict[str, str | None]:
    """The crystal of the index that each one is, by id; one that is none of them enters it."""
    found: dict[str, str | None] = {}
    for candidate in candidates:
        found[candidate.candidate_id] = twin = index.find(candidate)
        if twin is None:
            index.add_all([(candidate.candidate_id, candidate.structure)])
    return found


def _novelty(twin: str | None) -> Verdict:
    if twin is not None:
        return Verdict("novelty", False, None, None, None, f"Relaxed into {twin}.", {"same_as": twin})
    reason = "No known crystal, and no other one of this run or an earlier one, is the same after relaxation."
    return Verdict("novelty", True, None, None, None, reason)
