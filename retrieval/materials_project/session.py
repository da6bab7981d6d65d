"""How is one request made to a server that may refuse, stumble, cut off or drip?

mp-api is handed this client of requests, whose adapter retries nothing: so there is one loop of retries, the one here.
mp-api itself would retry three statuses, not 500 or 503, and would wait for ever for a response that comes
byte by byte.
"""

from __future__ import annotations

import contextlib
import queue
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import requests
import urllib3

from ... import __version__
from ...core.errors import HysteronError, SettingsError, StageError, UnreachableError
from .access import KEY_VARIABLE
from .json_text import parsed

RETRIED = (429, 500, 502, 503, 504)
CHUNK_BYTES = 65536
KEPT = "What was retrieved so far is kept: ask again and it goes on from there."

Result = TypeVar("Result")


@dataclass(frozen=True)
class Patience:
    """How much is borne before a request is given up.

    Attributes:
        attempts: Requests made for one answer, at most.
        first_wait_seconds: Before the second attempt; doubles with each.
        longest_wait_seconds: Longest wait, also where the server asks for a longer one.
        connect_seconds: For a connection.
        read_seconds: Between two pieces of a response.
        response_seconds: For one response as a whole, from the first to the last byte.
        largest_response_bytes: A longer response is given up.
    """

    attempts: int = 6
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 60.0
    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    response_seconds: float = 120.0
    largest_response_bytes: int = 256 * 1024**2


@dataclass(frozen=True)
class Clock:
    """What waiting depends on; a test hands in its own.

    Attributes:
        sleep: Waits so many seconds.
        now: Seconds since 1970.
        chance: A number from 0 to 1.
    """

    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random


class PatientSession(requests.Session):
    """A session that tries again where that may help, and says in a sentence where it does not.

    Args:
        key: Sent in the header `x-api-key`, and blanked wherever a response repeats it.
        patience: When to give up.
        clock: How to wait.
    """

    def __init__(self, key: str, patience: Patience | None = None, clock: Clock | None = None) -> None:
        super().__init__()
        self._key = key
        self.patience = patience or Patience()
        self.clock = clock or Clock()
        self.retries = 0
        self.headers.update({"x-api-key": key, "user-agent": f"hysteron/{__version__}"})

    def request(self, method: str | bytes, url: str | bytes, **options: Any) -> requests.Response:  # type: ignore[override]
        """As in `requests`; the body is read, complete, and JSON where the status is 200.

        Raises:
            SettingsError: the key was refused.
            StageError: no complete answer came within the session's patience.
        """
        trouble, wait = "", 0.0
        for attempt in range(self.patience.attempts):
            if attempt:
                self.retries += 1
                self.clock.sleep(wait)
            response, trouble = self._attempt(method, url, options)
            if response is not None and not trouble:
                refused = _refusal(response.status_code)
                if refused is None:
                    return response
                raise refused
            wait = self._wait(attempt, response)
        raise UnreachableError(
            f"The Materials Project gave no answer in {self.patience.attempts} attempts (the last: {trouble}). {KEPT}"
        )

    def _attempt(
        self, method: Any, url: Any, options: dict[str, Any]
    ) -> tuple[requests.Response | None, str]:
        """A response and what is wrong with it, or nothing."""
        exchange = _Exchange(self, method, url, options)
        try:
            response = within(self.patience.response_seconds, exchange.run)
        except TimeoutError:
            exchange.abandon()
            return None, f"no complete response within {self.patience.response_seconds:g} s"
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return None, type(error).__name__
        if response.status_code in RETRIED:
            return response, f"status {response.status_code}"
        if response.status_code == 200 and not _is_json(response.content):
            return response, "the response breaks off"
        return response, ""

    def send_once(self, method: Any, url: Any, options: dict[str, Any]) -> requests.Response:
        """One request without retries and redirects, its body unread."""
        timeouts = (self.patience.connect_seconds, self.patience.read_seconds)
        fixed = {"stream": True, "allow_redirects": False, "timeout": timeouts}
        return super().request(method, url, **(options | fixed))

    def blanked(self, text: bytes) -> bytes:
        """A text in which the key, if it stands there, is blanked."""
        return text.replace(self._key.encode(), b"*" * len(self._key))

    def _wait(self, attempt: int, response: requests.Response | None) -> float:
        """Seconds before the next attempt: half to all of a doubling span, or what the server asks for."""
        longest = self.patience.longest_wait_seconds
        span = min(longest, self.patience.first_wait_seconds * 2**attempt)
        jittered = span * (0.5 + 0.5 * self.clock.chance())
        asked = (
            retry_after(response.headers.get("Retry-After"), self.clock.now())
            if response is not None
            else None
        )
        return jittered if asked is None else max(jittered, min(asked, longest))


class _Exchange:
    """One request and its response, in a thread that can be abandoned."""

    def __init__(self, session: PatientSession, method: Any, url: Any, options: dict[str, Any]) -> None:
        self._session, self._method, self._url, self._options = session, method, url, options
        self._response: requests.Response | None = None
        self._abandoned = False

    def run(self) -> requests.Response:
        self._response = response = self._session.send_once(self._method, self._url, self._options)
        with response:
            body = bytearray()
            for piece in response.iter_content(CHUNK_BYTES):
                body += piece
                if self._abandoned:
                    raise TimeoutError
                if len(body) > self._session.patience.largest_response_bytes:
                    limit = self._session.patience.largest_response_bytes // 1024**2
                    raise StageError(f"The Materials Project sent a response of more than {limit} MiB.")
        response._content = self._session.blanked(bytes(body))
        response.encoding = "utf-8"
        return response

    def abandon(self) -> None:
        """Wake the thread up if it waits for a body, so that it ends."""
        self._abandoned = True
        if self._response is not None:
            with contextlib.suppress(Exception):
                self._response.raw.shutdown()


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """The result of `work`, done in a thread of its own.

    Raises:
        TimeoutError: it took longer; the thread is left behind.
    """
    outcome: queue.SimpleQueue[tuple[Result | None, BaseException | None]] = queue.SimpleQueue()

    def do() -> None:
        try:
            outcome.put((work(), None))
        except BaseException as error:
            outcome.put((None, error))

    threading.Thread(target=do, daemon=True).start()
    try:
        result, error = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def retry_after(header: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` header asks for, given as such or as a date; `None` if it asks for nothing.

    Args:
        header: As sent.
        now: Seconds since 1970.
    """
    if not header:
        return None
    try:
        if header.strip().isdecimal():
            return float(header)
        return max(0.0, parsedate_to_datetime(header).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _is_json(body: bytes) -> bool:
    try:
        parsed(body)
    except ValueError:
        return False
    return True


def _refusal(status: int) -> HysteronError | None:
    if status in (401, 403):
        return SettingsError(
            f"Materials Project refused the key in {KEY_VARIABLE} ({status}). Make one on your dashboard there."
        )
    if 300 <= status < 400:
        return StageError(
            f"The Materials Project sent the request elsewhere ({status}); the key does not follow. "
            "Is MP_API_ENDPOINT up to date?"
        )
    return None
