"""What becomes of finished DFT runs? They are added to their candidates in the store, which the screens then judge again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..core.candidate import Candidate
from ..core.errors import InputError
from ..export.asked import Refusal
from ..export.ingest import require_same_crystal, with_results
from ..export.results import Results
from ..store.store import CandidateStore
from .judging import Change, Judges

CHUNK = 50
"""Candidates that are written at once."""


@dataclass(frozen=True)
class Kept:
    """A candidate with what came back for it.

    Attributes:
        candidate: As it stands in the store now.
        results: What was read, of each export one.
        remarks: Sentences on what is unusual, and on what could not be made of the results.
        changes: Verdicts that are not what they were.
    """

    candidate: Candidate
    results: tuple[Results, ...]
    remarks: tuple[str, ...]
    changes: tuple[Change, ...]


def keep(finished: Iterable[Results], store: CandidateStore, refused: list[Refusal]) -> Iterator[Kept]:
    """Add what was read to the store, chunk by chunk.

    Args:
        finished: In the order in which they were read.
        store: Open for writing.
        refused: What does not fit its candidate, or has none here, joins these.
    """
    judges = Judges(store)
    by_candidate: dict[str, list[Results]] = {}
    for results in finished:
        by_candidate.setdefault(results.asked.candidate_id, []).append(results)
    items = list(by_candidate.items())
    for start in range(0, len(items), CHUNK):
        chunk = [
            kept
            for identifier, results in items[start : start + CHUNK]
            if (kept := _kept(identifier, results, store, judges, refused)) is not None
        ]
        store.upsert(kept.candidate for kept in chunk)
        yield from chunk


def _kept(
    identifier: str, results: Sequence[Results], store: CandidateStore, judges: Judges, refused: list[Refusal]
) -> Kept | None:
    try:
        candidate = store.get(identifier)
    except InputError as error:
        refused.append(Refusal(identifier, str(error)))
        return None
    own = []
    for one in results:
        try:
            require_same_crystal(candidate, one)
        except InputError as error:
            refused.append(Refusal(identifier, str(error)))
        else:
            own.append(one)
    if not own:
        return None
    richer, remarks = with_results(candidate, own)
    judged, changes, doubts = judges.judge_again(richer)
    told = [remark for one in own for remark in one.remarks]
    return Kept(judged, tuple(own), (*told, *remarks, *doubts), tuple(changes))
