"""How does a public data set get onto this machine?

Room is looked for, the file is downloaded beside its place, its checksum is compared, it is put or unpacked into its folder in
one step, and a record of it is written. Nothing half done ever stands under its final name. The record, `.fetched/NAME.json`
in the data folder, holds address, size, SHA-256 and date.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..core.errors import InputError, OutputError, StageError
from ..core.settings import home
from .download import Patience, Version, download
from .progress import Listener
from .sources import Source
from .unpack import unpack

RECORDS = ".fetched"
MEGABYTE = 1_000_000
RESERVE_BYTES = 500 * MEGABYTE
"""Left free on the disk."""
LARGER_THAN_STATED = 1.3
"""Sizes on the pages are rounded, and some count in 2^20 bytes."""
SIZE_IF_UNKNOWN = 20_000 * MEGABYTE
TIMES_UNPACKED = 20
"""What an archive may unpack to, where no page says: aselmdb 1.6, extxyz.xz 1.0, lmdb 14."""


@dataclass(frozen=True)
class Record:
    """What was fetched.

    Attributes:
        name: Of the source.
        url, etag: Which version.
        bytes: Of the download.
        sha256: Of the download.
        date: When.
        compared: Whether the checksum was compared with a published one.
        path: Of the file or folder, inside the data folder.
    """

    name: str
    url: str
    etag: str
    bytes: int
    sha256: str
    date: str
    compared: bool
    path: str


def data_folder(into: Path | None = None) -> Path:
    """Where data sets go: `--into`, or data in `HYSTERON_HOME`."""
    return Path(into).expanduser() if into else home() / "data"


def place_of(source: Source, folder: Path) -> Path:
    """The file, or the folder of an archive, under its final name."""
    place = folder / source.folder
    return place / source.file_name if source.url and not source.is_archive else place


def recorded(source: Source, folder: Path) -> Record | None:
    """What is known of a data set in a folder; nothing unless it stands there."""
    try:
        record = Record(**json.loads(_record_path(source, folder).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return record if (folder / record.path).exists() else None


def begun_bytes(source: Source, folder: Path) -> int:
    """Bytes of a download that was broken off."""
    part = _part_path(source, folder)
    return part.stat().st_size if part.exists() else 0


def fetch(
    source: Source,
    folder: Path,
    listener: Listener,
    anew: bool = False,
    keep_archive: bool = False,
    patience: Patience = Patience(),
) -> Record:
    """Get one data set, or go on getting it.

    Args:
        source: Which.
        folder: The data folder.
        listener: Hears of progress in megabytes.
        anew: Also if it is there.
        keep_archive: Do not delete what was unpacked.
        patience: Pauses of the download.

    Raises:
        InputError: no program may fetch it.
        OutputError: the folder cannot be written, has no room, or another fetch is at work.
        StageError: the download failed, or is not what was published.
    """
    if source.by_hand:
        raise InputError(f"{source.name}: {source.by_hand} Its place is {folder / source.folder}.")
    before = recorded(source, folder)
    if before and not anew:
        listener.say(f"{source.name} is there: {folder / before.path} ({before.date}).")
        return before
    with _alone(source, folder):
        _require_free_place(source, folder)
        part = _part_path(source, folder)
        version = _downloaded(source, folder, listener, patience)
        checksum = _checked(source, part, before, listener)
        place = _placed(source, folder, part, listener, keep_archive)
        record = Record(
            name=source.name,
            url=source.url,
            etag=version.etag,
            bytes=version.total or 0,
            sha256=checksum,
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            compared=bool(source.md5 or source.sha256),
            path=place.relative_to(folder).as_posix(),
        )
        _write(_record_path(source, folder), record)
        part.with_name(part.name + ".json").unlink(missing_ok=True)
    return record


def _require_free_place(source: Source, folder: Path) -> None:
    """Refuse to replace what this program did not put there."""
    place = place_of(source, folder)
    if place.exists() and not recorded(source, folder):
        raise OutputError(
            f"{place} exists and was not put there by 'data fetch'. Move it away, or name another place with --into."
        )


def _downloaded(source: Source, folder: Path, listener: Listener, patience: Patience) -> Version:
    stated = source.megabytes * MEGABYTE if source.megabytes else None
    most = int(stated * LARGER_THAN_STATED + MEGABYTE) if stated else SIZE_IF_UNKNOWN
    unpacked = source.unpacked_megabytes or (3 * source.megabytes if source.megabytes else 0)
    after = int(unpacked * MEGABYTE) if source.is_archive else 0
    if stated:
        _require_room(source, folder, int(stated) - begun_bytes(source, folder) + after)
    megabytes = _Megabytes(f"{source.name}, MB", listener)
    return download(
        source.url,
        _part_path(source, folder),
        most,
        megabytes,
        lambda more: _require_room(source, folder, more + after),
        patience,
    )


def _require_room(source: Source, folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed + RESERVE_BYTES > free:
        raise OutputError(
            f"{source.name} needs about {_in_words(needed)} in {folder}, where {_in_words(free)} are free "
            f"({_in_words(RESERVE_BYTES)} are left alone). Name another place with --into."
        )


def _checked(source: Source, part: Path, before: Record | None, listener: Listener) -> str:
    """SHA-256 of the download, once it is what was published; a wrong download is deleted."""
    found = _checksums(part, _Megabytes(f"checking {source.name}, MB", listener))
    for name, wanted in (("sha256", source.sha256), ("md5", source.md5)):
        if wanted and found[name] != wanted:
            part.unlink()
            part.with_name(part.name + ".json").unlink(missing_ok=True)
            raise StageError(
                f"{source.name} has the {name.upper()} {found[name]}, published is {wanted}. The download was "
                "deleted; if a second one differs as well, the file has changed: see " + source.page + "."
            )
    if before and not (source.sha256 or source.md5) and before.sha256 != found["sha256"]:
        listener.say(f"{source.name} is another file than that of {before.date} (SHA-256 {before.sha256}).")
    return found["sha256"]


def _checksums(path: Path, progress: _Megabytes) -> dict[str, str]:
    digests = {"sha256": hashlib.sha256(), "md5": hashlib.md5(usedforsecurity=False)}
    total, done = path.stat().st_size, 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            for digest in digests.values():
                digest.update(chunk)
            done += len(chunk)
            progress(done, total)
    return {name: digest.hexdigest() for name, digest in digests.items()}


def _placed(source: Source, folder: Path, part: Path, listener: Listener, keep_archive: bool) -> Path:
    """The file or folder under its final name."""
    place = place_of(source, folder)
    if not source.is_archive:
        place.parent.mkdir(parents=True, exist_ok=True)
        return part.replace(place)
    stated = source.unpacked_megabytes
    most = stated * LARGER_THAN_STATED * MEGABYTE if stated else TIMES_UNPACKED * part.stat().st_size
    left_out = unpack(part, place, int(most) + MEGABYTE, _Megabytes(f"unpacking {source.name}, MB", listener))
    if left_out:
        listener.say(f"{source.name}: {left_out} links or devices in the archive were left out.")
    if keep_archive:
        part.replace(place.parent / source.file_name)
    else:
        part.unlink()
    return place


@contextlib.contextmanager
def _alone(source: Source, folder: Path) -> Iterator[None]:
    """Refuse to fetch into a folder what another process is fetching there."""
    try:
        (folder / RECORDS).mkdir(parents=True, exist_ok=True)
        lock = _record_path(source, folder).with_suffix(".lock").open("w")
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error.strerror or error}). Name another place with --into."
        ) from None
    with lock:
        try:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass  # Windows has no such lock
        except OSError:
            raise OutputError(f"Another process is fetching {source.name} into {folder}.") from None
        yield


class _Megabytes:
    """Turns bytes into a listener's steps of one megabyte."""

    def __init__(self, name: str, listener: Listener) -> None:
        self.name, self.listener = name, listener
        self.total: int | None = -1
        self.told = 0

    def __call__(self, done: int, total: int | None) -> None:
        if total != self.total or done // MEGABYTE < self.told:
            self.total, self.told = total, 0
            self.listener.stage(self.name, total // MEGABYTE if total is not None else None)
        if (steps := done // MEGABYTE - self.told) > 0:
            self.told += steps
            self.listener.advance(steps)


def _write(path: Path, record: Record) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def _record_path(source: Source, folder: Path) -> Path:
    return folder / RECORDS / f"{source.name}.json"


def _part_path(source: Source, folder: Path) -> Path:
    return folder / RECORDS / f"{source.name}.part"


def _in_words(size: float) -> str:
    megabytes = size / MEGABYTE
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"
