"""VASP inputs with the Materials Project's settings: a relaxation, a static run, the polar path, vacancies.

The folders are those of `plan`. POTCARs are licensed and not shipped: `POTCAR.spec` names them, one symbol a line.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.candidate import Candidate
from ..core.errors import StructureError
from .calculation import BERRY_PHASE, RELAXATION, STATIC, Calculation
from .conventions import functional, may_be_magnetic
from .manifest import Written
from .plan import ABOUT_VACANCIES, PlanSettings, Run, plan_of

if TYPE_CHECKING:
    from pymatgen.core import Structure

FORCE_EV_PER_ANGSTROM = 0.02
"""Around a vacancy; energies of supercells are compared, so they are converged further than the relaxation of the cell."""
SCF_EV = 1e-5
"""Of a supercell, not per atom."""
HELD_CELL = {
    "ISIF": 2,
    "ISMEAR": 0,
    "EDIFF": SCF_EV,
    "EDIFF_PER_ATOM": None,
    "EDIFFG": -FORCE_EV_PER_ANGSTROM,
}
"""INCAR of a supercell: atoms alone relax; too few k-points for tetrahedra."""


class VaspSettings(PlanSettings):
    """What can be chosen of the VASP inputs."""


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
        "vacancy/ (where the resistive-switching screen has named a site) holds supercells whose atoms are relaxed in a cell "
        "that is held (ISIF = 2), all on one k-point mesh. " + ABOUT_VACANCIES,
    )

    def __init__(self, settings: VaspSettings | None = None) -> None:
        self.settings = settings or VaspSettings()

    def write(self, candidate: Candidate, folder: Path) -> Written:
        """Write the inputs into an existing folder.

        Raises:
            StructureError: an element without a POTCAR in the set, a disordered or empty structure.
        """
        plan = plan_of(candidate, self.settings)
        require_potcars(plan.structure)
        images = [run.structure for run in plan.of(BERRY_PHASE)]
        centre = dipole_centre(images) if images else []
        calculations = [_write_run(run, folder, centre) for run in plan.runs]
        return Written((*special_elements(plan.structure), *plan.notes), tuple(calculations))


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


def _write_run(run: Run, folder: Path, centre: list[float]) -> Calculation:
    # One order of atoms for all runs, as the set would sort them: every POSCAR of a path lists the same atom on the same line.
    structure = run.structure.get_sorted_structure()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inputs = _input_set(run, structure, centre)
        inputs.write_input(str(folder / run.folder), potcar_spec=True)
        set_u = _hubbard(inputs)
    return Calculation.of(
        structure,
        run.kind,
        f"{folder.name}/{run.folder}",
        functional("PBE", set_u),
        hubbard=set_u,
        **run.more,
    )


def _input_set(run: Run, structure: Structure, centre: list[float]) -> Any:
    from pymatgen.io.vasp.sets import MPRelaxSet, MPStaticSet

    if run.kind == RELAXATION:
        return MPRelaxSet(structure)
    if run.kind == STATIC:
        return MPStaticSet(structure)
    if run.kind == BERRY_PHASE:
        mesh: Any = MPStaticSet(run.mesh_of).kpoints
        return MPStaticSet(
            structure,
            lcalcpol=True,
            sort_structure=False,
            user_kpoints_settings=mesh,
            user_incar_settings={"DIPOL": centre},
        )
    mesh = MPRelaxSet(run.mesh_of, force_gamma=True).kpoints
    return MPRelaxSet(
        structure,
        sort_structure=False,
        user_kpoints_settings=mesh,
        user_incar_settings=HELD_CELL,
    )


def _hubbard(inputs: Any) -> dict[str, float]:
    """U by element, eV, as the INCAR sets it."""
    incar = inputs.incar
    if not incar.get("LDAU"):
        return {}
    values = zip(inputs.poscar.site_symbols, incar["LDAUU"], strict=True)
    return {symbol: float(u) for symbol, u in values if u}


def require_potcars(structure: Structure) -> None:
    """Refuse elements without a POTCAR in the set.

    Raises:
        StructureError: there is one.
    """
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


def special_elements(structure: Structure) -> list[str]:
    """Sentences on elements of which pymatgen would only warn on a terminal."""
    symbols = {site.specie.symbol for site in structure}
    notes = []
    if magnetic := may_be_magnetic(symbols):
        notes.append(
            f"Ferromagnetic start from the set's moments on {', '.join(magnetic)}; another magnetic order, which may need a "
            "larger cell, has to be set by hand (MAGMOM)."
        )
    if "Co" in symbols:
        notes.append(
            "Co starts from low spin (0.6 mu_B), as in the Materials Project; try high spin as well."
        )
    if "Yb" in symbols:
        notes.append("The set takes Yb_2, a divalent POTCAR, which is wrong for Yb3+: use Yb_3 there.")
    return notes
