"""What each step of a run does, as plain functions: no Prefect here, callable in a notebook or a test.

Each step reads its chunk from the store, works, and writes the results together with the mark that
the chunk is done, in one transaction. Random streams come from `SeedSequence([seed, stage, chunk])`;
what is in a chunk never depends on workers or on who finishes first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..core.candidate import Candidate
from ..core.contracts import Predictor, Screen, Tools
from ..core.errors import OutputError, StageError
from ..core.learnt import bare
from . import learning, memory, selection, toolbox, twins
from .progress import listener
from .proposals import PROPOSALS_A_CHUNK, Road, proposals_wanted, propose, proposers
from .relaxed import has_converged, relaxed_candidate
from .run import GATE, Run, elapsed_seconds, forget_runs

if TYPE_CHECKING:
    from ..core.filters import Filter
    from ..predictors.lessons.lesson import Lesson
    from ..retrieval.known import KnownCrystals
    from .run_settings import GeneratorTable, PlanTable, RunSettings, SourceTable

CANDIDATES_A_WRITE = 500
TRIAGED_AT_ONCE = 128
SHARE_TO_GENERATE = 0.15
SHARE_TO_RELAX = 0.45
"""Shares of a wall-time budget after which no new chunk of proposals, and of relaxations, is begun."""
STREAMS = {"generate": 1, "known": 2}
"""Second word of each random stream's seed."""


def retrieve(run: Run) -> int:
    """Known materials from every source into the store. Returns how many.

    Raises:
        StageError: no source holds a material that the question or the filters match.
    """
    done = run.done("retrieve")
    if "count" in done.get(-1, {}):
        return done[-1]["count"]
    from ..retrieval.answer import sorted_by

    listener().stage("retrieve", None)
    plan = run.settings.plan
    found: dict[str, Candidate] = {}
    versions: dict[str, str] = {}
    for table in run.settings.source:
        source = toolbox.source(table)
        for candidate in source.search(_asked(table, plan)):
            found.setdefault(candidate.candidate_id, candidate)
        versions[source.name] = source.version
    seeds = list(found.values())
    if plan and (plan.sort or plan.limit):
        seeds = sorted_by(seeds, plan.sort)[: plan.limit]
    if not seeds:
        raise StageError(
            "No source holds a material that the question and the filters match; nothing can be proposed."
        )
    for i, batch in enumerate(_batches(seeds, CANDIDATES_A_WRITE)):
        run.store.upsert(batch, run.run_id, role="seed", stage="retrieve", chunk=i)
        listener().advance(len(batch))
    ids = [seed.candidate_id for seed in seeds]
    payload = {"count": len(ids), "ids": ids, "versions": versions}
    run.store.upsert([], run.run_id, work=("retrieve", -1, payload))
    return len(ids)


def _asked(table: SourceTable, plan: PlanTable | None) -> Filter | None:
    """What a source is asked: its own filter, and the question's."""
    from ..core.filters import parse

    texts = [text for text in (plan and plan.filter, table.filter) if text]
    return parse(" AND ".join(f"({text})" for text in texts)) if texts else None


def generate_chunks(run: Run) -> Iterator[int]:
    """Chunks of proposals still to be made."""
    if told := memory.remembered(run).sentence:
        listener().say(told)
    wanted = proposals_wanted(run.settings)
    listener().stage("generate", wanted)
    done = run.done("generate")
    for chunk in range(-(-wanted // PROPOSALS_A_CHUNK)):
        if chunk in done:
            listener().advance(len(done[chunk]["ids"]))
        elif chunk == 0 or _time_left(run, SHARE_TO_GENERATE):
            yield chunk


def generate(run: Run, chunk: int) -> int:
    """One chunk of new crystals, none known or proposed before, by every generator in its share. Returns how many.

    Seeds of regions where earlier runs found more are drawn more often.
    """
    where = memory.remembered(run).where
    tools = toolbox.tools_for_generation(run.settings, _known(run), where.interest if where.regions else None)
    tables = run.settings.generator
    roads = [_road(run, chunk, i, table) for i, table in enumerate(tables) if table.share]
    new = propose(roads, PROPOSALS_A_CHUNK, tools, run.store.structures)
    if chunk == 0:
        for name, reason in new.silent.items():
            listener().say(f"{name} proposes nothing in this run, the other generators fill in: {reason}")
    work = ("generate", chunk, {"ids": new.ids, "by_generator": new.by_generator, "silent": new.silent})
    run.store.upsert(new.candidates, run.run_id, role="proposed", stage="generate", chunk=chunk, work=work)
    _known(run).add_all((c.candidate_id, c.structure) for c in new.candidates)
    listener().advance(len(new))
    return len(new)


def _road(run: Run, chunk: int, i: int, table: GeneratorTable) -> Road:
    """The i-th generator of the run, with its random stream of this chunk."""
    generator, rng = toolbox.generator(table), _stream(run.settings.run.seed, "generate", chunk, i)
    return Road(
        table.name, table.share, lambda count, tools: generator.generate(_seeds(run), count, rng, tools)
    )


def select(run: Run) -> int:
    """The order in which proposals are relaxed, tonight's and left-over ones, most promising first. Returns how many.

    What an earlier run relaxed the same way costs nothing, so it is no part of a fixed number of relaxations.
    """
    done = run.done("select")
    if done:
        return len(done[0]["ids"])
    # A generator that may give known crystals can give one in two chunks.
    ids = list(
        dict.fromkeys(i for _, payload in sorted(run.done("generate").items()) for i in payload["ids"])
    )
    known, had = memory.remembered(run), set(ids)
    proposals = run.store.get_many([*ids, *(i for i in known.backlog if i not in had)])
    wants_polar = [table.name for table in run.settings.screen if table.name == "ferroelectric"] != []
    unstable = _expected(run, proposals)
    who = {**known.backlog, **proposers(run)}
    interest = known.where.interest if known.where.regions else None
    ordered = selection.by_promise(proposals, wants_polar, unstable, who, interest)
    free = _settled(run, proposals)
    chosen = selection.affordable(ordered, free, run.settings.run.relaxations)
    unjudged = memory.past(run).unjudged  # it needs no relaxation, and a budget might end before its turn
    chosen = sorted(chosen, key=lambda i: i not in unjudged)
    payload = {"ids": chosen, "proposed": len(ids), "predicted": len(unstable)}
    run.store.upsert([], run.run_id, work=("select", 0, payload))
    return len(chosen)


def _expected(run: Run, proposals: Sequence[Candidate]) -> dict[str, float]:
    """Predicted distance of each proposal from the hull, eV/atom; of left-over ones as it was predicted before."""
    before = memory.expected_before(run)
    done = run.done("triage")
    if done:
        fresh = done[0]["expected"]
    else:
        fresh = predicted_distances(run.settings, [c for c in proposals if c.candidate_id not in before])
        work = ("triage", 0, {"by": memory.triage_words(run), "expected": fresh})
        run.store.upsert([], run.run_id, work=work)
    return {c.candidate_id: before[c.candidate_id] for c in proposals if c.candidate_id in before} | fresh


def _settled(run: Run, candidates: Sequence[Candidate]) -> set[str]:
    """Which of them an earlier run has relaxed as this one would."""
    paid = memory.past(run).paid
    if not paid:
        return set()
    relaxer = toolbox.relaxer(run.settings.potential)
    return {c.candidate_id for c in candidates if memory.is_settled(c, relaxer, paid)}


def predicted_distances(settings: RunSettings, proposals: Sequence[Candidate]) -> dict[str, float]:
    """Distance from the hull that the first predictor expects of each proposal, eV/atom, by id.

    The geometry is the proposed one: what relaxing gains is missing, so only the order counts. A proposal without a
    predicted formation energy, or without a complete hull, is left out.
    """
    if not settings.predictor:
        return {}
    from ..core.formation import expected_distances

    listener().stage("triage", len(proposals))
    predictor = toolbox.predictor(settings.predictor[0].name)
    predicted: list[Candidate] = []
    for batch in _batches(proposals, TRIAGED_AT_ONCE):
        predicted += predictor.predict(batch)
        listener().advance(len(batch))
    distances = expected_distances(predicted, toolbox.hull(settings.potential.name))
    return {
        candidate.candidate_id: distance
        for candidate, distance in zip(predicted, distances, strict=True)
        if distance is not None
    }


def relax_chunks(run: Run) -> Iterator[int]:
    """Chunks still to be relaxed; with a wall-time budget, as many as fit before the reserve."""
    chosen, budget = _chosen(run), run.settings.budget_seconds
    done = run.done("relax")
    chunk_count = -(-len(chosen) // run.settings.flow.chunk)
    listener().stage("relax", len(chosen) if budget is None else None)
    listener().advance(sum(len(payload["ids"]) for payload in done.values()))
    for chunk in range(chunk_count):
        if chunk in done:
            continue
        if budget is not None:
            longest = max((payload["seconds"] for payload in run.done("relax").values()), default=0.0)
            if not _time_left(run, SHARE_TO_RELAX, longest):
                return
        yield chunk


def relax(run: Run, chunk: int) -> int:
    """Relax one chunk, positions and cell, but for what was relaxed the same way before. Returns how many converged."""
    began = time.monotonic()
    size = run.settings.flow.chunk
    ids = list(_chosen(run)[chunk * size : (chunk + 1) * size])
    relaxer = toolbox.relaxer(run.settings.potential)
    candidates = run.store.get_many(ids)
    # A concurrent run may have relaxed one meanwhile: with the same result, which is taken as well.
    reused = _settled(run, candidates) | {c.candidate_id for c in candidates if memory.is_at_rest(c, relaxer)}
    fresh = [c for c in candidates if c.candidate_id not in reused]
    listener().advance(len(reused))
    structures = [c.structure for c in fresh]
    results = relaxer.relax(structures, lambda *_: listener().advance()) if fresh else []
    relaxed = [relaxed_candidate(c, r, relaxer) for c, r in zip(fresh, results, strict=True)]
    before = [c for c in candidates if c.candidate_id in reused]
    payload = {
        "ids": ids,
        "seconds": time.monotonic() - began,
        "converged": sum(r.converged for r in results) + sum(map(has_converged, before)),
        "reused": [c.candidate_id for c in before],
        "relaxer": memory.relaxer_words(relaxer),
    }
    run.store.upsert(
        relaxed + before, run.run_id, "left over", stage="relax", chunk=chunk, work=("relax", chunk, payload)
    )
    return payload["converged"]


def screen_chunks(run: Run) -> Iterator[int]:
    """Chunks still to be screened: what was relaxed, what stands, then known materials to compare with."""
    ids = _screened(run)
    done = run.done("screen")
    listener().stage("screen", len(ids))
    for chunk in range(-(-len(ids) // run.settings.flow.chunk)):
        if chunk in done:
            listener().advance(len(done[chunk]["ids"]))
        else:
            yield chunk


def screen(run: Run, chunk: int) -> int:
    """Ask every screen of one chunk. Returns how many pass at least one."""
    size = run.settings.flow.chunk
    ids = list(_screened(run)[chunk * size : (chunk + 1) * size])
    tools, screens, models = toolbox.tools(run.settings), toolbox.screens(run.settings), memory.models_of(run)
    candidates = run.store.get_many(ids)
    reused = {one.name: sum(memory.is_measured(c, one, models) for c in candidates) for one in screens}
    for table in run.settings.predictor:
        candidates = _predicted(candidates, toolbox.predictor(table.name))
    lesson = learning.lesson_for(run)
    candidates = judged(candidates, screens, tools, gate=GATE, models=models, lesson=lesson)
    passed = {one.name: sum(_passes(c, one.name) for c in candidates) for one in screens}
    work = ("screen", chunk, {"ids": ids, "passed": passed, "reused": reused})
    run.store.upsert(candidates, run.run_id, stage="screen", chunk=chunk, work=work)
    listener().advance(len(ids))
    return sum(any(v.passed for v in c.verdicts) for c in candidates)


def _predicted(candidates: Sequence[Candidate], predictor: Predictor) -> list[Candidate]:
    """Candidates with what a predictor says, which is asked of those alone that it has not spoken of."""
    missing = [c for c in candidates if not memory.is_predicted(c, predictor)]
    found = dict(zip((c.candidate_id for c in missing), predictor.predict(missing), strict=True))
    return [found.get(c.candidate_id, c) for c in candidates]


def _passes(candidate: Candidate, screen: str) -> bool:
    verdict = candidate.verdict(screen)
    return verdict is not None and verdict.passed


def judged(
    candidates: Sequence[Candidate],
    screens: Sequence[Screen],
    tools: Tools,
    gate: str | None = None,
    models: str = "",
    lesson: Lesson | None = None,
) -> list[Candidate]:
    """Candidates after every screen has measured them as they are, and judged them as the lesson shows them.

    Args:
        candidates: In any state.
        screens: In the order they are asked.
        tools: What the screens may need.
        gate: A screen; whoever fails it is not asked the ones after it.
        models: What the measurements depend on beside the settings (`memory.models_of`); what stands measured with it
            is judged without measuring it again.
        lesson: What DFT taught, if anything.
    """
    current = [bare(candidate) for candidate in candidates]
    asked = list(range(len(current)))
    for one in screens:
        missing = [i for i in asked if not (models and memory.is_measured(current[i], one, models))]
        for i, measured in zip(missing, one.measure([current[i] for i in missing], tools), strict=True):
            current[i] = memory.with_models(measured, one.name, models) if models else measured
        for i in asked:
            current[i] = current[i].with_verdict(one.judge(learning.seen(current[i], lesson)))
        if one.name == gate:
            asked = [i for i in asked if (v := current[i].verdict(one.name)) and v.passed]
    return [learning.with_lesson(*pair, lesson) for pair in zip(current, candidates, strict=True)]


def rank(run: Run) -> int:
    """Find out what relaxed into what, then order the shortlist. Returns its length."""
    done = run.done("rank")
    if done:
        return len(done[0]["ids"])
    listener().stage("rank", None)
    members = run.store.get_many(to_screen(run))
    members = twins.with_novelty(run, members, _seeds(run))
    ranked = selection.shortlist(members, run.settings.rank)
    scored = {r.candidate_id: r for r in ranked}
    store = run.store
    told = (
        selection.with_score(c, scored[c.candidate_id], run.run_id) if c.candidate_id in scored else c
        for c in members
    )
    while batch := list(islice(told, CANDIDATES_A_WRITE)):
        store.upsert(batch, run.run_id, stage="rank")
    store.set_ranking(run.run_id, [(r.candidate_id, r.position) for r in ranked])
    payload = {"ids": [r.candidate_id for r in ranked]}
    store.upsert([], run.run_id, work=("rank", 0, payload))
    return len(ranked)


def second_opinion(run: Run) -> int:
    """Ask the second potential about the shortlist, if the run names one. Returns how many it spoke of."""
    settings, done = run.settings, run.done("second-opinion")
    if settings.potential.second_opinion is None or done:
        return done[0]["answered"] if done else 0
    ids = run.done("rank")[0]["ids"][: settings.rank.top]
    listener().stage("second opinion", len(ids))
    candidates = toolbox.second_opinion(settings.potential).predict(run.store.get_many(ids))
    answered = sum(len(c.all_of("energy_above_hull")) > 1 for c in candidates)
    work = ("second-opinion", 0, {"ids": ids, "answered": answered})
    run.store.upsert(candidates, run.run_id, stage="rank", work=work)
    listener().advance(len(ids))
    return answered


def export(run: Run) -> str:
    """Report, table and DFT inputs of the shortlist. Returns the report's path."""
    from .results import write_results

    listener().stage("export", None)
    try:
        summary = write_results(run)
    except OSError as error:
        raise OutputError(
            f"{run.out_dir} cannot be written ({error.strerror or error}). All candidates are in the store: once the folder "
            f"can be written, go on with: hysteron discover --resume {run.run_id}"
        ) from None
    run.store.upsert([], run.run_id, work=("export", 0, summary))
    return summary["report"]


def to_screen(run: Run) -> list[str]:
    """Ids of all that are screened: what was relaxed, what stands from earlier runs, then known materials to compare with."""
    relaxed = [i for _, payload in sorted(run.done("relax").items()) for i in payload["ids"]]
    relaxed = list(dict.fromkeys([*relaxed, *memory.remembered(run).standing]))
    known = run.done("known")
    if not known:
        rng = _stream(run.settings.run.seed, "known", 0)
        ids = selection.known_to_compare(_seeds(run), run.settings, rng)
        run.store.upsert([], run.run_id, work=("known", 0, {"ids": ids}))
        known = {0: {"ids": ids}}
    had = set(relaxed)
    return relaxed + [i for i in known[0]["ids"] if i not in had]


def seconds_left(run: Run, share: float) -> float | None:
    """Until a share of the wall-time budget is spent; `None` of a run that is a fixed amount of work."""
    budget = run.settings.budget_seconds
    return None if budget is None else share * budget - elapsed_seconds(run)


def _time_left(run: Run, share: float, needed_seconds: float = 0.0) -> bool:
    """Whether work of that length ends before a share of the wall-time budget is spent."""
    left = seconds_left(run, share)
    return left is None or needed_seconds <= left


@lru_cache(maxsize=2)
def _chosen(run: Run) -> tuple[str, ...]:
    """What is relaxed, in order; fixed once it was selected."""
    return tuple(run.done("select")[0]["ids"])


@lru_cache(maxsize=2)
def _screened(run: Run) -> tuple[str, ...]:
    """As `to_screen`, for the chunks of that stage: the relaxations are over then."""
    return tuple(to_screen(run))


@lru_cache(maxsize=2)
def _seeds(run: Run) -> list[Candidate]:
    """The known materials of the run, in the order they were retrieved."""
    return run.store.get_many(run.done("retrieve")[-1]["ids"])


@lru_cache(maxsize=2)
def _known(run: Run) -> KnownCrystals:
    """Crystals that need not be proposed: the seeds, what earlier runs of the question proposed, and this run's own."""
    return memory.crystals_of(run, _seeds(run))


def _stream(seed: int, stage: str, *chunk: int):
    import numpy as np

    return np.random.default_rng(np.random.SeedSequence([seed, STREAMS[stage], *chunk]))


def _batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def forget() -> None:
    """Drop what this process remembers of stores and runs, as a new process would."""
    forget_runs()
    memory.forget()
    learning.forget()
    forget_crystals()


def forget_crystals() -> None:
    """Drop the crystals that this process remembers; the next step that needs them reads them anew."""
    for remembered in (_chosen, _screened, _seeds, _known):
        remembered.cache_clear()
