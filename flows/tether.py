"""What if Prefect's server vanishes under a run?

The run goes on: what it has done stands in the store, and its steps are plain functions. Prefect's own engine would
go on as well, but tries to deliver every event and log line for seconds to a minute each, and waits for that when
the process ends. So a server that has not answered for a while is let go: nothing more is sent, and what waits to
be sent is dropped.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .progress import listener
from .server import healthy

LOST_AFTER_SECONDS = 60.0
"""Without an answer; a server that is restarted, or starved by the run, is back before."""
LOOK_SECONDS = 10.0
DELIVERY_SECONDS = 5.0


class Tether:
    """Watches a run's server.

    Args:
        url: Of its API.

    Attributes:
        lost: Whether the server was let go; it stays so for this run.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.lost = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch of Prefect's server", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()

    def gone(self) -> bool:
        """Whether the server is lost, or does not answer now; then it is let go at once."""
        if not self.lost and not healthy(self.url):
            self._let_go()
        return self.lost

    def _watch(self) -> None:
        answered = time.monotonic()
        while not self._over.wait(LOOK_SECONDS) and not self.lost:
            if healthy(self.url):
                answered = time.monotonic()
            elif time.monotonic() - answered > LOST_AFTER_SECONDS:
                self._let_go()

    def _let_go(self) -> None:
        self.lost = True
        listener().say("Prefect's server is gone; the run goes on without it.")
        send_nothing()


@contextmanager
def tethered(url: str) -> Iterator[Tether]:
    """Watch a server while the block lasts."""
    tether = Tether(url)
    tether.start()
    try:
        yield tether
    finally:
        tether.stop()


def send_nothing() -> None:
    """Send Prefect no events and no log lines from this process any more, and drop those that wait."""
    from prefect.events.clients import NullEventsClient
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    EventsWorker.set_client_override(NullEventsClient)
    for handler, levels in _log_handlers():
        handler.setLevel(levels[False])
    for service in list(EventsWorker._instances.values()):
        if isinstance(service, EventsWorker | APILogWorker):
            with service._queue.mutex:
                service._queue.queue.clear()


def send_again() -> None:
    """Undo `send_nothing`, for another server."""
    from prefect.events.worker import EventsWorker

    EventsWorker.set_client_override(None)
    for handler, levels in _log_handlers():
        handler.setLevel(levels[True])


def deliver() -> None:
    """Wait a little for what is still to be sent, and send nothing after it."""
    from prefect.events.worker import EventsWorker

    EventsWorker.drain_all(timeout=DELIVERY_SECONDS, at_exit=False)
    send_nothing()


def _log_handlers() -> Iterator[tuple[logging.Handler, dict[bool, int]]]:
    """Prefect's handlers that send lines to a server, and their level when they do and when they do not."""
    from prefect.logging.handlers import APILogHandler

    levels = {True: logging.NOTSET, False: logging.CRITICAL + 1}
    names = [None, *logging.root.manager.loggerDict]
    handlers = {handler for name in names for handler in logging.getLogger(name).handlers}
    yield from ((handler, levels) for handler in handlers if isinstance(handler, APILogHandler))
