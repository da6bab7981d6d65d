"""What do kills cost? Runs are killed without warning at random moments, gone on with, and their stores compared.

Killed by SIGKILL, in turn: the process that carries out the flow; a worker of a work pool, alone or with what it
started; the Prefect server, which is started again at once or only afterwards; PostgreSQL, all of it. Then the run
is resumed, and its store must hold what that of an undisturbed run holds. The baseline is the same store before
anything was resumed. The run is that of a toy world (`toy_world.py`): the faults are real, the physics is not.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import StageError
from ..store.comparison import Content, Differences, content, differences
from ..store.store import CandidateStore
from . import faults_processes as processes
from .faults_processes import Servers
from .local_postgres import Postgres, local_postgres
from .toy_world import World

KILLS, QUICK_KILLS = 50, 4
KINDS = ("flow", "worker", "server", "database")
RELAXATIONS, CHUNK = 36, 4
CRYSTALS = 60
PATIENCE_SECONDS = 600.0
TRIES = 6
"""A kill that came after the run had ended is not counted, and tried again with another moment."""


@dataclass
class Kill:
    """One kill and what became of it.

    Attributes:
        kind: What was killed.
        at_seconds: After the run had begun.
        stage: The last one of which a chunk was done by then.
        before: How the store differed from an undisturbed one when everything had come to rest.
        after: And after the run was gone on with.
        resumed: Whether it had to be resumed at all.
        seconds: Wall time of all of it.
    """

    kind: str
    at_seconds: float
    stage: str
    before: Differences
    after: Differences
    resumed: bool
    seconds: float = 0.0


@dataclass
class Bench:
    """What all kills share.

    Attributes:
        world: Where the runs live.
        servers: Prefect's server and its workers.
        postgres: A database server; `None` where none is installed.
        rng: Draws the moments.
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
        self.count += 1
        out = str(self.world.folder / f"out-{self.count}")
        if store == "postgresql":
            assert self.postgres is not None
            return self.postgres.database(f"faults_{self.count}"), out
        return str(self.world.folder / f"store-{self.count}.db"), out


def run(seed: int = 0, quick: bool = False, only: str | None = None) -> dict[str, Any]:
    """Kill and compare.

    Args:
        seed: Of the moments.
        quick: A few kills.
        only: One kind: flow, worker, server or database.
    """
    began = time.monotonic()
    kinds = [only] if only else list(KINDS)
    multiprocessing.set_forkserver_preload([processes.__name__])
    with tempfile.TemporaryDirectory(prefix="hysteron-faults-") as name:
        world = World(Path(name)).make(CRYSTALS)
        with world.inside(), processes.servers(world.folder) as servers, local_postgres() as database:
            bench = Bench(world, servers, database, np.random.default_rng(np.random.SeedSequence([seed, 0])))
            if database is None and "database" in kinds:
                kinds.remove("database")
            for store in {"postgresql" if kind == "database" else "sqlite" for kind in kinds}:
                bench.quiet[store] = _undisturbed(bench, store)
            kills = [_landed(bench, kinds[i % len(kinds)]) for i in range(QUICK_KILLS if quick else KILLS)]
    return _figures(bench, kills, seed) | {"seconds": time.monotonic() - began}


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


def _settings(bench: Bench) -> dict[str, Any]:
    return bench.world.settings(RELAXATIONS, CHUNK)


def _landed(bench: Bench, kind: str) -> Kill:
    """A kill that came while the run was under way."""
    for _ in range(TRIES):
        began = time.monotonic()
        kill = _KILLS[kind](bench)
        if kill is not None:
            kill.seconds = time.monotonic() - began
            return kill
    raise StageError(f"{TRIES} kills of the {kind} all came after the run had ended; make it longer.")


def _kill_flow(bench: Bench) -> Kill | None:
    url, out = bench.fresh("sqlite")
    child = processes.begin(bench.world, url, out, _settings(bench))
    moment = _wait(bench, url)
    child.kill()
    child.join()
    if (state := _state(url)) is None:
        return None
    before = _compared(bench, "sqlite", url)
    _resume(bench, url)
    return Kill("flow", moment, state, before, _compared(bench, "sqlite", url), True)


def _kill_database(bench: Bench) -> Kill | None:
    assert bench.postgres is not None
    url, out = bench.fresh("postgresql")
    child = processes.begin(bench.world, url, out, _settings(bench))
    moment = _wait(bench, url)
    bench.postgres.kill()
    processes.join(child, PATIENCE_SECONDS)
    bench.postgres.start()
    if (state := _state(url)) is None:
        return None
    before = _compared(bench, "postgresql", url)
    _resume(bench, url)
    return Kill("database", moment, state, before, _compared(bench, "postgresql", url), True)


def _kill_server(bench: Bench) -> Kill | None:
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
    before = _compared(bench, "sqlite", url)
    if unfinished := _state(url) is not None:
        _resume(bench, url)
    return Kill("server", moment, state, before, _compared(bench, "sqlite", url), unfinished)


def _kill_worker(bench: Bench) -> Kill | None:
    """The worker dies alone, and what it has started goes on; or all of it dies, as with its machine."""
    url, out = bench.fresh("sqlite")
    bench.servers.need_worker()
    bench.servers.submit(url, out, _settings(bench))
    moment = _wait(bench, url)
    bench.servers.kill_worker()
    if bench.rng.integers(2):
        processes.kill_holder(url)
    elif not _wait_for_end(url):
        raise StageError("A run whose worker died did not end.")
    if (state := _state(url)) is None:
        return _ended_alone(bench, url, moment)
    before = _compared(bench, "sqlite", url)
    bench.servers.need_worker()
    bench.servers.submit(url, out, None)
    if not _wait_for_end(url):
        raise StageError("A run that died with its worker was not resumed by the next one.")
    return Kill("worker", moment, state, before, _compared(bench, "sqlite", url), True)


def _ended_alone(bench: Bench, url: str, moment: float) -> Kill:
    """What the worker had started has come to its end without it."""
    found = _compared(bench, "sqlite", url)
    return Kill("worker", moment, "export", found, found, False)


_KILLS: dict[str, Callable[[Bench], Kill | None]] = {
    "flow": _kill_flow,
    "worker": _kill_worker,
    "server": _kill_server,
    "database": _kill_database,
}


def _wait(bench: Bench, url: str) -> float:
    """Until a drawn moment of the run; s after it has begun."""
    longest = bench.quiet["postgresql" if url.startswith("postgresql") else "sqlite"][1]
    moment = float(bench.rng.uniform(0.0, 0.95 * longest))
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


def _resume(bench: Bench, url: str) -> None:
    """By a process of its own, as `hysteron discover --resume last`."""
    child = processes.resume(bench.world, url)
    processes.join(child, PATIENCE_SECONDS)
    if _state(url) is not None:
        raise StageError("A killed run did not end after it was resumed.")


def _compared(bench: Bench, store: str, url: str) -> Differences:
    return differences(bench.quiet[store][0], content(url))


def _figures(bench: Bench, kills: list[Kill], seed: int) -> dict[str, Any]:
    by_kind = {kind: [kill for kill in kills if kill.kind == kind] for kind in KINDS}
    quiet = next(iter(bench.quiet.values()))
    return {
        "benchmark": "faults",
        "n": len(kills),
        "seed": seed,
        "lost": sum(len(kill.after.lost) for kill in kills),
        "duplicated": sum(len(kill.after.duplicated) for kill in kills),
        "different": sum(bool(kill.after) for kill in kills),
        "baseline": "the same stores before the killed runs were resumed",
        "baseline_different": sum(bool(kill.before) for kill in kills),
        "baseline_lost": sum(len(kill.before.lost) for kill in kills),
        "candidates_a_store": len(quiet[0].candidates),
        "undisturbed_seconds": {store: seconds for store, (_, seconds) in bench.quiet.items()},
        "kinds": {kind: _of_kind(some) for kind, some in by_kind.items() if some},
        "not_tried": [] if bench.postgres else ["database: no PostgreSQL server is installed"],
    }


def _of_kind(kills: list[Kill]) -> dict[str, Any]:
    return {
        "kills": len(kills),
        "ended_without_being_resumed": sum(not kill.resumed for kill in kills),
        "different": sum(bool(kill.after) for kill in kills),
        "last_stage_done": dict(Counter(kill.stage for kill in kills)),
        "median_seconds": float(np.median([kill.seconds for kill in kills])),
    }
