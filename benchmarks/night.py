"""Three nights on one store, the second of them killed: is any work paid for twice, and does the store grow?

Each night is `hysteron discover` in a process of its own, with the next seed and a fixed number of relaxations. The second one
is killed (SIGKILL) after its first chunk of relaxations and resumed; on a copy of the store as it was before, the same night
is carried out undisturbed, and both stores must hold the same. A pair is a crystal and a way to relax it (potential,
weights, relaxer); counted is how many pairs were relaxed more than once.

The baseline has no memory: the same nights with the same seeds, each on an empty store. What more than one of them relaxes or
screens is what memory saves at least; what it gains besides is that left-over proposals are not lost, and that the shortlist
is the best of all nights. Whether weighting regions of chemistry by their yield finds more is simulated (`night_regions`).
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from ..core.errors import StageError
from ..store.store import CandidateStore
from . import night_regions
from .night_figures import differences, night_rows, paid_twice, without_memory

NIGHTS = 3
KILLED = 1
"""Index of the night that is killed."""
PATIENCE_SECONDS = 3600.0
WORLDS, QUICK_WORLDS = 400, 40
PROGRAMME = "from hysteron.cli.main import run; run()"


@dataclass(frozen=True)
class Plan:
    """How large a night is.

    Attributes:
        relaxations: Crystals that are relaxed.
        known: Known materials that are screened beside.
        chunk: Crystals a task.
        filter: Which known materials to start from.
    """

    relaxations: int = 24
    known: int = 24
    chunk: int = 6
    filter: str = "nsites <= 12"

    @property
    def toml(self) -> str:
        """As a RUN.toml."""
        return (
            f"[run]\nrelaxations = {self.relaxations}\nknown = {self.known}\n"
            f"[[source]]\nname = 'catalog'\nfilter = '{self.filter}'\n"
            f"[flow]\nchunk = {self.chunk}\nrefine = 0\n[export]\nformats = []\n"
        )


QUICK = Plan(relaxations=4, known=4, chunk=2, filter='elements HAS "O" AND nsites <= 5')


class Nights(Protocol):
    """Who carries nights out."""

    def carry_out(self, store: Path, seed: int) -> None:
        """One whole night on a store."""
        ...

    def kill_and_resume(self, store: Path, seed: int) -> None:
        """One night that is killed after its first chunk of relaxations, and resumed."""
        ...


def run(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Measure it.

    Args:
        seed: Of the first night.
        quick: Nights of four relaxations.

    Raises:
        StageError: a night does not finish.
    """
    plan = QUICK if quick else Plan()
    with tempfile.TemporaryDirectory(prefix="hysteron-night-") as name:
        folder = Path(name)
        (folder / "night.toml").write_text(plan.toml, encoding="utf-8")
        found = measured(Discover(folder), folder, seed)
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
    """The nights with memory, the killed one beside an undisturbed one, and the nights without."""
    store, before, undisturbed = (folder / f"{name}.db" for name in ("store", "before", "undisturbed"))
    sizes = []
    for i in range(NIGHTS):
        if i == KILLED:
            _copy(store, before)
        (nights.kill_and_resume if i == KILLED else nights.carry_out)(store, seed + i)
        with CandidateStore.open(store) as opened:
            sizes.append(opened.count())
        if i == KILLED:
            _copy(store, folder / "resumed.db")
    shutil.copyfile(before, undisturbed)
    nights.carry_out(undisturbed, seed + KILLED)
    alone = []
    for i in range(NIGHTS):
        alone.append(before if i == 0 else folder / f"alone-{i}.db")
        if i:
            nights.carry_out(alone[-1], seed + i)
    found = differences(folder / "resumed.db", undisturbed)
    twice = paid_twice(store)
    return {
        "nights": night_rows(store, sizes),
        "pairs_relaxed": twice["pairs"],
        "pairs_relaxed_twice": twice["twice"],
        "store_grows": all(a < b for a, b in pairwise(sizes)),
        "killed_night": KILLED + 1,
        "killed_and_resumed_equals_undisturbed": not found,
        "differences": found[:10],
        "baseline": "the same nights with the same seeds, each on an empty store",
        "without_memory": without_memory(alone),
    }


class Discover:
    """Nights as `hysteron discover` carries them out, in processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def carry_out(self, store: Path, seed: int) -> None:
        """As `Nights` says."""
        self._finish(self._begin(store, seed), store)

    def kill_and_resume(self, store: Path, seed: int) -> None:
        """As `Nights` says."""
        process = self._begin(store, seed)
        _wait_for_relaxations(store, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self._finish(self._start(store, "--resume", "last"), store)

    def _begin(self, store: Path, seed: int) -> subprocess.Popen:
        out = self.folder / f"out-{store.stem}-{seed}"
        return self._start(store, "night.toml", "--seed", str(seed), "--out", str(out))

    def _start(self, store: Path, *arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-c", PROGRAMME, "discover", *arguments, "--store", str(store)]
        with (self.folder / "log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603
                command, cwd=self.folder, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=log
            )

    def _finish(self, process: subprocess.Popen, store: Path) -> None:
        if process.wait(timeout=PATIENCE_SECONDS):
            last = (self.folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()[-1:]
            raise StageError(f"A night on {store.name} did not finish: {' '.join(last) or 'it said nothing'}")


def _wait_for_relaxations(store: Path, process: subprocess.Popen) -> None:
    """Until the newest run of the store has relaxed its first chunk.

    Raises:
        StageError: the night ends before that, or takes too long.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    with CandidateStore.open(store) as opened:
        runs = len(opened.runs())
        while time.monotonic() < deadline and process.poll() is None:
            if len(opened.runs()) > runs and opened.work_done(opened.get_run().run_id, "relax"):
                return
            time.sleep(0.1)
    raise StageError("The night that was to be killed ended, or stood still, before its first relaxations.")


def _copy(source: Path, target: Path) -> None:
    """A SQLite file as it stands, with what is still in its log."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
