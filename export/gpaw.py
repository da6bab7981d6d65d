"""GPAW scripts: a relaxation of cell and positions, a static run, the polar path, vacancies.

Each is run as it stands, with the Python that has GPAW and its data sets; GPAW is not needed to write them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from .. import __version__
from ..core.candidate import Candidate
from .calculation import BERRY_PHASE, PRISTINE, RELAXATION, STATIC, VACANCY, Calculation
from .conventions import MeshSettings, functional, hubbard, may_be_magnetic, mesh_of, shell, takes_electrons
from .gpaw_scripts import script
from .manifest import Written
from .plan import ABOUT_VACANCIES, PlanSettings, Run, plan_of

if TYPE_CHECKING:
    from pymatgen.core import Structure

SMEARING_EV = 0.05
ENERGY_PER_ELECTRON_EV = 1e-6
EMPTY_BANDS = "CBM+0.1"
"""Converged to so far (eV) above the conduction band's edge, so that the gap is; GPAW by itself converges occupied bands."""
VACANCY_MOMENT = 0.1
"""mu_B, on elements whose empty shells may take up the electrons that a vacancy leaves behind."""
MOST_STEPS = 300
WITHOUT_DATA_SET = frozenset({43, *range(57, 72), 84, 85, *range(87, 119)})
"""Atomic numbers without a PBE data set in release 0.9.20000: Tc, lanthanides, Po, At, and beyond Rn."""
SCRIPTS = {
    RELAXATION: "relax.py",
    STATIC: "static.py",
    BERRY_PHASE: "polarization.py",
    PRISTINE: "pristine.py",
    VACANCY: "vacancy.py",
}


class GpawSettings(PlanSettings, MeshSettings):
    """What can be chosen of the GPAW scripts.

    Attributes:
        cutoff_ev: Plane waves up to this kinetic energy; lower it only for tests, the stress converges last.
        force_ev_per_angstrom: Relaxations stop below this force (and stress, times the cell).
        hubbard: Whether the Materials Project's U are set where it sets them.
    """

    cutoff_ev: float = Field(default=700.0, gt=100)
    force_ev_per_angstrom: float = Field(default=0.02, gt=0)
    hubbard: bool = True


class GpawWriter:
    """Writes one candidate's GPAW scripts."""

    settings_model = GpawSettings
    libraries = ("ase",)
    about = (
        "Run each script with the Python that has GPAW: python3 static.py, or in parallel gpaw -P 8 python static.py. It "
        "writes, beside itself, result.json, which 'hysteron ingest DIR' reads, and calculation.gpw to start from.",
        "PBE, plane waves, GPAW's PAW data sets (gpaw install-data). Every script holds the predicted geometry; to compute at "
        "the relaxed one, put lattice and positions of relax/result.json into LATTICE and POSITIONS of static.py.",
        "polarization/ (ferroelectric candidates) holds Berry-phase runs from the nonpolar reference, 00, to the polar "
        "crystal, all on one k-point mesh, without smearing. Once they are done, 'hysteron ingest DIR' follows the polarization "
        "from image to image on one branch.",
        "vacancy/ (where the resistive-switching screen has named a site) holds supercells whose atoms are relaxed in a cell "
        "that is held, all on one k-point mesh. " + ABOUT_VACANCIES,
    )

    def __init__(self, settings: GpawSettings | None = None) -> None:
        self.settings = settings or GpawSettings()

    def write(self, candidate: Candidate, folder: Path) -> Written:
        """Write the scripts into an existing folder.

        Raises:
            StructureError: a disordered or empty structure.
        """
        magnetic = may_be_magnetic(candidate.structure.symbol_set)
        plan = plan_of(candidate, self.settings, fixed_occupations=magnetic)
        set_u = hubbard(plan.structure) if self.settings.hubbard else {}
        calculations = [self._write_run(run, folder, set_u) for run in plan.runs]
        notes = _notes(plan.structure, magnetic, set_u)
        return Written((*notes, *plan.notes), tuple(calculations))

    def _write_run(self, run: Run, folder: Path, set_u: dict[str, float]) -> Calculation:
        calculation = Calculation.of(
            run.structure,
            run.kind,
            f"{folder.name}/{run.folder}",
            functional("PBE", set_u),
            hubbard=set_u,
            **run.more,
        )
        (folder / run.folder).mkdir(parents=True)
        what = f"{run.structure.composition.reduced_formula} ({run.kind.replace('_', ' ')})"
        title = f"{what} by GPAW, written by hysteron {__version__}."
        text = script(title, self._literals(calculation, run), run.kind)
        (folder / run.folder / SCRIPTS[run.kind]).write_text(text, encoding="utf-8", newline="\n")
        return calculation

    def _literals(self, calculation: Calculation, run: Run) -> dict[str, Any]:
        """Constants of the script, by name."""
        mesh = mesh_of(run.mesh_of, self.settings.kpoint_spacing)
        literals: dict[str, Any] = {
            "KIND": run.kind,
            "SPECIES": list(calculation.species),
            "LATTICE": [list(row) for row in calculation.lattice],
            "POSITIONS": [list(row) for row in calculation.positions],
            "MAGNETIC_MOMENTS": _moments(calculation),
            "GPAW_SETTINGS": self._gpaw_settings(run.kind, mesh, calculation.hubbard or {}),
        }
        if run.kind in (RELAXATION, PRISTINE, VACANCY):
            literals |= {
                "FORCE_EV_PER_ANGSTROM": self.settings.force_ev_per_angstrom,
                "STEPS": MOST_STEPS,
            }
        if run.kind == BERRY_PHASE:
            strings = [max(n, self.settings.string_points) for n in mesh]
            literals["BERRY_KPTS"] = {"size": strings, "gamma": True}
        return literals

    def _gpaw_settings(
        self, kind: str, mesh: tuple[int, int, int], set_u: dict[str, float]
    ) -> dict[str, Any]:
        convergence: dict[str, Any] = {"energy": ENERGY_PER_ELECTRON_EV}
        if kind == STATIC:
            convergence["bands"] = EMPTY_BANDS
        width = 0.0 if kind == BERRY_PHASE else SMEARING_EV
        settings: dict[str, Any] = {
            "mode": {"name": "pw", "ecut": self.settings.cutoff_ev},
            "xc": "PBE",
            "kpts": {"size": list(mesh), "gamma": True},
            "occupations": {"name": "fermi-dirac", "width": width},
            "convergence": convergence,
        }
        if set_u:
            # The last 0: not scaled up to whole atoms, as VASP, for which these U were fitted, does not.
            settings["setups"] = {symbol: f":{shell(symbol)[-1]},{u:g},0" for symbol, u in set_u.items()}
        return settings


def _moments(calculation: Calculation) -> list[float]:
    """Where the self-consistency starts, mu_B: free atoms' moments on elements that may be magnetic."""
    from ase.data import atomic_numbers, ground_state_magnetic_moments

    if calculation.kind == BERRY_PHASE:
        return [0.0] * len(calculation.species)
    starts = {
        symbol: float(ground_state_magnetic_moments[atomic_numbers[symbol]])
        for symbol in may_be_magnetic(calculation.species)
    }
    if calculation.kind == VACANCY:
        starts |= dict.fromkeys(takes_electrons(calculation.species), VACANCY_MOMENT)
    return [starts.get(symbol, 0.0) for symbol in calculation.species]


def _notes(structure: Structure, magnetic: list[str], set_u: dict[str, float]) -> list[str]:
    notes = []
    lacking = sorted({site.specie.symbol for site in structure if site.specie.Z in WITHOUT_DATA_SET})
    if lacking:
        notes.append(
            f"GPAW's data sets 0.9.20000 have none for {', '.join(lacking)}; see whether newer ones do."
        )
    if magnetic:
        notes.append(
            f"Spin-polarised, ferromagnetic start from the free atoms' moments on {', '.join(magnetic)}; another magnetic "
            "order has to be set by hand (MAGNETIC_MOMENTS)."
        )
    if set_u:
        shown = ", ".join(f"{symbol} {value:g} eV" for symbol, value in set_u.items())
        notes.append(
            f"Hubbard U as the Materials Project sets it for VASP: {shown}. GPAW projects onto the inside of the atoms' spheres "
            "as VASP does, with data sets of its own, so energies are not on the Materials Project's scale."
        )
    return notes
