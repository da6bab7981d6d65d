"""What does a finished run say of one image of a polarization path? The answer that all formats share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .outside_files import FileRecord


@dataclass(frozen=True)
class BerryPhaseImage:
    """One image.

    Attributes:
        lattice: Rows are lattice vectors, A, shape `(3, 3)`.
        positions: Fractional, shape `(nsites, 3)`.
        species: A label for each site: its symbol, or a number for each element where the output names none.
        dipole: Of ions and electrons, in units of e along the lattice vectors, shape `(3,)`; known modulo 1.
        functional: `PBE`, `PBE+U`.
        code: `VASP`, `pw.x`, `GPAW`.
        version: Of the code.
        energy: Of the cell, eV; `None` if the outputs do not tell a self-consistent one.
        charge: Of the cell, e; `None` if they do not tell.
        settings: What else decides the numbers, as in `FinishedRun`.
        when: When the run was done, as the code prints it; empty if it does not.
        files: What was read.
    """

    lattice: np.ndarray
    positions: np.ndarray
    species: tuple[str, ...]
    dipole: np.ndarray
    functional: str
    code: str
    version: str
    energy: float | None = None
    charge: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    when: str = ""
    files: tuple[FileRecord, ...] = ()
