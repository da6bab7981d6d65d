"""How does a large file come over a network that breaks?

Bytes are appended to `NAME.part`; beside it `NAME.part.json` notes which version of the file they are of. After a broken
connection, or a kill, the rest is asked for (`Range`, `If-Range`); a server that does not know ranges, or whose file has
changed, sends it anew from the start. Asked again, after pauses that double and vary, as long as bytes
keep coming: a pause ends the attempts only after several in a row that brought nothing.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urljoin

from .. import __version__
from ..core.errors import OutputError, StageError
from .sources import check_address, on_this_machine

if TYPE_CHECKING:
    import httpx

MOST_REDIRECTS = 5
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
RETRIED = (408, 425, 429, 500, 502, 503, 504)
CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")

Progress = Callable[[int, int | None], None]
"""Called with bytes on disk, and in all if that is known."""


@dataclass(frozen=True)
class Patience:
    """How long and how often, for tests to replace.

    Attributes:
        attempts: In a row without a new byte.
        silence_seconds: Without a byte, after which a connection is given up.
        sleep: Waits some seconds.
        jitter: A number from 0 to 1.
    """

    attempts: int = 6
    silence_seconds: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


@dataclass(frozen=True)
class Version:
    """Which version of a file the bytes on disk are of."""

    url: str
    etag: str = ""
    modified: str = ""
    total: int | None = None

    @property
    def validator(self) -> str:
        """What `If-Range` takes: a strong entity tag, else the date; empty if there is neither."""
        strong = self.etag if self.etag and not self.etag.startswith("W/") else ""
        return strong or self.modified


class _Broken(Exception):
    """An attempt ended early; the sentence says how, `pause` how long the server asked to wait."""

    def __init__(self, sentence: str, pause: float = 0.0) -> None:
        super().__init__(sentence)
        self.pause = pause


def download(
    url: str,
    part: Path,
    most_bytes: int,
    progress: Progress = lambda done, total: None,
    room: Callable[[int], None] = lambda more: None,
    patience: Patience = Patience(),
) -> Version:
    """Bring a whole file to `part`, going on where an earlier call stopped.

    Args:
        url: An https address, or one on this machine.
        part: Where the bytes go; its folder exists.
        most_bytes: A larger file is refused.
        progress: Told of bytes.
        room: Called once with the bytes to come, as soon as they are known; raises if the disk has no room.
        patience: Pauses.

    Returns:
        The version that was downloaded.

    Raises:
        StageError: the server refuses, keeps breaking off, or sends too much.
        OutputError: the disk is full or cannot be written.
    """
    fetching = _Fetching(url, part, most_bytes, progress, room, patience)
    failures = 0
    while True:
        before = fetching.size
        try:
            return fetching.attempt()
        except _Broken as error:
            failures = 1 if fetching.size > before else failures + 1
            if failures >= patience.attempts:
                kept = (
                    f" {fetching.size} bytes are kept; the same command goes on from there."
                    if fetching.size
                    else ""
                )
                raise StageError(f"{url} {error}, {failures} times in a row.{kept}") from None
            pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (failures - 1))
            patience.sleep(max(error.pause, pause * (0.5 + patience.jitter() / 2)))


class _Fetching:
    def __init__(
        self,
        url: str,
        part: Path,
        most_bytes: int,
        progress: Progress,
        room: Callable[[int], None],
        patience: Patience,
    ) -> None:
        self.url, self.part, self.most_bytes = url, part, most_bytes
        self.progress, self.room, self.patience = progress, room, patience
        self.note = part.with_name(part.name + ".json")

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self.part.stat().st_size if self.part.exists() else 0

    def attempt(self) -> Version:
        """One connection, to the end of the file or to a break."""
        import httpx

        known = self._known()
        if known and known.total is not None and self.size == known.total:
            return known
        timeout = httpx.Timeout(self.patience.silence_seconds)
        headers = {"User-Agent": f"hysteron/{__version__} (data fetch)", "Accept-Encoding": "identity"}
        if known and self.size and known.validator:
            headers |= {"Range": f"bytes={self.size}-", "If-Range": known.validator}
        trust_proxy = not on_this_machine(self.url)
        try:
            with httpx.Client(timeout=timeout, trust_env=trust_proxy, headers=headers) as client:
                return self._follow(client, known)
        except httpx.TransportError as error:
            raise _Broken(f"broke off ({type(error).__name__})") from None
        except httpx.InvalidURL as error:
            raise StageError(f"{self.url} leads to no readable address: {error}.") from None
        except OSError as error:
            raise OutputError(f"{self.part} cannot be written: {error.strerror or error}.") from None

    def _follow(self, client: httpx.Client, known: Version | None) -> Version:
        """Ask, through redirects that stay on https."""
        address = self.url
        for _ in range(MOST_REDIRECTS + 1):
            with client.stream("GET", address) as answer:
                if not answer.is_redirect:
                    return self._received(answer, known)
                address = self._next(address, answer.headers.get("location", ""))
        raise StageError(f"{self.url} leads through more than {MOST_REDIRECTS} redirects.")

    def _next(self, address: str, location: str) -> str:
        try:
            found = urljoin(address, location)
            check_address(found)
        except ValueError:
            raise StageError(
                f"{self.url} leads to {location!r}, which is not https; it was not followed."
            ) from None
        if on_this_machine(found) and not on_this_machine(self.url):
            raise StageError(f"{self.url} leads to this machine ({found!r}); it was not followed.")
        return found

    def _received(self, answer: httpx.Response, known: Version | None) -> Version:
        """Take the bytes of an answer, from where they begin."""
        version, begin = self._judged(answer, known)
        if version.total is not None and version.total > self.most_bytes:
            raise StageError(
                f"{self.url} is {version.total} bytes long, more than the {self.most_bytes} expected."
            )
        if version.total is not None:
            self.room(version.total - begin)
        mode = "ab" if begin else "wb"
        with self.part.open(mode) as out:
            self._write_note(version)
            done = self._copy(answer, out, begin, version)
        if version.total is not None and done != version.total:
            raise _Broken(f"sent {done} of {version.total} bytes")
        return Version(version.url, version.etag, version.modified, done)

    def _judged(self, answer: httpx.Response, known: Version | None) -> tuple[Version, int]:
        """Which version an answer brings, and from which byte on."""
        status, headers = answer.status_code, answer.headers
        if status in RETRIED:
            raise _Broken(f"answers {status}", _asked_pause(headers.get("retry-after", "")))
        if status == 416:
            self.forget()
            raise _Broken("no longer has the part that is missing; it begins anew")
        if status not in (200, 206):
            raise StageError(f"{self.url} answers {status} ({answer.reason_phrase}). {_advice(status)}")
        if headers.get("content-encoding", "identity") != "identity":
            raise StageError(f"{self.url} sends its file in the encoding {headers['content-encoding']!r}.")
        tags = {"etag": headers.get("etag", ""), "modified": headers.get("last-modified", "")}
        if status == 200:
            length = headers.get("content-length", "")
            return Version(self.url, **tags, total=int(length) if length.isdigit() else None), 0
        found = CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
        same = known is not None and (not tags["etag"] or tags["etag"] == known.etag)
        total_agrees = found and known and known.total in (None, int(found[3]))
        if not (found and same and total_agrees and int(found[1]) == self.size):
            self.forget()
            raise _Broken("sent another part than the one asked for; it begins anew")
        return Version(self.url, **tags, total=int(found[3])), self.size

    def _copy(self, answer: httpx.Response, out: BinaryIO, begin: int, version: Version) -> int:
        """Write what comes; what has come is on disk even if the connection breaks."""
        done = begin
        self.progress(done, version.total)
        for chunk in answer.iter_raw():  # of no fixed size: that would hold bytes back
            out.write(chunk)
            done += len(chunk)
            if done > self.most_bytes:
                raise StageError(
                    f"{self.url} sends more than the {self.most_bytes} bytes expected; it was left."
                )
            self.progress(done, version.total)
        return done

    def _known(self) -> Version | None:
        """What is noted of the bytes on disk; nothing if they are of another address or not noted."""
        try:
            noted: Any = json.loads(self.note.read_text(encoding="utf-8"))
            version = Version(
                str(noted["url"]),
                str(noted["etag"]),
                str(noted["modified"]),
                noted["total"] and int(noted["total"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return version if version.url == self.url and self.part.exists() else None

    def _write_note(self, version: Version) -> None:
        draft = self.note.with_suffix(".draft")
        draft.write_text(json.dumps(vars(version)), encoding="utf-8")
        draft.replace(self.note)

    def forget(self) -> None:
        """Throw the bytes away."""
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def _asked_pause(text: str) -> float:
    """`Retry-After` in seconds, within reason."""
    return min(float(text), 2 * LONGEST_PAUSE_SECONDS) if text.isdigit() else 0.0


def _advice(status: int) -> str:
    if status in (401, 403):
        return "It asks for a permission that this program does not have; get the file by hand."
    if status in (404, 410):
        return "The file has moved; look at the page that 'hysteron data list NAME' shows."
    return "It cannot be had this way."
