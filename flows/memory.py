"""What does a run know of the runs before it, and what need it not pay for again?

Earlier runs count as far as they had come when this one began (`store.history`), whatever concurrent runs add later, so a
resumed run remembers what the undisturbed one remembered. Of runs that asked the same *question* (preset, question, sources):

- what they proposed is not proposed again;
- what they proposed and never relaxed, with generators set as tonight's, is *left over*. The best of it by predicted distance
  from the hull, as many as are newly proposed, competes with the new proposals for tonight's relaxations;
- what they relaxed and did not judge, because they had not come to their ranking, or judged by other windows than
  tonight's, is *unjudged*: the best of it, as many as one night relaxes, is judged tonight and costs no relaxation;
- the head of the last finished one's ranking *stands*, and that of any that went on beside it: it is judged and ranked
  again tonight beside what is new;
- what was judged and what passed says which regions of chemistry are worth a look (`exploration`).

What any run has relaxed with the same weights and the same relaxer is not relaxed again, whoever asked; what a screen has
measured with the same settings and models is not measured again. With other models both are done anew, and the values
stand side by side by method. A crystal that came to rest tonight where an earlier one of the question lies is that one.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from ..core.candidate import Candidate, Step
from ..core.contracts import Predictor, Relaxer, Screen
from ..core.settings import config_hash
from ..export.run_summary import TOGETHER
from . import exploration, toolbox
from .exploration import Exploration
from .proposals import proposals_wanted
from .run import Run

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..retrieval.known import KnownCrystals
    from ..store.history import PastWork

STAGE = "memory"
MOVES_ATOMS = ("relax", "ingest")
STANDING_PER_PLACE = 2
"""Of the last ranking so many times the shortlist's length stand: who drops out leaves a place for the next."""


@dataclass(frozen=True)
class Memory:
    """What a run took over from earlier ones; noted once, with the run's work.

    Attributes:
        earlier: How many runs of the same question there were.
        previous: The last of them that finished.
        paid: How many crystals were relaxed with tonight's model, by any run.
        left_over: How many were proposed for the same question by like generators, and not relaxed with tonight's model.
        unjudged: How many were relaxed with it and are not judged, or not by tonight's screens.
        backlog: Those of both that compete tonight, and who had proposed each.
        standing: What is ranked again, best first.
        where: Which regions of chemistry are worth a look.
    """

    earlier: int = 0
    previous: str | None = None
    paid: int = 0
    left_over: int = 0
    unjudged: int = 0
    backlog: Mapping[str, str] = dataclasses.field(default_factory=dict)
    standing: tuple[str, ...] = ()
    where: Exploration = dataclasses.field(default_factory=Exploration)

    @property
    def sentence(self) -> str:
        """For whoever follows the run; empty if there is nothing to tell."""
        if not self.earlier:
            return ""
        runs = "1 earlier run" if self.earlier == 1 else f"{self.earlier} earlier runs"
        waiting = f"{self.left_over} proposals left over"
        if self.unjudged:
            waiting += f" and {self.unjudged} relaxed ones not judged by these screens"
        return (
            f"{runs} of this question: {waiting}, of which {len(self.backlog)} compete; "
            f"{len(self.standing)} candidates stand; {self.paid} crystals were relaxed with this model before."
        )


@lru_cache(maxsize=2)
def remembered(run: Run) -> Memory:
    """What the run knows of earlier ones; worked out and noted when it is first asked."""
    noted = run.done(STAGE)
    if not noted:
        memory = _recalled(run)
        payload = dataclasses.asdict(memory) | {"where": memory.where.to_record()}
        run.store.upsert([], run.run_id, work=(STAGE, 0, payload))
        return memory
    fields = noted[0]
    where = Exploration.from_record(fields["where"])
    return Memory(**fields | {"where": where, "standing": tuple(fields["standing"])})


def question_of(config: Mapping[str, Any]) -> str:
    """Hash of what a run was asked: runs of equal hashes have shortlists that can be compared.

    Args:
        config: Resolved settings as JSON.
    """
    table = config.get("run", {})
    asked = [table.get("preset", ""), table.get("question", ""), config.get("source", [])]
    return config_hash(asked)


def generators_of(config: Mapping[str, Any]) -> str:
    """Hash of who proposes in a run, with their settings; shares aside."""
    tables = config.get("generator", [])
    return config_hash(sorted([t["name"], t.get("settings", {})] for t in tables if t.get("share", 1)))


def screens_of(config: Mapping[str, Any]) -> str:
    """Hash of who judges in a run, and by which windows."""
    return config_hash([[t["name"], t.get("settings", {})] for t in config.get("screen", [])])


# What was done before


@dataclass(frozen=True)
class Past:
    """What earlier runs had done when this one began.

    Attributes:
        runs: Those of the same question, in order.
        paid: Relaxed with tonight's model, by any run.
        settled: Relaxed with tonight's model by runs of the same question.
        tried: Relaxed, with any model, by those of them that had come to their ranking.
        passed: Ranked by these runs.
        proposed: By runs of the same question with like generators, and by whom.
        unjudged: Settled, and screened by none that came to its ranking with tonight's model and screens; and who had
            proposed each.
        a_night: The most that one of these runs relaxed, or a chunk.
    """

    runs: tuple[str, ...]
    paid: frozenset[str]
    settled: frozenset[str]
    tried: frozenset[str]
    passed: frozenset[str]
    proposed: Mapping[str, str]
    unjudged: Mapping[str, str]
    a_night: int

    @property
    def left_over(self) -> dict[str, str]:
        """Proposals that no run of the question has relaxed with tonight's model, and by whom."""
        return {i: who for i, who in self.proposed.items() if i not in self.settled}


@lru_cache(maxsize=2)
def past(run: Run) -> Past:
    """What earlier runs had done when this one began; the same whenever it is asked."""
    store, tonight = run.store, run.settings.model_dump(mode="json")
    configs = store.earlier_configs(run.run_id)
    like = [i for i, config in configs.items() if question_of(config) == question_of(tonight)]
    relaxer = relaxer_words(toolbox.relaxer(run.settings.potential)) if configs else ""
    ranked = store.done_before(run.run_id, "rank", like)
    ended = {piece.run_id for piece in ranked}
    judges = {i for i in ended if screens_of(configs[i]) == screens_of(tonight)}
    relaxed = Counter[str]()
    paid: set[str] = set()
    tried: set[str] = set()
    settled: set[str] = set()
    for piece in store.done_before(run.run_id, "relax"):
        ids, who = piece.payload["ids"], piece.payload.get("relaxer")
        paid.update(ids if who == relaxer else ())
        if piece.run_id not in like:
            continue
        relaxed[piece.run_id] += len(ids) - len(piece.payload.get("reused", ()))
        tried.update(ids if piece.run_id in ended else ())
        if who in (relaxer, None):  # older runs noted no model
            settled.update(ids)
        else:
            judges.discard(piece.run_id)
    screened = store.done_before(run.run_id, "screen", judges)
    unjudged = settled.difference(*(piece.payload["ids"] for piece in screened))
    proposals = store.done_before(run.run_id, "generate", like)
    willing = {i for i in like if generators_of(configs[i]) == generators_of(tonight)}
    by_anybody = _proposers(proposals, configs)
    return Past(
        runs=tuple(like),
        paid=frozenset(paid),
        settled=frozenset(settled),
        tried=frozenset(tried),
        passed=frozenset(i for piece in ranked for i in piece.payload["ids"]),
        proposed=_proposers([piece for piece in proposals if piece.run_id in willing], configs),
        unjudged={i: by_anybody[i] for i in sorted(unjudged) if i in by_anybody},
        a_night=max([run.settings.flow.chunk, *relaxed.values()]),
    )


def _proposers(pieces: Iterable[PastWork], configs: Mapping[str, Any]) -> dict[str, str]:
    """Who proposed each crystal, by id."""
    found: dict[str, dict[str, None]] = {}
    for piece in pieces:
        given = piece.payload.get("by_generator")
        if given is None:  # a run begun before there were two generators noted no names
            given = {configs[piece.run_id]["generator"][0]["name"]: piece.payload["ids"]}
        for name, ids in given.items():
            for identifier in ids:
                found.setdefault(identifier, {})[name] = None
    return {identifier: TOGETHER.join(names) for identifier, names in found.items()}


def _recalled(run: Run) -> Memory:
    before = past(run)
    previous, standing = _last_rankings(run, before)
    left = before.left_over
    unjudged = {i: who for i, who in before.unjudged.items() if i not in set(standing)}
    compete = _most_stable(run, left)[: proposals_wanted(run.settings)]
    compete += _most_stable(run, unjudged)[: before.a_night]
    formulas = run.store.formulas_of(sorted(before.tried))
    where = exploration.explore(
        exploration.counted(formulas.values()),
        exploration.counted(formula for i, formula in formulas.items() if i in before.passed),
    )
    return Memory(
        earlier=len(before.runs),
        previous=previous,
        paid=len(before.paid),
        left_over=len(left),
        unjudged=len(unjudged),
        backlog={i: (left | unjudged)[i] for i in compete},
        standing=tuple(standing),
        where=where,
    )


def _last_rankings(run: Run, before: Past) -> tuple[str | None, list[str]]:
    """The last finished run of the question, and what stands of its ranking, and of those of runs that it knew nothing of.

    These had not finished when it began. What it knew is in its own ranking, if it is good enough.
    """
    finished = [piece.run_id for piece in run.store.done_before(run.run_id, "export", before.runs)]
    if not finished:
        return None, []
    previous = finished[-1]
    known = {piece.run_id for piece in run.store.done_before(previous, "export", before.runs)}
    heads = [previous, *(i for i in finished[:-1] if i not in known)]
    rankings = {
        piece.run_id: piece.payload["ids"] for piece in run.store.done_before(run.run_id, "rank", heads)
    }
    standing = [_standing(run, rankings[i]) for i in heads]
    in_turn = (i for places in zip_longest(*standing) for i in places if i is not None)
    return previous, list(dict.fromkeys(in_turn))


def _standing(run: Run, ranking: Sequence[str]) -> list[str]:
    """The head of a ranking: known materials, and what is at rest."""
    relaxer = toolbox.relaxer(run.settings.potential)
    stands = [c.candidate_id for c in run.store.get_many(ranking) if _stands(c, relaxer)]
    return stands[: STANDING_PER_PLACE * run.settings.rank.top]


def _stands(candidate: Candidate, relaxer: Relaxer) -> bool:
    """Whether it can be ranked without a relaxation."""
    return candidate.provenance[0].stage != "generate" or is_at_rest(candidate, relaxer)


def _most_stable(run: Run, left: Iterable[str]) -> list[str]:
    """Left-over crystals by the distance from the hull that was predicted for them; those without one come last."""
    distances = expected_before(run)
    return sorted(left, key=lambda i: (i not in distances, distances.get(i, 0.0), i))


def expected_before(run: Run) -> dict[str, float]:
    """Distances from the hull that earlier runs, whatever they asked, expected of proposals, eV/atom, by tonight's predictor."""
    found: dict[str, float] = {}
    judge = triage_words(run)
    if not judge:
        return found
    for piece in run.store.done_before(run.run_id, "triage"):
        if piece.payload["by"] == judge:
            found |= piece.payload["expected"]
    return found


def triage_words(run: Run) -> str:
    """Which model and hull say what to expect of a proposal; empty without a predictor, or one that does not tell its version."""
    if not run.settings.predictor:
        return ""
    version = getattr(toolbox.predictor(run.settings.predictor[0].name), "version", "")
    return f"{version}; {toolbox.hull(run.settings.potential.name).name}" if version else ""


# What need not be proposed


def crystals_of(run: Run, seeds: Iterable[Candidate]) -> KnownCrystals:
    """Crystals that a run need not propose: the known ones, what was proposed before, and what it has proposed itself."""
    own = [i for payload in run.done("generate").values() for i in payload["ids"]]
    before = past(run)
    named = run.store.formulas_of(sorted({*before.settled, *before.proposed, *own}))
    by_formula: dict[str, list[str]] = {}
    for identifier, formula in named.items():
        by_formula.setdefault(formula, []).append(identifier)

    def also(formula: str) -> Iterator[tuple[str, Structure]]:
        return run.store.structures(ids=by_formula.get(formula, []))

    return toolbox.known(((c.candidate_id, c.structure) for c in seeds), also)


def at_rest_before(run: Run, formulas: Iterable[str]) -> list[Candidate]:
    """Crystals of these formulas that earlier runs of the question brought to rest with tonight's model."""
    wanted = set(formulas)
    named = run.store.formulas_of(sorted(past(run).settled))
    return run.store.get_many(sorted(i for i, formula in named.items() if formula in wanted))


# What need not be relaxed


def relaxer_words(relaxer: Relaxer) -> str:
    """What tells one way to relax from another: potential, relaxer, weights."""
    return f"{relaxer.potential.name}; {step_version(relaxer)}"


def step_version(relaxer: Relaxer) -> str:
    """As a relaxation's step has it."""
    return f"{relaxer.version}; weights {relaxer.potential.model_hash}"


def is_settled(candidate: Candidate, relaxer: Relaxer, paid: Collection[str]) -> bool:
    """Whether an earlier run has relaxed a candidate this way, and nothing has relaxed it otherwise since.

    Args:
        candidate: As the store has it.
        relaxer: What it would be relaxed with.
        paid: What earlier runs relaxed this way, some in vain: these have no step that says so.
    """
    steps = [step for step in candidate.provenance if step.stage == "relax"]
    ours = [_is_by(step, relaxer) for step in steps]
    return candidate.candidate_id in paid and (ours[-1] if any(ours) else True)


def is_at_rest(candidate: Candidate, relaxer: Relaxer) -> bool:
    """Whether the last relaxation of a candidate was this one, whoever made it."""
    steps = [step for step in candidate.provenance if step.stage == "relax"]
    return bool(steps) and _is_by(steps[-1], relaxer)


def _is_by(step: Step, relaxer: Relaxer) -> bool:
    return (step.name, step.version) == (relaxer.potential.name, step_version(relaxer))


# What need not be measured or predicted


@lru_cache(maxsize=2)
def models_of(run: Run) -> str:
    """Hash of all that decides a measurement beside the screen's settings: versions, tables, weights, relaxer."""
    from .launch import versions
    from .tables import CATALOG

    settings = run.settings
    relaxer = toolbox.relaxer(settings.potential)
    decisive = {name: v for name, v in versions(settings.potential.name).items() if name != CATALOG}
    weights = [getattr(toolbox.predictor(table.name), "version", "") for table in settings.predictor]
    return config_hash([decisive, relaxer_words(relaxer), weights])


def is_measured(candidate: Candidate, screen: Screen, models: str) -> bool:
    """Whether the screen's last measurement is what it would find now: same settings, same models, same geometry."""
    places = [i for i, step in enumerate(candidate.provenance) if _is_of(step, screen.name)]
    if not places or getattr(screen, "config", None) is None:
        return False
    step = candidate.provenance[places[-1]]
    moved = any(later.stage in MOVES_ATOMS for later in candidate.provenance[places[-1] :])
    return (
        not moved and step.version.endswith(_mark(models)) and step.config_hash == config_hash(screen.config)  # type: ignore[attr-defined]
    )


def with_models(candidate: Candidate, screen: str, models: str) -> Candidate:
    """With the models in the version of the step that the screen's measurement left, if it left one."""
    steps = [
        dataclasses.replace(step, version=f"{step.version}{_mark(models)}")
        if _is_of(step, screen) and not step.version.endswith(_mark(models))
        else step
        for step in candidate.provenance
    ]
    return dataclasses.replace(candidate, provenance=tuple(steps))


def is_predicted(candidate: Candidate, predictor: Predictor) -> bool:
    """Whether the predictor has spoken of a candidate in this geometry, in its present version and in no other."""
    version = getattr(predictor, "version", None)
    places = [
        i for i, s in enumerate(candidate.provenance) if (s.stage, s.name) == ("predict", predictor.name)
    ]
    if version is None or not places:
        return False
    moved = any(later.stage in MOVES_ATOMS for later in candidate.provenance[places[-1] :])
    return not moved and all(candidate.provenance[i].version == version for i in places)


def _is_of(step: Step, screen: str) -> bool:
    return (step.stage, step.name) == ("screen", screen)


def _mark(models: str) -> str:
    return f"; models {models}"


def forget() -> None:
    """Drop what this process remembers of runs."""
    for known in (remembered, past, models_of):
        known.cache_clear()
