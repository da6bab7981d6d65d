"""The main job as Prefect flows, and its steps as tasks.

A task takes a run and a chunk number; crystals travel through the store and never between tasks. Every chunk is
written together with the mark that it is done, so a killed run goes on where it stopped. The order of the steps is
in `order.py`.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from prefect import Task, flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext
from prefect.futures import PrefectFuture, as_completed
from prefect.tasks import exponential_backoff

from ..core.errors import HysteronError, UnreachableError
from .artifacts import Artifacts
from .order import IN_TURN, STEPS, Plainly, in_order
from .progress import Counted, counting, listener
from .run import Run, recorded, told_when
from .runners import task_runner
from .steps import forget_crystals
from .telling import sentences
from .tether import Tether, tethered

_KEEP_IN_STORE: dict[str, Any] = {"persist_result": False, "cache_policy": NO_CACHE}
GPU_TAG, MATERIALS_PROJECT_TAG = "gpu", "materials-project"
"""Tags of tasks that use what there is little of; a server may limit how many of them run at once (`limits.py`)."""
ON_THE_GPU = ("relax", "screen", "refine", "second-opinion")
FIRST_PAUSE_SECONDS = 30
"""Before a source that gave no answer is asked again; the next pauses double."""
_outer: ContextVar[str | None] = ContextVar("outer", default=None)
"""The flow run of a schedule, inside which a run of ours is carried out."""


def server_may_answer_later(task: Any, task_run: Any, state: Any) -> bool:
    """Whether a failed task is worth another attempt: only what failed elsewhere may go well the next time."""
    return isinstance(state.result(raise_on_failure=False), UnreachableError)


@task(
    name="retrieve",
    retries=3,
    retry_delay_seconds=exponential_backoff(FIRST_PAUSE_SECONDS),
    retry_jitter_factor=0.5,
    retry_condition_fn=server_may_answer_later,
    **_KEEP_IN_STORE,
)
def retrieve(run: Run) -> int:
    return _called("retrieve", run)


@task(name="generate", task_run_name="generate-{chunk}", **_KEEP_IN_STORE)
def generate(run: Run, chunk: int) -> int:
    return _called("generate", run, chunk)


@task(name="select", **_KEEP_IN_STORE)
def select(run: Run) -> int:
    return _called("select", run)


@task(name="relax", task_run_name="relax-{chunk}", **_KEEP_IN_STORE)
def relax(run: Run, chunk: int) -> int:
    return _told(run, "relax", chunk)


@task(name="screen", task_run_name="screen-{chunk}", **_KEEP_IN_STORE)
def screen(run: Run, chunk: int) -> int:
    return _told(run, "screen", chunk)


@task(name="refine", task_run_name="refine-{chunk}", **_KEEP_IN_STORE)
def refine(run: Run, chunk: int) -> str:
    return _told(run, "refine", chunk)


@task(name="rank", **_KEEP_IN_STORE)
def rank(run: Run) -> int:
    return _called("rank", run)


@task(name="second-opinion", **_KEEP_IN_STORE)
def second_opinion(run: Run) -> int:
    return _called("second-opinion", run)


@task(name="export", **_KEEP_IN_STORE)
def export(run: Run) -> str:
    return _called("export", run)


TASKS: dict[str, Task] = {
    one.name: one for one in (retrieve, generate, select, relax, screen, refine, rank, second_opinion, export)
}


def _called(step: str, run: Run, *chunk: int) -> Any:
    """A step, looked up in the process that carries it out."""
    return STEPS[step](run, *chunk)


def _told(run: Run, step: str, chunk: int) -> Any:
    """A chunk of a step, and a line for each crystal of which there is something to say."""
    result = STEPS[step](run, chunk)
    log = get_run_logger()
    for sentence in sentences(run, step, chunk):
        log.info(sentence)
    return result


def tags(run: Run) -> dict[str, set[str]]:
    """What the tasks of a run use of which there is little, by step."""
    found: dict[str, set[str]] = {}
    if run.settings.potential.device != "cpu":
        found = {step: {GPU_TAG} for step in ON_THE_GPU}
    if any(table.name == "materials-project" for table in run.settings.source):
        found["retrieve"] = {MATERIALS_PROJECT_TAG}
    return found


class ThroughPrefect:
    """Calls the steps as tasks of the flow run that it is made in; plainly once Prefect's server is lost.

    Args:
        run: To be carried out.
        tether: Watches the server.
        artifacts: Where what is to be seen goes.
        counted: Hears how far the stages are.
    """

    def __init__(self, run: Run, tether: Tether, artifacts: Artifacts, counted: Counted) -> None:
        self._tether, self._artifacts, self._counted = tether, artifacts, counted
        self._log = get_run_logger()
        self._flow = run.settings.flow
        self._tags = tags(run)
        self._plainly = Plainly()

    def once(self, step: str, run: Run) -> Any:
        if self._tether.lost:
            return self._plainly.once(step, run)
        result = self._task(step)(run)
        if step == "export":
            self._artifacts.results(run, run.done("export")[0])
        return result

    def each(self, step: str, run: Run, chunks: Iterator[int]) -> Iterator[tuple[int, Any]]:
        """Several chunks of a stage at once where the runner has several workers, and where they do not need one another."""
        several = self._flow.runner != "local" and step not in IN_TURN
        for done in self._several(step, run, chunks) if several else self._in_turn(step, run, chunks):
            self._artifacts.progress(step, self._counted.done, self._counted.total)
            yield done

    def say(self, sentence: str) -> None:
        self._log.info(sentence)

    def _in_turn(self, step: str, run: Run, chunks: Iterator[int]) -> Iterator[tuple[int, Any]]:
        for chunk in chunks:
            if self._tether.lost:
                yield chunk, STEPS[step](run, chunk)
            else:
                yield chunk, self._task(step)(run, chunk)

    def _several(self, step: str, run: Run, chunks: Iterator[int]) -> Iterator[tuple[int, Any]]:
        """As many as there are workers; the next chunk is drawn when one is done, so that a budget of time is kept."""
        task, told = self._task(step), told_when(run)
        under_way: dict[PrefectFuture[Any], int] = {}
        while True:
            while len(under_way) < self._flow.at_once and (chunk := next(chunks, None)) is not None:
                under_way[task.submit(told, chunk)] = chunk
            if not under_way:
                return
            first = next(as_completed(list(under_way)))
            chunk = under_way.pop(first)
            result = first.result()
            # The worker has advanced a listener of its own, whom nobody hears.
            listener().advance(1 if step == "refine" else len(run.payload(step, chunk)["ids"]))
            yield chunk, result

    def _task(self, step: str) -> Task:
        return TASKS[step].with_options(tags=self._tags[step]) if step in self._tags else TASKS[step]


@flow(name="discover", flow_run_name="{run_id}", persist_result=False, validate_parameters=False)
def discover_run(run_id: str, store_url: str, out_dir: str) -> str:
    """Carry out, or go on with, a run that the store holds. Returns the report's path."""
    run = Run(run_id, store_url, out_dir)
    context = FlowRunContext.get()
    assert context is not None
    assert context.flow_run is not None
    own, url = str(context.flow_run.id), str(context.client.api_url).rstrip("/")
    with recorded(run, flow_runs=_with_outer(own)) as hold, tethered(url) as tether, counting() as counted:
        artifacts = Artifacts(own)
        try:
            return in_order(run, ThroughPrefect(run, tether, artifacts, counted), hold.check)
        except (Exception, CancelledError) as error:
            # Prefect ends a flow run whose slot it cannot renew by a CancelledError.
            if isinstance(error, HysteronError) or not tether.gone():
                raise
            forget_crystals()
            return in_order(run, Plainly(), hold.check)
        finally:
            artifacts.close()
            tether.gone()  # what could not be sent is not waited for when the process ends


def _remember_outer() -> None:
    """The present flow run is the one of a schedule."""
    context = FlowRunContext.get()
    _outer.set(str(context.flow_run.id) if context and context.flow_run else None)


def _with_outer(flow_run: str) -> list[str]:
    """A flow run and the one of a schedule around it. (A flow goes to other processes with all that it names itself.)"""
    outer = _outer.get()
    return [flow_run, outer] if outer else [flow_run]


def start(run: Run) -> str:
    """Carry a run out as a flow run of its own, with the task runner that its settings name. Returns the report's path."""
    chosen = discover_run.with_options(task_runner=task_runner(run.settings.flow))
    return chosen(run.run_id, run.store_url, run.out_dir)


@flow(name="scheduled-discover", persist_result=False, validate_parameters=False)
def discover(
    settings: dict | str | None,
    store_url: str | None,
    out_root: str,
    schedule: str = "",
    resume_crashed: bool = False,
) -> str | None:
    """What a schedule fires: a new run each time, with the next seed.

    Args:
        settings: A resolved RUN.toml, or the path of a RUN.toml on the machine that carries the run out; `None` begins no run,
            so that nothing but the resuming is done.
        store_url: Where candidates live; `None` is `HYSTERON_STORE`, or the store of this machine's `HYSTERON_HOME`.
        out_root: Each run writes to a folder of its own inside.
        schedule: Name of the schedule, kept with the run.
        resume_crashed: Go on first with runs of this schedule that died or were interrupted.

    Returns:
        The report's path of the new run.
    """
    from ..core.settings import default_store_url
    from . import reaper
    from .launch import new_run
    from .run_settings import resolve

    log = get_run_logger()
    url = store_url or default_store_url()
    _remember_outer()
    for run_id in reaper.reap(url):
        log.warning("run %s died without a word; it is marked as crashed", run_id)
    for run in reaper.resumable(url, schedule) if resume_crashed else ():
        log.info("run %s is resumed", run.run_id)
        try:
            start(run)
        except HysteronError as error:
            log.error("run %s could not be resumed: %s", run.run_id, error)
    if settings is None:
        return None
    if isinstance(settings, str):
        settings = resolve(Path(settings)).model_dump(mode="json")
    return start(new_run(settings, url, out_root=out_root, advance_seed=True, schedule=schedule))
