"""What do faults cost? Runs are killed at random moments, or lose a disk, are gone on with, and their stores compared.

Killed by SIGKILL, in turn: the process that carries out the flow; a worker of a work pool, alone or with what it
started; the Prefect server, which is started again at once or only afterwards; PostgreSQL, all of it. Besides, the disk of a
store is filled, and a share with the store or with the output folder vanishes (`faults_disks.py`). When the cause is gone, the
run is resumed, and its store must hold what that of an undisturbed run holds. The baseline is the same store before
anything was resumed. The run is that of a toy world (`toy_world.py`): the faults are real, the physics is not.

Moments are drawn from the seed and the number of the fault. Each fault is noted when it is over, and `--resume` goes on after the
last one that was.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..core.errors import InputError, StageError
from ..store.comparison import Content, Differences, content, differences, told
from ..store.store import CandidateStore
from . import faults_processes as processes
from .faults_disks import Share, SmallDisk, can_mount
from .faults_kept import Fault, kept
from .faults_processes import Servers
from .local_postgres import Postgres, installed, local_postgres
from .toy_world import World

KILLED = ("flow", "worker", "server", "database")
FAILING = ("disk", "share")
KILLS, FAILURES = 52, 8
QUICK_KILLS, QUICK_FAILURES = 4, 2
RELAXATIONS, CHUNK = 36, 4
CRYSTALS = 60
PATIENCE_SECONDS = 600.0
TRIES = 6
"""A fault that came after the run had ended is not counted, and tried again at another moment."""
LATEST = 0.95
"""Of an undisturbed run's wall time, the last moment that is drawn."""


@dataclass
class Bench:
    """What all faults share.

    Attributes:
        world: Where the runs live.
        servers: Prefect's server and its workers.
        postgres: A database server; `None` where none is installed.
        rng: Draws the moments of the present fault.
        quiet: Content and seconds of an undisturbed run, by the kind of its store.
    """

    world: World
    servers: Servers
    postgres: Postgres | None
    rng: np.random.Generator
    quiet: dict[str, tuple[Content, float]] = field(default_factory=dict)
    count: int = 0

    def fresh(self, store: str) -> tuple[str, str]:
        """The address of a store that is not there yet, and an output folder."""
        out = str(self.folder("out"))
        if store == "postgresql":
            assert self.postgres is not None
            return self.postgres.database(f"faults_{self.count}"), out
        return str(self.world.folder / f"store-{self.count}.db"), out

    def folder(self, name: str) -> Path:
        """A place that is not there yet."""
        self.count += 1
        return self.world.folder / f"{name}-{self.count}"


def run(seed: int = 0, quick: bool = False, only: str | None = None, resume: bool = False) -> dict[str, Any]:
    """Kill and compare.

    Args:
        seed: Of the moments.
        quick: One fault of each kind.
        only: One kind: flow, worker, server, database, disk or share.
        resume: Keep the faults that were tried before.

    Raises:
        InputError: no such kind.
        StageError: a run that should have ended did not.
    """
    if only is not None and only not in _FAULTS:
        raise InputError(f"No row {only!r}. There are {', '.join(_FAULTS)}.")
    began = time.monotonic()
    missing = _missing()
    plan = [kind for kind in _plan(quick, only) if kind not in missing]
    key = {"seed": seed, "plan": plan, "run": [RELAXATIONS, CHUNK, CRYSTALS], "version": __version__}
    known = kept(key, resume)
    before = len(known.faults)
    multiprocessing.set_forkserver_preload([processes.__name__])
    undisturbed: dict[str, Any] = {}
    if left := [number for number in range(len(plan)) if number not in known.faults]:
        with _bench({_store_of(plan[number]) for number in left}) as bench:
            undisturbed = {name: _told(*quiet) for name, quiet in bench.quiet.items()}
            for number in left:
                fault = _landed(bench, plan[number], seed, number)
                known.add(number, fault)
                _say(number, len(plan), fault)
    figures = _figures([known.faults[number] for number in range(len(plan))], seed)
    return figures | {
        "undisturbed": undisturbed,
        "not_tried": [f"{kind}: {why}" for kind, why in missing.items()],
        "kept_from_before": before,
        "seconds": time.monotonic() - began,
    }


def _plan(quick: bool, only: str | None) -> list[str]:
    """The kinds of the faults in the order of their numbers."""
    kills, failures = (QUICK_KILLS, QUICK_FAILURES) if quick else (KILLS, FAILURES)
    plan = [KILLED[i % len(KILLED)] for i in range(kills)] + [
        FAILING[i % len(FAILING)] for i in range(failures)
    ]
    return [kind for kind in plan if only in (None, kind)]


def _missing() -> dict[str, str]:
    """Kinds that cannot be tried here, and why."""
    found = {}
    if installed() is None:
        found["database"] = "no PostgreSQL server is installed"
    if not can_mount():
        found["disk"] = "only root can mount a small file system to fill"
    return found


def _store_of(kind: str) -> str:
    return "postgresql" if kind == "database" else "sqlite"


@contextmanager
def _bench(stores: Collection[str]) -> Iterator[Bench]:
    """Everything that runs need, and an undisturbed one for each kind of store."""
    with tempfile.TemporaryDirectory(prefix="hysteron-faults-") as name, ExitStack() as stack:
        world = World(Path(name)).make(CRYSTALS)
        stack.enter_context(world.inside())
        servers = stack.enter_context(processes.servers(world.folder))
        postgres = stack.enter_context(local_postgres()) if "postgresql" in stores else None
        bench = Bench(world, servers, postgres, np.random.default_rng(0))
        for store in sorted(stores):
            bench.quiet[store] = _undisturbed(bench, store)
        yield bench


def _undisturbed(bench: Bench, store: str) -> tuple[Content, float]:
    """What a store holds after a run that nothing happened to, and how long the run took."""
    url, out = bench.fresh(store)
    child = processes.begin(bench.world, url, out, _settings(bench))
    processes.join(child, PATIENCE_SECONDS)
    found = content(url)
    with CandidateStore.open(url) as opened:
        row = opened.get_run()
    if row.status != "finished":
        raise StageError(f"The undisturbed run ended as {row.status}.")
    return found, processes.seconds_of(row)


def _told(found: Content, seconds: float) -> dict[str, Any]:
    return {"seconds": seconds, "candidates": len(found.candidates), "ranked": len(found.ranking)}


def _settings(bench: Bench) -> dict[str, Any]:
    return bench.world.settings(RELAXATIONS, CHUNK)


def _landed(bench: Bench, kind: str, seed: int, number: int) -> Fault:
    """A fault that came while the run was under way."""
    bench.rng = np.random.default_rng(np.random.SeedSequence([seed, number]))
    began = time.monotonic()
    for late in range(TRIES):
        fault = _FAULTS[kind](bench)
        if fault is not None:
            fault.too_late, fault.seconds = late, time.monotonic() - began
            return fault
    raise StageError(f"{TRIES} faults ({kind}) all came after the run had ended; make it longer.")


def _say(number: int, total: int, fault: Fault) -> None:
    """A line for whoever waits."""
    how = f"after {fault.at_seconds:.1f} s, at {fault.stage}"
    line = f"{number + 1} of {total}: {fault.kind} {how}: {told(fault.after)} ({fault.seconds:.0f} s)"
    print(line, file=sys.stderr, flush=True)


def _flow(bench: Bench) -> Fault | None:
    url, out = bench.fresh("sqlite")
    child = processes.begin(bench.world, url, out, _settings(bench))
    moment = _wait(bench, url)
    child.kill()
    child.join()
    return _gone_on_with(bench, "flow", url, moment)


def _database(bench: Bench) -> Fault | None:
    assert bench.postgres is not None
    url, out = bench.fresh("postgresql")
    child = processes.begin(bench.world, url, out, _settings(bench))
    moment = _wait(bench, url)
    bench.postgres.kill()
    processes.join(child, PATIENCE_SECONDS)
    bench.postgres.start()
    return _gone_on_with(bench, "database", url, moment)


def _server(bench: Bench) -> Fault | None:
    """The run is expected to end without it; what it could not do is resumed."""
    url, out = bench.fresh("sqlite")
    child = processes.begin(bench.world, url, out, _settings(bench))
    moment = _wait(bench, url)
    at_once = bool(bench.rng.integers(2))
    bench.servers.kill()
    state = _state(url)
    if at_once:
        bench.servers.start()
    processes.join(child, PATIENCE_SECONDS)
    if not at_once:
        bench.servers.start()
    if state is None:
        return None
    if _state(url) is None:
        return _ended_alone(bench, "server", url, moment, state)
    return _gone_on_with(bench, "server", url, moment)


def _worker(bench: Bench) -> Fault | None:
    """The worker dies alone, and what it has started goes on; or all of it dies, as with its machine."""
    url, out = bench.fresh("sqlite")
    bench.servers.need_worker()
    bench.servers.submit(url, out, _settings(bench))
    moment = _wait(bench, url)
    bench.servers.kill_worker()
    if (state := _state(url)) is None:
        return None
    if bench.rng.integers(2):
        processes.kill_holder(url)
    elif not _wait_for_end(url):
        raise StageError("A run whose worker died did not end.")
    if _state(url) is None:
        return _ended_alone(bench, "worker", url, moment, state)
    before = _compared(bench, "sqlite", url)
    bench.servers.need_worker()
    bench.servers.submit(url, out, None)
    if not _wait_for_end(url):
        raise StageError("A run that died with its worker was not resumed by the next one.")
    return Fault("worker", moment, state, before, _compared(bench, "sqlite", url), True)


def _disk(bench: Bench) -> Fault | None:
    """Full, until somebody makes room."""
    disk = SmallDisk(bench.folder("disk"))
    try:
        url, out = str(disk.place / "store.db"), str(bench.folder("out"))
        child = processes.begin(bench.world, url, out, _settings(bench))
        moment = _wait(bench, url)
        disk.fill()
        processes.join(child, PATIENCE_SECONDS)
        disk.make_room()
        return _gone_on_with(bench, "disk", url, moment)
    finally:
        disk.end()


def _share(bench: Bench) -> Fault | None:
    """With the store, or with the output folder."""
    share, here = Share(bench.folder("share")), bench.folder("here")
    here.mkdir()
    places = [share.place, here] if bench.rng.integers(2) else [here, share.place]
    url, out = str(places[0] / "store.db"), str(places[1] / "out")
    child = processes.begin(bench.world, url, out, _settings(bench))
    moment = _wait(bench, url)
    share.vanish()
    processes.join(child, PATIENCE_SECONDS)
    share.come_back()
    return _gone_on_with(bench, "share", url, moment)


_FAULTS: dict[str, Callable[[Bench], Fault | None]] = {
    "flow": _flow,
    "worker": _worker,
    "server": _server,
    "database": _database,
    "disk": _disk,
    "share": _share,
}


def _wait(bench: Bench, url: str) -> float:
    """Until a drawn moment of the run; s after it has begun."""
    longest = bench.quiet["postgresql" if url.startswith("postgresql") else "sqlite"][1]
    moment = float(bench.rng.uniform(0.0, LATEST * longest))
    until = time.monotonic() + PATIENCE_SECONDS
    while not processes.is_under_way(url):
        if time.monotonic() > until:
            raise StageError("A run did not begin.")
        time.sleep(0.05)
    time.sleep(moment)
    return moment


def _state(url: str) -> str | None:
    """The last stage of which something is done; `None` if the run has ended."""
    with CandidateStore.open(url) as store:
        row = store.get_run()
        if row.status == "finished":
            return None
        stages = ("retrieve", "generate", "select", "relax", "screen", "rank", "export")
        done = [stage for stage in stages if store.work_done(row.run_id, stage)]
    return done[-1] if done else "begin"


def _wait_for_end(url: str) -> bool:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if _state(url) is None:
            return True
        time.sleep(0.2)
    return False


def _gone_on_with(bench: Bench, kind: str, url: str, moment: float) -> Fault | None:
    """The run resumed by a process of its own, as by `hysteron discover --resume last`; `None` if there was nothing to resume."""
    if (state := _state(url)) is None:
        return None
    store = _store_of(kind)
    before = _compared(bench, store, url)
    child = processes.resume(bench.world, url)
    processes.join(child, PATIENCE_SECONDS)
    if _state(url) is not None:
        raise StageError(f"A run did not end after it was resumed ({kind} at {state}).")
    return Fault(kind, moment, state, before, _compared(bench, store, url), True)


def _ended_alone(bench: Bench, kind: str, url: str, moment: float, state: str) -> Fault:
    """The run has come to its end without what was killed."""
    found = _compared(bench, "sqlite", url)
    return Fault(kind, moment, state, found, found, False)


def _compared(bench: Bench, store: str, url: str) -> Differences:
    return differences(bench.quiet[store][0], content(url))


def _figures(faults: Sequence[Fault], seed: int) -> dict[str, Any]:
    by_kind = {kind: [fault for fault in faults if fault.kind == kind] for kind in _FAULTS}
    return {
        "benchmark": "faults",
        "n": len(faults),
        "kills": sum(fault.kind in KILLED for fault in faults),
        "seed": seed,
        "lost": sum(len(fault.after.lost) for fault in faults),
        "duplicated": sum(len(fault.after.duplicated) for fault in faults),
        "different": sum(bool(fault.after) for fault in faults),
        "baseline": "the same stores before the runs were resumed",
        "baseline_different": sum(bool(fault.before) for fault in faults),
        "baseline_lost": sum(len(fault.before.lost) for fault in faults),
        "kinds": {kind: _of_kind(some) for kind, some in by_kind.items() if some},
    }


def _of_kind(faults: Sequence[Fault]) -> dict[str, Any]:
    return {
        "n": len(faults),
        "ended_without_being_resumed": sum(not fault.resumed for fault in faults),
        "different": sum(bool(fault.after) for fault in faults),
        "last_stage_done": dict(Counter(fault.stage for fault in faults)),
        "too_late_and_tried_again": sum(fault.too_late for fault in faults),
        "median_seconds": float(np.median([fault.seconds for fault in faults])),
    }
