"""Candidates as JSON lines: the public record, one candidate a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from ..core.candidate import SCHEMA_VERSION, Candidate, Failure
from .folders import write_atomically


def record_line(record: dict[str, Any]) -> bytes:
    """One record as JSON with its newline. What is not finite becomes null."""
    options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(record, option=options)


def records(candidates: Iterable[Candidate], inputs: Iterable[str] | None = None) -> Iterator[bytes]:
    """One line per candidate, in order.

    Args:
        candidates: What to write.
        inputs: The path each one came from, added as `input`.
    """
    if inputs is None:
        for candidate in candidates:
            yield record_line(candidate.to_record())
    else:
        for candidate, path in zip(candidates, inputs, strict=True):
            yield record_line(candidate.to_record() | {"input": path})


def unreadable_line(path: str, failure: Failure) -> bytes:
    """The line of an input that could not be read: no id, no structure, the reason."""
    record = {
        "schema_version": SCHEMA_VERSION,
        "candidate_id": None,
        "formula": None,
        "spacegroup_number": None,
        "structure": None,
        "properties": [],
        "provenance": [],
        "verdicts": [],
        "failures": [{"stage": failure.stage, "name": failure.name, "reason": failure.reason}],
        "input": path,
    }
    return record_line(record)


def write_jsonl(path: Path | str, candidates: Iterable[Candidate]) -> Path:
    """Write candidates to a file, whole or not at all.

    Raises:
        OutputError: the place cannot be written.
    """
    path = Path(path)
    write_atomically(path, b"".join(records(candidates)))
    return path
