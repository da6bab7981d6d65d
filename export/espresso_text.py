"""What do the text outputs of pw.x have in common, whatever was run? Cell, atoms, functional, charge, and how they end.

Text, not the XML beside it: the polarization stands in the text alone, the XML is left in a scratch folder that is seldom kept,
and its numbers are the same. ASE's `espresso-out` reads energies and geometries but neither convergence nor functional
nor charge.

Source: Quantum ESPRESSO, PW/src (summary.f90, electrons.f90, bp_c_phase.f90).
"""

from __future__ import annotations

import math
import re

import numpy as np

from ..core.errors import InputError
from .finished_run import LEAST_VOLUME_A3, Geometry

BOHR_ANGSTROM = 0.529177210903
"""CODATA 2018."""
RYDBERG_EV = 13.605693122994
"""CODATA 2018."""
NUMBER = r"([-+.\dEe*NnAaIif]+)"
"""Of what Fortran prints for a number, the stars and words for one that is none included."""
_FUNCTIONALS = {
    "SLA PW PBX PBC": "PBE",
    "SLA PW PBE PBE": "PBE",
    "SLA PW PSX PSC": "PBEsol",
    "SLA PZ NOGX NOGC": "LDA",
    "SLA PW NOGX NOGC": "LDA",
    "PZ": "LDA",
    "PBESOL": "PBEsol",
    "HSE": "HSE06",
}
"""As pw.x spells functionals out if their short names were not given."""
_SYMBOL = re.compile(r"^([A-Z][a-z]?)(?=[\d_-]|[A-Z]|$)")


def last_run(text: str, where: str) -> str:
    """The last run in an output to which several may have been appended.

    Raises:
        InputError: no program of Quantum ESPRESSO begins in it.
    """
    start = text.rfind("Program PWSCF v")
    if start < 0:
        raise InputError(f"{where} is no output of pw.x: it does not begin with 'Program PWSCF'.")
    return text[start:]


def require_done(text: str, where: str) -> None:
    """The run said that it was done.

    Raises:
        InputError: it stopped with an error, or was cut off.
    """
    error = re.search(r"Error in routine\s+(.+?)\s*\n\s*(.*?)\s*\n", text)
    if error:
        told = " ".join(" ".join(error.groups()).split())[:200]
        raise InputError(f"{where} stopped with an error: {told}. Mend the input and run it again.")
    if "JOB DONE" not in text:
        raise InputError(f"{where} is unfinished: pw.x has not written 'JOB DONE'. Run it again.")


def require_converged(text: str, where: str) -> None:
    """The last self-consistent cycle converged.

    Raises:
        InputError: it did not, or there was none.
    """
    ends = re.findall(r"convergence (has been achieved|NOT achieved)", text)
    if not ends:
        raise InputError(f"{where} is another kind of run: no self-consistent cycle is in it.")
    if ends[-1] == "NOT achieved":
        raise InputError(
            f"{where} did not converge electronically: 'convergence NOT achieved'. Raise electron_maxstep or "
            "lower mixing_beta, and run it again."
        )


def version_of(text: str) -> str:
    """`6.7MaX`."""
    return first(r"PWSCF v\.?\s*([\w.]+)", text)


def lattice_of(text: str, where: str) -> np.ndarray:
    """The cell the run began with, A, shape `(3, 3)`.

    Raises:
        InputError: none is named, or it has no volume.
    """
    unit = re.search(rf"celldm\(1\)=\s*{NUMBER}", text)
    rows = [re.search(rf"a\({i}\)\s*=\s*\(\s*{NUMBER}\s+{NUMBER}\s+{NUMBER}\s*\)", text) for i in (1, 2, 3)]
    if unit is None or None in rows:
        raise InputError(f"{where} names no cell: it is no output of pw.x, or the run stopped at once.")
    axes = floats([x for row in rows if row for x in row.groups()], where).reshape(3, 3)
    lattice = axes * float(floats(unit.groups(), where)[0]) * BOHR_ANGSTROM
    if abs(np.linalg.det(lattice)) < LEAST_VOLUME_A3:
        raise InputError(f"{where} has no proper cell (less than {LEAST_VOLUME_A3:g} A^3).")
    return lattice


def sites_of(text: str, where: str) -> tuple[tuple[str, ...], Geometry]:
    """Symbols, and the geometry the run began with.

    Raises:
        InputError: the cell or an atom is missing.
    """
    lattice = lattice_of(text, where)
    found = re.findall(
        rf"\n\s+\d+\s+(\S+)\s+tau\(\s*\d+\)\s*=\s*\(\s*{NUMBER}\s+{NUMBER}\s+{NUMBER}\s*\)", text
    )
    count = int(first(r"number of atoms/cell\s*=\s*(\d+)", text) or 0)
    if count == 0 or len(found) < count:
        raise InputError(f"{where} does not list the positions of its atoms.")
    unit = float(floats(re.findall(rf"celldm\(1\)=\s*{NUMBER}", text)[:1], where)[0]) * BOHR_ANGSTROM
    cartesian = floats([x for row in found[:count] for x in row[1:]], where).reshape(count, 3) * unit
    return tuple(symbol_of(row[0]) for row in found[:count]), Geometry(
        lattice, cartesian @ np.linalg.inv(lattice)
    )


def symbol_of(label: str) -> str:
    """The element of a label that may tell kinds of one element apart: `Fe1`, `O_a`."""
    found = _SYMBOL.match(label)
    return found.group(1) if found else label


def functional_of(text: str) -> str:
    """`PBE`, `PBE+U`."""
    words = " ".join(first(r"Exchange-correlation\s*=([^\n(]*)", text).split())
    name = _FUNCTIONALS.get(words, words or "DFT")
    return (
        f"{name}+U" if re.search(r"LDA\+U calculation|DFT\+U calculation|Hubbard projectors", text) else name
    )


def hubbard_of(text: str, where: str) -> dict[str, float] | None:
    """U by element, eV; empty if there is none, `None` if it is not told in a known way."""
    if "+U" not in functional_of(text):
        return {}
    found = re.findall(rf"U\(\s*([A-Z]\S*?)-\d[spdf]\)\s*=\s*{NUMBER}", text)
    if not found:
        table = text.partition("atomic species    L          U")[2].split("\n\n")[0].splitlines()[1:]
        found = [(row[0], row[2]) for line in table if len(row := line.split()) > 2]
    return {symbol_of(label): float(floats([u], where)[0]) for label, u in found} or None


def charge_of(text: str, species: tuple[str, ...], where: str) -> float | None:
    """Of the cell, e: valence electrons of the pseudopotentials without those there are; `None` if it is not told."""
    electrons = first(rf"number of electrons\s*=\s*{NUMBER}", text)
    table = text.partition("atomic species   valence")[2].split("\n\n")[0].splitlines()[1:]
    valence = {symbol_of(row[0]): row[1] for line in table if len(row := line.split()) > 3}
    if not electrons or not set(species) <= valence.keys():
        return None
    held = floats([valence[symbol] for symbol in species], where).sum()
    return float(held - floats([electrons], where)[0])


def when_of(text: str) -> str:
    """As pw.x prints it, without the spaces: `30Nov2026 23:38:36`."""
    found = re.search(r"starts on\s+(\d+[A-Z][a-z]{2}\d{4}) at\s+([\d: ]+?)\s*\n", text)
    return f"{found.group(1)} {found.group(2).replace(' ', '')}" if found else ""


def first(pattern: str, text: str) -> str:
    """The first group of a pattern, or nothing."""
    found = re.search(pattern, text)
    return found.group(1) if found else ""


def floats(words: list[str] | tuple[str, ...], where: str) -> np.ndarray:
    """Finite numbers.

    Raises:
        InputError: one is none.
    """
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        values = np.array([math.nan])
    if not np.isfinite(values).all():
        raise InputError(f"{where} holds {' '.join(words)[:80]!r} where numbers are wanted. Run it again.")
    return values
