"""What an export folder holds: every candidate, its numbers, its lineage, its files with checksums.

Equal exports give equal bytes: nothing in it tells the time or the machine.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from ..core.candidate import Candidate, property_record
from .calculation import Calculation
from .crystal import parents, spacegroup_number
from .folders import digest_of, write_atomically
from .question import question_of

MANIFEST_VERSION = 2
MANIFEST_NAME = "manifest.json"


@dataclass(frozen=True)
class Written:
    """What a writer says of the files of one candidate.

    Attributes:
        notes: What is special about its inputs, one sentence each.
        calculations: What they ask for; none of a format that only holds the crystal.
    """

    notes: tuple[str, ...] = ()
    calculations: tuple[Calculation, ...] = ()


@dataclass(frozen=True)
class ExportedFile:
    """A file, by its path from the manifest's folder."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class ExportedCandidate:
    """One candidate that was exported.

    Attributes:
        rank: Its place in the list given, from 1.
        folder: Its folder, from the manifest's.
        properties: As in the JSONL record.
        lineage: `parents` (ids) and `steps` (the provenance).
        notes: What is special about its inputs.
        question: What DFT is asked about it; empty where nothing is computed.
        calculations: The runs that are to answer it.
    """

    rank: int
    id: str
    formula: str
    spacegroup_number: int | None
    folder: str
    properties: tuple[dict[str, Any], ...]
    lineage: dict[str, Any]
    files: tuple[ExportedFile, ...]
    notes: tuple[str, ...]
    question: str
    calculations: tuple[Calculation, ...]


@dataclass(frozen=True)
class RefusedCandidate:
    """One candidate that could not be exported, and why."""

    rank: int
    id: str
    formula: str
    reason: str


@dataclass(frozen=True)
class Manifest:
    """See the module's docstring.

    Attributes:
        format: Name of the format.
        written_by: This program and its version.
        libraries: Versions of the libraries that wrote the files.
        settings: The format's resolved settings.
        run: What decides the results of the run, or `None`.
        about: What holds for all candidates.
        candidates: Those exported, best first.
        failed: Those that could not be.
    """

    format: str
    written_by: str
    libraries: dict[str, str]
    settings: dict[str, Any]
    run: dict[str, Any] | None
    about: tuple[str, ...]
    candidates: tuple[ExportedCandidate, ...]
    failed: tuple[RefusedCandidate, ...]

    def to_json(self) -> bytes:
        """Indented JSON, the same bytes for an equal manifest."""
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        options |= orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
        return orjson.dumps({"manifest_version": MANIFEST_VERSION} | asdict(self), option=options)

    def write(self, folder: Path) -> Path:
        """Write `manifest.json`, whole or not at all.

        Raises:
            OutputError: the place cannot be written.
        """
        path = folder / MANIFEST_NAME
        write_atomically(path, self.to_json())
        return path


def describe_export(
    candidate: Candidate, rank: int, root: Path, name: str, made: Written
) -> ExportedCandidate:
    """The manifest's entry of a candidate whose files stand in `root/name`."""
    written = sorted(path for path in (root / name).rglob("*") if path.is_file())
    return ExportedCandidate(
        rank=rank,
        id=candidate.candidate_id,
        formula=candidate.formula,
        spacegroup_number=spacegroup_number(candidate),
        folder=name,
        properties=tuple(property_record(p) for p in candidate.properties),
        lineage={
            "parents": list(parents(candidate)),
            "steps": [asdict(step) for step in candidate.provenance],
        },
        files=tuple(
            ExportedFile(path.relative_to(root).as_posix(), digest_of(path), path.stat().st_size)
            for path in written
        ),
        notes=made.notes,
        question=question_of(candidate, made.calculations) if made.calculations else "",
        calculations=made.calculations,
    )


def listed_files(folder: Path) -> dict[str, str]:
    """Path and checksum of every file that an earlier manifest in `folder` lists; none if there is none."""
    try:
        stored = orjson.loads((folder / MANIFEST_NAME).read_bytes())
        return {file["path"]: file["sha256"] for entry in stored["candidates"] for file in entry["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
