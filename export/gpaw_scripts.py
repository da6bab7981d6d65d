"""The text of a GPAW script: literals that say what is computed, and a body that computes it.

A script is run by the user's Python, where GPAW is; nothing here imports it. It writes, beside itself, `result.json`, plain
numbers that can be read back without running anything, `calculation.gpw` to start from and the log `calculation.txt`.

`result.json` holds: `format` and `format_version`; `kind`, as in `calculation.KINDS`; `code`, `version`, `ase_version`;
`when` (UTC); `settings`, those that GPAW was given, from which functional, U, charge, cutoff and k-points are read;
`converged`; `steps` (of a relaxation, else null); `species`; `first_lattice`, `lattice` (A, rows), `first_positions`,
`positions` (fractional), as it began and as it ended; `energy` (eV, extrapolated to zero smearing) and `free_energy` (eV);
`forces` (eV/A); `stress` (eV/A^3, shape (3, 3), ASE's sign: positive is tension); `band_gap` (eV); `magnetic_moment` (mu_B);
`dipole` of a Berry phase (e along the lattice vectors, ions and electrons, known modulo 1; else null).
"""

from __future__ import annotations

import pprint
from collections.abc import Mapping
from typing import Any

from .calculation import BERRY_PHASE, RELAXATION, STATIC

RESULT_NAME = "result.json"
RESULT_FORMAT = "hysteron-gpaw"
RESULT_VERSION = 1
LINE_WIDTH = 100


def script(title: str, literals: Mapping[str, Any], kind: str) -> str:
    """A whole script.

    Args:
        title: Its first line, words only.
        literals: Constants by name: what `ast.literal_eval` gives back.
        kind: One of `calculation.KINDS`.
    """
    relaxes, berry = kind not in (STATIC, BERRY_PHASE), kind == BERRY_PHASE
    names = {"format": RESULT_FORMAT, "format_version": RESULT_VERSION, "result": RESULT_NAME}
    parts = [
        _HEAD.format(title=title),
        _CELL_FILTER_IMPORT if kind == RELAXATION else "",
        "\n".join(f"{name} = {_literal(value)}" for name, value in literals.items()) + "\n",
        _CRYSTAL,
        _RELAX.format(moved="CellFilter(atoms)" if kind == RELAXATION else "atoms") if relaxes else "",
        _BERRY if berry else "",
        _MAIN.format(
            converged=_RELAXED if relaxes else _HELD, dipole=_DIPOLE if berry else _NO_DIPOLE, **names
        ),
    ]
    return "\n".join(part for part in parts if part)


def _literal(value: Any) -> str:
    return pprint.pformat(value, width=LINE_WIDTH, compact=True, sort_dicts=False)


_HEAD = '''"""{title}

Run it with the Python that has GPAW: python3 THIS_FILE, or in parallel gpaw -P 8 python THIS_FILE.
It writes result.json, calculation.gpw and calculation.txt beside itself.
"""

import json
import os
from datetime import datetime, timezone

import ase
import gpaw
import numpy as np
from ase import Atoms
from ase.dft.bandgap import bandgap
from ase.parallel import world
from gpaw import GPAW
'''

_CELL_FILTER_IMPORT = """try:
    from ase.filters import FrechetCellFilter as CellFilter
except ImportError:  # ASE before 3.23
    from ase.constraints import ExpCellFilter as CellFilter
"""

_CRYSTAL = '''
def crystal():
    """The exported crystal with its calculator; lengths in A, positions fractional, moments in mu_B."""
    atoms = Atoms(SPECIES, cell=LATTICE, scaled_positions=POSITIONS, pbc=True)
    if any(MAGNETIC_MOMENTS):
        atoms.set_initial_magnetic_moments(MAGNETIC_MOMENTS)
    atoms.calc = GPAW(txt="calculation.txt", **GPAW_SETTINGS)
    return atoms
'''

_RELAX = '''
def relax(atoms):
    """Whether the forces fell below the threshold, and the number of steps."""
    from ase.optimize import BFGS

    optimizer = BFGS({moved}, logfile="relaxation.log", trajectory="relaxation.traj")
    converged = optimizer.run(fmax=FORCE_EV_PER_ANGSTROM, steps=STEPS)
    return bool(converged), int(optimizer.get_number_of_steps())
'''

_BERRY = '''
def reduced_dipole(calc):
    """Of ions and electrons, e along the lattice vectors; the density is kept, on a mesh without symmetry."""
    full = calc.fixed_density(kpts=BERRY_KPTS, symmetry="off", txt="berry_phase.txt")
    full.write("berry_phase.gpw", mode="all")
    try:
        from gpaw.berryphase import polarization_phase
    except ImportError:  # before its name and answer changed
        from gpaw.berryphase import get_polarization_phase

        phase = get_polarization_phase("berry_phase.gpw")
    else:
        from pathlib import Path

        phase = polarization_phase(Path("berry_phase.gpw"), comm=world)["phase_c"]
    return (np.array(phase) / (2 * np.pi)).tolist()
'''

_RELAXED = "converged, steps = relax(atoms)"
_HELD = "converged, steps = True, None  # GPAW stops with an error where the density does not converge"
_DIPOLE = "dipole = reduced_dipole(atoms.calc)"
_NO_DIPOLE = "dipole = None"

_MAIN = """
def main():
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    atoms = crystal()
    {converged}
    energy = float(atoms.get_potential_energy())
    result = {{
        "format": "{format}",
        "format_version": {format_version},
        "kind": KIND,
        "code": "GPAW",
        "version": gpaw.__version__,
        "ase_version": ase.__version__,
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "settings": GPAW_SETTINGS,
        "converged": converged,
        "steps": steps,
        "species": atoms.get_chemical_symbols(),
        "first_lattice": LATTICE,
        "first_positions": POSITIONS,
        "lattice": np.array(atoms.cell).tolist(),
        "positions": atoms.get_scaled_positions(wrap=False).tolist(),
        "energy": energy,
        "free_energy": float(atoms.get_potential_energy(force_consistent=True)),
        "forces": atoms.get_forces().tolist(),
        "stress": atoms.get_stress(voigt=False).tolist(),
        "band_gap": float(bandgap(atoms.calc, output=None)[0]),
        "magnetic_moment": float(atoms.calc.get_magnetic_moment()),
    }}
    atoms.calc.write("calculation.gpw")
    {dipole}
    if world.rank == 0:
        with open("{result}", "w", encoding="utf-8") as file:
            json.dump(dict(result, dipole=dipole), file, indent=1, allow_nan=False)


if __name__ == "__main__":
    main()
"""
