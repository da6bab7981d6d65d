"""What does a finished run say of one image of a polarization path? The answer that all formats share.

The files come from outside: they are read as text, up to a size, and never guessed at.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import InputError, NotFoundError

LARGEST_OUTPUT_BYTES = 200_000_000
"""An output of 100 atoms and hundreds of k-points has a tenth of that."""


@dataclass(frozen=True)
class BerryPhaseImage:
    """One image.

    Attributes:
        lattice: Rows are lattice vectors, A, shape `(3, 3)`.
        positions: Fractional, shape `(nsites, 3)`.
        species: A label for each site.
        dipole: Of ions and electrons, in units of e along the lattice vectors, shape `(3,)`; known modulo 1.
        functional: `PBE`, `PBE+U`.
        code: `VASP`, `pw.x`.
        version: Of the code.
    """

    lattice: np.ndarray
    positions: np.ndarray
    species: tuple[str, ...]
    dipole: np.ndarray
    functional: str
    code: str
    version: str


def output_text(folder: Path, name: str) -> str:
    """The text of an output file, plain or gzipped.

    Raises:
        NotFoundError: it is not there.
        InputError: it cannot be read, or is too large.
    """
    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)
    if path is None:
        raise NotFoundError(f"{folder / name} is not there: this image has not been run yet.")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(LARGEST_OUTPUT_BYTES + 1)
    except (OSError, EOFError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None
    if len(content) > LARGEST_OUTPUT_BYTES:
        raise InputError(f"{path} is larger than {LARGEST_OUTPUT_BYTES // 1_000_000} MB and was not read.")
    return content.decode("utf-8", errors="replace")


def fractional(positions: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """Cartesian to fractional, shape `(nsites, 3)`."""
    return positions @ np.linalg.inv(lattice)


def require_cell(lattice: np.ndarray, where: Path) -> np.ndarray:
    """The lattice, if it spans a volume.

    Raises:
        InputError: it does not, or holds something that is no number.
    """
    if not np.all(np.isfinite(lattice)) or abs(np.linalg.det(lattice)) < 1.0:
        raise InputError(f"{where} has no proper cell (less than 1 A^3).")
    return lattice
