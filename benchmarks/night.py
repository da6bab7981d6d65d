"""Three nights of a schedule on one store, the second of them killed: is any work paid for twice, and does the store grow?

`hysteron schedule --resume-crashed` fires them, each with the next seed and a fixed number of relaxations. The process that
carries out the second one is killed (SIGKILL) after its first chunk of relaxations; the schedule's next firing goes on with
it and begins the third. The store after the second night must hold what two nights hold that `hysteron discover` carries out
undisturbed. A pair is a crystal and a way to relax it (potential, weights, relaxer); counted is how many pairs were
relaxed, and how many crystals proposed, more than once.

The baseline has no memory: the same nights with the same seeds, each on an empty store. What more than one of them relaxes or
screens is what memory saves at least; what it gains besides is that left-over proposals are not lost, and that the shortlist
is the best of all nights. Whether weighting regions of chemistry by their yield finds more is simulated (`night_regions`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from ..store.comparison import content, differences, told
from ..store.store import CandidateStore
from . import night_regions
from .night_figures import Killed, night_rows, paid_twice, proposed_twice, without_memory
from .night_processes import Commands, copied

NIGHTS = 3
KILLED = 1
"""Index of the night that is killed."""
WORLDS, QUICK_WORLDS = 400, 40


@dataclass(frozen=True)
class Plan:
    """How large a night is.

    Attributes:
        relaxations: Crystals that are relaxed.
        known: Known materials that are screened beside.
        chunk: Crystals a task.
        filter: Which known materials to start from.
        seed: Of the first night.
    """

    relaxations: int = 18
    known: int = 18
    chunk: int = 3
    filter: str = "nsites <= 12"
    seed: int = 0

    @property
    def toml(self) -> str:
        """As a RUN.toml."""
        return (
            f"[run]\nseed = {self.seed}\nrelaxations = {self.relaxations}\nknown = {self.known}\n"
            f"[[source]]\nname = 'catalog'\nfilter = '{self.filter}'\n"
            f"[flow]\nchunk = {self.chunk}\nrefine = 0\n[export]\nformats = []\n"
        )


QUICK = Plan(relaxations=4, known=4, chunk=1, filter='elements HAS "O" AND nsites <= 5')


class Nights(Protocol):
    """Who carries nights out."""

    def on_schedule(self, store: Path, killed: int, after: list[Callable[[], None]]) -> Killed:
        """As many nights as `after` has members, on a schedule; one dies after a first chunk of relaxations and is resumed.

        Args:
            store: Where they are kept.
            killed: Index of the night that dies.
            after: Called when each night has finished, before the next one adds a crystal.
        """
        ...

    def in_the_foreground(self, store: Path, seed: int) -> None:
        """One undisturbed night."""
        ...


def run(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Measure it.

    Args:
        seed: Of the first night.
        quick: Nights of four relaxations.

    Raises:
        StageError: a night does not finish.
    """
    plan = replace(QUICK if quick else Plan(), seed=seed)
    with tempfile.TemporaryDirectory(prefix="hysteron-night-") as name:
        folder = Path(name)
        (folder / "night.toml").write_text(plan.toml, encoding="utf-8")
        found = measured(Commands(folder, "night"), folder, seed)
    return {
        "benchmark": "night",
        "seed": seed,
        "n": NIGHTS,
        "relaxations_per_night": plan.relaxations,
        "known_per_night": plan.known,
        **found,
        "regions": night_regions.figures(QUICK_WORLDS if quick else WORLDS, seed),
    }


def measured(nights: Nights, folder: Path, seed: int) -> dict[str, Any]:
    """The nights of a schedule with memory, the same ones undisturbed, and the nights without."""
    store, quiet = folder / "store.db", folder / "quiet.db"
    copies = [folder / f"after-{i}.db" for i in range(NIGHTS)]
    killed = nights.on_schedule(store, KILLED, [_copying(store, copy) for copy in copies])
    alone = [folder / f"alone-{i}.db" for i in range(NIGHTS)]
    for i, path in enumerate(alone):
        nights.in_the_foreground(path, seed + i)
    copied(alone[0], quiet)
    nights.in_the_foreground(quiet, seed + KILLED)
    found = differences(content(quiet), content(copies[KILLED], killed.run_id))
    twice, sizes = paid_twice(store), [_size(copy) for copy in copies]
    return {
        "nights": night_rows(store, sizes),
        "scheduled": killed.scheduled,
        "pairs_relaxed": twice["pairs"],
        "pairs_relaxed_twice": twice["twice"],
        "proposed_twice": proposed_twice(store),
        "store_grows": all(a < b for a, b in pairwise(sizes)),
        "killed_night": KILLED + 1,
        "relaxed_before_the_kill": killed.relaxed,
        "killed_and_resumed_equals_undisturbed": not found,
        "differences": told(found),
        "baseline": "the same nights with the same seeds, each on an empty store",
        "without_memory": without_memory(alone),
    }


def _copying(store: Path, copy: Path) -> Callable[[], None]:
    return lambda: copied(store, copy)


def _size(store: Path) -> int:
    with CandidateStore.open(store) as opened:
        return opened.count()
