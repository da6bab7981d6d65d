"""What does one address of a provider answer, within limits of time and size?

One JSON document per call, or `ProviderError` with one sentence. Asked again, after a pause that doubles and
varies, is only what may pass: 429, 5xx and broken connections. Redirects stay on the same host.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...core.errors import StageError
from ...core.settings import Settings
from .addresses import AddressRefused, host_of, is_private, next_address, shown

if TYPE_CHECKING:
    import httpx

USER_AGENT = f"hysteron/{__version__} (OPTIMADE client)"
MAX_REDIRECTS = 5
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
_RETRIED = (429, 500, 502, 503, 504)


class ProviderError(StageError):
    """A provider could not be asked, or gave no usable answer; the sentence says what happened.

    Args:
        sentence: Calls the provider "it"; its name stands before the sentence.
        status: Of the HTTP answer, if that is what is wrong.
    """

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status


class Limits(Settings):
    """How much of a provider's time and data a search may take.

    Attributes:
        provider_seconds: For one provider, all its pages together.
        total_seconds: For all providers; what has not come by then is left out, and said.
        silence_seconds: Without a byte, after which a connection is given up.
        records: Records taken from one provider.
        pages: Pages taken from one provider.
        page_bytes: Size of one answer, unpacked.
        total_bytes: Size of all answers of one provider.
        retries: How often one request is repeated.
        unfiltered_records: How many records may be looked at where nothing of a filter can be put to the
            provider; `None` refuses such a search, which would download the database.
    """

    provider_seconds: float = 45.0
    total_seconds: float = 60.0
    silence_seconds: float = 20.0
    records: int = 1000
    pages: int = 200
    page_bytes: int = 16 * 2**20
    total_bytes: int = 64 * 2**20
    retries: int = 3
    unfiltered_records: int | None = None


@dataclass(frozen=True)
class Waiting:
    """Clock and pauses, for tests to replace.

    Attributes:
        clock: Seconds, from any origin.
        sleep: Waits some seconds.
        jitter: A number from 0 to 1.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


@dataclass
class Transport:
    """Answers of one provider, until its time or its bytes are spent.

    Args:
        base_url: Decides which host may be asked.
        limits: Of time and size.
        waiting: Clock and pauses.
        stopped: Set from outside when nobody waits for the answers any more.
    """

    base_url: str
    limits: Limits
    waiting: Waiting = Waiting()
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.bytes_read = 0
        self._end = self.waiting.clock() + self.limits.provider_seconds
        self._client: httpx.Client | None = None

    def __enter__(self) -> Transport:
        import httpx

        headers = {
            "User-Agent": USER_AGENT,
            "Accept": "application/vnd.api+json, application/json",
            "Accept-Encoding": "gzip",
        }
        no_proxy = is_private(host_of(self.base_url))
        self._client = httpx.Client(headers=headers, follow_redirects=False, trust_env=not no_proxy)
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close()

    @property
    def seconds_left(self) -> float:
        """Until the provider's time is spent."""
        return self._end - self.waiting.clock()

    def document(self, address: str) -> dict[str, Any]:
        """The JSON object at an address.

        Raises:
            ProviderError: none came, for the reason said.
        """
        for attempt in range(self.limits.retries + 1):
            self._require_time()
            last = attempt == self.limits.retries
            try:
                answer = self._answer(address)
            except _Broken as error:
                if last:
                    raise ProviderError(f"{error}{_times(attempt)}.") from None
                self._pause(attempt, 0.0, str(error))
                continue
            if answer.status in _RETRIED and not last:
                self._pause(attempt, answer.retry_after, f"It answered {answer.status}")
                continue
            if answer.status != 200:
                said = f"It answered {answer.status}{_times(attempt)}{_told(answer)}."
                raise ProviderError(said, answer.status)
            return _object(answer)
        raise AssertionError("the last attempt returns or raises")

    def rest(self, seconds: float, why: str) -> None:
        """Wait before the next request.

        Raises:
            ProviderError: longer than there is time.
        """
        left = max(self.seconds_left, 0.0)
        if seconds >= left:
            raise ProviderError(f"{why}: that is a pause of {seconds:.1f} s, and {left:.1f} s are left.")
        if seconds > 0:
            self.waiting.sleep(seconds)

    def _pause(self, attempt: int, asked_for: float, why: str) -> None:
        doubled = min(FIRST_PAUSE_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS)
        self.rest(max(asked_for, doubled * (0.5 + 0.5 * self.waiting.jitter())), why)

    def _require_time(self) -> None:
        if self.stopped.is_set():
            raise ProviderError("It was given up, since the time for all providers was spent.")
        if self.seconds_left <= 0:
            raise ProviderError(f"It was not done within {self.limits.provider_seconds:g} s.")

    def _answer(self, address: str) -> _Answer:
        """What comes after redirects."""
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._one(address)
            if answer.location is None:
                return answer
            try:
                address = next_address(answer.location, address, "redirect")
            except AddressRefused as error:
                raise ProviderError(str(error)) from None
        raise ProviderError(f"It redirects more than {MAX_REDIRECTS} times.")

    def _one(self, address: str) -> _Answer:
        import httpx

        assert self._client is not None, "used as a context manager"
        silence = max(min(self.limits.silence_seconds, self.seconds_left), 0.01)
        try:
            with self._client.stream("GET", address, timeout=silence) as response:
                _require_readable(response, self.limits.page_bytes)
                return _Answer.of(response, self._body(response))
        except (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout):
            raise ProviderError(f"It was silent for {silence:g} s.") from None
        except httpx.ConnectTimeout:
            raise _Broken(f"No connection within {silence:g} s") from None
        except httpx.ConnectError as error:
            raise _Broken(f"No connection ({shown(str(error), 80)})") from None
        except httpx.DecodingError:
            raise ProviderError("Its answer cannot be unpacked.") from None
        except httpx.TransportError as error:
            raise _Broken(f"The connection broke off ({shown(str(error), 80)})") from None
        except (httpx.InvalidURL, UnicodeError):
            raise ProviderError("It names an address that cannot be used.") from None

    def _body(self, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes():
            size += len(part)
            self.bytes_read += len(part)
            if size > self.limits.page_bytes:
                raise ProviderError(_too_large(self.limits.page_bytes))
            if self.bytes_read > self.limits.total_bytes:
                raise ProviderError(f"It has sent more than {_mebibytes(self.limits.total_bytes)} in all.")
            self._require_time()
            parts.append(part)
        return b"".join(parts)


class _Broken(Exception):
    """A connection that may work the next time."""


@dataclass(frozen=True)
class _Answer:
    """What came: `retry_after` in seconds, `location` if it is a redirect."""

    status: int
    body: bytes
    content_type: str
    retry_after: float
    location: str | None

    @classmethod
    def of(cls, response: httpx.Response, body: bytes) -> _Answer:
        headers = response.headers
        moved = response.status_code in (301, 302, 303, 307, 308)
        return cls(
            status=response.status_code,
            body=body,
            content_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
            retry_after=_seconds(headers.get("retry-after", "")),
            location=headers.get("location") if moved else None,
        )


def _require_readable(response: httpx.Response, page_bytes: int) -> None:
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if packing not in ("gzip", "identity", ""):
        raise ProviderError(f"It packs its answer as {shown(packing, 40)!r}; gzip was asked for.")
    length = response.headers.get("content-length", "")
    if length.isdecimal() and int(length) > page_bytes:
        raise ProviderError(_too_large(page_bytes))


def _object(answer: _Answer) -> dict[str, Any]:
    """The JSON object of an answer with status 200; one with `errors` is none."""
    import orjson

    kind = answer.content_type
    if kind and not (kind.endswith(("/json", "+json"))):
        raise ProviderError(
            f"It answered with {shown(kind, 60)!r} instead of JSON; is this the base address of an OPTIMADE API?"
        )
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise ProviderError(f"Its answer is no valid JSON ({shown(str(error), 80)}).") from None
    if not isinstance(found, dict):
        raise ProviderError("Its answer is no JSON object.")
    if found.get("errors"):
        raise ProviderError(f"It answered with an error{_told(answer)}.")
    return found


def _told(answer: _Answer) -> str:
    """What an OPTIMADE error document says, as the end of a sentence."""
    import orjson

    try:
        errors = orjson.loads(answer.body)["errors"]
        said = [str(error.get("detail") or error.get("title") or "") for error in errors]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return ""
    told = "; ".join(shown(text, 160).rstrip(".") for text in said[:2] if text)
    return f": {told}" if told else ""


def _seconds(retry_after: str) -> float:
    """A `Retry-After` in seconds, whether it is a number or a date; 0 if it is neither."""
    if retry_after.strip().isdecimal():
        return float(retry_after[:9])
    try:
        return max(parsedate_to_datetime(retry_after).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _times(attempt: int) -> str:
    return f", {attempt + 1} times" if attempt else ""


def _too_large(limit: int) -> str:
    return f"Its answer is larger than {_mebibytes(limit)}."


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.3g} MiB"
