"""What does an exported folder ask for?

Its manifest says so. The manifest comes from outside: it is read as JSON, up to a size, and a candidate whose folders leave the
export is refused; the others go on. Manifests of version 1 list no calculations: of them the polarization paths are known, by
their files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ..core.errors import InputError, NotFoundError
from .calculation import BERRY_PHASE, Calculation, calculation_from
from .manifest import MANIFEST_NAME
from .outside_files import read_output, refuse_links

LARGEST_MANIFEST_BYTES = 100_000_000
NEWEST_VERSION = 2
PATH_FOLDER = "polarization"
WITHOUT_RESULTS = ("cif", "atomate2")
"""Formats in which nothing is calculated, or whose results stay in a store of their own."""


@dataclass(frozen=True)
class Refusal:
    """Something that cannot be used.

    Attributes:
        what: A candidate, a run's folder or a manifest.
        reason: One sentence or more, with the next step.
    """

    what: str
    reason: str


@dataclass(frozen=True)
class Asked:
    """What was asked of one candidate in one format.

    Attributes:
        candidate_id: Whose it is.
        formula: Reduced.
        format: `vasp`, `espresso`, `gpaw`.
        root: The export's folder.
        calculations: As the manifest lists them; none in version 1.
        images: Folders of the polarization path from `root`, nonpolar end first; none if there is no path.
        inputs: SHA-256 of the files that were written, by their path from `root`.
    """

    candidate_id: str
    formula: str
    format: str
    root: Path
    calculations: tuple[Calculation, ...]
    images: tuple[str, ...]
    inputs: Mapping[str, str]

    def image(self, folder: str) -> Calculation | None:
        """The calculation of an image, if the manifest lists it."""
        return next((c for c in self.calculations if c.folder == folder), None)


def asked_of(root: Path) -> tuple[list[Asked], list[Refusal]]:
    """What the manifests below a folder ask for, in their order, and what of them cannot be read.

    Args:
        root: A folder written by `hysteron export`, or one that holds several (`dft/vasp`, `dft/espresso`).

    Raises:
        NotFoundError: there is no manifest, or nothing was to be calculated.
    """
    folders = [root, *sorted(path.parent for path in root.glob(f"*/{MANIFEST_NAME}"))]
    found = [folder for folder in folders if (folder / MANIFEST_NAME).exists()]
    if not root.is_dir():
        there = "is a file" if root.exists() else "is not there"
        raise NotFoundError(f"{root} {there}: name a folder written by 'hysteron export'.")
    if not found:
        raise NotFoundError(f"{root} holds no {MANIFEST_NAME}: name a folder written by 'hysteron export'.")
    asked: list[Asked] = []
    refused: list[Refusal] = []
    for folder in found:
        try:
            refuse_links(root, str(folder.relative_to(root)))
            _read_manifest(folder, asked, refused)
        except InputError as error:
            refused.append(Refusal(str(folder / MANIFEST_NAME), str(error)))
    if not asked and not refused:
        raise NotFoundError(
            f"Nothing comes back of what was exported to {root} (from the formats {' and '.join(WITHOUT_RESULTS)} nothing does): "
            "export to a format of a DFT code."
        )
    return asked, refused


def _read_manifest(root: Path, asked: list[Asked], refused: list[Refusal]) -> None:
    """Add what one manifest asks for.

    Raises:
        InputError: it cannot be read, or a newer program wrote it.
    """
    file = read_output(root, MANIFEST_NAME, LARGEST_MANIFEST_BYTES)
    try:
        record = orjson.loads(file.content)
        version, format, entries = record["manifest_version"], record["format"], list(record["candidates"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{root / MANIFEST_NAME} cannot be read as the manifest of an export: {error!r}."
        ) from None
    if not isinstance(version, int) or version > NEWEST_VERSION:
        raise InputError(
            f"{root / MANIFEST_NAME} is of version {str(version)[:20]}; this program reads up to {NEWEST_VERSION}. Update it."
        )
    if format in WITHOUT_RESULTS:
        return
    for i, entry in enumerate(entries, 1):
        try:
            one = _asked(root, str(format), entry)
        except InputError as error:
            refused.append(Refusal(f"candidate {i} of {root / MANIFEST_NAME}", str(error)))
            continue
        if one.calculations or one.images:
            asked.append(one)


def _asked(root: Path, format: str, entry: Any) -> Asked:
    try:
        folder = entry["folder"]
        inputs = {str(file["path"]): str(file["sha256"]) for file in entry["files"]}
        listed = [calculation_from(record) for record in entry.get("calculations") or ()]
        candidate_id, formula = str(entry["id"]), str(entry["formula"])
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"The entry cannot be read: {error!r}.") from None
    _require_inside(root, folder, [calculation.folder for calculation in listed])
    images = _listed_images(listed) if listed else _images_by_files(folder, inputs)
    return Asked(candidate_id, formula, format, root, tuple(listed), images, inputs)


def _require_inside(root: Path, folder: Any, below: list[str]) -> None:
    """The candidate's folder is one of the export's, and its runs are in it, each in a folder of its own."""
    if not isinstance(folder, str) or not folder.isprintable() or "/" in folder or folder in ("", ".", ".."):
        raise InputError(f"{root / MANIFEST_NAME} names a folder outside its own: {str(folder)[:80]!r}.")
    astray = [name for name in below if not name.startswith(f"{folder}/")]
    if astray:
        raise InputError(
            f"{root / MANIFEST_NAME} names a run outside its candidate's folder {folder}: {astray[0]}."
        )
    if len(set(below)) < len(below):
        raise InputError(f"{root / MANIFEST_NAME} names two runs in one folder of {folder}.")


def _listed_images(calculations: list[Calculation]) -> tuple[str, ...]:
    """Raises `InputError` if the images are not counted from 0 without a gap."""
    images = sorted(
        (c for c in calculations if c.kind == BERRY_PHASE), key=lambda c: -1 if c.image is None else c.image
    )
    if [c.image for c in images] != list(range(len(images))):
        raise InputError("The images of its polarization path are not numbered from 0 without a gap.")
    return tuple(c.folder for c in images)


def _images_by_files(folder: str, inputs: Mapping[str, str]) -> tuple[str, ...]:
    """As version 1 tells them: by the files in `polarization/00`, `01`, ..."""
    pattern = re.compile(rf"{re.escape(folder)}/{PATH_FOLDER}/(\d\d)/")
    count = len({match.group(1) for path in inputs if (match := pattern.match(path))})
    return tuple(f"{folder}/{PATH_FOLDER}/{i:02d}" for i in range(count))
