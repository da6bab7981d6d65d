"""A shortlist becomes a folder of inputs: one folder per candidate, and a manifest.

A candidate that a format cannot hold is listed in the manifest with the reason; the others go on.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Protocol

from .. import __version__
from ..core import registry
from ..core.candidate import Candidate
from ..core.errors import HysteronError, InputError, OutputError
from ..core.settings import Settings, validate
from . import FORMATS, FORMATS_GROUP
from .folders import digest_of, distinct_name, prepare_folder, told_as_sentences
from .manifest import (
    ExportedCandidate,
    Manifest,
    RefusedCandidate,
    Written,
    describe_export,
    listed_files,
)
from .run_summary import RunSummary


class Writer(Protocol):
    """What a format implements.

    Attributes:
        settings_model: Its settings.
        libraries: Distributions that decide what is written; their versions go into the manifest.
        about: Sentences that hold for every candidate.
    """

    settings_model: ClassVar[type[Settings]]
    libraries: ClassVar[tuple[str, ...]]
    about: ClassVar[tuple[str, ...]]
    settings: Settings

    def write(self, candidate: Candidate, folder: Path) -> Written:
        """Write the files of one candidate into an existing, empty folder, named as in the manifest."""
        ...


def export_candidates(
    candidates: Sequence[Candidate],
    to: str,
    out_dir: Path | str,
    top: int | None = None,
    run: RunSummary | None = None,
    *,
    overwrite: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Manifest:
    """Write inputs for the head of a list of candidates.

    Args:
        candidates: Best first.
        to: A name of `FORMATS`.
        out_dir: Folder to fill; must be empty or absent unless `overwrite`.
        top: How many at most; all by default.
        run: The run they come from, for the manifest.
        overwrite: Write over an earlier export. Files that its manifest lists, that are unchanged and
            that are not written again are removed; anything else that stands there is left alone.
        settings: The format's own settings.

    Returns:
        The manifest, which also stands in `out_dir/manifest.json`.

    Raises:
        InputError: unknown format (as `NotFoundError`), or a `top` that is not positive.
        SettingsError: a setting that the format does not know.
        OutputError: the folder is not empty, cannot be written, or the disk is full.
    """
    if top is not None and top < 1:
        raise InputError(f"top is {top}; at least 1 candidate has to be exported.")
    writer = load_writer(to, settings)
    root = prepare_folder(out_dir, overwrite)
    earlier = listed_files(root) if overwrite else {}
    exported, refused = _write_all(candidates[:top], writer, root)
    manifest = Manifest(
        format=to,
        written_by=f"hysteron {__version__}",
        libraries={name: version(name) for name in writer.libraries},
        settings=writer.settings.model_dump(mode="json"),
        run=run.identity() if run else None,
        about=writer.about,
        candidates=tuple(exported),
        failed=tuple(refused),
    )
    manifest.write(root)
    _remove_stale(root, earlier, {file.path for entry in exported for file in entry.files})
    return manifest


def load_writer(to: str, settings: Mapping[str, Any] | None = None) -> Writer:
    """The writer of a format, with its settings.

    Raises:
        NotFoundError: no such format; the nearest are proposed.
        SettingsError: a setting it does not know.
    """
    kind = registry.load(to, FORMATS, FORMATS_GROUP)
    return kind(validate(kind.settings_model, settings or {}, f"[export] {to}"))


def _write_all(
    candidates: Sequence[Candidate], writer: Writer, root: Path
) -> tuple[list[ExportedCandidate], list[RefusedCandidate]]:
    exported: list[ExportedCandidate] = []
    refused: list[RefusedCandidate] = []
    taken: set[str] = {"manifest.json"}
    for rank, candidate in enumerate(candidates, 1):
        name = distinct_name(candidate.candidate_id, taken)
        try:
            exported.append(_write_one(candidate, rank, writer, root, name))
        except OutputError:
            raise
        except HysteronError as error:
            refused.append(RefusedCandidate(rank, candidate.candidate_id, _formula(candidate), str(error)))
        except Exception as error:
            reason = f"The writer failed with {type(error).__name__}: {error}."
            refused.append(RefusedCandidate(rank, candidate.candidate_id, _formula(candidate), reason))
    return exported, refused


def _write_one(candidate: Candidate, rank: int, writer: Writer, root: Path, name: str) -> ExportedCandidate:
    """Write into a folder beside its place, then move it there: no half a candidate is ever seen."""
    with (
        told_as_sentences(root / name),
        tempfile.TemporaryDirectory(dir=root, prefix=".writing-") as temporary,
    ):
        (Path(temporary) / name).mkdir()
        made = writer.write(candidate, Path(temporary) / name)
        entry = describe_export(candidate, rank, Path(temporary), name, made)
        _move(Path(temporary) / name, root / name)
    return entry


def _move(source: Path, target: Path) -> None:
    """Rename a folder to its place; into a folder that stands there, file by file."""
    if not target.exists():
        os.replace(source, target)
        return
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(exist_ok=True)
        else:
            os.replace(path, place)


def _remove_stale(root: Path, earlier: Mapping[str, str], written: set[str]) -> None:
    """Remove what an earlier manifest listed and this export did not write, unless it was changed since."""
    inside = root.resolve()
    for name, checksum in earlier.items():
        path = root / name
        kept_inside = inside in path.resolve().parents
        if name in written or not kept_inside or not path.is_file() or digest_of(path) != checksum:
            continue
        with told_as_sentences(path):
            path.unlink()
            for folder in path.parents:
                if folder == root or any(folder.iterdir()):
                    break
                folder.rmdir()


def _formula(candidate: Candidate) -> str:
    try:
        return candidate.formula
    except Exception:
        return ""
