"""What do the stores of several nights tell: yields, work done twice, and whether two of them hold the same?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..core.candidate import Candidate
from ..flows.costs import accounts
from ..store.store import CandidateStore

SAME = 1e-4
"""Of each unit: what two equal nights may differ by."""
MOST_TOLD = 3
"""Differences told of one crystal."""


def night_rows(store: Path, sizes: Sequence[int]) -> list[dict[str, Any]]:
    """One row a night, the first one first: what was proposed, relaxed, taken over and found, and the store's size after it."""
    with CandidateStore.open(store) as opened:
        rows = list(reversed(opened.runs()))
        found = accounts(opened, rows)
    return [
        {
            "status": row.status,
            "seed": row.seed,
            "proposed": account.proposed,
            "relaxed": account.relaxed,
            "reused": account.reused,
            "measurements_taken_over": account.measured_before,
            "found": account.found,
            "yield": (account.found or 0) / max(1, account.relaxed + account.reused),
            "shortlist": account.shortlist,
            "new_on_shortlist": account.new_since_last,
            "seconds": account.seconds,
            "candidates_in_store": size,
        }
        for row, account, size in zip(rows, found, sizes, strict=True)
    ]


def paid_twice(store: Path) -> dict[str, int]:
    """Pairs of a crystal and a way to relax it that a store's runs have relaxed, and how many of them more than once."""
    counts = Counter(pair for pairs in _pairs(store) for pair in pairs)
    return {"pairs": len(counts), "twice": sum(count > 1 for count in counts.values())}


def without_memory(stores: Iterable[Path]) -> dict[str, int]:
    """Of nights on stores of their own: what was relaxed, and proposed, and screened, and how much of it more than once."""
    relaxed, screened, proposed = Counter(), Counter(), Counter()
    for store in stores:
        relaxed.update(pair for pairs in _pairs(store) for pair in pairs)
        with CandidateStore.open(store) as opened:
            work = opened.work_of([row.run_id for row in opened.runs()], ("screen", "generate"))
        for stages in work.values():
            screened.update({i for payload in stages.get("screen", []) for i in payload["ids"]})
            proposed.update({i for payload in stages.get("generate", []) for i in payload["ids"]})
    told = (("relaxed", relaxed), ("proposed", proposed), ("screened", screened))
    return {name: sum(counts.values()) for name, counts in told} | {
        f"{name}_again": sum(count - 1 for count in counts.values()) for name, counts in told
    }


def _pairs(store: Path) -> list[list[tuple[str, str]]]:
    """Of each run, (candidate, way to relax) of what it relaxed itself."""
    with CandidateStore.open(store) as opened:
        work = opened.work_of([row.run_id for row in opened.runs()], ("relax",))
    return [
        [
            (i, payload["relaxer"])
            for payload in stages["relax"]
            for i in payload["ids"]
            if i not in payload["reused"]
        ]
        for stages in work.values()
    ]


def differences(one: Path, other: Path) -> list[str]:
    """What tells two stores apart, times and run ids aside: a sentence each; none if they hold the same."""
    with CandidateStore.open(one) as first, CandidateStore.open(other) as second:
        here, there = ({c.candidate_id: c for c in store.query(None)} for store in (first, second))
        rankings = [[i for i, _ in store.ranking(store.get_run().run_id)] for store in (first, second)]
    found = [f"{identifier} is in one of them" for identifier in sorted(here.keys() ^ there.keys())]
    for identifier in sorted(here.keys() & there.keys()):
        found += _differences(here[identifier], there[identifier])[:MOST_TOLD]
    return found if rankings[0] == rankings[1] else [*found, "the last run's rankings differ"]


def _differences(one: Candidate, other: Candidate) -> list[str]:
    found = []
    for what, tell in (
        ("verdicts", lambda c: {v.screen: v.passed for v in c.verdicts}),
        ("lineage", lambda c: [(s.stage, s.name, s.parents) for s in c.provenance]),
        ("failures", lambda c: [f.reason for f in c.failures]),
    ):
        if tell(one) != tell(other):
            found.append(f"{one.candidate_id}: {what} differ")
    values, others = _values(one), _values(other)
    if values.keys() != others.keys():
        return [*found, f"{one.candidate_id}: other properties"]
    return found + [
        f"{one.candidate_id}: {key[0]} by {key[1]} differs by {abs(value - others[key]):.2g}"
        for key, value in values.items()
        if abs(value - others[key]) > SAME
    ]


def _values(candidate: Candidate) -> dict[tuple[str, str, int], float]:
    """Numbers of a candidate by property, method and component."""
    return {
        (p.name, p.method, i): float(number)
        for p in candidate.properties
        for i, number in enumerate(p.value if isinstance(p.value, tuple) else [p.value])
        if not isinstance(number, str)
    }
