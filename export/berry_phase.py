"""What polarization do finished Berry-phase runs along a path give, and do they stay on one branch?

The branch is followed from the nonpolar end, each image taking the value nearest to the one before it. That is what pymatgen's
`Polarization` does as well; it is done here anew because pymatgen looks for the nearest value in a sphere that misses
it in some skewed cells, and because the answer needs to say how sure the choice was.

Source: Smidt et al., Sci. Data 7, 72 (2020), doi:10.1038/s41597-020-0407-9, who judge the branch by splines along the path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError, NotFoundError, nearest
from ..core.polarization import polarization_quantum
from . import branch
from .berry_phase_image import BerryPhaseImage
from .polarization_path import LEAST_IMAGES

FOLLOWED = 1 / 3
"""Largest ambiguity of a step (`branch.ambiguity`): every other reading is at least three times as long. At 9 images 177 of the
182 trustworthy polarizations of Smidt et al. stay below it on a straight path, at 17 all do."""
SMOOTH = 0.1
"""Largest change from one step to the next, in units of the smallest quantum. A run that went wrong (a metal, another
magnetic state) lands anywhere within half a quantum."""
NONPOLAR = 0.1
"""How far, in quanta, the nonpolar end may be from what its symmetry asks for."""
SYMPREC_ANGSTROM = 0.01


@dataclass(frozen=True)
class BerryPhaseResult:
    """The polarization of the last image against the first, on one branch.

    Attributes:
        vector: Cartesian, uC/cm^2, shape `(3,)`; from the nonpolar to the polar end, so its sign is the path's.
        along_lattice: Its parts along the lattice vectors of the polar end, uC/cm^2, shape `(3,)`.
        quantum: Along each of these, uC/cm^2, shape `(3,)`.
        path: Of every image against the first, in the cell of the polar end, Cartesian, uC/cm^2, shape
            `(images, 3)`.
        largest_step: Ambiguity of the least certain step; 1 is a tie between two branches.
        largest_kink: Largest change from one step to the next, in units of the smallest quantum.
        nonpolar_residual: How far the first image is from a value that its symmetry allows, in quanta.
        doubts: Why the branch is not certain, one sentence each; empty if it is.
        lattice: Of the polar end, A, shape `(3, 3)`.
        functional: `PBE`, `PBE+U`.
        code: `VASP`, `pw.x`, `GPAW`.
        version: Of the code.
    """

    vector: np.ndarray
    along_lattice: np.ndarray
    quantum: np.ndarray
    path: np.ndarray
    largest_step: float
    largest_kink: float
    nonpolar_residual: float
    doubts: tuple[str, ...]
    lattice: np.ndarray
    functional: str
    code: str
    version: str

    @property
    def polarization(self) -> float:
        """Norm of `vector`, uC/cm^2."""
        return float(np.linalg.norm(self.vector))

    @property
    def smooth(self) -> bool:
        """Whether the branch is certain."""
        return not self.doubts

    @property
    def verdict(self) -> str:
        """`smooth` or `branch not certain`."""
        return "smooth" if self.smooth else "branch not certain"


def polarization_along_path(folder: Path, format: str, images: int | None = None) -> BerryPhaseResult:
    """Read the finished runs of a path, and follow the branch.

    Args:
        folder: Holds the images: `00` (nonpolar), `01`, ... (polar last).
        format: `vasp`, `espresso` or `gpaw`; never guessed.
        images: How many there must be; `None` takes those that are there, without a gap.

    Raises:
        NotFoundError: no such format, or an image is missing or has not been run.
        InputError: a run is unfinished or no Berry-phase run, or the images are not one path.
    """
    read = image_reader(format)
    return follow_branch([read(folder, name) for name in _image_folders(folder, images)])


def image_reader(format: str) -> Callable[[Path, str], BerryPhaseImage]:
    """The reader of a format's images: of the folder that the user named and the image's folder in it.

    Raises:
        NotFoundError: no polarization comes back in this format.
    """
    from . import berry_phase_espresso, berry_phase_vasp, finished_gpaw

    readers = {
        "vasp": berry_phase_vasp.read_image,
        "espresso": berry_phase_espresso.read_image,
        "gpaw": finished_gpaw.read_image,
    }
    if format not in readers:
        raise NotFoundError(f"No Berry-phase reader for the format {format!r}. {nearest(format, readers)}")
    return readers[format]


def follow_branch(images: Sequence[BerryPhaseImage]) -> BerryPhaseResult:
    """The change of polarization along images, each on the branch nearest to the one before it.

    Args:
        images: From the nonpolar to the polar end.

    Raises:
        InputError: fewer than two images, or images of different crystals or calculations.
    """
    _require_one_path(images)
    polar = images[-1].lattice
    steps = np.array([branch.nearest_step(b.dipole - a.dipole, b.lattice) for a, b in pairwise(images)])
    reduced = np.vstack([np.zeros(3), np.cumsum(steps, axis=0)])
    path = branch.polarization(reduced, polar)
    largest_step = max(branch.ambiguity(step, polar) for step in steps)
    largest_kink = _largest_kink(steps, polar)
    residual = nonpolar_residual(images[0])
    quantum = polarization_quantum(polar)
    return BerryPhaseResult(
        vector=path[-1],
        along_lattice=reduced[-1] * quantum,
        quantum=quantum,
        path=path,
        largest_step=largest_step,
        largest_kink=largest_kink,
        nonpolar_residual=residual,
        doubts=tuple(_doubts(len(images), largest_step, largest_kink, residual)),
        lattice=polar,
        functional=images[-1].functional,
        code=images[-1].code,
        version=images[-1].version,
    )


def nonpolar_residual(image: BerryPhaseImage) -> float:
    """How far a dipole is from one that the symmetry of its image allows, in quanta.

    Every rotation of the crystal must leave the dipole as it is, up to whole quanta. With inversion that leaves 0 and one
    half along each lattice vector; without, other fractions may be allowed (1/4 in zincblende).

    Returns:
        0 where it fits, at most 0.5; that too if the image's symmetry is polar and so allows any dipole.
    """
    import spglib

    numbers = [sorted(set(image.species)).index(label) for label in image.species]
    cell: Any = (image.lattice, image.positions, numbers)
    found = spglib.get_symmetry(cell, symprec=SYMPREC_ANGSTROM)
    if found is None or np.abs(found["rotations"].mean(axis=0)).max() > 1e-6:
        return 0.5
    changes = found["rotations"] @ image.dipole - image.dipole
    return float(np.abs(changes - np.rint(changes)).max())


def _largest_kink(steps: np.ndarray, lattice: np.ndarray) -> float:
    shortest = np.linalg.norm(branch.reduced_basis(lattice), axis=1).min()
    kinks = np.linalg.norm(np.diff(steps, axis=0) @ lattice, axis=1)
    return float(kinks.max(initial=0.0) / shortest)


def _doubts(images: int, largest_step: float, largest_kink: float, residual: float) -> list[str]:
    doubts = []
    if images < LEAST_IMAGES:
        doubts.append(f"Only {images} images (at least {LEAST_IMAGES}).")
    if largest_step > FOLLOWED:
        doubts.append(
            f"One step is {largest_step:.2f} times the nearest other reading of it (at most {FOLLOWED:.2f}): "
            "run more images."
        )
    if largest_kink > SMOOTH:
        doubts.append(
            f"The step changes by {largest_kink:.2f} of the smallest quantum between neighbouring images (at most {SMOOTH}): "
            "look for an image that is metallic or in another magnetic state."
        )
    if residual > NONPOLAR:
        doubts.append(
            f"The first image is {residual:.2f} of a quantum from what its symmetry allows (at most {NONPOLAR}): "
            "it is not the nonpolar end, or its run is not sound."
        )
    return doubts


def _require_one_path(images: Sequence[BerryPhaseImage]) -> None:
    if len(images) < 2:
        raise InputError(f"A path has at least its 2 ends; there are {len(images)} images.")
    for name in ("species", "functional", "code"):
        kinds = {getattr(image, name) for image in images}
        if len(kinds) > 1:
            told = "crystals" if name == "species" else " and ".join(sorted(kinds))
            raise InputError(f"The images are not one path: their runs are of different {name} ({told}).")


def _image_folders(folder: Path, images: int | None) -> list[str]:
    there = (
        sorted(p.name for p in folder.iterdir() if re.fullmatch(r"\d\d", p.name)) if folder.is_dir() else []
    )
    if not there:
        raise NotFoundError(f"{folder} holds no images (00, 01, ...) of a polarization path.")
    count = images if images is not None else int(there[-1]) + 1
    missing = [f"{i:02d}" for i in range(count) if f"{i:02d}" not in there]
    if missing:
        raise NotFoundError(f"{folder} lacks the images {', '.join(missing)} of a path of {count}.")
    return [f"{i:02d}" for i in range(count)]
