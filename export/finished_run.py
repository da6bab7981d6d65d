"""What does a finished DFT run say? The answer that all formats share.

A reader gives one only for a run that ended and converged; what did not is refused by the reader, in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError, NotFoundError, nearest
from ..core.properties import dft_method
from .outside_files import FileRecord

NOTHING = "nothing"
POSITIONS = "positions"
CELL = "cell"
"""What a run moved: nothing, positions in a cell that is held, or positions and cell."""
LEAST_VOLUME_A3 = 1.0


@dataclass(frozen=True)
class Geometry:
    """A cell and where its atoms are.

    Attributes:
        lattice: Rows are lattice vectors, A, shape `(3, 3)`.
        positions: Fractional, shape `(nsites, 3)`.
    """

    lattice: np.ndarray
    positions: np.ndarray

    @property
    def volume(self) -> float:
        """A^3."""
        return float(abs(np.linalg.det(self.lattice)))


@dataclass(frozen=True)
class FinishedRun:
    """One run that ended and converged.

    Attributes:
        code: `VASP`, `pw.x`, `GPAW`.
        version: Of the code, as it prints it.
        functional: `PBE`, `PBE+U`, `LDA`, `HSE06`.
        moved: `NOTHING`, `POSITIONS` or `CELL`.
        species: Symbols, in the order of the sites.
        first: As the run began; `None` if the output does not tell.
        last: As it ended; the energy, forces and stress are of this one.
        energy: Of the cell, eV, extrapolated to no smearing where the code does so.
        charge: Of the cell, e; `None` if the output does not tell.
        forces: eV/A, shape `(nsites, 3)`; `None` if not computed.
        stress: dE/d(strain) over the volume, eV/A^3, shape `(3, 3)`: positive if the crystal wants to shrink.
        band_gap: eV, on the k-points of the run; 0.0 is a metal, `None` if it cannot be told.
        hubbard: U by element, eV; empty if there is none, `None` if the output does not tell.
        settings: What else decides the numbers: `cutoff_ev`, `kpoints`, `pseudopotentials`.
        when: When the run was done, as the code prints it; empty if it does not.
        files: What was read.
    """

    code: str
    version: str
    functional: str
    moved: str
    species: tuple[str, ...]
    first: Geometry | None
    last: Geometry
    energy: float
    charge: float | None = None
    forces: np.ndarray | None = None
    stress: np.ndarray | None = None
    band_gap: float | None = None
    hubbard: Mapping[str, float] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    when: str = ""
    files: tuple[FileRecord, ...] = ()

    def method(self, how: str = "") -> str:
        """As properties name it: `DFT/PBE/VASP 6.4`."""
        return dft_method(self.functional, self.code, self.version, how)


def run_reader(format: str) -> Callable[[Path, str], FinishedRun]:
    """The reader of a format's finished runs: of the folder that the user named and the run's folder in it.

    Raises:
        NotFoundError: results of this format do not come back.
    """
    from . import finished_espresso, finished_gpaw, finished_vasp

    readers = {
        "vasp": finished_vasp.read_run,
        "espresso": finished_espresso.read_run,
        "gpaw": finished_gpaw.read_run,
    }
    if format not in readers:
        raise NotFoundError(f"Results of the format {format!r} are not read. {nearest(format, readers)}")
    return readers[format]


def require_finite(run: FinishedRun) -> FinishedRun:
    """The run, if every number in it is one and its cells span a volume.

    Raises:
        InputError: a number is missing or infinite, or a cell is flat.
    """
    where = run.files[0].name if run.files else "The run"
    geometries = [geometry for geometry in (run.first, run.last) if geometry is not None]
    arrays = {
        "energy": np.array(run.energy),
        "forces": run.forces,
        "stress": run.stress,
        "cell": np.array([geometry.lattice for geometry in geometries]),
        "positions": np.array([geometry.positions for geometry in geometries]),
        "band gap": None if run.band_gap is None else np.array(run.band_gap),
        "charge": None if run.charge is None else np.array(run.charge),
    }
    for name, values in arrays.items():
        if values is not None and not np.isfinite(values).all():
            raise InputError(f"{where} holds something in its {name} that is no number. Run it again.")
    if min(geometry.volume for geometry in geometries) < LEAST_VOLUME_A3:
        raise InputError(f"{where} has no proper cell (less than {LEAST_VOLUME_A3:g} A^3).")
    return run


def gap_of(energies: np.ndarray, occupied: np.ndarray) -> float | None:
    """Band gap from eigenvalues.

    Args:
        energies: eV, shape `(spins, kpoints, bands)`, ascending along the last axis.
        occupied: Number of occupied bands, shape `(spins, kpoints)`.

    Returns:
        0.0 if the number of occupied bands changes from k-point to k-point, or the edges meet; `None` if no
        empty band was computed.
    """
    if (occupied != occupied[:, :1]).any():
        return 0.0
    counts = occupied[:, 0]
    if (counts >= energies.shape[2]).any():
        return None
    highest = max((energies[s, :, n - 1].max() for s, n in enumerate(counts) if n > 0), default=-np.inf)
    lowest = min(energies[s, :, n].min() for s, n in enumerate(counts))
    return max(0.0, float(lowest - highest))
