"""Which crystals lie in these files and folders?

Source `cif`: CIF, POSCAR, extxyz and JSONL files, told apart by name. Whatever cannot be used becomes a `FileEntry`
with a `Failure`, never an exception: only "no path at all" is refused at the door.
"""

from __future__ import annotations

import hashlib
import os
import stat
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.candidate import Candidate, Failure, Step
from ..core.errors import HysteronError, InputError, NotFoundError
from .file_formats import NAMES, format_of, read_parts
from .sanity import usable

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..core.filters import Filter
    from ..core.identity import IdentityIndex

NAME = "cif"
MAX_WARNINGS = 3
"""So many different remarks of a parser are kept with a candidate."""


@dataclass(frozen=True)
class FileEntry:
    """What became of one crystal of a file, or of a file or path as a whole.

    Attributes:
        input: The path as found; `path#part` where a file holds several (a frame or data block counted from
            0, a line of JSONL from 1).
        candidate: The crystal, or `None`.
        failure: Why there is none, or `None`.
    """

    input: str
    candidate: Candidate | None = None
    failure: Failure | None = None


def read_paths(paths: Iterable[str | Path]) -> Iterator[FileEntry]:
    """Every crystal of the files and folders named, in the order named; folders recursively, sorted by name.

    The same crystal in two files has the same id. In a folder, files whose names tell no format are passed
    over, and so are hidden ones; a file that is named itself must have a format.

    Raises:
        InputError: no path was given.
    """
    named = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    if not named:
        raise InputError(f"Name at least one file or folder ({NAMES}).")
    return _entries(named)


def _entries(named: list[Path]) -> Iterator[FileEntry]:
    from ..core.identity import IdentityIndex

    index = IdentityIndex()
    for path in named:
        if path.is_dir():
            yield from _folder_entries(path, index)
        else:
            yield from _file_entries(path, path.parent, index)


def _folder_entries(folder: Path, index: IdentityIndex) -> Iterator[FileEntry]:
    empty = True
    for path, trouble in _walk(folder):
        empty = False
        if trouble:
            yield _failed(str(path), trouble)
        else:
            yield from _file_entries(path, folder, index)
    if empty:
        yield _failed(str(folder), f"The folder holds no structure files ({NAMES}).")


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    """Files of a known format below a folder, sorted, and what cannot be entered with the reason."""
    try:
        children = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        yield folder, f"The folder cannot be read: {error.strerror}."
        return
    for path in children:
        if path.name.startswith("."):
            continue
        if path.is_symlink() and (path.is_dir() or not path.exists()):
            yield path, "A link to a folder or to nothing is not followed; name its target instead."
        elif path.is_dir():
            yield from _walk(path)
        elif format_of(path):
            yield path, ""


def _file_entries(path: Path, folder: Path, index: IdentityIndex) -> Iterator[FileEntry]:
    format_name = format_of(path)
    trouble = _trouble(path, format_name)
    if trouble or format_name is None:
        yield _failed(str(path), trouble)
        return
    try:
        origin = _origin(path, folder, format_name)
        for part, crystal, remarks in _with_remarks(path, format_name):
            label = str(path) if part is None else f"{path}#{part}"
            yield _entry(label, crystal, origin, part, remarks, index)
    except UnicodeDecodeError:
        yield _failed(str(path), "The file is not text in UTF-8.")
    except OSError as error:
        yield _failed(str(path), f"The file cannot be read: {error.strerror}.")
    except HysteronError as error:
        yield _failed(str(path), str(error))


def _trouble(path: Path, format_name: str | None) -> str:
    """Why a path cannot be opened as a structure file, or nothing."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        return f"There is no such file ({error.strerror})." if not path.exists() else str(error.strerror)
    if not stat.S_ISREG(mode):
        return "It is not a regular file."
    if format_name is None:
        return f"Its name tells no format; known are {NAMES}."
    return ""


def _with_remarks(path: Path, format_name: str) -> Iterator[tuple[int | None, Any, list[str]]]:
    """Parts of a file, each with the warnings that its parser would have printed."""
    parts = read_parts(path, format_name)
    while True:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            part = next(parts, None)
        if part is None:
            return
        remarks = [_first_line(str(w.message)) for w in caught if issubclass(w.category, UserWarning)]
        yield *part, list(dict.fromkeys(remarks))[:MAX_WARNINGS]


def _entry(
    label: str, crystal: Any, origin: Step, part: int | None, remarks: list[str], index: IdentityIndex
) -> FileEntry:
    if isinstance(crystal, Exception):
        return _failed(label, _sentence(crystal, str(origin.details["format"])))
    try:
        if isinstance(crystal, Candidate):
            return FileEntry(label, _own_record(crystal, index))
        return FileEntry(label, _candidate(crystal, origin, part, remarks, index))
    except HysteronError as error:
        return _failed(label, str(error))
    except Exception as error:  # the geometry of a foreign file can break spglib or the neighbour search
        return _failed(label, _sentence(error, str(origin.details["format"])))


def _candidate(
    structure: Structure, origin: Step, part: int | None, remarks: list[str], index: IdentityIndex
) -> Candidate:
    """A crystal from a foreign file gets its id here."""
    plain, notes = usable(structure)
    identifier, spacegroup_number, _ = index.assign(plain)
    details = origin.details | ({} if part is None else {"part": part}) | notes
    if remarks:
        details["remarks"] = remarks
    step = Step(origin.stage, origin.name, origin.version, details=details)
    return Candidate(identifier, plain, provenance=(step,), spacegroup_number=spacegroup_number)


def _own_record(candidate: Candidate, index: IdentityIndex) -> Candidate:
    """A candidate of ours keeps its id, properties and lineage; its structure is checked all the same."""
    plain, notes = usable(candidate.structure)
    if candidate.candidate_id not in index:
        index.add(candidate.candidate_id, plain)
    return candidate.with_structure(plain, candidate.spacegroup_number) if notes else candidate


def _origin(path: Path, folder: Path, format_name: str) -> Step:
    """The provenance step shared by all crystals of a file; the version is a digest of its content."""
    name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
    return Step(
        "retrieve",
        f"{NAME}:{folder.as_posix()}",
        _digest([path]),
        details={"file": name, "format": format_name},
    )


def _digest(paths: Iterable[Path]) -> str:
    """Twelve hex digits of the contents, in order."""
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as content:
            total.update(hashlib.file_digest(content, "sha256").digest())
    return total.hexdigest()[:12]


def _failed(label: str, reason: str) -> FileEntry:
    return FileEntry(label, failure=Failure("retrieve", NAME, reason))


def _sentence(error: Exception, format_name: str) -> str:
    if isinstance(error, HysteronError):
        return str(error)
    return f"It cannot be read as {format_name}: {_what_happened(error)}."


def _what_happened(error: Exception) -> str:
    """A parser's exception in words."""
    if isinstance(error, KeyError):
        return f"the entry {_first_line(str(error))} is missing"
    if isinstance(error, IndexError | StopIteration):
        return "it ends too early"
    if isinstance(error, ZeroDivisionError):
        return "a table in it is empty"
    return (_first_line(str(error)) or type(error).__name__).rstrip(".")


def _first_line(text: str) -> str:
    return next((line.strip()[:200] for line in text.splitlines() if line.strip()), "")


class CifFolder:
    """A folder of structure files as a source.

    Args:
        path: A folder, or one file.

    Raises:
        InputError: no path.
        NotFoundError: there is nothing at the path.
    """

    def __init__(self, path: str | Path) -> None:
        if not str(path).strip():
            raise InputError("The source 'cif' needs a path: cif:DIR.")
        self.path = Path(path).expanduser()
        if not self.path.exists():
            raise NotFoundError(f"There is no file or folder {self.path}.")
        self.name = f"{NAME}:{self.path.as_posix()}"
        self.failures: tuple[FileEntry, ...] = ()
        """Entries of the latest search that could not be used."""

    @cached_property
    def version(self) -> str:
        """A digest of the files' contents."""
        if not self.path.is_dir():
            return _digest([self.path])
        found = (path for path, trouble in _walk(self.path) if not trouble)
        return _digest(path for path in found if path.is_file() and os.access(path, os.R_OK))

    def search(self, query: Filter | None = None) -> Iterator[Candidate]:
        """Usable crystals that match; the others are listed in `failures` as the search goes on."""
        from ..core.filters import matches

        self.failures = ()
        for entry in read_paths([self.path]):
            if entry.candidate is None:
                self.failures += (entry,)
            elif query is None or matches(query, entry.candidate):
                yield entry.candidate
