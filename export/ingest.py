"""Which DFT results stand in an exported folder, and what do they add to the candidates?

The folder's manifest says whose path is where and how many images it has. It comes from outside: it is read as JSON, up
to a size, and a path that leaves the folder is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from ..core.candidate import Candidate, PropertyValue, Step
from ..core.clock import utc_now
from ..core.errors import InputError, NotFoundError
from .berry_phase import BerryPhaseResult
from .manifest import MANIFEST_NAME

LARGEST_MANIFEST_BYTES = 100_000_000
PATH_FOLDER = "polarization"
LARGEST_STRAIN = 0.1
"""Between the stored crystal and the polar end of the runs; a DFT relaxation in between changes less."""


@dataclass(frozen=True)
class ExportedPath:
    """The polarization path of one exported candidate.

    Attributes:
        candidate_id: Whose it is.
        formula: Reduced.
        folder: Holds the images `00`, `01`, ...
        format: `vasp`, `espresso`.
        images: How many were exported.
    """

    candidate_id: str
    formula: str
    folder: Path
    format: str
    images: int


def exported_paths(root: Path) -> list[ExportedPath]:
    """The polarization paths that a manifest lists, in its order.

    Args:
        root: A folder written by `hysteron export`, or one that holds several (`dft/vasp`, `dft/espresso`).

    Raises:
        NotFoundError: there is no manifest, or none of its candidates has a path.
        InputError: a manifest cannot be read.
    """
    manifests = [root / MANIFEST_NAME, *sorted(root.glob(f"*/{MANIFEST_NAME}"))]
    found = [path for path in manifests if path.is_file()]
    if not found:
        raise NotFoundError(f"{root} holds no {MANIFEST_NAME}: name a folder written by 'hysteron export'.")
    paths = [path for manifest in found for path in _paths_of(manifest)]
    if not paths:
        raise NotFoundError(f"None of the candidates exported to {root} has a polarization path.")
    return paths


def with_berry_phase(candidate: Candidate, result: BerryPhaseResult) -> Candidate:
    """A candidate with the polarization of finished Berry-phase runs, and the step that brought it.

    Raises:
        InputError: the branch is not certain, or the runs are of another cell or setting than the candidate.
    """
    if not result.smooth:
        raise InputError(f"The branch is not certain. {' '.join(result.doubts)}")
    strain = _strain(candidate, result)
    method = f"Berry phase ({result.functional}, {result.code})"
    source = (
        f"{result.code} {result.version}, {len(result.path)} images from the nonpolar reference on one branch; "
        f"quantum {', '.join(f'{q:.1f}' for q in result.quantum)} uC/cm^2"
    )
    vector = tuple(round(float(x), 5) for x in result.vector)
    step = Step(
        "ingest",
        "berry_phase",
        f"{result.code} {result.version}",
        time=utc_now(),
        details=_details(result, strain),
    )
    return candidate.with_property(
        PropertyValue("polarization", round(result.polarization, 5), "uC/cm^2", method, source=source),
        PropertyValue("polarization_vector", vector, "uC/cm^2", method, source=source),
    ).with_step(step)


def _details(result: BerryPhaseResult, strain: float) -> dict[str, Any]:
    return {
        "functional": result.functional,
        "images": len(result.path),
        "polarization_quantum": [round(float(q), 4) for q in result.quantum],
        "path": [[round(float(x), 4) for x in row] for row in result.path],
        "largest_step": round(result.largest_step, 4),
        "largest_kink": round(result.largest_kink, 4),
        "nonpolar_residual": round(result.nonpolar_residual, 4),
        "strain_against_stored": round(strain, 4),
    }


def _strain(candidate: Candidate, result: BerryPhaseResult) -> float:
    """Largest element of the strain (and rotation) that takes the stored cell to that of the runs."""
    deformation = np.linalg.solve(candidate.structure.lattice.matrix, result.lattice)
    strain = float(np.abs(deformation - np.eye(3)).max())
    if strain > LARGEST_STRAIN:
        raise InputError(
            f"The cell of the runs differs from that of {candidate.candidate_id} by {strain:.2f} (at most {LARGEST_STRAIN}): "
            "another crystal, or another setting of it."
        )
    return strain


def _paths_of(manifest: Path) -> list[ExportedPath]:
    try:
        if manifest.stat().st_size > LARGEST_MANIFEST_BYTES:
            raise InputError(
                f"{manifest} is larger than {LARGEST_MANIFEST_BYTES // 1_000_000} MB and was not read."
            )
        record = orjson.loads(manifest.read_bytes())
        return [
            path
            for entry in record["candidates"]
            if (path := _path_of(manifest.parent, record["format"], entry))
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{manifest} cannot be read as the manifest of an export: {error!r}.") from None


def _path_of(root: Path, format: str, entry: dict[str, Any]) -> ExportedPath | None:
    folder = root / entry["folder"]
    if root.resolve() not in folder.resolve().parents:
        raise InputError(f"{root / MANIFEST_NAME} names a folder outside its own: {entry['folder']}.")
    pattern = re.compile(rf"{re.escape(entry['folder'])}/{PATH_FOLDER}/(\d\d)/")
    images = {found.group(1) for file in entry["files"] if (found := pattern.match(file["path"]))}
    if not images:
        return None
    return ExportedPath(entry["id"], entry["formula"], folder / PATH_FOLDER, format, len(images))
