"""A run as its steps see it: its row, its settings, its clock, all kept by the store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..core.errors import StoreError
from .lease import Hold, held, this_place

if TYPE_CHECKING:
    from ..store.store import CandidateStore
    from .run_settings import RunSettings

GATE = "stability"
"""What decomposes is not worth the costlier screens."""
_started: dict[str, float] = {}
"""When each run of this process began, s on the monotonic clock; what a resumed run spent before is counted."""


@dataclass(frozen=True)
class Run:
    """What a task is told: everything else is in the store.

    Attributes:
        run_id: Its name.
        store_url: Where it is kept; without a password.
        out_dir: Where its results go.
        began: When its wall time began, s since 1970, for a process that did not begin it (see `told_when`).
    """

    run_id: str
    store_url: str
    out_dir: str
    began: float | None = field(default=None, compare=False)

    @property
    def store(self) -> CandidateStore:
        return open_store(self.store_url)

    @property
    def settings(self) -> RunSettings:
        return _settings(self.store_url, self.run_id)

    def done(self, stage: str) -> dict[int, Any]:
        """Payloads of the chunks of a stage that are finished."""
        return self.store.work_done(self.run_id, stage)

    def payload(self, stage: str, chunk: int) -> Any:
        """That of one chunk of a stage, which is finished."""
        return self.store.work_done(self.run_id, stage, chunk)[chunk]


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
def recorded(run: Run, **place: Any) -> Iterator[Hold]:
    """The run is in this process's hands, and its row says running, then finished, failed or interrupted.

    A process that dies says nothing; then the lease that it held tells others (`reaper.py`).

    Args:
        run: To be carried out in the block.
        place: What else the lease says of this process.

    Raises:
        StageError: another process carries the run out.
    """
    with held(run.store, run.run_id, this_place(**place)) as hold:
        run.store.set_status(run.run_id, "running")
        _started[run.run_id] = time.monotonic() - sum(p["seconds"] for p in run.done("relax").values())
        try:
            yield hold
        except Exception:
            _ended_by_error(hold, "failed")
            raise
        except BaseException:
            _ended_by_error(hold, "interrupted")
            raise
        hold.end("finished", run.done("export")[0])


def _ended_by_error(hold: Hold, status: str) -> None:
    with suppress(StoreError):  # if the store is what broke, the lease expires
        hold.end(status)


def elapsed_seconds(run: Run) -> float:
    """Wall time of the run in this process, and of the relaxations of earlier ones, s."""
    if run.run_id in _started or run.began is None:
        return time.monotonic() - _started[run.run_id]
    return time.time() - run.began


def told_when(run: Run) -> Run:
    """The run as another process is told of it: with the time at which it began."""
    return replace(run, began=time.time() - elapsed_seconds(run))


def forget_runs() -> None:
    """Drop what this process remembers of stores and runs."""
    for remembered in (open_store, _settings):
        remembered.cache_clear()
    _started.clear()
