"""Where may output go, and how does it get there whole?

Every path a user names passes `prepare_folder` once; every file is written beside its place and then
renamed, so that a reader never meets half a file.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import OutputError

LONGEST_NAME = 80
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
"""Names that Windows keeps for devices."""


def prepare_folder(path: Path | str, overwrite: bool = False) -> Path:
    """Make sure a folder is there, empty (unless `overwrite`) and writable.

    Args:
        path: The folder; made with its parents if absent.
        overwrite: Take a folder that has content; what stands there is replaced file by file.

    Raises:
        OutputError: it is a file, has content, or cannot be written.
    """
    try:
        folder = Path(path).expanduser()
    except RuntimeError:
        raise OutputError(f"{path} names the home of a user that this machine does not know.") from None
    with told_as_sentences(folder):
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder} is a file, and a folder is wanted there. Name another folder.")
        folder.mkdir(parents=True, exist_ok=True)
        if not overwrite and any(folder.iterdir()):
            raise OutputError(f"The folder {folder} is not empty. Name another one, or empty it first.")
        with tempfile.TemporaryFile(dir=folder):
            pass
    return folder


@contextmanager
def told_as_sentences(path: Path | str) -> Iterator[None]:
    """Turn an operating system's error while writing into an `OutputError` with a next step."""
    try:
        yield
    except OSError as error:
        raise OutputError(_sentence(error, path)) from error


def _sentence(error: OSError, path: Path | str) -> str:
    where = error.filename or path
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full: {where} could not be written. Free some space and run the export again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"No permission to write to {where}. Name a folder you may write to."
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return f"{where} cannot be a folder: a part of that path is a file. Name another folder."
    return f"{where} could not be written: {error.strerror or error}."


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file beside its place, then rename it there.

    Raises:
        OutputError: the disk is full, or the place cannot be written.
    """
    with told_as_sentences(path):
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _umask() -> int:
    """What `open` would take away; `mkstemp` makes files for their owner alone."""
    current = os.umask(0)
    os.umask(current)
    return current


def safe_name(text: str) -> str:
    """A file name made of letters, digits, dot, dash and underscore; never a path, never hidden."""
    name = _NOT_IN_A_NAME.sub("_", text).strip("._-")
    if len(name) > LONGEST_NAME:
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        name = f"{name[: LONGEST_NAME - 9]}-{digest}"
    return f"_{name}" if not name or _RESERVED.match(name) else name


def distinct_name(text: str, taken: set[str]) -> str:
    """`safe_name`, numbered if a disk that ignores case would hold two of them in one place.

    Args:
        text: What the name is made of.
        taken: Lowercase names given so far; the new one is added.
    """
    base = name = safe_name(text)
    count = 1
    while name.lower() in taken:
        count += 1
        name = f"{base}-{count}"
    taken.add(name.lower())
    return name


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
