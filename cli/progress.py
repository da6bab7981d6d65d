"""Progress bars on standard error, for runs and for single stages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .output import console_error


class Bars:
    """One bar a stage; implements the flow's `Listener`."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.console = console_error()
        self._progress = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
        )
        self._task = None

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._end_stage()
        self._progress.stop()

    def stage(self, name: str, total: int | None) -> None:
        self._end_stage()
        self._task = self._progress.add_task(name, total=total)

    def _end_stage(self) -> None:
        """Stop the clock of the stage before; a total that was not known is what was reached."""
        if self._task is None:
            return
        task = next(t for t in self._progress.tasks if t.id == self._task)
        if task.total is None:
            self._progress.update(self._task, total=task.completed)
        self._progress.stop_task(self._task)
        self._task = None

    def advance(self, count: int = 1) -> None:
        if self._task is not None:
            self._progress.advance(self._task, count)

    def say(self, sentence: str) -> None:
        self.console.print(sentence, markup=False)


@contextmanager
def bars() -> Iterator[Bars]:
    """Bars that hear of everything the flow does inside the block."""
    from ..flows.progress import listening

    with Bars() as shown, listening(shown):
        yield shown
