"""How is work spread over the cores?

Processes are spawned, each with one torch thread: on the small matrices of a potential two processes
are nearly twice as fast as two threads. A worker ends when its parent does, however that ended.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from .errors import StageError
from .settings import environment

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

PARENT_CHECK_SECONDS = 2.0
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_pools: dict[int, ProcessPoolExecutor] = {}
BREAKS_FORGIVEN = 1
QUEUED_PER_WORKER = 2  # tasks in flight, so that no worker waits and little is lost when interrupted

_KILLED = (
    "{} times a process that was at work was killed; memory may be short. Fewer processes need less of it: say how many in "
    "[potential] workers."
)


def map_unordered(
    function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], workers: int
) -> Iterator[tuple[int, Any]]:
    """Yield (index of task, result) of `function(*task)` in other processes, as they finish.

    Args:
        function: A module-level function.
        tasks: Arguments of each call; drawn as workers become free.
        workers: Number of processes; with one, the calls are made here.

    Raises:
        StageError: a process was killed, as for want of memory, more than once; once is forgiven.
        Whatever `function` raises; an interrupt ends the workers at once.
    """
    if workers <= 1:
        for i, task in enumerate(tasks):
            with single_threaded():
                result = function(*task)
            yield i, result
        return
    pool, broken = _warm_pool(workers), 0
    under_way = _UnderWay(function, tasks, workers * QUEUED_PER_WORKER)
    try:
        while True:
            try:
                under_way.fill(pool)
                if not under_way.running:
                    break
                done, _ = wait(under_way.running, return_when=FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    yield under_way.running.pop(future)[0], result
            except BrokenProcessPool:
                broken += 1
                if broken > BREAKS_FORGIVEN:
                    raise StageError(_KILLED.format(broken)) from None
                _pools.pop(workers, None)
                pool = _warm_pool(workers)
                under_way.begin_again()
    except BaseException:
        _pools.pop(workers, None)
        _end(pool)
        pool.shutdown(wait=False, cancel_futures=True)
        raise


class _UnderWay:
    """Tasks that a pool was given and has not given back."""

    def __init__(self, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], most: int) -> None:
        self.running: dict[Future[Any], tuple[int, tuple[Any, ...]]] = {}
        self._function, self._most = function, most
        self._queue = enumerate(tasks)
        self._first: list[tuple[int, tuple[Any, ...]]] = []

    def fill(self, pool: ProcessPoolExecutor) -> None:
        """Give the pool as many as it may have."""
        while len(self.running) < self._most:
            if not self._first:
                self._first += islice(self._queue, 1)
            if not self._first:
                return
            with environment(**ONE_THREAD):  # a process that this starts has it from its first import on
                self.running[pool.submit(self._function, *self._first[-1][1])] = self._first[-1]
            self._first.pop()

    def begin_again(self) -> None:
        """The pool has lost a process, and with it everything it was given: all of that goes to the next one first."""
        self._first += self.running.values()
        self.running.clear()


def start_worker(parent: int) -> None:
    """To be called first in a process that works for `parent`: it has one thread, leaves interrupts to the parent, and ends with
    it."""
    os.environ.update(ONE_THREAD)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _warm_pool(workers: int) -> ProcessPoolExecutor:
    """Workers that stay for the next call: loading torch takes each of them seconds."""
    if workers not in _pools:
        _pools[workers] = ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=start_worker, initargs=(os.getpid(),)
        )
    return _pools[workers]


@contextmanager
def single_threaded() -> Iterator[None]:
    """One thread for the linear algebra of this process and for torch, if it is loaded.

    On matrices as small as a potential's, two threads on two cores gain little when nothing else runs
    and were measured ten times slower when something does. Products also round otherwise with two.
    """
    with _blas().limit(limits=1), _one_torch_thread():
        yield


@cache
def _blas() -> ThreadpoolController:
    """The BLAS libraries of NumPy and SciPy; Numba's products of matrices are SciPy's."""
    import scipy.linalg.cython_blas  # noqa: F401  # loads the library, so that it is among those found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _end(pool: ProcessPoolExecutor) -> None:
    """Stop the workers without waiting for the task in hand."""
    for process in list((pool._processes or {}).values()):
        process.terminate()


def _watch(parent: int) -> None:
    """End this process when its parent is gone."""
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)
