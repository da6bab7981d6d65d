"""Runs that fire by themselves: one Prefect server on this machine, and a process that serves a schedule.

The server listens on 127.0.0.1; its address stands in `HYSTERON_HOME/prefect/server.json`, and a second
`schedule` attaches to it.
"""

from __future__ import annotations

import asyncio
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
from .foreground import check_server_address
from .progress import listener

LOOPBACK = "127.0.0.1"
START_TIMEOUT_SECONDS = 120.0


def serve(
    name: str,
    settings: dict[str, Any],
    store_url: str,
    out_root: Path,
    cron: str | None = None,
    every_seconds: float | None = None,
) -> None:
    """Serve a schedule until interrupted.

    Args:
        name: Of the deployment; one of the same name is replaced.
        settings: A resolved RUN.toml as JSON.
        store_url: Where candidates live.
        out_root: Each run writes to a folder of its own inside.
        cron: Five fields, in the machine's time zone.
        every_seconds: Or an interval, s.

    Raises:
        SettingsError: not exactly one of `cron` and `every_seconds`, or a cron line that cannot be read.
        StageError: the server does not start.
    """
    if (cron is None) == (every_seconds is None):
        raise SettingsError("Give either --cron or --every.")
    url, started = attach_server()
    os.environ["PREFECT_API_URL"] = url
    try:
        _serve(name, settings, store_url, out_root, cron, every_seconds)
    finally:
        if started is not None:
            started.terminate()
            started.wait(timeout=30)
            record_path().unlink(missing_ok=True)


def _serve(
    name: str,
    settings: dict[str, Any],
    store_url: str,
    out_root: Path,
    cron: str | None,
    every_seconds: float | None,
) -> None:
    from prefect.runner import Runner
    from prefect.schedules import Cron, Interval
    from prefect.types.entrypoint import EntrypointType

    from .discovery import discover

    if cron is not None:
        try:
            schedule = Cron(cron)
        except ValueError as error:
            raise SettingsError(f"--cron {cron!r} cannot be read: {error}.") from None
    else:
        from datetime import timedelta

        schedule = Interval(timedelta(seconds=every_seconds or 0))
    deployment = discover.to_deployment(  # a coroutine only inside a running event loop
        name=name,
        schedules=[schedule],
        parameters={"settings": settings, "store_url": store_url, "out_root": str(out_root)},
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    listener().say(f"Schedule {name!r} is served; runs go to {out_root}. Stop it with Ctrl-C.")
    # One run at a time: two would share both cores and finish later.
    runner = Runner(name=name, limit=1, pause_on_shutdown=True)
    asyncio.run(_serve_one(runner, deployment))


async def _serve_one(runner: Any, deployment: Any) -> None:
    await runner.add_deployment(deployment)
    await runner.start()


def record_path() -> Path:
    """Where the address of this machine's server stands."""
    return home() / "prefect" / "server.json"


def attach_server() -> tuple[str, subprocess.Popen | None]:
    """The API address of a running server, and the process if it was started here."""
    if os.environ.get("PREFECT_API_URL"):
        check_server_address(os.environ["PREFECT_API_URL"])
        return os.environ["PREFECT_API_URL"], None
    recorded = _recorded_url()
    if recorded and healthy(recorded):
        return recorded, None
    return start_server()


def start_server() -> tuple[str, subprocess.Popen]:
    """Start a server on a free loopback port and wait until it answers."""
    folder = record_path().parent
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    url = f"http://{LOOPBACK}:{port}/api"
    environment = os.environ | {"PREFECT_HOME": str(folder), "PREFECT_API_URL": url}
    log = (folder / "server.log").open("ab")
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", LOOPBACK, "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not healthy(url):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise StageError(f"Prefect's server did not start; its log is {folder / 'server.log'}.")
        time.sleep(0.5)
    record_path().write_text(json.dumps({"url": url, "pid": process.pid}))
    return url, process


def healthy(url: str) -> bool:
    """Whether a Prefect API answers at this address."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:  # noqa: S310
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _recorded_url() -> str | None:
    try:
        url = json.loads(record_path().read_text())["url"]
    except (OSError, ValueError, KeyError):
        return None
    return url if isinstance(url, str) and url.startswith(f"http://{LOOPBACK}:") else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]
