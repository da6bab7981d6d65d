"""The Berry-phase dipole of an image as VASP prints it (LCALCPOL) in its OUTCAR.

Of `p[elc]` and `p[ion]` only the electronic part is taken as printed. The ionic one is summed anew from the valence
charges and the positions, as pymatgen recommends and Smidt et al. did: VASP counts an ion that stands half a cell from
DIPOL as nothing and one that does not quite as plus or minus half its charge, which between two images is half a quantum for an
odd charge; and it depends on DIPOL, which need not be the same in all runs.

Units: `electrons Angst` (before VASP 6.3) counts in the electron's negative charge, `|e| Angst` in the positive one.
pymatgen's `Outcar` knows that too, but parses all of an OUTCAR to get at these lines and stumbles over unfinished ones.

Source: VASP Wiki, LCALCPOL (the example of NaF); Smidt et al. (2020), doi:10.1038/s41597-020-0407-9.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from .berry_phase_image import BerryPhaseImage, output_text, require_cell

NAME = "OUTCAR"
_NUMBER = r"([-+.\dEe]+)"
_ELECTRONIC = re.compile(
    rf"p\[elc\]=\(\s*{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}\s*\)\s*(electrons Angst|\|e\| Angst)"
)
_FUNCTIONALS = {"PE": "PBE", "PS": "PBEsol", "91": "PW91", "RP": "RPBE", "CA": "LDA", "AM": "AM05"}
"""VASP's GGA tag, and LEXCH of a POTCAR; another one is named as it is."""


def read_image(folder: Path) -> BerryPhaseImage:
    """Read the OUTCAR of one image.

    Raises:
        NotFoundError: there is none.
        InputError: the run is unfinished, unconverged or of another kind, or the file is no OUTCAR.
    """
    text = output_text(folder, NAME)
    where = folder / NAME
    _require_finished(text, where)
    lattice = require_cell(_lattice(text, where), where)
    counts = [int(n) for n in _last(r"ions per type =\s*([\d ]+)", text, where, "number of ions").split()]
    labels = re.findall(r"VRHFIN\s*=\s*(\w+)\s*:", text)[: len(counts)]
    positions = _positions(text, sum(counts), where)
    electronic = _electronic(text, where)
    return BerryPhaseImage(
        lattice=lattice,
        positions=positions,
        species=tuple(np.repeat(_distinct(labels, len(counts)), counts)),
        dipole=np.repeat(_charges(text, len(counts), where), counts) @ positions
        + electronic @ np.linalg.inv(lattice),
        functional=_functional(text),
        code="VASP",
        version=_first(r"vasp\.(\d+(?:\.\d+)*)", text),
    )


def _require_finished(text: str, where: Path) -> None:
    if "General timing and accounting" not in text:
        raise InputError(
            f"{where} is unfinished: VASP has not written its closing lines. Run this image again."
        )
    if not re.search(r"LCALCPOL\s*=\s*T", text):
        raise InputError(f"{where} is no Berry-phase run: LCALCPOL was not set.")
    steps = _first(r"NSW\s*=\s*(\d+)", text)
    if steps not in ("", "0"):
        raise InputError(
            f"{where} moved its atoms (NSW = {steps}); the images of a path stand still (NSW = 0)."
        )
    if "aborting loop because EDIFF is reached" not in text:
        raise InputError(
            f"{where} did not converge: EDIFF was not reached. Raise NELM and run this image again."
        )


def _lattice(text: str, where: Path) -> np.ndarray:
    """The last one printed: in a static run all are the same, but for a primitive cell that comes first."""
    row = r"\n" + r"\s+".join([r"\s*"] + [_NUMBER] * 6)
    found = re.findall(r"direct lattice vectors\s+reciprocal lattice vectors[^\n]*" + row * 3, text)
    if not found:
        raise InputError(f"{where} names no lattice vectors.")
    return _floats(found[-1], where).reshape(3, 6)[:, :3]


def _positions(text: str, nsites: int, where: Path) -> np.ndarray:
    """Fractional, as in the POSCAR, shape `(nsites, 3)`."""
    for block in reversed(text.split("position of ions in fractional coordinates (direct lattice)")[1:]):
        rows = [line.split() for line in block.splitlines()[1 : nsites + 1]]
        if len(rows) == nsites and all(len(row) == 3 for row in rows):
            return _floats([x for row in rows for x in row], where).reshape(nsites, 3)
    raise InputError(f"{where} does not list the positions of its {nsites} ions.")


def _charges(text: str, count: int, where: Path) -> np.ndarray:
    """Valence charge of each element, e, shape `(count,)`."""
    line = _last(r"Ionic Valenz\s*\n\s*ZVAL\s*=([^\n]+)", text, where, "valence charges")
    charges = _floats(re.findall(r"-?\d+\.\d{2}", line), where)
    if len(charges) != count:
        raise InputError(f"{where} gives {len(charges)} valence charges for {count} elements.")
    return charges


def _electronic(text: str, where: Path) -> np.ndarray:
    """Electronic dipole, Cartesian, e A with e positive, shape `(3,)`."""
    found = _ELECTRONIC.findall(text)
    if not found:
        raise InputError(f"{where} prints no electronic dipole p[elc]: the crystal may be a metal.")
    *values, unit = found[-1]
    return _floats(values, where) * (1.0 if unit.startswith("|e|") else -1.0)


def _functional(text: str) -> str:
    """`PBE`, `PBE+U`, `hybrid`: from the GGA tag, or if that is not set from the POTCARs."""
    tag = _first(r"\n\s*GGA\s*=\s*(\S+)", text)
    if tag in ("", "--"):
        tag = _first(r"LEXCH\s*=\s*([A-Z]\w)", text)
    name = _FUNCTIONALS.get(tag, tag or "DFT")
    if re.search(r"LHFCALC\s*=\s*T", text):
        name = "hybrid"
    meta = _first(r"METAGGA\s*=\s*(\S+)", text)
    if meta not in ("", "F", "--", "NONE"):
        name = "meta-GGA" if meta == "T" else meta
    return f"{name}+U" if re.search(r"LDA\+U is selected", text) else name


def _distinct(labels: list[str], count: int) -> list[str]:
    """A label for each block of the POSCAR, whether or not the POTCARs name theirs."""
    return labels if len(labels) == count else [str(i) for i in range(count)]


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found.group(1) if found else ""


def _last(pattern: str, text: str, where: Path, what: str) -> str:
    found = re.findall(pattern, text)
    if not found:
        raise InputError(f"{where} does not say the {what}: it is no OUTCAR of VASP 5 or 6.")
    return found[-1]


def _floats(words: list[str] | tuple[str, ...], where: Path) -> np.ndarray:
    try:
        return np.array([float(word) for word in words])
    except ValueError:
        raise InputError(f"{where} holds {' '.join(words)[:80]!r} where numbers are wanted.") from None
