"""What do the stores of several nights tell: yields, costs, and work done twice?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..flows.costs import accounts
from ..store.store import CandidateStore


@dataclass(frozen=True)
class Killed:
    """A night that was killed, among those of a schedule.

    Attributes:
        run_id: Its name.
        relaxed: Crystals that it had relaxed by then.
        scheduled: How many finished runs the schedule had begun.
    """

    run_id: str
    relaxed: int
    scheduled: int


def night_rows(store: Path, sizes: Sequence[int]) -> list[dict[str, Any]]:
    """One row a night, the first one first: what was proposed, relaxed, taken over and found, and the store's size after it."""
    with CandidateStore.open(store) as opened:
        rows = opened.runs()[::-1][: len(sizes)]
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
            "seconds_per_relaxation": account.seconds_per_relaxation,
            "candidates_in_store": size,
        }
        for row, account, size in zip(rows, found, sizes, strict=True)
    ]


def paid_twice(store: Path) -> dict[str, int]:
    """Pairs of a crystal and a way to relax it that a store's runs have relaxed, and how many of them more than once."""
    counts = Counter(pair for pair, _ in _relaxations(store))
    return {"pairs": len(counts), "twice": sum(count > 1 for count in counts.values())}


def proposed_twice(store: Path) -> int:
    """How many crystals more than one run of a store proposed."""
    counts = Counter(i for stages in _work(store) for i in _ids(stages, "generate"))
    return sum(count > 1 for count in counts.values())


def without_memory(stores: Iterable[Path]) -> dict[str, Any]:
    """Of nights on stores of their own: what was relaxed, and proposed, and screened, and how much of it more than once.

    Returns:
        Counts, and the seconds that the relaxations took which another night had made before.
    """
    relaxed, screened, proposed = Counter(), Counter(), Counter()
    seconds_again = 0.0
    for store in stores:
        for pair, seconds in _relaxations(store):
            seconds_again += seconds if pair in relaxed else 0.0
            relaxed[pair] += 1
        for stages in _work(store):
            screened.update(_ids(stages, "screen"))
            proposed.update(_ids(stages, "generate"))
    told = (("relaxed", relaxed), ("proposed", proposed), ("screened", screened))
    return (
        {name: sum(counts.values()) for name, counts in told}
        | {f"{name}_again": sum(count - 1 for count in counts.values()) for name, counts in told}
        | {"seconds_relaxing_again": seconds_again}
    )


def _relaxations(store: Path) -> list[tuple[tuple[str, str], float]]:
    """What a store's runs relaxed themselves: (candidate, way to relax), and its share of the seconds of its chunk."""
    found = []
    for payload in (payload for stages in _work(store) for payload in stages.get("relax", [])):
        own = [i for i in payload["ids"] if i not in payload["reused"]]
        found += [((i, payload["relaxer"]), payload["seconds"] / len(own)) for i in own]
    return found


def _work(store: Path) -> list[dict[str, list[Any]]]:
    """Payloads of each run's work, by stage."""
    with CandidateStore.open(store) as opened:
        work = opened.work_of([row.run_id for row in opened.runs()], ("generate", "relax", "screen"))
    return list(work.values())


def _ids(stages: dict[str, list[Any]], stage: str) -> set[str]:
    return {i for payload in stages.get(stage, []) for i in payload["ids"]}
