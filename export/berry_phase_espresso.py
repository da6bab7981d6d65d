"""The Berry-phase dipole of an image as pw.x prints it: three runs, one along each reciprocal vector.

`P` in (e/Omega).bohr is the part along one lattice vector, ions and electrons together, so over that vector's length
it is a reduced dipole. It is taken modulo 1 also where pw.x writes the length of two vectors behind "mod": versions from 2019 on
wrap the electronic phase to one all the same. The C/m^2 are not used: pw.x converts them with rounded constants, 0.08% too small.
The energy of the image is that of the self-consistent run before (`scf.out`), if it is there.

Source: Quantum ESPRESSO, PW/src/bp_c_phase.f90.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from . import espresso_text as pw
from .berry_phase_image import BerryPhaseImage
from .finished_espresso import read_run
from .finished_run import FinishedRun, Geometry
from .outside_files import exists, read_output

DENSITY_NAME = "scf.out"
SAME_CELL_ANGSTROM = 1e-5
SAME_POSITION = 1e-5
_P = re.compile(rf"P =\s*{pw.NUMBER}\s*\(mod\s*{pw.NUMBER}\s*\)\s*\(e/Omega\)\.bohr")


def output_name(direction: int) -> str:
    """Of the run along reciprocal vector 1, 2 or 3."""
    return f"berry{direction}.out"


def read_image(root: Path, folder: str) -> BerryPhaseImage:
    """Read the outputs of one image: `berry1.out` to `berry3.out`, and `scf.out` if it is there.

    Raises:
        NotFoundError: one of the three is missing.
        InputError: one is unfinished, of another direction or of another crystal.
    """
    files = [read_output(root, f"{folder}/{output_name(d)}") for d in (1, 2, 3)]
    texts = [pw.last_run(file.text, file.name) for file in files]
    for text, file in zip(texts, files, strict=True):
        pw.require_done(text, file.name)
    lattices = [pw.lattice_of(text, file.name) for text, file in zip(texts, files, strict=True)]
    if not all(np.allclose(lattice, lattices[0], atol=SAME_CELL_ANGSTROM) for lattice in lattices):
        raise InputError(f"The three Berry-phase runs in {folder} have different cells.")
    dipole = [_component(texts[i], i + 1, lattices[0], files[i].name) for i in range(3)]
    species, geometry = pw.sites_of(texts[0], files[0].name)
    density = _density(root, folder)
    image = BerryPhaseImage(
        lattice=geometry.lattice,
        positions=geometry.positions,
        species=species,
        dipole=np.array(dipole),
        functional=pw.functional_of(texts[0]),
        code="pw.x",
        version=pw.version_of(texts[0]),
        energy=density.energy if density else None,
        charge=pw.charge_of(texts[0], species, files[0].name),
        settings=density.settings if density else {},
        when=pw.when_of(texts[0]),
        files=(*(file.record for file in files), *(density.files if density else ())),
    )
    if density is not None:
        _require_own_density(image, density)
    return image


def _component(text: str, direction: int, lattice: np.ndarray, where: str) -> float:
    """Reduced dipole along one lattice vector, e."""
    along = pw.first(r"along the direction of vector\s*(\d)", text)
    found = _P.search(text)
    if not along or found is None:
        raise InputError(f"{where} is no Berry-phase run (lberry = .true.): it gives no polarization.")
    if along != str(direction):
        raise InputError(f"{where} runs along reciprocal vector {along}; {direction} is wanted there (gdir).")
    value, modulus = pw.floats(found.groups(), where)
    length = float(np.linalg.norm(lattice[direction - 1])) / pw.BOHR_ANGSTROM
    vectors = round(modulus / length)
    if vectors not in (1, 2) or abs(modulus / length - vectors) > 1e-3:
        raise InputError(
            f"{where}: the modulus {modulus} bohr does not fit the lattice vector of {length:.4f} bohr."
        )
    return value / (modulus / vectors)


def _density(root: Path, folder: str) -> FinishedRun | None:
    """The self-consistent run that the three began with, if its output was kept."""
    return read_run(root, folder, DENSITY_NAME) if exists(root, f"{folder}/{DENSITY_NAME}") else None


def _require_own_density(image: BerryPhaseImage, density: FinishedRun) -> None:
    """The three runs are of the density that `scf.out` tells of."""
    where = density.files[0].name
    if density.species != image.species or not _same_place(density.last, image):
        raise InputError(f"{where} is of another crystal than the Berry-phase runs beside it.")
    if density.functional != image.functional:
        raise InputError(
            f"{where} is of another functional ({density.functional}) than the Berry-phase runs beside it."
        )


def _same_place(geometry: Geometry, image: BerryPhaseImage) -> bool:
    """Whether cells and positions of the same atoms agree in all digits that pw.x prints."""
    cell, moves = geometry.lattice - image.lattice, geometry.positions - image.positions
    return bool(
        np.abs(cell).max() < SAME_CELL_ANGSTROM and np.abs(moves - np.rint(moves)).max() < SAME_POSITION
    )
