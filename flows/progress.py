"""How far along a run is, told to whoever listens.

The command line sets a listener that draws bars on standard error; in a scheduled run nobody listens
and Prefect's log has the same words.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Listener(Protocol):
    """What a progress display implements."""

    def stage(self, name: str, total: int | None) -> None:
        """A stage begins; `total` counts its items, if that is known."""

    def advance(self, count: int = 1) -> None:
        """So many items of the current stage are done."""

    def say(self, sentence: str) -> None:
        """Something the user wants to know."""


class Silent:
    """Nobody listens."""

    def stage(self, name: str, total: int | None) -> None:
        pass

    def advance(self, count: int = 1) -> None:
        pass

    def say(self, sentence: str) -> None:
        pass


class Counted:
    """Counts how far the current stage is, and tells another listener.

    Attributes:
        total: Items of the stage, if that is known.
        done: Of them.
    """

    def __init__(self, other: Listener) -> None:
        self.total: int | None = None
        self.done = 0
        self._other = other

    def stage(self, name: str, total: int | None) -> None:
        self.total, self.done = total, 0
        self._other.stage(name, total)

    def advance(self, count: int = 1) -> None:
        self.done += count
        self._other.advance(count)

    def say(self, sentence: str) -> None:
        self._other.say(sentence)


_current: Listener = Silent()


def listener() -> Listener:
    """Whoever listens now."""
    return _current


@contextmanager
def listening(to: Listener) -> Iterator[None]:
    """Let `to` hear of everything that happens inside the block."""
    global _current
    before, _current = _current, to
    try:
        yield
    finally:
        _current = before


@contextmanager
def counting() -> Iterator[Counted]:
    """Count what whoever listens now hears in the block."""
    counted = Counted(listener())
    with listening(counted):
        yield counted
