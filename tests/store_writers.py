"""What the processes of the store's tests do; a spawned process imports this file by its name."""

import time

import sample_candidates as sample
from hysteron.core.candidate import Candidate, Failure, PropertyValue, Step
from hysteron.store.store import CandidateStore

WRITERS = 8
CHUNKS = 3
CHUNK_SIZE = 3
SHARED = 12
"""So many crystals do the writers fight over."""


def write_overlapping(url: str, writer: int) -> None:
    """What one process does: open the store, which may not exist yet, and write everything twice."""
    with CandidateStore.open(url) as store:
        store.create_run(f"run-{writer}", writer, {})
        for chunk in [*range(CHUNKS), *range(CHUNKS)]:
            numbers = [(writer + chunk * CHUNK_SIZE + i) % SHARED for i in range(CHUNK_SIZE)]
            store.upsert(
                [of_writer(number, writer) for number in numbers],
                f"run-{writer}",
                "proposed",
                chunk=chunk,
                work=("generate", chunk, {"numbers": numbers}),
            )


def of_writer(number: int, writer: int) -> Candidate:
    """A crystal as one writer sees it: a step, a value and a failure of the writer's own."""
    step = Step("predict", f"writer-{writer}", time=str(time.time()))
    value = PropertyValue("density", 2.0 + writer, "g/cm^3", f"writer {writer}")
    crystal = sample.numbered(number).with_step(step).with_property(value)
    return crystal.with_failure(Failure("screen", f"writer-{writer}", "Not tried."))


def write_for_ever(url: str) -> None:
    with CandidateStore.open(url) as store:
        store.create_run("run-k", 0, {})
        for chunk in range(10_000):
            crystals = [sample.numbered(chunk * CHUNK_SIZE + i) for i in range(CHUNK_SIZE)]
            store.upsert(crystals, "run-k", "proposed", chunk=chunk, work=("generate", chunk, {}))
