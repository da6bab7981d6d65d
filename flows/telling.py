"""What is there to say of the crystals of a chunk? Sentences for the log, each with its stage and candidate."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from .run import Run

MOST_SENTENCES = 25
"""Of one chunk; everything is in the store."""


def sentences(run: Run, stage: str, chunk: int) -> list[str]:
    """Who could not be relaxed and why, who passes which screens, what a closer look ended with.

    Args:
        run: Its store is read.
        stage: `relax`, `screen` or `refine`; the chunk is done.
        chunk: Number of it.
    """
    tell = {"relax": _not_relaxed, "screen": _passing, "refine": _refined}[stage]
    return [f"{stage} {chunk}: {words}" for words in islice(tell(run, chunk), MOST_SENTENCES)]


def _not_relaxed(run: Run, chunk: int) -> Iterator[str]:
    for candidate in run.store.get_many(run.payload("relax", chunk)["ids"]):
        for failure in candidate.failures:
            if failure.stage == "relax":
                yield f"{candidate.candidate_id}: {failure.reason}"


def _passing(run: Run, chunk: int) -> Iterator[str]:
    for candidate in run.store.get_many(run.payload("screen", chunk)["ids"]):
        if passed := [verdict.screen for verdict in candidate.verdicts if verdict.passed]:
            yield f"{candidate.candidate_id} passes {', '.join(passed)}"


def _refined(run: Run, chunk: int) -> Iterator[str]:
    done = run.payload("refine", chunk)
    for candidate in run.store.get_many([done["id"]]):
        passed = [verdict.screen for verdict in candidate.verdicts if verdict.passed]
        yield f"{candidate.candidate_id} after {done['seconds']:.0f} s passes {', '.join(passed) or 'no screen'}"
