"""Where is the Prefect server? One that is named, one of this machine, or one for a single run.

A server of ours listens on 127.0.0.1. That of the schedules is shared (`shared_server.py`): its address stands in
`HYSTERON_HOME/prefect/server.json`. That of a run in the foreground is its own, with a home of its own, since two
runs must not share one server's SQLite file.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from ..core.errors import SettingsError, StageError
from ..core.settings import home

LOOPBACK = "127.0.0.1"
START_TIMEOUT_SECONDS = 180.0
HEALTH_TIMEOUT_SECONDS = 5.0
STOP_TIMEOUT_SECONDS = 30.0
OURS = {
    # Slots of runs that died with the machine are free again after the next start, not taken for ever.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
}


class Server:
    """A Prefect server that this process starts, and ends.

    Args:
        folder: Its home: database, log.
        port: On 127.0.0.1; a free one by default.
        ui: Whether it shows pages.
    """

    def __init__(self, folder: Path, port: int | None = None, ui: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = port or _free_port()
        self.url = f"http://{LOOPBACK}:{self.port}/api"
        self.log = folder / "server.log"
        self._ui = ui
        self._started = time.monotonic()
        self.process = self._start()

    def _start(self) -> subprocess.Popen:
        self._started = time.monotonic()
        environment = os.environ | OURS | {"PREFECT_HOME": str(self.folder), "PREFECT_API_URL": self.url}
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", LOOPBACK]
        command += ["--port", str(self.port), "--ui" if self._ui else "--no-ui"]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603

    def wait(self) -> None:
        """Until it answers.

        Raises:
            StageError: it ended, or does not answer in time.
        """
        while not healthy(self.url):
            if self.process.poll() is not None or time.monotonic() > self._started + START_TIMEOUT_SECONDS:
                self.kill()
                raise StageError(f"Prefect's server did not start; its log is {self.log}.")
            time.sleep(0.2)

    def revive(self) -> bool:
        """Start it again if it has died. Returns whether it had."""
        if self.process.poll() is None:
            return False
        self.process = self._start()
        return True

    def kill(self) -> None:
        """End it at once; nobody needs its database any more."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(timeout=STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def known_server() -> str | None:
    """The API address of a server that need not be started: `PREFECT_API_URL`, or the one another `schedule` started.

    Raises:
        SettingsError: the named one is not on this machine and asks for no authentication.
    """
    if (named := named_server()) is not None:
        return named
    recorded = recorded_url()
    return recorded if recorded and healthy(recorded) else None


def named_server() -> str | None:
    """What `PREFECT_API_URL` says.

    Raises:
        SettingsError: it is not on this machine and asks for no authentication.
    """
    named = os.environ.get("PREFECT_API_URL") or None
    if named is not None:
        check_server_address(named)
    return named


def is_own(url: str) -> bool:
    """Whether this is the server of this machine's schedules, which nobody else uses."""
    return url == recorded_url()


def check_server_address(url: str) -> None:
    """Refuse a Prefect server elsewhere than on this machine unless it asks for authentication.

    Raises:
        SettingsError: another address than loopback, and neither an API key nor an auth string is set.
    """
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname or ""
    if _is_loopback(host) or os.environ.get("PREFECT_API_KEY") or os.environ.get("PREFECT_API_AUTH_STRING"):
        return
    raise SettingsError(
        f"PREFECT_API_URL names {host}, which is not this machine, and there is no authentication. "
        "Set PREFECT_API_AUTH_STRING or PREFECT_API_KEY."
    )


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False  # a name, such as 127.example.org


def healthy(url: str) -> bool:
    """Whether a Prefect API answers at this address."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=HEALTH_TIMEOUT_SECONDS) as answer:  # noqa: S310
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def record_path() -> Path:
    """Where the address of this machine's server stands."""
    return home() / "prefect" / "server.json"


def recorded_url() -> str | None:
    """The address that stands there, whether anybody answers or not."""
    url = _record().get("url")
    return url if isinstance(url, str) and url.startswith(f"http://{LOOPBACK}:") else None


def recorded_pid() -> int | None:
    """The process that stands there, whether it lives or not."""
    pid = _record().get("pid")
    return pid if isinstance(pid, int) else None


def lives_in(pid: int, folder: Path) -> bool:
    """Whether a process lives whose Prefect home is this folder, as a server of ours has it."""
    try:
        return f"PREFECT_HOME={folder}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _record() -> dict[str, Any]:
    try:
        record = json.loads(record_path().read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]
