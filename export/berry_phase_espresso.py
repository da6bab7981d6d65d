"""The Berry-phase dipole of an image as pw.x prints it: three runs, one along each reciprocal vector.

`P` in (e/Omega).bohr is the part along one lattice vector, ions and electrons together, so over that vector's length
it is a reduced dipole. It is taken modulo 1 also where pw.x writes the length of two vectors behind "mod": versions from 2019 on
wrap the electronic phase to one all the same. The C/m^2 are not used: pw.x converts them with rounded constants, 0.08% too small.

Source: Quantum ESPRESSO, PW/src/bp_c_phase.f90.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from .berry_phase_image import BerryPhaseImage, fractional, output_text, require_cell

BOHR_ANGSTROM = 0.529177210903
"""CODATA 2018."""
_NUMBER = r"([-+.\dEe]+)"
_P = re.compile(rf"P =\s*{_NUMBER}\s*\(mod\s*{_NUMBER}\s*\)\s*\(e/Omega\)\.bohr")
_FUNCTIONALS = {
    "SLA PW PBX PBC": "PBE",
    "SLA PW PBE PBE": "PBE",
    "SLA PW PSX PSC": "PBEsol",
    "SLA PZ NOGX NOGC": "LDA",
}
"""As pw.x spells functionals out if their short names were not given."""


def output_name(direction: int) -> str:
    """Of the run along reciprocal vector 1, 2 or 3."""
    return f"berry{direction}.out"


def read_image(folder: Path) -> BerryPhaseImage:
    """Read the three outputs of one image.

    Raises:
        NotFoundError: one of them is missing.
        InputError: one is unfinished, of another direction or of another crystal.
    """
    texts = [output_text(folder, output_name(d)) for d in (1, 2, 3)]
    places = [folder / output_name(d) for d in (1, 2, 3)]
    lattices = [require_cell(_lattice(text, where), where) for text, where in zip(texts, places, strict=True)]
    if not all(np.allclose(lattice, lattices[0], atol=1e-5) for lattice in lattices):
        raise InputError(f"The three Berry-phase runs in {folder} have different cells.")
    dipole = [_component(texts[i], i + 1, lattices[0], places[i]) for i in range(3)]
    species, positions = _sites(texts[0], lattices[0], places[0])
    return BerryPhaseImage(
        lattice=lattices[0],
        positions=positions,
        species=species,
        dipole=np.array(dipole),
        functional=_functional(texts[0]),
        code="pw.x",
        version=_first(r"PWSCF v\.?\s*([\w.]+)", texts[0]),
    )


def _component(text: str, direction: int, lattice: np.ndarray, where: Path) -> float:
    """Reduced dipole along one lattice vector, e."""
    if "JOB DONE" not in text:
        raise InputError(f"{where} is unfinished: pw.x has not written 'JOB DONE'. Run it again.")
    along = _first(r"along the direction of vector\s*(\d)", text)
    found = _P.search(text)
    if not along or found is None:
        raise InputError(f"{where} is no Berry-phase run (lberry = .true.): it gives no polarization.")
    if along != str(direction):
        raise InputError(f"{where} runs along reciprocal vector {along}; {direction} is wanted there (gdir).")
    value, modulus = _floats(found.groups(), where)
    length = float(np.linalg.norm(lattice[direction - 1])) / BOHR_ANGSTROM
    vectors = round(modulus / length)
    if vectors not in (1, 2) or abs(modulus / length - vectors) > 1e-3:
        raise InputError(
            f"{where}: the modulus {modulus} bohr does not fit the lattice vector of {length:.4f} bohr."
        )
    return value / (modulus / vectors)


def _lattice(text: str, where: Path) -> np.ndarray:
    """A, shape `(3, 3)`."""
    unit = re.search(rf"celldm\(1\)=\s*{_NUMBER}", text)
    rows = [
        re.search(rf"a\({i}\)\s*=\s*\(\s*{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}\s*\)", text) for i in (1, 2, 3)
    ]
    if unit is None or None in rows:
        raise InputError(f"{where} names no cell: it is no output of pw.x, or the run stopped at once.")
    axes = _floats([x for row in rows if row for x in row.groups()], where).reshape(3, 3)
    return axes * float(_floats(unit.groups(), where)[0]) * BOHR_ANGSTROM


def _sites(text: str, lattice: np.ndarray, where: Path) -> tuple[tuple[str, ...], np.ndarray]:
    """Labels, and fractional positions, shape `(nsites, 3)`."""
    found = re.findall(
        rf"\n\s+\d+\s+(\S+)\s+tau\(\s*\d+\)\s*=\s*\(\s*{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}\s*\)", text
    )
    count = int(_first(r"number of atoms/cell\s*=\s*(\d+)", text) or 0)
    if count == 0 or len(found) < count:
        raise InputError(f"{where} does not list the positions of its atoms.")
    rows = found[:count]
    unit = float(_floats(re.findall(rf"celldm\(1\)=\s*{_NUMBER}", text)[:1], where)[0]) * BOHR_ANGSTROM
    cartesian = _floats([x for row in rows for x in row[1:]], where).reshape(count, 3) * unit
    return tuple(row[0] for row in rows), fractional(cartesian, lattice)


def _functional(text: str) -> str:
    """`PBE`, `PBE+U`."""
    words = " ".join(_first(r"Exchange-correlation\s*=([^\n(]*)", text).split())
    name = _FUNCTIONALS.get(words, words or "DFT")
    return (
        f"{name}+U" if re.search(r"LDA\+U calculation|DFT\+U calculation|Hubbard projectors", text) else name
    )


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found.group(1) if found else ""


def _floats(words: list[str] | tuple[str, ...], where: Path) -> np.ndarray:
    try:
        return np.array([float(word) for word in words])
    except ValueError:
        raise InputError(f"{where} holds {' '.join(words)[:80]!r} where numbers are wanted.") from None
