"""How long does the store take to answer a filter, on 100,000 candidates, inside the process?

The rows are made here: crystals of the bundled catalogue, each many times under ids of its own, with
drawn values, verdicts and runs. A query is what `hysteron query` does: read the filter, ask SQLite, and
load the first candidates with their structures. The baseline does without an index and without SQL:
it loads every candidate and asks `core.filters.matches`; it is measured on a sample of the same store in
the same run and scaled to its size. The sample also shows whether both give the same answer.
"""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.candidate import Candidate, PropertyValue, Step, Verdict
from ..core.filters import matches, parse
from ..retrieval.catalog.source import Catalog
from ..store.store import CandidateStore

CHUNK = 50
"""Candidates in the write that is timed, as many as a step of a run writes."""
BULK = 1000
RUNS = 20
SAMPLE = 1000
LIMIT = 20
REPEATS = 15
TARGET_MS = 100.0


@dataclass(frozen=True)
class Question:
    """One filter, and how its answer is sorted."""

    filter: str | None
    sort: str | None = None
    descending: bool = False


QUESTIONS = (
    Question(
        'elements HAS ALL "Ti","O" AND NOT elements HAS "Pb" AND band_gap > 2 '
        "AND (energy_above_hull < 0.05 OR nelements = 3)"
    ),
    Question("band_gap > 2", "polarization", descending=True),
    Question('passes HAS "ferroelectric" AND energy_above_hull < 0.05', "polarization", descending=True),
    Question('formula = "BaTiO3"', "energy_above_hull"),
    Question('elements HAS ONLY "Hf","Zr","O" AND spacegroup_number = 29'),
    Question('run_id = "run-7" AND NOT fails HAS "stability"', "energy_above_hull"),
    Question("NOT (polarization > 1 OR migration_barrier < 0.5) AND band_gap IS KNOWN"),
    Question('origin STARTS WITH "sub" AND elements LENGTH >= 4 AND nsites <= 12', "nsites"),
    Question("band_gap.hse06 > 2 AND band_gap.pbe < 1"),
    Question("energy_above_hull < 0.1", "band_gap.hse06", descending=True),
    Question("band_gap > 1000"),
    Question(None, "energy_above_hull"),
)


def run(candidates: int = 100_000, seed: int = 0) -> dict[str, Any]:
    """Measure it.

    Args:
        candidates: Rows in the store.
        seed: Of the drawn values.
    """
    with tempfile.TemporaryDirectory(prefix="hysteron-query-") as folder:
        path = Path(folder) / "store.db"
        with CandidateStore.open(str(path)) as store:
            loading = _fill(store, candidates, seed)
            writing = _time_writes(store, seed)
            stored = store.count()
            answers = _ask(store)
            baseline = _baseline(store, stored)
        size = path.stat().st_size
    return _figures(answers, baseline, stored, seed) | {
        "load_seconds": loading,
        "upsert_of_50_median_ms": writing,
        "store_mib": size / 2**20,
    }


def make_candidates(count: int, seed: int) -> Iterator[Candidate]:
    """Crystals of the catalogue under new ids, with values as a store in use has them."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0]))
    crystals = list(Catalog().search())
    for i in range(count):
        crystal = crystals[i % len(crystals)]
        yield dataclasses.replace(
            crystal,
            candidate_id=f"{crystal.candidate_id}-{i // len(crystals)}",
            properties=tuple(_values(rng)),
            provenance=_provenance(rng, crystal),
            verdicts=tuple(_verdicts(rng)),
        )


def _values(rng: np.random.Generator) -> Iterator[PropertyValue]:
    share = rng.random(6)
    yield PropertyValue("energy_per_atom", -8 * rng.random(), "eV/atom", "CHGNet 0.3.0")
    yield PropertyValue("energy_above_hull", rng.exponential(0.1), "eV/atom", "CHGNet 0.3.0", 0.03)
    yield PropertyValue("volume_per_atom", 8 + 20 * rng.random(), "A^3/atom", "CHGNet 0.3.0")
    if share[0] < 0.8:
        yield PropertyValue("band_gap", rng.exponential(1.5), "eV", "PBE")
    if share[1] < 0.2:
        yield PropertyValue("band_gap", rng.exponential(2.5), "eV", "HSE06", 0.2)
    if share[2] < 0.4:
        yield PropertyValue("polarization", rng.exponential(20.0), "uC/cm^2", "formal charges, linear path")
        vector = tuple(rng.normal(0, 20, 3).tolist())
        yield PropertyValue("polarization_vector", vector, "uC/cm^2", "formal charges, linear path")
    if share[3] < 0.1:
        yield PropertyValue("migration_barrier", rng.exponential(0.8), "eV", "NEB CHGNet 0.3.0")
    if share[4] < 0.5:
        yield PropertyValue("supply_hhi", 10_000 * rng.random(), "1", "HHI 2013")


def _provenance(rng: np.random.Generator, crystal: Candidate) -> tuple[Step, ...]:
    if rng.random() < 0.05:
        return crystal.provenance
    name = str(rng.choice(("substitution", "tokens", "diffusion")))
    made = Step("generate", name, "1", parents=(crystal.candidate_id,))
    return made, Step("relax", "CHGNet 0.3.0", "fire fmax=0.05", details={"steps": 40, "converged": True})


def _verdicts(rng: np.random.Generator) -> Iterator[Verdict]:
    for screen, share in (("stability", 0.3), ("ferroelectric", 0.1), ("resistive_switching", 0.1)):
        passed = bool(rng.random() < share)
        reason = "Drawn for the benchmark."
        yield Verdict(screen, passed, float(rng.random()), float(rng.random()), 0.5, reason)


def _fill(store: CandidateStore, count: int, seed: int) -> float:
    """Write the candidates, spread over runs; seconds it took, making them included."""
    began = time.perf_counter()
    for i in range(RUNS):
        store.create_run(f"run-{i}", seed, {})
    rows = make_candidates(count, seed)
    for chunk, start in enumerate(range(0, count, BULK)):
        batch = [next(rows) for _ in range(min(BULK, count - start))]
        store.upsert(batch, f"run-{chunk % RUNS}", "proposed", "screen", chunk)
    return time.perf_counter() - began


def _time_writes(store: CandidateStore, seed: int) -> float:
    """Median time of writing a chunk of new candidates into the full store, ms."""
    fresh = [
        dataclasses.replace(candidate, candidate_id=f"{candidate.candidate_id}-again")
        for candidate in make_candidates(REPEATS * CHUNK, seed + 1)
    ]
    times = []
    for start in range(0, len(fresh), CHUNK):
        began = time.perf_counter()
        store.upsert(fresh[start : start + CHUNK], "run-0", "proposed", work=("generate", start, {}))
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


@dataclass(frozen=True)
class Answer:
    """One question asked many times: times in ms, the first of which reads the filter's grammar."""

    question: Question
    found: int
    first_ms: float
    times_ms: list[float]


def _ask(store: CandidateStore) -> list[Answer]:
    first = [_answer_time(store, question) for question in QUESTIONS]
    rounds = [[_answer_time(store, question) for question in QUESTIONS] for _ in range(REPEATS)]
    return [
        Answer(question, store.count(question.filter), first[i], [times[i] for times in rounds])
        for i, question in enumerate(QUESTIONS)
    ]


def _answer_time(store: CandidateStore, question: Question) -> float:
    began = time.perf_counter()
    store.query(question.filter, question.sort, question.descending, LIMIT)
    return 1000 * (time.perf_counter() - began)


@dataclass(frozen=True)
class Baseline:
    """The same questions without SQL.

    Attributes:
        times_ms: Per question, scaled to the whole store.
        sample: Candidates it was measured on.
        agree: Whether SQL gave the same ids on the sample, for each question.
    """

    times_ms: list[float]
    sample: int
    agree: list[bool]


def _baseline(store: CandidateStore, stored: int) -> Baseline:
    ids = store.query_ids(limit=SAMPLE)
    runs = [tuple(store.run_ids_of(identifier)) for identifier in ids]
    began = time.perf_counter()
    sample = store.get_many(ids)
    loading = time.perf_counter() - began
    times, agree = [], []
    for question in QUESTIONS:
        began = time.perf_counter()
        found = _matching(sample, runs, question.filter)
        times.append(1000 * (loading + time.perf_counter() - began) * stored / len(ids))
        agree.append(set(found) == set(store.query_ids(question.filter)) & set(ids))
    return Baseline(times, len(ids), agree)


def _matching(sample: Sequence[Candidate], runs: Sequence[tuple[str, ...]], wanted: str | None) -> list[str]:
    if wanted is None:
        return [candidate.candidate_id for candidate in sample]
    tree = parse(wanted)
    pairs = zip(sample, runs, strict=True)
    return [c.candidate_id for c, run_ids in pairs if matches(tree, c, run_ids) is True]


def _figures(answers: list[Answer], baseline: Baseline, stored: int, seed: int) -> dict[str, Any]:
    medians = [statistics.median(answer.times_ms) for answer in answers]
    p95 = [float(np.percentile(answer.times_ms, 95)) for answer in answers]
    questions = [
        {
            "filter": answer.question.filter,
            "sort": answer.question.sort,
            "found": answer.found,
            "median_ms": medians[i],
            "p95_ms": p95[i],
            "baseline_ms": baseline.times_ms[i],
            "ratio": baseline.times_ms[i] / medians[i],
            "agrees_on_sample": baseline.agree[i],
        }
        for i, answer in enumerate(answers)
    ]
    return {
        "benchmark": "query",
        "n": stored,
        "seed": seed,
        "limit": LIMIT,
        "repeats": REPEATS,
        "target_ms": TARGET_MS,
        "median_ms": statistics.median(medians),
        "slowest_median_ms": max(medians),
        "slowest_p95_ms": max(p95),
        "first_in_process_ms": answers[0].first_ms,
        "all_medians_below_target": max(medians) < TARGET_MS,
        "baseline": "every candidate loaded and asked in memory by core.filters.matches, scaled from a sample",
        "baseline_sample": baseline.sample,
        "baseline_median_ms": statistics.median(baseline.times_ms),
        "smallest_ratio_to_baseline": min(question["ratio"] for question in questions),
        "agrees_on_sample": all(baseline.agree),
        "questions": questions,
    }
