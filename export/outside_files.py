"""How is a file read that somebody else put into an exported folder?

Nothing in the folder is trusted: a symbolic link, a device or a file that is too large, compressed or not, is refused before it
is read. Checksums are of the uncompressed content, so that compressing an output afterwards does not make it another one.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from ..core.errors import InputError, NotFoundError

LARGEST_OUTPUT_BYTES = 200_000_000
"""An output of 100 atoms and hundreds of k-points has a tenth of that."""


@dataclass(frozen=True)
class FileRecord:
    """What is kept of a file that was read.

    Attributes:
        name: From the folder that the user named, with slashes, without `.gz`.
        sha256: Of the uncompressed content, hexadecimal.
    """

    name: str
    sha256: str


@dataclass(frozen=True)
class OutsideFile:
    """One file that was read.

    Attributes:
        name: From the folder that the user named, with slashes, without `.gz`.
        content: Uncompressed.
    """

    name: str
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """Of the content, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def record(self) -> FileRecord:
        """Without the content, which may be large."""
        return FileRecord(self.name, self.sha256)

    @cached_property
    def text(self) -> str:
        """What is no UTF-8 is replaced."""
        return self.content.decode("utf-8", errors="replace")


def read_output(root: Path, name: str, largest: int | None = None) -> OutsideFile:
    """An output, plain or gzipped.

    Args:
        root: The folder that the user named.
        name: From there, with slashes.
        largest: Bytes, uncompressed; `LARGEST_OUTPUT_BYTES` by default.

    Raises:
        NotFoundError: it is not there.
        InputError: a link leads to it, or it is empty, too large or cannot be read.
    """
    most = LARGEST_OUTPUT_BYTES if largest is None else largest
    for found in (name, f"{name}.gz"):
        if os.path.lexists(root / found):
            content = _content(root, found, most)
            if not content.strip():
                raise InputError(f"{found} is empty: the run has not begun, or died at once. Run it again.")
            return OutsideFile(name, content)
    raise NotFoundError(f"{name} is not there: this has not been run yet.")


def exists(root: Path, name: str) -> bool:
    """Whether something stands at an output's place, be it a link that leads nowhere."""
    return any(os.path.lexists(root / found) for found in (name, f"{name}.gz"))


def refuse_links(root: Path, name: str) -> None:
    """Refuse a name below a folder if any part of it is a symbolic link, or if it leaves the folder.

    Raises:
        InputError: it is, or does.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise InputError(f"{name} leaves the folder {root} and was not read.")
    place = root
    for part in path.parts:
        place /= part
        if place.is_symlink():
            raise InputError(
                f"{place.relative_to(root)} is a symbolic link and was not followed: put the file itself there."
            )


def _content(root: Path, name: str, largest: int) -> bytes:
    refuse_links(root, name)
    path = root / name
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise InputError(f"{name} is no regular file and was not read.")
        # Something else may have been put there since: a link, or a pipe, which would wait for a writer for ever.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with open(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            if status.st_size > largest:
                raise _too_large(name, largest)
            if path.suffix != ".gz":
                return _at_most(file.read(largest + 1), name, largest)
            with gzip.open(file) as unpacked:
                return _at_most(unpacked.read(largest + 1), name, largest)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{name} cannot be read: {error}.") from None


def _at_most(content: bytes, name: str, largest: int) -> bytes:
    if len(content) > largest:
        raise _too_large(name, largest)
    return content


def _too_large(name: str, largest: int) -> InputError:
    return InputError(
        f"{name} is larger than {largest // 1_000_000} MB and was not read. Leave out what is not needed "
        "(densities of states, projections)."
    )
