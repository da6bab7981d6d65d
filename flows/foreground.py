"""Carrying a run out in this process: a Prefect server of its own, unless one is named.

Two runs must not share one server's SQLite file, so each gets a private `PREFECT_HOME`; what a killed run left of
its server is ended by the next. No run depends on a server's life: one that does not start, or vanishes, is done
without.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core.errors import HysteronError, StageError
from ..core.settings import environment, home
from . import fresh_database
from .order import carry_out
from .progress import listener
from .run import Run
from .server import Server, check_server_address, healthy
from .steps import forget_crystals

RETRIES = 3
"""Of a request to a private server, after 2, 4 and 8 s: it is on this machine, and once gone it does not come back."""
QUIET = {"PREFECT_LOGGING_LEVEL": "ERROR", "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL"}
"""The private server complains of its own shutdown, which is no error of the run."""
PRIVATE = "run-"
"""Beginning of the name of a run's private Prefect home; the run and the process follow."""


def execute(run: Run) -> dict[str, Any]:
    """Carry a run out in this process, on Prefect. Returns the summary of its results.

    Raises:
        HysteronError: the run failed.
        SettingsError: `PREFECT_API_URL` names a server that anybody could speak to.
    """
    if named := os.environ.get("PREFECT_API_URL"):
        check_server_address(named)
        _on_prefect(run, named.rstrip("/"))
    else:
        with _private_server(run) as server:
            if _answers(server):
                with _settings_for(server):
                    _on_prefect(run, server.url)
            else:
                carry_out(run)
    return run.done("export")[0]


def _on_prefect(run: Run, url: str) -> None:
    """As a flow run, and plainly if the server was not there to begin it or vanished before it could end it."""
    from .discovery import start

    try:
        start(run)
    except Exception as error:
        if isinstance(error, HysteronError):
            raise
        if run.store.get_run(run.run_id).status == "finished":
            return  # what went wrong is that Prefect could not be told so
        if healthy(url):
            raise
        listener().say("Prefect's server does not answer; the run is carried out without it.")
        forget_crystals()
        carry_out(run)


@contextmanager
def _private_server(run: Run) -> Iterator[Server]:
    """A server that is starting, with a home that goes with it."""
    end_orphans()
    folder = home() / "prefect" / f"{PRIVATE}{run.run_id}-{os.getpid()}"
    wanted = {} if os.environ.get("HYSTERON_DEBUG") else QUIET
    quiet = {name: value for name, value in wanted.items() if name not in os.environ}
    # A database that is named for the server of schedules is not this one's.
    own = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{folder / fresh_database.NAME}"}
    with environment(PREFECT_HOME=str(folder), **own, **quiet):
        fresh_database.lay_in(folder)
        server = Server(folder, ui=False)
        try:
            yield server
        finally:
            server.kill()
            shutil.rmtree(folder, ignore_errors=True)


def _answers(server: Server) -> bool:
    """Whether the server has started."""
    try:
        server.wait()
    except StageError as error:
        fresh_database.drop()
        listener().say(f"{error} The run is carried out without it.")
        return False
    fresh_database.keep(server.folder)
    return True


@contextmanager
def _settings_for(server: Server) -> Iterator[None]:
    """Prefect in this process, and in those it starts, speaks to this server while the block lasts."""
    with environment(PREFECT_API_URL=server.url):
        from prefect.settings import (
            PREFECT_API_URL,
            PREFECT_CLIENT_MAX_RETRIES,
            PREFECT_HOME,
            temporary_settings,
        )

        from .tether import deliver, send_again

        own: Any = {
            PREFECT_API_URL: server.url,
            PREFECT_HOME: server.folder,
            PREFECT_CLIENT_MAX_RETRIES: RETRIES,
        }
        with temporary_settings(own):
            send_again()
            try:
                yield
            finally:
                deliver()


def end_orphans() -> list[Path]:
    """End the private servers of runs that were killed, and remove their homes. Returns what was removed.

    Prefect starts its server as a process of its own, which a `kill -9` of the run leaves behind.
    """
    dead = []
    for folder in (home() / "prefect").glob(f"{PRIVATE}*"):
        owner = folder.name.rpartition("-")[2]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists() and Path("/proc/self").exists():
            dead.append(folder)
    homes = {f"PREFECT_HOME={folder}".encode() for folder in dead}
    for process in Path("/proc").glob("[0-9]*") if homes else ():
        try:
            if homes & set((process / "environ").read_bytes().split(b"\0")):
                os.kill(int(process.name), signal.SIGTERM)
        except OSError:
            continue  # somebody else's process, or one that has just ended
    for folder in dead:
        shutil.rmtree(folder, ignore_errors=True)
    return dead
