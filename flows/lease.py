"""Is the process that carries out a run alive?

It holds a lease in the store, which a thread of it renews. Whoever asks on the same machine looks the process up;
from elsewhere, or after a restart of the machine, the lease is watched for a while by the watcher's own clock: one
that is not renewed has no holder any more. So a run that lives on another machine is never taken for dead.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import StageError, StoreError
from .progress import listener

if TYPE_CHECKING:
    from ..store.leases import Lease
    from ..store.store import CandidateStore

RENEW_SECONDS = 10.0
PATIENCE_SECONDS = 60.0
"""A lease that was not renewed while it was watched for so long has no holder: six renewals are missing."""
LOOK_SECONDS = 5.0
PROC = Path("/proc")
_holding: set[str] = set()
"""Holders of this process that are at work; one that is not has left its lease behind when the store could not be reached."""


class Hold:
    """A run in this process's hands.

    Attributes:
        run_id: The run.
        holder: This process's own word in the lease.
    """

    def __init__(self, store: CandidateStore, run_id: str) -> None:
        self.run_id, self.holder = run_id, secrets.token_hex(8)
        self._store = store
        self._over = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"lease of {run_id}", daemon=True)

    def take(self, place: dict[str, Any]) -> None:
        """Take the run, wherever it is, unless somebody alive carries it out.

        Raises:
            StageError: another process carries it out.
        """
        seen = self._store.lease(self.run_id)
        if seen is not None and seen.holder and not dead(self._store, [seen]):
            raise StageError(_taken(seen))
        if not self._store.take_lease(self.run_id, self.holder, place, seen):
            raise StageError(f"Run {self.run_id} has just been taken up by another process.")
        _holding.add(self.holder)
        self._thread.start()

    def check(self) -> None:
        """See that the run is still ours.

        Raises:
            StageError: this process stood still for so long that another one went on with the run.
        """
        if self._lost.is_set():
            raise StageError(f"Run {self.run_id} is carried out by another process now; this one stops.")

    def end(self, status: str, summary: dict[str, Any] | None = None) -> None:
        """Give the run out of our hands and say how it ended; nothing of it if it is not ours any more."""
        self.let_go()
        self._thread.join()
        if not self._store.end_lease(self.run_id, self.holder, status, summary):
            self._lost.set()

    def let_go(self) -> None:
        """Renew no more."""
        self._over.set()
        _holding.discard(self.holder)

    def _renew(self) -> None:
        while not self._over.wait(RENEW_SECONDS):
            try:
                if not self._store.renew_lease(self.run_id, self.holder):
                    self._lost.set()
                    return
            except StoreError:
                continue  # the run itself will say what is wrong with the store


@contextmanager
def held(store: CandidateStore, run_id: str, place: dict[str, Any]) -> Iterator[Hold]:
    """Hold a run while the block lasts; the block ends it (`Hold.end`), or else the lease expires."""
    hold = Hold(store, run_id)
    hold.take(place)
    try:
        yield hold
    finally:
        hold.let_go()


def this_place(**more: Any) -> dict[str, Any]:
    """Where this process runs, as a lease tells it."""
    pid = os.getpid()
    own = {"host": socket.gethostname(), "pid": pid, "began": _began(pid)}
    return own | {"boot": _boot(), "namespace": _namespace()} | more


def dead(store: CandidateStore, seen: Sequence[Lease], patience_seconds: float | None = None) -> list[Lease]:
    """Those leases whose holder lives no more, as they are now.

    Args:
        store: That holds them.
        seen: Held leases.
        patience_seconds: How long those of other places are watched, all of them together.
    """
    verdicts = [_lives_here(lease) for lease in seen]
    gone = [lease for lease, lives in zip(seen, verdicts, strict=True) if lives is False]
    elsewhere = [lease for lease, lives in zip(seen, verdicts, strict=True) if lives is None]
    if elsewhere:
        hosts = ", ".join(sorted({str(lease.place.get("host", "?")) for lease in elsewhere}))
        patience = PATIENCE_SECONDS if patience_seconds is None else patience_seconds
        listener().say(
            f"Watching for up to {patience:.0f} s whether {_names(elsewhere)} is still carried out on {hosts}."
        )
        gone += _silent(store, elsewhere, patience)
    return gone


def _silent(store: CandidateStore, watched: Sequence[Lease], patience_seconds: float) -> list[Lease]:
    """Leases that do not change while they are watched."""
    left, until = list(watched), time.monotonic() + patience_seconds
    while left and time.monotonic() < until:
        time.sleep(min(LOOK_SECONDS, max(until - time.monotonic(), 0.0)))
        left = [lease for lease in left if store.lease(lease.run_id) == lease]
    return left


def _lives_here(lease: Lease) -> bool | None:
    """Whether a process of this machine lives; `None` if it is one of another machine, or of before a restart."""
    place = lease.place
    if not place.get("boot") or (place["boot"], place.get("namespace")) != (_boot(), _namespace()):
        return None
    if place["pid"] == os.getpid() and lease.holder not in _holding:
        return False
    return place["began"] is not None and _began(place["pid"]) == place["began"]


def _boot() -> str | None:
    """Names this start of the machine; `None` where there is no such name."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None


def _namespace() -> str | None:
    """Containers on one machine count processes each for themselves."""
    try:
        return os.readlink(PROC / "self/ns/pid")
    except OSError:
        return None


def _began(pid: int) -> str | None:
    """When a living process was started, in ticks since the machine was; a number that its successor does not have."""
    try:
        # The second field, the command in brackets, may hold spaces and brackets of its own.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    state, began = fields[0], fields[19]
    return None if state in "ZX" else began


def _taken(lease: Lease) -> str:
    return (
        f"Run {lease.run_id} is being carried out by process {lease.place.get('pid')} on {lease.place.get('host')}. "
        "Wait for it, or end that process; then the run can be resumed."
    )


def _names(leases: Sequence[Lease]) -> str:
    return f"run {leases[0].run_id}" if len(leases) == 1 else f"each of {len(leases)} runs"
