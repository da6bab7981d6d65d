"""Progress bars on standard error, for runs and for single stages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from .output import console_error

if TYPE_CHECKING:
    from rich.progress import Task

SPEED_PERIOD_SECONDS = 120.0  # results come in bursts; the time left is estimated over this long
LEAST_SECONDS = 0.5  # before a rate means something


class Bars:
    """One bar a stage; implements the flow's `Listener`."""

    def __init__(self) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.console = console_error()
        self._progress = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", justify="right"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            speed_estimate_period=SPEED_PERIOD_SECONDS,
        )
        self._task = None
        self._begun = monotonic()

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *problem: object) -> None:
        if any(problem) and self._task is not None and not self._present.completed:
            self._progress.live.transient = True  # refused at the door: the sentence is enough
        self._end_stage()
        self._progress.stop()

    def stage(self, name: str, total: int | None) -> None:
        self._end_stage()
        self._task = self._progress.add_task(name, total=total, rate="")
        self._begun = monotonic()

    @property
    def _present(self) -> Task:
        return next(task for task in self._progress.tasks if task.id == self._task)

    def _end_stage(self) -> None:
        """Stop the clock of the stage before; a total that was not known is what was reached."""
        if self._task is None:
            return
        if self._present.total is None:
            self._progress.update(self._task, total=self._present.completed)
        self._progress.stop_task(self._task)
        self._task = None

    def advance(self, count: int = 1) -> None:
        if self._task is None:
            return
        self._progress.advance(self._task, count)
        rate = per_second(self._present.completed, monotonic() - self._begun)
        self._progress.update(self._task, rate=rate)

    def say(self, sentence: str) -> None:
        self.console.print(sentence, markup=False)


def per_second(count: float, seconds: float) -> str:
    """`3.2/s`; nothing while it is too early to tell."""
    if seconds < LEAST_SECONDS or not count:
        return ""
    rate = count / seconds
    return f"{rate:.0f}/s" if rate >= 10 else f"{rate:.2g}/s"


@contextmanager
def bars() -> Iterator[Bars]:
    """Bars that hear of everything the flow does inside the block."""
    from ..flows.progress import listening

    with Bars() as shown, listening(shown):
        yield shown
