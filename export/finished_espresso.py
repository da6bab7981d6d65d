"""What does the text output of pw.x say of a finished run?

A total energy must be the sum of the terms that are printed below it. The gap comes from the printed eigenvalues (pw.x
prints them for fewer than 100 k-points, or with verbosity = 'high'): without spin the number of electrons says which are
occupied, with spin the Fermi energy does.

Source: Quantum ESPRESSO, PW/src (electrons.f90, print_ks_energies.f90, forces.f90, stress.f90, move_ions.f90).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError
from . import espresso_text as pw
from .finished_run import CELL, NOTHING, POSITIONS, FinishedRun, Geometry, gap_of, require_finite
from .outside_files import read_output

NAME = "pw.out"
LARGEST_MISSING_RY = 1e-4
"""Between an energy and the sum of its terms, each printed with 8 decimals."""
_TERM = re.compile(rf"^\s+([A-Za-z][\w .+()-]*?)\s*=\s*{pw.NUMBER}\s+Ry\s*$", re.MULTILINE)


def read_run(root: Path, folder: str, name: str = NAME) -> FinishedRun:
    """Read the output of one folder.

    Args:
        root: The folder that the user named.
        folder: The run's, from there.
        name: Of the output, which may be gzipped as well.

    Raises:
        NotFoundError: there is none.
        InputError: the run is unfinished, unconverged, or no relaxation or static run, or the file is damaged, too
            large or no output of pw.x.
    """
    file = read_output(root, f"{folder}/{name}")
    where = file.name
    text = pw.last_run(file.text, where)
    pw.require_done(text, where)
    _require_known_kind(text, where)
    pw.require_converged(text, where)
    species, first = pw.sites_of(text, where)
    moved, last = _relaxed(text, species, first, where)
    return require_finite(
        FinishedRun(
            code="pw.x",
            version=pw.version_of(text),
            functional=pw.functional_of(text),
            moved=moved,
            species=species,
            first=first,
            last=last,
            energy=_energy(text, where),
            charge=pw.charge_of(text, species, where),
            forces=_forces(text, len(species), where),
            stress=_stress(text, where),
            band_gap=_gap(text, where),
            hubbard=pw.hubbard_of(text, where),
            settings=_settings(text, where),
            when=pw.when_of(text),
            files=(file.record,),
        )
    )


def _require_known_kind(text: str, where: str) -> None:
    kinds = {
        "of bands at a fixed density": "Band Structure Calculation",
        "of molecular dynamics": "Molecular Dynamics Calculation",
        "in an electric field": "Using saw-like electric field",
        "of a damped dynamics": "Damped Dynamics Calculation",
    }
    for kind, sign in kinds.items():
        if sign in text:
            raise InputError(f"{where} is a run {kind}; a relaxation or a self-consistent run is wanted.")


def _relaxed(text: str, species: tuple[str, ...], first: Geometry, where: str) -> tuple[str, Geometry]:
    """What was moved, and where it ended."""
    if "BFGS Geometry Optimization" not in text:
        return NOTHING, first
    if "bfgs converged in" not in text:
        raise InputError(
            f"{where} did not converge ionically: its BFGS did not reach the thresholds. Put the last geometry "
            "into the input, or raise nstep, and run it again."
        )
    block = re.search(r"Begin final coordinates\n(.*?)End final coordinates", text, re.DOTALL)
    if block is None:
        raise InputError(f"{where} does not list its final coordinates: it is damaged.")
    lattice = _final_cell(block.group(1), where)
    positions = _final_positions(
        block.group(1), species, first if lattice is None else Geometry(lattice, first.positions), where
    )
    if lattice is None:
        return POSITIONS, Geometry(first.lattice, positions)
    return CELL, Geometry(lattice, positions)


def _final_cell(block: str, where: str) -> np.ndarray | None:
    """A, shape `(3, 3)`; `None` if the cell was held."""
    row = rf"\s*{pw.NUMBER}\s+{pw.NUMBER}\s+{pw.NUMBER}\s*\n"
    found = re.search(
        rf"CELL_PARAMETERS\s*\(?\s*(angstrom|bohr|alat\s*=\s*[\d.]+)\s*\)?\s*\n{row * 3}", block
    )
    if found is None:
        return None
    unit = found.group(1)
    scale = 1.0 if unit == "angstrom" else pw.BOHR_ANGSTROM
    if unit.startswith("alat"):
        scale *= float(pw.floats([unit.split("=")[1].strip()], where)[0])
    return pw.floats(found.groups()[1:], where).reshape(3, 3) * scale


def _final_positions(block: str, species: tuple[str, ...], cell: Geometry, where: str) -> np.ndarray:
    """Fractional, shape `(nsites, 3)`."""
    found = re.search(r"ATOMIC_POSITIONS\s*\(?\s*(\w+)\s*\)?\s*\n(.*)", block, re.DOTALL)
    rows = (
        re.findall(
            rf"^\s*([A-Za-z]\S*)\s+{pw.NUMBER}\s+{pw.NUMBER}\s+{pw.NUMBER}", found.group(2), re.MULTILINE
        )
        if found
        else []
    )
    if found is None or tuple(pw.symbol_of(row[0]) for row in rows) != species:
        raise InputError(f"{where} does not list its final positions: it is damaged.")
    values = pw.floats([x for row in rows for x in row[1:]], where).reshape(-1, 3)
    if found.group(1) == "crystal":
        return values
    scales = {"angstrom": 1.0, "bohr": pw.BOHR_ANGSTROM}
    if found.group(1) not in scales:
        raise InputError(
            f"{where} gives final positions in {found.group(1)}; crystal, angstrom or bohr are read."
        )
    return values * scales[found.group(1)] @ np.linalg.inv(cell.lattice)


def _energy(text: str, where: str) -> float:
    """eV."""
    totals = list(re.finditer(rf"^!\s+total energy\s*=\s*{pw.NUMBER}\s+Ry", text, re.MULTILINE))
    if not totals:
        raise InputError(f"{where} gives no total energy: it is damaged, or of another kind of run.")
    total = float(pw.floats(totals[-1].groups(), where)[0])
    _require_sum(total, text[totals[-1].end() :], where)
    return total * pw.RYDBERG_EV


def _require_sum(total: float, below: str, where: str) -> None:
    """The terms add up to the energy E without the smearing's -TS; the energy that counts is F = E - TS.

    Those of a hybrid do not, since exact exchange is printed in parts that count twice.
    """
    start = below.find("sum of the following terms:")
    if start < 0:
        return
    block = below[start : below.find("convergence has been achieved", start)]
    terms = {name: float(pw.floats([value], where)[0]) for name, value in _TERM.findall(block)}
    smearing = pw.first(rf"smearing contrib\. \(-TS\)\s*=\s*{pw.NUMBER}\s+Ry", below[: start + len(block)])
    if smearing and not any(name.startswith("smearing") for name in terms):
        terms["smearing"] = float(pw.floats([smearing], where)[0])
    missing = total - sum(terms.values())
    if any("Fock" in name or name == "dexx" for name in terms):
        return
    if terms and abs(missing) > LARGEST_MISSING_RY:
        raise InputError(
            f"{where} gives an energy that is {missing * pw.RYDBERG_EV:+.4f} eV from the sum of its terms: the "
            "file was changed or damaged. Run it again."
        )


def _forces(text: str, nsites: int, where: str) -> np.ndarray | None:
    """eV/A, of the last step, shape `(nsites, 3)`."""
    blocks = text.split("Forces acting on atoms")[1:]
    if not blocks:
        return None
    found = re.findall(
        rf"atom\s+\d+\s+type\s+\d+\s+force\s*=\s*{pw.NUMBER}\s+{pw.NUMBER}\s+{pw.NUMBER}", blocks[-1]
    )
    if len(found) < nsites:
        raise InputError(f"{where} lists the forces on {len(found)} of {nsites} atoms: it is damaged.")
    values = pw.floats([x for row in found[:nsites] for x in row], where).reshape(nsites, 3)
    return values * pw.RYDBERG_EV / pw.BOHR_ANGSTROM


def _stress(text: str, where: str) -> np.ndarray | None:
    """pw.x prints Ry/bohr^3, positive under compression."""
    row = rf"\s+{pw.NUMBER}\s+{pw.NUMBER}\s+{pw.NUMBER}\s+\S+\s+\S+\s+\S+\s*\n"
    found = re.findall(rf"total\s+stress[^\n]*\n{row * 3}", text)
    if not found:
        return None
    return -pw.floats(found[-1], where).reshape(3, 3) * pw.RYDBERG_EV / pw.BOHR_ANGSTROM**3


def _gap(text: str, where: str) -> float | None:
    """From the eigenvalues behind the last self-consistent cycle; `None` if they are not printed."""
    end = text.rfind("End of self-consistent calculation")
    block = text[end : text.find("!    total energy", end)] if end >= 0 else ""
    energies = _eigenvalues(block, where)
    if energies is None:
        return None
    fermi = pw.first(rf"the Fermi energy is\s+{pw.NUMBER}\s+ev", block)
    if len(energies) == 1:
        electrons = float(
            pw.floats([pw.first(rf"number of electrons\s*=\s*{pw.NUMBER}", text) or "?"], where)[0]
        )
        if round(electrons) % 2:
            return 0.0
        return gap_of(energies, np.full(energies.shape[:2], round(electrons / 2)))
    if not fermi:
        return None
    return gap_of(energies, (energies < float(pw.floats([fermi], where)[0])).sum(axis=2))


def _eigenvalues(block: str, where: str) -> np.ndarray | None:
    """eV, shape `(spins, kpoints, bands)`."""
    spins = re.split(r"-+ SPIN (?:UP|DOWN) -+", block)
    groups = spins[1:] if len(spins) > 1 else spins
    values = [
        [
            pw.floats(re.findall(r"-?\d+\.\d{4}|\*+", part), where)
            for part in re.findall(r"bands \(ev\):\s*\n\n([-\d.\s*]+?)\n\s*\n", group)
        ]
        for group in groups
    ]
    shapes = {len(bands) for spin in values for bands in spin}
    if len(shapes) != 1 or len({len(spin) for spin in values}) != 1:
        return None
    return np.array(values)


def _settings(text: str, where: str) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for name, words in (
        ("cutoff_ev", "kinetic-energy cutoff"),
        ("density_cutoff_ev", "charge density cutoff"),
    ):
        if found := pw.first(rf"{words}\s*=\s*{pw.NUMBER}\s+Ry", text):
            settings[name] = round(float(pw.floats([found], where)[0]) * pw.RYDBERG_EV, 4)
    if found := pw.first(r"number of k points=\s*(\d+)", text):
        settings["kpoints"] = f"{found} k-points"
    files = re.findall(
        r"PseudoPot\. # *\d+ for\s+(\S+)\s+read from file:\s*\n\s*(\S+)\s*\n(?:\s*MD5 check sum:\s*(\w+))?",
        text,
    )
    if files:
        # The final run of a relaxation names them a second time.
        named = {f"{label} {path.rsplit('/', 1)[-1]} {md5}".strip() for label, path, md5 in files}
        settings["pseudopotentials"] = sorted(named)
    if "SPIN UP" in text:
        settings["spin_polarized"] = True
    return settings
