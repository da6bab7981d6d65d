"""The processes of `night.py`: a schedule that fires nights, one of which is killed, and nights in the foreground."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ..core.errors import StageError
from ..store.runs import RunRow
from ..store.store import CandidateStore
from .night_figures import Killed

EVERY_SECONDS = 10
"""Between two firings; one that is due while a night is under way gives way, so the next night begins this much later at most."""
LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 1800.0
STOP_SECONDS = 120.0
PROGRAMME = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"  # a job in the background ignores it
    "from hysteron.cli.main import run; run()"
)
NOT_INHERITED = ("PREFECT_API_URL", "PREFECT_HOME", "HYSTERON_STORE")


class Commands:
    """Nights as the commands carry them out, with a home of their own; implements `night.Nights`.

    Args:
        folder: Holds `NAME.toml`, and takes all that is written.
        name: Of the RUN.toml, which is that of the schedule.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        inherited = {key: value for key, value in os.environ.items() if key not in NOT_INHERITED}
        self._environment = inherited | {"HYSTERON_HOME": str(folder / "home")}
        self._log = folder / "log"

    def on_schedule(self, store: Path, killed: int, after: list[Callable[[], None]]) -> Killed:
        """As `Nights` says.

        Raises:
            StageError: the schedule ends, a night does not finish in time, or ends before it can be killed.
        """
        found = Killed("", 0, 0)
        with self._schedule(store) as process:
            self._wait(process, store.exists)
            with CandidateStore.open(store) as opened:
                for i, call in enumerate(after):
                    if i == killed:
                        self._wait(process, lambda i=i: _relaxing(opened, i))
                        found = _kill(opened, opened.runs()[::-1][i].run_id)
                    self._wait(process, lambda i=i: _night(opened, i, "finished") is not None)
                    call()
                    _see_that_nothing_was_added(opened, i)
                return Killed(found.run_id, found.relaxed, _of_schedule(opened, self.name))

    def in_the_foreground(self, store: Path, seed: int) -> None:
        """As `Nights` says.

        Raises:
            StageError: it does not finish.
        """
        out = self.folder / f"out-{store.stem}-{seed}"
        arguments = ("--seed", str(seed), "--out", str(out), "--store", str(store))
        process = self._start("discover", f"{self.name}.toml", *arguments)
        if process.wait(timeout=PATIENCE_SECONDS):
            raise StageError(f"A night on {store.name} did not finish: {self._last_words()}")

    @contextmanager
    def _schedule(self, store: Path) -> Iterator[subprocess.Popen]:
        """A process that serves the schedule while the block lasts."""
        arguments = ("--every", str(EVERY_SECONDS), "--resume-crashed", "--store", str(store))
        process = self._start("schedule", f"{self.name}.toml", *arguments, "--out", str(self.folder / "runs"))
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, *arguments: str) -> subprocess.Popen:
        with self._log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", PROGRAMME, *arguments],
                cwd=self.folder,
                env=self._environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def _wait(self, process: subprocess.Popen, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if condition():
                return
            time.sleep(LOOK_SECONDS)
        raise StageError(f"The schedule ended, or stood still: {self._last_words()}")

    def _last_words(self) -> str:
        last = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-1:]
        return " ".join(last) or "it said nothing"


def _night(store: CandidateStore, index: int, status: str) -> RunRow | None:
    """The run of that number, if it has that status."""
    rows = store.runs()[::-1]
    return rows[index] if index < len(rows) and rows[index].status == status else None


def _relaxing(store: CandidateStore, index: int) -> bool:
    """Whether a night has relaxed its first chunk.

    Raises:
        StageError: it has ended already.
    """
    if _night(store, index, "finished"):
        raise StageError("The night that was to be killed ended before that.")
    row = _night(store, index, "running")
    return row is not None and bool(store.work_done(row.run_id, "relax"))


def _kill(store: CandidateStore, run_id: str) -> Killed:
    """Kill the process that carries a run out.

    Raises:
        StageError: nobody does.
    """
    lease = store.lease(run_id)
    if lease is None or not lease.holder:
        raise StageError("The night that was to be killed ended before that.")
    os.kill(lease.place["pid"], signal.SIGKILL)
    done = store.work_done(run_id, "relax")
    return Killed(run_id, sum(len(payload["ids"]) for payload in done.values()), 0)


def _see_that_nothing_was_added(store: CandidateStore, index: int) -> None:
    """See that no later night has proposed a crystal, so that what was just done saw the store without it.

    Raises:
        StageError: one has.
    """
    later = store.runs()[::-1][index + 1 :]
    if any(store.run_members(row.run_id, role="proposed") for row in later):
        raise StageError("The next night was faster than the look at the store; begin again.")


def _of_schedule(store: CandidateStore, name: str) -> int:
    """How many finished runs the schedule began."""
    begun = [store.work_done(row.run_id, "out")[0] for row in store.runs() if row.status == "finished"]
    return sum(work["schedule"] == name for work in begun)


def copied(source: Path, target: Path) -> None:
    """Copy a SQLite file as it stands, with what is still in its log."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
