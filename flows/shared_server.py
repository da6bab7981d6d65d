"""Who runs the Prefect server that the schedules of this machine share?

One of them: whoever holds `HYSTERON_HOME/prefect/server.lock` starts it, starts it again if it dies, and ends it. The others
attach to it, and watch for the lock: when its holder ends or is killed, one of them goes on with a server at the same
address and with the same database, so that no schedule hangs on the life of another one.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from ..core.errors import StageError
from .progress import listener
from .server import (
    START_TIMEOUT_SECONDS,
    STOP_TIMEOUT_SECONDS,
    Server,
    healthy,
    lives_in,
    named_server,
    record_path,
    recorded_pid,
    recorded_url,
)

WATCH_SECONDS = 5.0
"""A server that died, or was left alone, is started again after so long at most."""
LOOK_SECONDS = 0.5


@contextmanager
def server_of_schedules() -> Iterator[str]:
    """The address of the API that schedules use: what `PREFECT_API_URL` names, or the shared server of this machine.

    Raises:
        StageError: it does not start.
        SettingsError: the named one is not on this machine and asks for no authentication.
    """
    if (named := named_server()) is not None:
        yield named
        return
    share = _Share(record_path().parent)
    url = share.attach()
    watch = threading.Thread(target=share.watch, name="watch of the shared server", daemon=True)
    watch.start()
    try:
        yield url
    finally:
        share.over.set()
        watch.join()
        share.leave()


class _Share:
    """This process's part in the shared server.

    Args:
        folder: The server's home; the lock lies in it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.over = threading.Event()
        self._folder = folder
        self._lock: IO[str] | None = None
        self._server: Server | None = None
        self._url: str | None = None

    def attach(self) -> str:
        """The address of the server, once it answers."""
        until = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            if self._is_ours():
                return self._run_it()
            if (url := recorded_url()) and healthy(url):
                self._url = url
                return url
            if time.monotonic() > until:
                raise StageError(
                    "The schedule that starts Prefect's server on this machine does not get it to answer."
                )
            time.sleep(LOOK_SECONDS)

    def watch(self) -> None:
        """Until it is over, see that somebody runs the server."""
        while not self.over.wait(WATCH_SECONDS):
            try:
                self._look()
            except StageError as error:
                listener().say(f"{error} It is tried again.")

    def leave(self) -> None:
        """End the server, if it is ours; others that are attached start it again."""
        if self._server is not None:
            self._server.stop()
            record_path().unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()

    def _look(self) -> None:
        if self._server is not None:
            if self._server.revive():
                self._record(self._server)
                listener().say("Prefect's server has died; it is started again.")
        elif self._is_ours():
            listener().say("The schedule that ran Prefect's server has ended; this one goes on with it.")
            self._run_it()

    def _is_ours(self) -> bool:
        """Whether this process holds the lock; taken if nobody does. It is given back by whoever dies."""
        if self._lock is not None:
            return True
        lock = (self._folder / "server.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return False
        self._lock = lock
        return True

    def _run_it(self) -> str:
        """Start it, at the last one's port since others may look there, or at a free one if somebody has taken that."""
        _end_what_was_left(self._folder)
        last = self._url or recorded_url()
        ports = [urlsplit(last).port, None] if last else [None]
        for port in ports:
            server = Server(self._folder, port)
            self._record(server)
            try:
                server.wait()
            except StageError:
                if port is None:
                    raise
                continue
            self._server = server
            break
        assert self._server is not None
        return self._server.url

    def _record(self, server: Server) -> None:
        record_path().write_text(json.dumps({"url": server.url, "pid": server.process.pid}))


def _end_what_was_left(folder: Path) -> None:
    """End the server of a schedule that was killed: two must not share one database."""
    pid = recorded_pid()
    if pid is None or not lives_in(pid, folder):
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + STOP_TIMEOUT_SECONDS
    while lives_in(pid, folder) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
