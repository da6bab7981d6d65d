"""What shall the output of a finished DFT run say? Numbers that are known, for outputs that are written.

`ingest_vasp` and `ingest_espresso` write them as those programs do (VASP 6.3, pw.x 6.7). The tests hold what they write
against public readers (pymatgen's `Vasprun`, ASE's `espresso-out`), and the project's readers against genuine outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from pymatgen.core import Structure

from .ingest_berry_phase import VALENCE

HIGHEST_OCCUPIED_EV = 4.0
EMPTY_BANDS = 4


@dataclass(frozen=True)
class Run:
    """What a run shall have given.

    Attributes:
        last: The crystal as it ended; atoms of one element stand together.
        first: As it began; `None` for a run that moves nothing.
        held: Whether the cell was held while positions moved.
        energy: Of the cell, eV.
        forces: eV/A, shape `(nsites, 3)`; none by default.
        stress: dE/d(strain)/V, eV/A^3, shape `(3, 3)`; none by default.
        gap: eV; 0 or less makes a metal.
        functional: `PBE`, `PBEsol`, `LDA`.
        charge: Of the cell, e.
        electronic: Whether the last self-consistent cycle converged.
        ionic: Whether the relaxation did.
        hubbard: U by element, eV; VASP's and GPAW's alone.
    """

    last: Structure
    first: Structure | None = None
    held: bool = False
    energy: float = -40.0
    forces: np.ndarray | None = None
    stress: np.ndarray | None = None
    gap: float = 1.8
    functional: str = "PBE"
    charge: int = 0
    electronic: bool = True
    ionic: bool = True
    hubbard: dict[str, float] = field(default_factory=dict)

    @property
    def symbols(self) -> list[str]:
        """Of the elements, in the order of their atoms."""
        return list(dict.fromkeys(site.specie.symbol for site in self.last))

    @property
    def began(self) -> Structure:
        """The crystal as the run began."""
        return self.last if self.first is None else self.first

    @property
    def electrons(self) -> int:
        """Valence electrons."""
        return sum(VALENCE[site.specie.symbol] for site in self.last) - self.charge

    def count(self, symbol: str) -> int:
        """Atoms of an element."""
        return sum(site.specie.symbol == symbol for site in self.last)

    def all_forces(self) -> np.ndarray:
        """eV/A, shape `(nsites, 3)`."""
        return np.zeros((len(self.last), 3)) if self.forces is None else self.forces

    def whole_stress(self) -> np.ndarray:
        """eV/A^3, shape `(3, 3)`."""
        return np.zeros((3, 3)) if self.stress is None else self.stress

    def bands(self) -> np.ndarray:
        """Eigenvalues at two k-points, eV, ascending, shape `(2, bands)`.

        Both edges lie at the first one; of a metal all bands are higher at the second, so that fewer of them are full.
        """
        occupied = self.electrons // 2
        valence = np.linspace(-15.0, HIGHEST_OCCUPIED_EV, occupied)
        empty = HIGHEST_OCCUPIED_EV + max(self.gap, 0.1) + np.linspace(0.0, 3.0, EMPTY_BANDS)
        there = np.concatenate([valence, empty])
        beside = np.concatenate([valence - 0.3, empty + 0.4]) if self.gap > 0 else there + 2.0
        return np.array([there, beside])


def gpaw_result(run: Run, kind: str, dipole: np.ndarray | None = None) -> bytes:
    """The result.json of an exported GPAW script.

    Args:
        run: What it shall have given.
        kind: As the manifest names it.
        dipole: Of a Berry phase, in units of e along the lattice vectors, shape `(3,)`.
    """
    record: dict[str, Any] = {
        "format": "hysteron-gpaw",
        "format_version": 1,
        "kind": kind,
        "code": "GPAW",
        "version": "22.8.0",
        "ase_version": "3.22.1",
        "when": "2026-12-01T02:00:00+00:00",
        "settings": {
            "mode": {"name": "pw", "ecut": 700.0},
            "xc": run.functional,
            "kpts": {"size": [4, 4, 4], "gamma": True},
            "charge": run.charge,
            "setups": {symbol: f":d,{u:g},0" for symbol, u in run.hubbard.items()},
        },
        "converged": run.electronic and run.ionic,
        "steps": None if run.first is None else 12,
        "species": [site.specie.symbol for site in run.last],
        "first_lattice": run.began.lattice.matrix.tolist(),
        "first_positions": run.began.frac_coords.tolist(),
        "lattice": run.last.lattice.matrix.tolist(),
        "positions": run.last.frac_coords.tolist(),
        "energy": run.energy,
        "free_energy": run.energy - 0.0005,
        "forces": run.all_forces().tolist(),
        "stress": run.whole_stress().tolist(),
        "band_gap": max(run.gap, 0.0),
        "magnetic_moment": 0.0,
        "dipole": None if dipole is None else dipole.tolist(),
    }
    return orjson.dumps(record, option=orjson.OPT_INDENT_2)
