"""Carrying a run out in this process: a Prefect server of its own, unless one is named.

Two runs must not share one server's SQLite file, so each gets a private `PREFECT_HOME`; what a killed run
left of its server is ended by the next.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core.errors import SettingsError
from ..core.settings import home
from .run import Run

PRIVATE = "run-"
"""Beginning of the name of a run's private Prefect home; the run and the process follow."""


def execute(run: Run) -> dict[str, Any]:
    """Carry a run out in this process, on Prefect. Returns the summary of its results."""
    with _prefect(run.run_id):
        from .discovery import discover_run

        discover_run(run.run_id, run.store_url, run.out_dir)
    return run.done("export")[0]


@contextmanager
def _prefect(run_id: str) -> Iterator[None]:
    """A private Prefect home, unless `PREFECT_API_URL` names a server: two runs must not share one."""
    if os.environ.get("PREFECT_API_URL"):
        check_server_address(os.environ["PREFECT_API_URL"])
        yield
        return
    end_orphans()
    folder = home() / "prefect" / f"{PRIVATE}{run_id}-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["PREFECT_HOME"] = str(folder)
    if not os.environ.get("HYSTERON_DEBUG"):
        os.environ.setdefault("PREFECT_LOGGING_LEVEL", "ERROR")
        # The private server complains of its own shutdown, which is no error of the run.
        os.environ.setdefault("PREFECT_SERVER_LOGGING_LEVEL", "CRITICAL")
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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


def check_server_address(url: str) -> None:
    """Refuse a Prefect server elsewhere than on this machine unless it asks for authentication.

    Raises:
        SettingsError: another address than loopback, and neither an API key nor an auth string is set.
    """
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname or ""
    local = host in ("localhost", "::1") or host.startswith("127.")
    if local or os.environ.get("PREFECT_API_KEY") or os.environ.get("PREFECT_API_AUTH_STRING"):
        return
    raise SettingsError(
        f"PREFECT_API_URL names {host}, which is not this machine, and there is no authentication. "
        "Set PREFECT_API_AUTH_STRING or PREFECT_API_KEY."
    )
