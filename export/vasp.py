"""VASP inputs with the Materials Project's settings: a relaxation, a static run, and the polar path.

Folders of a candidate: `relax/`, `static/`, and for a ferroelectric `polarization/00`, `01`, ...
POTCARs are licensed and not shipped: `POTCAR.spec` names them, one symbol a line.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from ..core.candidate import Candidate
from ..core.errors import StructureError
from ..core.settings import Settings
from .crystal import plain_structure
from .path import IMAGES
from .polarization_path import LEAST_IMAGES, MOST_IMAGES, polarization_images

if TYPE_CHECKING:
    from pymatgen.core import Structure


class VaspSettings(Settings):
    """What can be chosen of the VASP inputs.

    Attributes:
        path_images: Number of images from the nonpolar to the polar end, both counted; more are written where
            the estimated polarization asks for them.
    """

    path_images: int = Field(default=IMAGES, ge=LEAST_IMAGES, le=MOST_IMAGES)


class VaspWriter:
    """Writes one candidate's VASP inputs."""

    settings_model = VaspSettings
    libraries = ("pymatgen",)
    about = (
        "relax/ is pymatgen's MPRelaxSet, static/ its MPStaticSet: PBE, with the Materials Project's +U in oxides "
        "and fluorides, spin-polarised from its ferromagnetic guess.",
        "POTCAR.spec lists the POTCAR symbols in the order of the POSCAR; with your licensed files in place, "
        "'pmg potcar --recursive DIR' makes the POTCARs.",
        "Every POSCAR holds the predicted geometry. Copy relax/CONTCAR to static/POSCAR once the relaxation is done.",
        "polarization/ (ferroelectric candidates) holds static Berry-phase runs (LCALCPOL) from the nonpolar "
        "reference, 00, to the polar crystal, all on one k-point mesh and about one centre (DIPOL). Once they are done, "
        "'hysteron ingest DIR' follows the polarization from image to image on one branch.",
    )

    def __init__(self, settings: VaspSettings | None = None) -> None:
        self.settings = settings or VaspSettings()

    def write(self, candidate: Candidate, folder: Path) -> list[str]:
        """Write the inputs into an existing folder.

        Returns:
            Sentences on what is special about this candidate.

        Raises:
            StructureError: an element without a POTCAR in the set, a disordered or empty structure.
        """
        from pymatgen.io.vasp.sets import MPRelaxSet, MPStaticSet

        structure = plain_structure(candidate)
        _require_potcars(structure)
        _write_set(MPRelaxSet, structure, folder / "relax")
        _write_set(MPStaticSet, structure, folder / "static")
        return _notes(structure) + self._write_path(candidate, structure, folder / "polarization")

    def _write_path(self, candidate: Candidate, polar: Structure, folder: Path) -> list[str]:
        """The Berry-phase images; a sentence if a reference is there but no path can be drawn to it."""
        from pymatgen.io.vasp.sets import MPStaticSet

        try:
            images, remarks = polarization_images(candidate, polar, self.settings.path_images)
        except StructureError as error:
            return [f"No polarization path was written. {error}"]
        if not images:
            return []
        options = {
            "lcalcpol": True,
            "sort_structure": False,
            "user_kpoints_settings": MPStaticSet(polar).kpoints,
            "user_incar_settings": {"DIPOL": dipole_centre(images)},
        }
        # One order for all images, so that every POSCAR lists the same atom on the same line.
        order = sorted(range(len(polar)), key=lambda site: polar[site].specie)
        for i, image in enumerate(images):
            _write_set(
                MPStaticSet, image.from_sites([image[site] for site in order]), folder / f"{i:02d}", **options
            )
        return remarks


def dipole_centre(images: Sequence[Structure]) -> list[float]:
    """Where DIPOL shall lie in all images, so that no ion crosses the cell's boundary along the path.

    VASP counts each ion by its image nearest to DIPOL, and one that stands just half a cell away not at all. The boundary
    is laid through the widest gap that the ions of all images leave along each lattice vector.

    Returns:
        Fractional, shape `(3,)`.
    """
    places = np.sort(np.vstack([image.frac_coords for image in images]) % 1.0, axis=0)
    gaps = np.diff(np.vstack([places, places[:1] + 1.0]), axis=0)
    widest = np.argmax(gaps, axis=0)
    boundary = places[widest, range(3)] + gaps[widest, range(3)] / 2
    return [float(x) for x in np.round((boundary + 0.5) % 1.0, 5)]


def _write_set(kind: Any, structure: Structure, folder: Path, **options: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind(structure, **options).write_input(str(folder), potcar_spec=True)


def _require_potcars(structure: Structure) -> None:
    missing = sorted({site.specie.symbol for site in structure} - _potcars().keys())
    if missing:
        raise StructureError(
            f"The Materials Project's VASP set has no POTCAR for {', '.join(missing)} "
            f"(in {structure.composition.reduced_formula}). Write this one's input by hand."
        )


@lru_cache(maxsize=1)
def _potcars() -> dict[str, str]:
    from pymatgen.io.vasp.sets import MPRelaxSet

    return dict(MPRelaxSet.CONFIG["POTCAR"])


def _notes(structure: Structure) -> list[str]:
    """What pymatgen would only warn of on a terminal."""
    symbols = {site.specie.symbol for site in structure}
    notes = []
    if "Co" in symbols:
        notes.append(
            "Co starts from low spin (0.6 mu_B), as in the Materials Project; try high spin as well."
        )
    if "Yb" in symbols:
        notes.append("The set takes Yb_2, a divalent POTCAR, which is wrong for Yb3+: use Yb_3 there.")
    return notes
