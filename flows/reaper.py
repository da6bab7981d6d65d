"""Which runs died without a word, and what becomes of them?

A run whose row says `running` and whose lease nobody renews (`lease.py`) is marked as crashed, and Prefect's own
flow runs of it are too, so that the slots which they took are free again. Everything such a run has written stands,
so it can be resumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..core.errors import HysteronError
from .launch import resume
from .lease import dead
from .progress import listener
from .run import Run, open_store

if TYPE_CHECKING:
    from ..store.leases import Lease

MOST_ATTEMPTS = 3
"""A run that several processes died of is not resumed by itself again."""
LOOKED_AT = 100
"""Of the newest runs, for one to resume."""
UNFINISHED = ("crashed", "interrupted")


def reap(store_url: str, patience_seconds: float | None = None) -> list[str]:
    """Mark runs whose process is gone as crashed. Returns their names.

    Args:
        store_url: The store that holds them.
        patience_seconds: How long runs of other machines are watched; those of this one are known at once.
    """
    store = open_store(store_url)
    crashed = [lease for lease in dead(store, store.leases(), patience_seconds) if store.crash(lease)]
    flow_runs = [one for lease in crashed for one in lease.place.get("flow_runs", ())]
    if flow_runs:
        _crash_flow_runs(flow_runs)
    return [lease.run_id for lease in crashed]


def resumable(store_url: str, schedule: str) -> Iterator[Run]:
    """Runs of a schedule that died or were interrupted, the oldest first; drawn one by one."""
    store = open_store(store_url)
    for row in reversed(store.runs(LOOKED_AT)):
        if row.status not in UNFINISHED:
            continue
        out, lease = store.work_done(row.run_id, "out"), store.lease(row.run_id)
        if not out or out[0].get("schedule") != schedule or (lease and lease.attempts >= MOST_ATTEMPTS):
            continue
        try:
            yield resume(row.run_id, store_url)
        except HysteronError as error:  # other versions of code or models
            listener().say(str(error))


def crash_left_behind(deployment: str, store_url: str) -> int:
    """Mark flow runs of a deployment as crashed that nobody carries out. Returns how many.

    To be asked only by the one process that serves the deployment, before it begins: then whatever is not in the hands of a
    living process, as a lease tells, was left behind by the one before.

    Args:
        deployment: Its name.
        store_url: Where its runs keep their leases.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        DeploymentFilter,
        DeploymentFilterName,
        FlowRunFilter,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType

    under_way = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=under_way))
            ),
            deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[deployment])),
        )
    at_work = set(_flow_runs(open_store(store_url).leases()))
    left = [str(one.id) for one in found if str(one.id) not in at_work]
    _crash_flow_runs(left)
    return len(left)


def _flow_runs(leases: Iterable[Lease]) -> Iterator[str]:
    for lease in leases:
        yield from lease.place.get("flow_runs", ())


def _crash_flow_runs(ids: Iterable[str]) -> None:
    """Tell Prefect that flow runs ended with their process; those it does not know, or that ended, are left alone."""
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound
    from prefect.settings import PREFECT_API_URL
    from prefect.states import Crashed

    if PREFECT_API_URL.value() is None:
        return  # a private server ended with its run
    state: Any = Crashed(message="The process that carried this run out is gone.")
    with get_client(sync_client=True) as client:
        for identifier in map(UUID, ids):
            try:
                known = client.read_flow_run(identifier).state
                if known is not None and not known.is_final():
                    client.set_flow_run_state(identifier, state, force=True)
            except ObjectNotFound:
                continue
