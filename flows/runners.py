"""Who carries out the chunks of a stage: this process, several of this machine, or a cluster?

`[flow] runner` names a task runner of Prefect. What a chunk holds and gives does not depend on it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..core.errors import MissingDataError
from ..core.workers import start_worker

if TYPE_CHECKING:
    from .run_settings import FlowTable


def task_runner(table: FlowTable) -> Any:
    """Prefect's task runner for a `[flow]`.

    Raises:
        MissingDataError: the package that it needs is not installed; the sentence names it.
    """
    from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner

    if table.runner == "processes":
        return ProcessPoolTaskRunner(table.at_once, initializer=start_worker, initargs=(os.getpid(),))
    if table.runner == "dask":
        return _dask(table)
    if table.runner == "ray":
        return _ray(table)
    return ThreadPoolTaskRunner(max_workers=1)


def _dask(table: FlowTable) -> Any:
    """A cluster that is named, or one of this machine with one thread a worker, on 127.0.0.1 and without a dashboard."""
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError:
        raise _not_installed("dask") from None
    if table.address is not None:
        return DaskTaskRunner(address=table.address)
    own = {"n_workers": table.at_once, "threads_per_worker": 1, "dashboard_address": None}
    return DaskTaskRunner(cluster_kwargs=own | {"host": "127.0.0.1"})


def _ray(table: FlowTable) -> Any:
    try:
        from prefect_ray.task_runners import RayTaskRunner  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise _not_installed("ray") from None
    if table.address is not None:
        return RayTaskRunner(address=table.address)
    return RayTaskRunner(init_kwargs={"num_cpus": table.at_once, "include_dashboard": False})


def _not_installed(runner: str) -> MissingDataError:
    return MissingDataError(
        f'[flow] runner = "{runner}" needs a package that is not installed: pip install "hysteron[{runner}]".'
    )
