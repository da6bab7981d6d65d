"""Runs that fire by themselves: a process that serves a schedule, or a deployment that a worker of a work pool carries
out.

A schedule that is served here ends with its process. One in a work pool stays with the Prefect server, and runs are
carried out wherever a worker of that pool is: on this machine, another one, or a cluster.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from ..core.errors import SettingsError, StageError
from ..core.settings import home
from ..store.address import names_password
from .launch import keep_password
from .limits import make_limits
from .progress import listener
from .server import healthy, is_own, known_server
from .shared_server import server_of_schedules

Overlap = Literal["queue", "skip"]
COLLISIONS = {"queue": "ENQUEUE", "skip": "CANCEL_NEW"}
"""What Prefect does with a run that is due while another one of its deployment is under way."""
AT_ONCE = 2
"""Flow runs that a server of a schedule handles: the one under way, and one that Prefect tells to wait or to give way."""


@dataclass(frozen=True)
class When:
    """When runs are due; exactly one of `cron` and `every_seconds`.

    Attributes:
        cron: Five fields.
        every_seconds: An interval, s; has no time zone.
        timezone: Of the cron line, such as `Europe/Zurich`; by default the machine's own.
        overlap: What becomes of a run that is due while the one before is under way.
    """

    cron: str | None = None
    every_seconds: float | None = None
    timezone: str | None = None
    overlap: Overlap = "skip"

    @property
    def words(self) -> str:
        """As a user is told."""
        late = "gives way" if self.overlap == "skip" else "waits"
        when = f"every {self.every_seconds:g} s" if self.cron is None else f"at {self.cron!r} in {self._zone}"
        return f"{when}; a run that is due while another one is under way {late}"

    @property
    def _zone(self) -> str:
        return self.timezone or _own_timezone()

    def schedule(self) -> Any:
        """Prefect's schedule.

        Raises:
            SettingsError: not exactly one of both, or one that cannot be read.
        """
        from prefect.schedules import Cron, Interval

        if (self.cron is None) == (self.every_seconds is None):
            raise SettingsError("Give either --cron or --every.")
        if self.every_seconds is not None and self.timezone is not None:
            raise SettingsError(
                "--timezone is that of a cron line; --every counts seconds wherever the clock stands."
            )
        if self.every_seconds is not None:
            return Interval(timedelta(seconds=self.every_seconds))
        _check_timezone(self._zone)
        try:
            return Cron(str(self.cron), timezone=self._zone)
        except ValueError as error:
            raise SettingsError(f"--cron {self.cron!r} cannot be read: {error}.") from None


@dataclass(frozen=True)
class Job:
    """What a schedule carries out.

    Attributes:
        name: Of the deployment; one of the same name is replaced.
        settings: A resolved RUN.toml as JSON.
        store_url: Where candidates live; `None` is what the process that carries it out finds in its environment.
        out_root: Each run writes to a folder of its own inside.
        resume_crashed: Whether runs that died are gone on with before a new one begins.
    """

    name: str
    settings: dict[str, Any]
    store_url: str | None
    out_root: Path
    resume_crashed: bool = False

    def deployment(self, when: When, **more: Any) -> Any:
        """Prefect's deployment; no password is in it."""
        from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
        from prefect.types.entrypoint import EntrypointType

        from .discovery import discover

        strategy = ConcurrencyLimitStrategy(COLLISIONS[when.overlap])
        parameters = {
            "settings": self.settings,
            "store_url": None if self.store_url is None else keep_password(self.store_url),
            "out_root": str(self.out_root),
            "schedule": self.name,
            "resume_crashed": self.resume_crashed,
        }
        return discover.to_deployment(  # a coroutine only inside a running event loop
            name=self.name,
            schedules=[when.schedule()],
            parameters=parameters,
            concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=strategy),
            entrypoint_type=EntrypointType.MODULE_PATH,
            **more,
        )


def serve(job: Job, when: When) -> None:
    """Serve a schedule until interrupted.

    Raises:
        SettingsError: a schedule that cannot be read.
        StageError: the server does not start, or another process serves a schedule of this name.
    """
    when.schedule()
    with _only_server_of(job.name), server_of_schedules() as url, _prefect_at(url):
        from prefect.runner import Runner

        from . import reaper

        if job.store_url is not None:
            for run_id in reaper.reap(job.store_url):
                listener().say(f"Run {run_id} died without a word; it is marked as crashed.")
            if is_own(url):
                reaper.crash_left_behind(job.name, job.store_url)
        make_limits(job.settings)
        runner = Runner(name=job.name, limit=AT_ONCE, pause_on_shutdown=True)
        deployment = job.deployment(when)
        listener().say(f"Schedule {job.name!r} is served {when.words}. Runs go to {job.out_root}.")
        listener().say(f"Prefect shows them at {url.removesuffix('/api')}. Stop with Ctrl-C.")
        try:
            asyncio.run(_serve_one(runner, deployment))
        except Exception:  # Prefect gives up after some minutes without an answer
            if healthy(url):
                raise
            raise StageError(f"The schedule ends: Prefect's server at {url} does not answer.") from None


async def _serve_one(runner: Any, deployment: Any) -> None:
    await runner.add_deployment(deployment)
    await runner.start()


def register(job: Job, when: When, pool: str, job_variables: dict[str, Any] | None = None) -> str:
    """Give a schedule to a work pool. Returns the deployment's full name.

    Args:
        job: What is carried out.
        when: When.
        pool: Name of a work pool that the Prefect server knows.
        job_variables: Settings of the pool's jobs, such as `image` or `env`.

    Raises:
        SettingsError: no Prefect server, no such pool, a schedule that cannot be read, or an address with a password.
    """
    when.schedule()
    url = known_server()
    if url is None:
        raise SettingsError(
            "A work pool needs a Prefect server that stays: start one ('prefect server start') and set PREFECT_API_URL."
        )
    if job.store_url is not None and names_password(job.store_url):
        raise SettingsError(
            "A deployment keeps no password: give --store without one, and HYSTERON_STORE with it to the workers."
        )
    with _prefect_at(url):
        kind = _kind_of(pool)
        variables = _variables(kind, job) | (job_variables or {})
        deployment = job.deployment(when, work_pool_name=pool, job_variables=variables)
        make_limits(job.settings)
        deployment.apply()
        return deployment.full_name


def _kind_of(pool: str) -> str:
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    with get_client(sync_client=True) as client:
        try:
            return client.read_work_pool(pool).type
        except ObjectNotFound:
            raise SettingsError(
                f"The Prefect server has no work pool {pool!r}. Make one: prefect work-pool create {pool} --type process"
            ) from None


def _variables(kind: str, job: Job) -> dict[str, Any]:
    """What a job needs of this machine if it runs on it; jobs elsewhere get what their pool says."""
    if kind != "process":
        return {}
    return {"working_dir": str(job.out_root), "env": {"HYSTERON_HOME": str(home())}}


@contextmanager
def _prefect_at(url: str) -> Iterator[None]:
    """Prefect in this process, and in those it starts, speaks to the server at `url` while the block lasts."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    before = os.environ.get("PREFECT_API_URL")
    os.environ["PREFECT_API_URL"] = url
    own: Any = {PREFECT_API_URL: url}
    try:
        with temporary_settings(own):
            yield
    finally:
        if before is None:
            del os.environ["PREFECT_API_URL"]


@contextmanager
def _only_server_of(name: str) -> Iterator[None]:
    """Nobody else on this machine serves a schedule of this name while the block lasts."""
    from ..predictors.hull.table import slug

    folder = home() / "prefect"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"schedule-{slug(name)}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StageError(
                f"Another process serves the schedule {name!r}. End it first, or rename RUN.toml: a schedule has its name."
            ) from None
        yield


def _own_timezone() -> str:
    """The machine's time zone by its name, which knows of summer time."""
    from tzlocal import get_localzone_name

    return get_localzone_name() or "UTC"


def _check_timezone(name: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        raise SettingsError(
            f"--timezone {name!r} is not known. Write it as in Europe/Zurich or UTC."
        ) from None
