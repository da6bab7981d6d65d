"""What a run leaves behind: the funnel, the shortlist as a table, the DFT inputs, the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.candidate import Candidate
from ..export.run_summary import EARLIER, Asked, FunnelStage, Look, RunSummary
from . import exploration, learning, memory
from .exploration import Region
from .next_for_dft import Asked as AskedOfDFT
from .next_for_dft import next_for_dft
from .proposals import generators, proposers
from .run import GATE, Run, elapsed_seconds
from .since import since_last

MOST_REASONS = 6
TOLD = {"proposed": "proposed", "relaxed": "relaxed", GATE: "stable", "shortlist": "on the shortlist"}
"""Stages that are told of each generator when a run ends, in words that follow a number."""
OF_EARLIER = ("left over from earlier runs", "standing from earlier runs")
"""Stages that a first run does not have."""


def write_results(run: Run) -> dict[str, Any]:
    """Write shortlist.csv, dft/ and report.html to the run's folder.

    Returns:
        The summary that is kept with the run: shortlist ids, counts, passes of each screen, wall time, what changed
        since the last run, a sentence, one for each generator, the report's path.
    """
    from ..export.report import write_report
    from ..export.table import write_csv

    folder = Path(run.out_dir)
    folder.mkdir(parents=True, exist_ok=True)
    store, settings = run.store, run.settings
    ids = run.done("rank")[0]["ids"]
    lesson = learning.lesson_for(run)
    shortlist = [learning.seen(c, lesson) for c in store.get_many(ids[: settings.rank.top])]
    screened = store.get_many([i for _, p in sorted(run.done("screen").items()) for i in p["ids"]])
    stages = funnel(run, screened, shortlist)
    since, looked = since_last(run, ids, settings.rank.top), regions_looked_at(run)
    write_csv(folder / "shortlist.csv", shortlist, since.places_before if since else None)
    asked = next_for_dft(run, ids) if settings.export.formats else []
    failed = _write_inputs(run, asked)
    report = folder / "report.html"
    known = memory.remembered(run)
    told = replace(
        summary_of(run),
        since=since,
        looked=looked if known.where.regions else (),
        memory=known.sentence,
        lesson=learning.told(lesson),
        asked_of_dft=tuple((one.candidate.candidate_id, one.candidate.formula, one.why) for one in asked),
    )
    write_report(report, told, shortlist, stages, screened)
    counts = {
        "shortlist": len(shortlist),
        "passing": len(ids),
        "new": sum(c.provenance[0].stage == "generate" for c in shortlist),
        "screened": len(screened),
        "found": sum(look.found for look in looked),
    }
    return {
        "shortlist": [c.candidate_id for c in shortlist],
        "counts": counts,
        "passed": {table.name: len(_passed(screened, table.name)) for table in settings.screen},
        "seconds": elapsed_seconds(run),
        "since": since.to_record() if since else None,
        "sentence": _sentence(run, stages, counts),
        "funnel": [(stage.name, stage.entered, stage.left) for stage in stages],
        "generators": contributions(stages),
        "export_failures": failed,
        "lesson": lesson.version if lesson else None,
        "asked_of_dft": [(one.candidate.candidate_id, one.why) for one in asked],
        "report": str(report),
    }


def _write_inputs(run: Run, asked: list[AskedOfDFT]) -> list[str]:
    """DFT inputs in every format of the run. Returns who could not be written, and why."""
    from ..export.bundle import export_candidates

    settings, failed, head = run.settings.export, [], [one.candidate for one in asked]
    for name in settings.formats if head else ():
        folder, own = Path(run.out_dir) / "dft" / name, settings.settings.get(name)
        manifest = export_candidates(head, name, folder, run=summary_of(run), overwrite=True, settings=own)
        failed += [f"{refused.id} ({name}): {refused.reason}" for refused in manifest.failed]
    return failed


def _sentence(run: Run, stages: list[FunnelStage], counts: dict[str, int]) -> str:
    relaxed = next(stage for stage in stages if stage.name == "relaxed")
    reused = sum(len(payload.get("reused", ())) for payload in run.done("relax").values())
    of_which = f" ({reused} of them by another run)" if reused else ""
    return (
        f"{relaxed.left} of {relaxed.entered} new crystals relaxed{of_which}; {counts['screened']} screened; "
        f"{counts['passing']} pass, of which the best {counts['shortlist']} are the shortlist "
        f"({counts['new']} of them new)."
    )


def regions_looked_at(run: Run) -> tuple[Look, ...]:
    """Every region that this run or an earlier one of the question looked at: greatest weight, then most looked at, first."""
    where = memory.remembered(run).where
    relaxed = [i for payload in run.done("relax").values() for i in payload["ids"]]
    ranked = set(run.done("rank")[0]["ids"])
    proposed = dict.fromkeys(i for payload in run.done("generate").values() for i in payload["ids"])
    formulas = run.store.formulas_of([*proposed, *relaxed])
    asked = [list(proposed), relaxed, [i for i in relaxed if i in ranked]]
    counts = [exploration.counted(formulas[i] for i in ids) for ids in asked]
    known = {region.family: region for region in where.regions}
    families = [*known, *sorted({family for count in counts for family in count} - known.keys())]
    looks = [_look(family, known.get(family), where, *counts) for family in families]
    return tuple(sorted(looks, key=lambda look: (-look.weight, -look.relaxed, -look.proposed)))


def _look(
    family: str,
    region: Region | None,
    where: exploration.Exploration,
    proposed: dict[str, int],
    relaxed: dict[str, int],
    found: dict[str, int],
) -> Look:
    return Look(
        region=exploration.words(family),
        tried=region.tried if region else 0,
        passed=region.passed if region else 0,
        hoped=region.hoped if region else None,
        weight=where.weight(family),
        proposed=proposed.get(family, 0),
        relaxed=relaxed.get(family, 0),
        found=found.get(family, 0),
        reason=exploration.why(region, where) if region else "not tried before",
    )


def funnel(run: Run, screened: list[Candidate], shortlist: list[Candidate]) -> list[FunnelStage]:
    """How many entered and left each stage, who had proposed them, and the reasons of those set aside."""
    retrieved = run.done("retrieve")[-1]["count"]
    selection = run.done("select")[0]
    proposed, chosen = selection["proposed"], selection["ids"]
    relaxed_ids = [i for _, p in sorted(run.done("relax").items()) for i in p["ids"]]
    relaxed = run.store.get_many(relaxed_ids)
    usable = [c for c in relaxed if c.value("energy_per_atom") is not None]
    known = memory.remembered(run)
    competing = proposed + len(known.backlog)
    waiting = competing - len(relaxed_ids)
    why = (
        "the budget ended before their turn"
        if len(chosen) == competing
        else "less promising than those relaxed"
    )
    who = Who(run)
    stages = [
        FunnelStage("known materials", 0, retrieved, {}, who.proposed([])),
        FunnelStage("proposed", 0, proposed, {}, who.proposed(proposers(run))),
        FunnelStage("left over from earlier runs", 0, len(known.backlog), {}, who.proposed(known.backlog)),
        FunnelStage(
            "chosen for relaxation",
            competing,
            len(relaxed_ids),
            {why: waiting} if waiting else {},
            who.proposed(relaxed_ids),
        ),
        FunnelStage("relaxed", len(relaxed), len(usable), _failures(relaxed), who.proposed(_ids(usable))),
        FunnelStage("standing from earlier runs", 0, len(known.standing), {}, who.proposed(known.standing)),
    ]
    stages = [stage for stage in stages if stage.entered or stage.left or stage.name not in OF_EARLIER]
    current = screened
    for table in run.settings.screen:
        asked = [c for c in current if c.verdict(table.name)]
        kept = _passed(asked, table.name)
        reasons = _reasons(asked, table.name)
        stages.append(FunnelStage(table.name, len(asked), len(kept), reasons, who.proposed(_ids(kept))))
        if table.name == GATE:
            current = kept
    stages.append(_novelty(screened, who))
    ranked = len(run.done("rank")[0]["ids"])
    stages.append(FunnelStage("shortlist", ranked, len(shortlist), {}, who.proposed(_ids(shortlist))))
    return stages


class Who:
    """Who proposed which crystals of a run.

    Attributes:
        names_of: The generator of each proposal by id; of one that several proposed, their names joined. What stands from
            earlier runs is theirs.
    """

    def __init__(self, run: Run) -> None:
        known = memory.remembered(run)
        standing = run.store.get_many(known.standing)
        found = {c.candidate_id: EARLIER for c in standing if c.provenance[0].stage == "generate"}
        self.names_of = found | {**known.backlog, **proposers(run)}
        alone = generators(run)
        self._names = [*alone, *sorted(set(self.names_of.values()) - set(alone))]

    def proposed(self, ids: Iterable[str]) -> dict[str, int]:
        """How many of these crystals each one proposed; those that were known before are not counted."""
        counts = Counter(self.names_of.get(identifier) for identifier in ids)
        return {name: counts[name] for name in self._names}


def contributions(stages: list[FunnelStage]) -> list[str]:
    """What each generator brought to the run: `substitution: 64 proposed, 20 relaxed, 9 stable, 2 on the shortlist`."""
    told = [(TOLD[stage.name], stage.by_generator) for stage in stages if stage.name in TOLD]
    names = told[0][1] if told else {}
    lines = {
        name: [f"{counts[name]} {word}" for word, counts in told if name != EARLIER or counts[name]]
        for name in names
    }
    return [f"{name}: {', '.join(words)}" for name, words in lines.items() if words]


def summary_of(run: Run) -> RunSummary:
    """What the report says of the run as a whole."""
    from . import toolbox

    row = run.store.get_run(run.run_id)
    settings = run.settings
    models = {"energies and forces": toolbox.potential(settings.potential.name).name}
    if settings.potential.second_opinion:
        models["second opinion"] = toolbox.potential(settings.potential.second_opinion).name
    return RunSummary(
        run_id=run.run_id,
        preset=settings.run.preset,
        question=settings.run.question,
        asked=_asked(run),
        seed=settings.run.seed,
        started=row.started or "",
        elapsed_seconds=elapsed_seconds(run),
        models=models,
        hull=toolbox.hull(settings.potential.name).name,
        sources=_sources(run),
        versions=row.versions,
        settings=settings.model_dump(mode="json"),
    )


def _sources(run: Run) -> dict[str, str]:
    """What each source was asked, and the version of its data."""
    versions = run.done("retrieve").get(-1, {}).get("versions", {})
    return {
        table.name: ", ".join(filter(None, (table.filter or "all", versions.get(table.name))))
        for table in run.settings.source
    }


def _asked(run: Run) -> Asked | None:
    """What the question became, and the records that match."""
    plan = run.settings.plan
    if plan is None:
        return None
    seeds = run.store.get_many(run.done("retrieve").get(-1, {}).get("ids", []))
    return Asked(plan.filter or "", plan.assumptions, tuple(_record(seed) for seed in seeds))


def _record(candidate: Candidate) -> tuple[str, str, str]:
    from ..core.filters import lookup, parse_name

    identifier = lookup(parse_name("material_id"), candidate)
    if identifier is None:
        return candidate.candidate_id, candidate.formula, ""
    link = (
        f"https://next-gen.materialsproject.org/materials/{identifier}"
        if str(identifier).startswith("mp-")
        else ""
    )
    return str(identifier), candidate.formula, link


def _reasons(candidates: list[Candidate], screen: str) -> dict[str, int]:
    """Why candidates were set aside, by the criterion that failed."""
    reasons = Counter[str]()
    for candidate in candidates:
        verdict = candidate.verdict(screen)
        if verdict and not verdict.passed:
            reasons[_short(verdict.details, verdict.reason)] += 1
    return _most_common(reasons)


def _short(details: dict[str, Any], reason: str) -> str:
    criteria = details.get("criteria")
    if isinstance(criteria, list):
        for criterion in criteria:
            if criterion.get("status") in ("failed", "missing"):
                return f"{criterion['name'].replace('_', ' ')} {criterion['status']}"
    return reason.split(":")[0].split(";")[0][:80]


def _failures(candidates: list[Candidate]) -> dict[str, int]:
    reasons = Counter[str]()
    for candidate in candidates:
        if candidate.value("energy_per_atom") is None:
            said = [f.reason for f in candidate.failures if f.stage == "relax"]
            reasons[said[-1].partition(": ")[2].partition(";")[0] if said else "no energy"] += 1
    return _most_common(reasons)


def _novelty(candidates: list[Candidate], who: Who) -> FunnelStage:
    asked = [c for c in candidates if c.verdict("novelty")]
    passed = _passed(asked, "novelty")
    merged = len(asked) - len(passed)
    reasons = {"relaxed into a known crystal or another new one": merged} if merged else {}
    return FunnelStage("novelty", len(asked), len(passed), reasons, who.proposed(_ids(passed)))


def _passed(candidates: list[Candidate], screen: str) -> list[Candidate]:
    return [c for c in candidates if (v := c.verdict(screen)) and v.passed]


def _ids(candidates: list[Candidate]) -> list[str]:
    return [c.candidate_id for c in candidates]


def _most_common(reasons: Counter[str]) -> dict[str, int]:
    """The most frequent reasons, the rest summed up."""
    common = dict(reasons.most_common(MOST_REASONS))
    rest = sum(reasons.values()) - sum(common.values())
    return common | ({"other reasons": rest} if rest else {})
