"""A run as its steps see it: its row, its settings, its clock, all kept by the store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..store.store import CandidateStore
    from .run_settings import RunSettings

GATE = "stability"
"""What decomposes is not worth the costlier screens."""
_started: dict[str, float] = {}
"""When each run of this process began, s on the monotonic clock; what a resumed run spent before is counted."""


@dataclass(frozen=True)
class Run:
    """What a task is told: everything else is in the store."""

    run_id: str
    store_url: str
    out_dir: str

    @property
    def store(self) -> CandidateStore:
        return open_store(self.store_url)

    @property
    def settings(self) -> RunSettings:
        return _settings(self.store_url, self.run_id)

    def done(self, stage: str) -> dict[int, Any]:
        """Payloads of the chunks of a stage that are finished."""
        return self.store.work_done(self.run_id, stage)


@lru_cache(maxsize=4)
def open_store(url: str) -> CandidateStore:
    """The store at an address, opened once per process."""
    from ..store.store import CandidateStore

    return CandidateStore.open(url)


@lru_cache(maxsize=8)
def _settings(url: str, run_id: str) -> RunSettings:
    from .run_settings import from_stored

    return from_stored(open_store(url).get_run(run_id).config)


@contextmanager
def recorded(run: Run) -> Iterator[None]:
    """The run's row says running, then finished, failed or interrupted."""
    store = run.store
    store.set_status(run.run_id, "running")
    _started[run.run_id] = time.monotonic() - sum(p["seconds"] for p in run.done("relax").values())
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        store.set_status(run.run_id, "interrupted")
        raise
    except BaseException:
        store.set_status(run.run_id, "failed")
        raise
    store.finish_run(run.run_id, "finished", run.done("export")[0])


def elapsed_seconds(run: Run) -> float:
    """Wall time of the run in this process, and of the relaxations of earlier ones, s."""
    return time.monotonic() - _started[run.run_id]


def forget_runs() -> None:
    """Drop what this process remembers of stores and runs."""
    for remembered in (open_store, _settings):
        remembered.cache_clear()
    _started.clear()
