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
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError
from .berry_phase_image import BerryPhaseImage
from .finished_run import LEAST_VOLUME_A3
from .outside_files import read_output
from .vasp_functional import functional_name

NAME = "OUTCAR"
_NUMBER = r"([-+.\dEe]+)"
_ELECTRONIC = re.compile(
    rf"p\[elc\]=\(\s*{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}\s*\)\s*(electrons Angst|\|e\| Angst)"
)
_BAND = re.compile(rf"^\s*\d+\s+{_NUMBER}\s+{_NUMBER}\s*$")
PARTLY_FULL = 0.02
"""Of a band: less is what smearing leaves at the edge of a gap, or the last printed digit."""


def read_image(root: Path, folder: str) -> BerryPhaseImage:
    """Read the OUTCAR (or OUTCAR.gz) of one image.

    Raises:
        NotFoundError: there is none.
        InputError: the run is unfinished, unconverged, metallic or of another kind, or the file is no OUTCAR.
    """
    file = read_output(root, f"{folder}/{NAME}")
    text, where = file.text, file.name
    _require_finished(text, where)
    _require_insulator(text, where)
    lattice = _lattice(text, where)
    counts = [int(n) for n in _last(r"ions per type =\s*([\d ]+)", text, where, "number of ions").split()]
    labels = re.findall(r"VRHFIN\s*=\s*(\w+)\s*:", text)[: len(counts)]
    positions = _positions(text, sum(counts), where)
    electronic = _electronic(text, where)
    charges = np.repeat(_charges(text, len(counts), where), counts)
    electrons = _first(rf"NELECT\s*=\s*{_NUMBER}", text)
    return BerryPhaseImage(
        lattice=lattice,
        positions=positions,
        species=tuple(np.repeat(_distinct(labels, len(counts)), counts).tolist()),
        dipole=charges @ positions + electronic @ np.linalg.inv(lattice),
        functional=_functional(text),
        code="VASP",
        version=_first(r"vasp\.(\d+(?:\.\d+)*)", text),
        energy=_energy(text, where),
        charge=float(charges.sum() - _floats([electrons], where)[0]) if electrons else None,
        settings=_settings(text, where),
        when=" ".join(_first(r"executed on.*?date\s+(\S+\s+\S+)", text).split()),
        files=(file.record,),
    )


def _require_finished(text: str, where: str) -> None:
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


def _require_insulator(text: str, where: str) -> None:
    """No band of the last electronic step is partly full, and as many are full at one k-point as at another."""
    block = text[max(text.rfind("E-fermi :"), 0) :]
    counts = []
    for kpoint in re.split(r"band No\.\s+band energies\s+occupation", block)[1:]:
        rows = list(takewhile(bool, map(_BAND.match, kpoint.splitlines()[1:])))
        filling = _floats([row.group(2) for row in rows if row], where)
        full = 2.0 if len(filling) and filling.max() > 1.5 else 1.0
        if ((filling > PARTLY_FULL * full) & (filling < (1 - PARTLY_FULL) * full)).any():
            counts.append(-1)
        counts.append(int((filling > full / 2).sum()))
    spins = 2 if "spin component 2" in block else 1
    halves = [counts[: len(counts) // spins], counts[len(counts) // spins :]] if spins == 2 else [counts]
    if -1 in counts or any(len(set(half)) > 1 for half in halves):
        raise InputError(
            f"{where} is of a metal: a band is partly full, and a Berry phase means nothing there. Look for "
            "another magnetic state, or a functional that opens the gap."
        )


def _lattice(text: str, where: str) -> np.ndarray:
    """The last one printed: in a static run all are the same, but for a primitive cell that comes first."""
    row = r"\n" + r"\s+".join([r"\s*"] + [_NUMBER] * 6)
    found = re.findall(r"direct lattice vectors\s+reciprocal lattice vectors[^\n]*" + row * 3, text)
    if not found:
        raise InputError(f"{where} names no lattice vectors.")
    lattice = _floats(found[-1], where).reshape(3, 6)[:, :3]
    if abs(np.linalg.det(lattice)) < LEAST_VOLUME_A3:
        raise InputError(f"{where} has no proper cell (less than {LEAST_VOLUME_A3:g} A^3).")
    return lattice


def _positions(text: str, nsites: int, where: str) -> np.ndarray:
    """Fractional, as in the POSCAR, shape `(nsites, 3)`."""
    for block in reversed(text.split("position of ions in fractional coordinates (direct lattice)")[1:]):
        rows = [line.split() for line in block.splitlines()[1 : nsites + 1]]
        if len(rows) == nsites and all(len(row) == 3 for row in rows):
            return _floats([x for row in rows for x in row], where).reshape(nsites, 3)
    raise InputError(f"{where} does not list the positions of its {nsites} ions.")


def _charges(text: str, count: int, where: str) -> np.ndarray:
    """Valence charge of each element, e, shape `(count,)`."""
    line = _last(r"Ionic Valenz\s*\n\s*ZVAL\s*=([^\n]+)", text, where, "valence charges")
    charges = _floats(re.findall(r"-?\d+\.\d{2}", line), where)
    if len(charges) != count:
        raise InputError(f"{where} gives {len(charges)} valence charges for {count} elements.")
    return charges


def _electronic(text: str, where: str) -> np.ndarray:
    """Electronic dipole, Cartesian, e A with e positive, shape `(3,)`."""
    found = _ELECTRONIC.findall(text)
    if not found:
        raise InputError(f"{where} prints no electronic dipole p[elc]: the crystal may be a metal.")
    *values, unit = found[-1]
    return _floats(values, where) * (1.0 if unit.startswith("|e|") else -1.0)


def _functional(text: str) -> str:
    """`PBE`, `PBE+U`, `HSE06`: from the tags, or if GGA is not set from the POTCARs."""
    exchange, screening = (_first(rf"{tag}\s*=\s*([.\d]+)", text) for tag in ("AEXX", "HFSCREEN"))
    return functional_name(
        gga=_first(r"\n\s*GGA\s*=\s*(\S+)", text),
        lexch=_first(r"LEXCH\s*=\s*([A-Z]\w)", text),
        meta=_first(r"METAGGA\s*=\s*(\S+)", text),
        hybrid=bool(re.search(r"LHFCALC\s*=\s*T", text)),
        exchange=float(exchange) if exchange else None,
        screening=float(screening) if screening else None,
        hubbard="LDA+U is selected" in text,
    )


def _energy(text: str, where: str) -> float | None:
    """eV, extrapolated to no smearing."""
    found = re.findall(rf"energy\(sigma->0\)\s*=\s*{_NUMBER}", text)
    return float(_floats(found[-1:], where)[0]) if found else None


def _settings(text: str, where: str) -> dict[str, Any]:
    cutoff = _first(rf"ENCUT\s*=\s*{_NUMBER}\s*eV", text)
    kpoints = _first(r"k-points\s+NKPTS\s*=\s*(\d+)", text)
    settings: dict[str, Any] = {"cutoff_ev": float(_floats([cutoff], where)[0])} if cutoff else {}
    return settings | ({"kpoints": f"{kpoints} k-points"} if kpoints else {})


def _distinct(labels: list[str], count: int) -> list[str]:
    """A label for each block of the POSCAR, whether or not the POTCARs name theirs."""
    return labels if len(labels) == count else [str(i) for i in range(count)]


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found.group(1) if found else ""


def _last(pattern: str, text: str, where: str, what: str) -> str:
    found = re.findall(pattern, text)
    if not found:
        raise InputError(f"{where} does not say the {what}: it is no OUTCAR of VASP 5 or 6.")
    return found[-1]


def _floats(words: list[str] | tuple[str, ...], where: str) -> np.ndarray:
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        values = np.array([np.nan])
    if not np.isfinite(values).all():
        raise InputError(f"{where} holds {' '.join(words)[:80]!r} where numbers are wanted. Run it again.")
    return values
