"""How do frames of a data set become what a potential is trained on?

Neighbours within a radius, periodic images included along the axes that repeat, found once and kept on disk in parts,
so that an interrupted preparation goes on where it stopped. Training itself reads the parts alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ...core.errors import InputError, StructureError
from ...core.workers import map_unordered
from ..cell import Cell
from ..datasets.frames import Frames
from ..datasets.records import Frame
from .network import NO_TAG
from .packed_frames import PackedFrames

FRAMES_PER_PART = 500
COINCIDENT_ANGSTROM = 1e-3
NEIGHBOUR_TOLERANCE_ANGSTROM = 1e-8
MAX_EDGES = 5_000_000
"""Of one frame; 1,000 atoms of a dense crystal have 50,000 at 5 A."""
ENERGIES = ("total", "adsorption", "relaxed")


@dataclass(frozen=True)
class Recipe:
    """What is taken of each frame.

    Attributes:
        cutoff_angstrom: Of the network.
        energy: `total`, `adsorption` (counted from the reference), or `relaxed`: the energy at the end of the relaxation
            that begins here, which has no forces.
    """

    cutoff_angstrom: float
    energy: str = "total"


def pack_frames(
    frames: Sequence[Frame], recipe: Recipe, precision: type[np.floating] = np.float32
) -> PackedFrames:
    """Frames ready for the network, in order.

    Args:
        frames: At least one.
        recipe: What is taken of each.
        precision: Of positions, lattices and what is learned, energies aside.

    Raises:
        InputError: a frame lacks the energy, or has far too many neighbours.
        StructureError: two atoms coincide.
    """
    return _tensors(_joined([_arrays(frame, recipe) for frame in frames], precision))


def prepare(
    frames: Frames,
    recipe: Recipe,
    folder: Path,
    limit: int | None = None,
    workers: int = 1,
    on_done: Callable[[int], None] | None = None,
    on_error: Callable[[str], None] | None = None,
) -> PackedFrames:
    """All frames of a data set, or some drawn from it; parts that are in the folder are not made again.

    Args:
        frames: The data set.
        recipe: What is taken of each frame.
        folder: Of the parts; belongs to this data set, recipe and limit.
        limit: How many frames are drawn, in an order of their own; all, as they are stored, if there are not more.
        workers: Processes that look for neighbours.
        on_done: Called with the number of frames of each part.
        on_error: Told in a sentence of a frame that cannot be used; the others go on.

    Raises:
        InputError: no frame can be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total = len(frames)
    count = total if limit is None else min(limit, total)
    parts = [folder / f"{k:06d}.safetensors" for k in range(-(-count // FRAMES_PER_PART))]
    first = next((k for k, part in enumerate(parts) if not part.is_file()), len(parts))
    if on_done and first:
        on_done(min(first * FRAMES_PER_PART, count))
    sentences = on_error or (lambda sentence: None)
    chunks = _chunks(frames, first * FRAMES_PER_PART, count, count < total, sentences)
    tasks = ((chunk, recipe) for chunk in chunks)
    for k, (arrays, problems) in map_unordered(_pack_chunk, tasks, workers):
        for problem in problems:
            sentences(problem)
        _tensors(arrays).save(parts[first + k])
        if on_done:
            on_done(min(FRAMES_PER_PART, count - (first + k) * FRAMES_PER_PART))
    found = PackedFrames.join([PackedFrames.load(part) for part in parts]) if parts else None
    if found is None or not len(found):
        raise InputError(f"None of {count} frames can be used; each was told in a sentence.")
    return found


def neighbours_within(
    cell: Cell, periodic: np.ndarray, cutoff: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Directed edges of one frame, sorted by the atom they arrive at.

    Args:
        cell: Atoms and lattice; vectors along which nothing repeats may be zero.
        periodic: Along each lattice vector, shape `(3,)`.
        cutoff: A.

    Returns:
        Targets, sources, and images of the sources, shapes `(nedges,)`, `(nedges,)`, `(nedges, 3)`.

    Raises:
        StructureError: two atoms coincide.
    """
    from pymatgen.optimization.neighbors import find_points_in_spheres

    positions = np.ascontiguousarray(cell.positions, dtype=float)
    targets, sources, images, distances = find_points_in_spheres(
        positions,
        positions,
        r=float(cutoff),
        pbc=np.asarray(periodic, dtype=np.int64),
        lattice=_with_all_axes(cell.lattice, np.asarray(periodic, dtype=bool)),
        tol=NEIGHBOUR_TOLERANCE_ANGSTROM,
    )
    images = images.astype(np.int64)
    others = (targets != sources) | images.any(axis=1)
    if len(distances) and (distances[others] < COINCIDENT_ANGSTROM).any():
        raise StructureError("two atoms stand on the same place.")
    kept = np.flatnonzero(others)
    kept = kept[np.lexsort((sources[kept], targets[kept]))]
    return targets[kept], sources[kept], images[kept]


def _with_all_axes(lattice: np.ndarray, periodic: np.ndarray) -> np.ndarray:
    """The lattice with unit vectors, at right angles to the rest, where nothing repeats."""
    full = np.array(lattice, dtype=float)
    if not periodic.all():
        _, _, axes = np.linalg.svd(np.vstack([full[periodic], np.zeros((1, 3))]))
        full[~periodic] = axes[periodic.sum() :]
    return np.ascontiguousarray(full)


def _chunks(
    frames: Frames, start: int, count: int, drawn: bool, on_error: Callable[[str], None]
) -> Iterator[list[Frame]]:
    """The frames of each part, also of those where none can be read."""
    walk = frames.shuffled(0, 0, start, on_error) if drawn else frames.read(start, on_error)
    chunk: list[Frame] = []
    end = start + FRAMES_PER_PART
    if start >= count:
        return
    for place, frame in walk:
        if place >= count:
            break
        while place >= end:
            yield chunk
            chunk, end = [], end + FRAMES_PER_PART
        chunk.append(frame)
    while end - FRAMES_PER_PART < count:
        yield chunk
        chunk, end = [], end + FRAMES_PER_PART


def _pack_chunk(frames: list[Frame], recipe: Recipe) -> tuple[dict[str, np.ndarray], list[str]]:
    """The arrays of those frames that can be used, and why the others cannot."""
    found, problems = [], []
    for frame in frames:
        try:
            found.append(_arrays(frame, recipe))
        except InputError as error:
            problems.append(f"{frame.key} is left out: {error}")
    return _joined(found, np.float32), problems


def _arrays(frame: Frame, recipe: Recipe) -> dict[str, np.ndarray]:
    """One frame; edges and atoms counted within it."""
    cell, count = frame.cell, len(frame.cell.numbers)
    targets, sources, images = neighbours_within(cell, frame.periodic, recipe.cutoff_angstrom)
    if len(targets) > MAX_EDGES or (len(images) and np.abs(images).max() > np.iinfo(np.int16).max):
        raise InputError(f"it has {len(targets)} neighbours within {recipe.cutoff_angstrom:g} A.")
    slopes = recipe.energy != "relaxed"
    forces = np.full((count, 3), np.nan) if frame.forces is None or not slopes else np.array(frame.forces)
    if frame.fixed is not None:
        forces[frame.fixed] = np.nan
    stress = frame.stress if slopes and frame.periodic.all() else None
    return {
        "numbers": cell.numbers,
        "tags": np.full(count, NO_TAG) if frame.tags is None else np.clip(frame.tags, 0, NO_TAG),
        "positions": cell.positions,
        "forces": forces,
        "degrees": np.bincount(targets, minlength=count),
        "sources": sources,
        "images": images,
        "lattices": cell.lattice[None],
        "energies": np.array([_energy(frame, recipe.energy)]),
        "stresses": np.full((1, 3, 3), np.nan) if stress is None else stress[None],
        "groups": np.array([_group(cell.numbers)]),
    }


def _energy(frame: Frame, kind: str) -> float:
    found = {"total": frame.energy, "adsorption": frame.adsorption_energy, "relaxed": frame.relaxed_energy}[
        kind
    ]
    if found is None:
        raise InputError(f"it has no {kind} energy.")
    return found


def _group(numbers: np.ndarray) -> int:
    """Of the reduced formula."""
    elements, counts = np.unique(numbers, return_counts=True)
    counts = counts // np.gcd.reduce(counts)
    text = ",".join(f"{z}:{n}" for z, n in zip(elements, counts, strict=True))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


_COLUMNS: dict[str, tuple[type | None, tuple[int, ...]]] = {
    "numbers": (np.uint8, (0,)),
    "tags": (np.uint8, (0,)),
    "positions": (None, (0, 3)),
    "forces": (None, (0, 3)),
    "degrees": (np.int32, (0,)),
    "sources": (np.int32, (0,)),
    "images": (np.int16, (0, 3)),
    "lattices": (None, (0, 3, 3)),
    "energies": (np.float64, (0,)),
    "stresses": (None, (0, 3, 3)),
    "groups": (np.int64, (0,)),
}
"""Type (None: the precision asked for) and shape of no frames at all."""


def _joined(parts: list[dict[str, np.ndarray]], precision: type[np.floating]) -> dict[str, np.ndarray]:
    joined: dict[str, np.ndarray] = {
        name: np.concatenate([np.zeros(shape, kind or precision), *(part[name] for part in parts)]).astype(
            kind or precision
        )
        for name, (kind, shape) in _COLUMNS.items()
    }
    for name, counted in (("atom_starts", "numbers"), ("edge_starts", "sources")):
        joined[name] = np.cumsum([0, *(len(part[counted]) for part in parts)]).astype(np.int64)
    joined["fidelity"] = np.zeros(len(parts), dtype=np.int64)
    return joined


def _tensors(arrays: dict[str, np.ndarray]) -> PackedFrames:
    return PackedFrames(**{name: torch.from_numpy(array) for name, array in arrays.items()})
