"""The processes that `faults.py` kills: runs, and a Prefect server with its workers.

A run is forked from a process that has everything loaded, so that it begins at once. This module is loaded there.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import HysteronError, StageError
from ..flows import discovery, launch, steps
from ..flows.foreground import execute
from ..flows.server import Server
from ..store.store import CandidateStore

if TYPE_CHECKING:
    from ..store.runs import RunRow
    from .toy_world import World

POOL = "faults"
ENTRYPOINT = f"{discovery.__name__}.{discovery.discover.fn.__name__}"
JSON = {"Content-Type": "application/json"}
ANSWER_SECONDS, PAUSE_SECONDS = 60.0, 1.0
ATTEMPTS, BUSY = 20, 503
CLIENT_RETRIES = "2"
"""Of Prefect's client, so that a run whose server is gone ends within seconds."""


# Runs


def begin(world: World, url: str, out: str, settings: dict[str, Any]) -> BaseProcess:
    """A process that carries out a new run."""
    return _started(_begin, world, url, out, settings)


def resume(world: World, url: str) -> BaseProcess:
    """A process that goes on with the newest run of a store."""
    return _started(_resume, world, url)


def join(child: BaseProcess, patience_seconds: float) -> None:
    """Until a process has ended.

    Raises:
        StageError: it does not.
    """
    child.join(patience_seconds)
    if child.is_alive():
        child.kill()
        raise StageError(f"A run did not end within {patience_seconds:.0f} s.")


def is_under_way(url: str) -> bool:
    """Whether a run of the store has begun."""
    if "://" not in url and not Path(url).exists():
        return False
    try:
        with CandidateStore.open(url) as store:
            rows = store.runs(limit=1)
            return bool(rows) and rows[0].started is not None
    except HysteronError:
        return False


def kill_holder(url: str) -> None:
    """Kill the process that carries out the store's newest run."""
    with CandidateStore.open(url) as store:
        for lease in store.leases():
            with suppress(ProcessLookupError):
                os.kill(lease.place["pid"], signal.SIGKILL)


def seconds_of(row: RunRow) -> float:
    """Wall time of a run that has ended."""
    assert row.started
    assert row.finished
    return (datetime.fromisoformat(row.finished) - datetime.fromisoformat(row.started)).total_seconds()


def _started(target: Any, *arguments: Any) -> BaseProcess:
    child = multiprocessing.get_context("forkserver").Process(target=target, args=arguments, daemon=True)
    child.start()
    return child


def _begin(world: World, url: str, out: str, settings: dict[str, Any]) -> None:
    with _quiet(), world.inside():
        execute(launch.new_run(settings, url, out))


def _resume(world: World, url: str) -> None:
    with _quiet(), world.inside():
        execute(launch.resume("last", url))


@contextmanager
def _quiet() -> Iterator[None]:
    """What a run says of faults that were meant is not shown."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(null, stream)
    steps.forget()
    yield


# Prefect, spoken to as its other clients do: its command, and its API


class Servers:
    """A Prefect server and a worker of a pool of type process.

    Args:
        folder: Where the server keeps its database.
    """

    def __init__(self, folder: Path) -> None:
        self._server = Server(folder / "prefect", ui=False)
        self._worker: subprocess.Popen | None = None
        self._deployment: str | None = None
        self.url = self._server.url

    def start(self) -> None:
        """Start it, or start it again where it was killed."""
        self._server.revive()
        self._server.wait()

    def kill(self) -> None:
        self._server.kill()

    def submit(self, url: str, out: str, settings: dict[str, Any] | None) -> None:
        """Ask the pool for a run; without settings, for one that resumes what died."""
        if self._deployment is None:
            self._deployment = self._new_deployment()
        parameters = {"settings": settings, "store_url": url, "out_root": out, "schedule": ""}
        parameters["resume_crashed"] = settings is None
        asked = {"parameters": parameters, "state": {"type": "SCHEDULED"}, "enforce_parameter_schema": False}
        self._post(f"deployments/{self._deployment}/create_flow_run", asked)

    def need_worker(self) -> None:
        """Start a worker, unless one lives."""
        if self._worker is None or self._worker.poll() is not None:
            command = [
                sys.executable,
                "-m",
                "prefect",
                "worker",
                "start",
                "--pool",
                POOL,
                "--type",
                "process",
            ]
            command += ["--prefetch-seconds", "1"]
            null = subprocess.DEVNULL
            self._worker = subprocess.Popen(command, stdout=null, stderr=null)  # noqa: S603

    def kill_worker(self) -> None:
        assert self._worker is not None
        self._worker.kill()
        self._worker.wait()

    def end(self) -> None:
        if self._worker is not None:
            self.kill_worker()
        self._server.kill()

    def _new_deployment(self) -> str:
        """The schedule's flow in a pool, without a schedule and without a limit."""
        self._post("work_pools/", {"name": POOL, "type": "process"})
        flow = self._post("flows/", {"name": discovery.discover.name})["id"]
        asked = {"name": POOL, "flow_id": flow, "work_pool_name": POOL, "entrypoint": ENTRYPOINT}
        return self._post("deployments/", asked | {"enforce_parameter_schema": False})["id"]

    def _post(self, path: str, asked: dict[str, Any]) -> Any:
        request = urllib.request.Request(f"{self.url}/{path}", json.dumps(asked).encode(), JSON)  # noqa: S310
        for attempt in range(ATTEMPTS):
            try:
                with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                # Its database was busy; nothing was written.
                if error.code != BUSY or attempt + 1 == ATTEMPTS:
                    raise
                time.sleep(PAUSE_SECONDS)
        raise AssertionError("the last attempt returns or raises")


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """A Prefect server that the processes which are started in the block speak to."""
    started = Servers(folder)
    names = {"PREFECT_API_URL": started.url, "PREFECT_CLIENT_MAX_RETRIES": CLIENT_RETRIES}
    names |= {"PREFECT_HOME": str(folder / "prefect"), "PREFECT_LOGGING_LEVEL": "CRITICAL"}
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        started.start()
        yield started
    finally:
        started.end()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
