"""Quantum ESPRESSO inputs (pw.x): a relaxation of cell and positions, a static run, the polar path, vacancies.

Written by ASE, which keeps its writer up to date with pw.x; pymatgen's is "very basic" by its own word.
No pseudopotentials are shipped: `Ti.UPF` stands for whichever file the user takes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from ..core.candidate import Candidate
from ..core.errors import StructureError
from .calculation import BERRY_PHASE, PRISTINE, RELAXATION, STATIC, VACANCY, Calculation
from .conventions import (
    MeshSettings,
    functional,
    hubbard,
    may_be_magnetic,
    mesh_of,
    shell,
    takes_electrons,
)
from .manifest import Written
from .plan import ABOUT_VACANCIES, PlanSettings, Run, plan_of

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core import Structure

HEAVIEST_ATOMIC_NUMBER = 103
"""Lr; the common pseudopotential libraries end here."""
STARTING_MAGNETIZATION = 0.4
"""Fraction of the valence electrons. pw.x only needs the symmetry broken: the moment is found self-consistently."""
VACANCY_MAGNETIZATION = 0.1
"""The same where empty shells may take up the electrons that a vacancy leaves behind."""
SMEARING_RY = 0.00367
"""0.05 eV, as the other codes' inputs have it. Gaussian: occupations by cold smearing do not only rise with the Fermi energy, of
which pw.x then finds now one, now another, wherever there is a gap: a relaxation of wurtzite AlAs (pw.x 6.7, 2026) did not end.

Source: dos Santos and Marzari, Phys. Rev. B 107, 195122 (2023).
"""
ENERGY_PER_ATOM_RY = 1e-5
FORCE_RY_PER_BOHR = 1e-4
SCF_PER_ATOM_RY = 2e-10
CALCULATIONS = {RELAXATION: "vc-relax", PRISTINE: "relax", VACANCY: "relax"}
"""Of pw.x, where it is not `scf`."""


class EspressoSettings(PlanSettings, MeshSettings):
    """What can be chosen of the pw.x inputs.

    Attributes:
        functional: `PBE`, `PBEsol` or `LDA`: the one your pseudopotentials were made for. pw.x takes it from them, and stops if
            they differ among themselves. No `input_dft` is written, which would put it over them whatever they were made for;
            'ingest' holds what pw.x says it used against this.
        wavefunction_cutoff_ry: Kinetic-energy cutoff, Ry; the default is high enough for the hardest
            elements of the usual libraries, so lower it to what yours recommends.
        density_cutoff_ry: Cutoff of the charge density, Ry; 4 times the other suffices for
            norm-conserving pseudopotentials, 8 to 12 times for ultrasoft and PAW.
        pseudo_dir: Where pw.x shall look for the pseudopotentials.
        hubbard_u: U by element, eV, on ortho-atomic projectors (as hp.x finds it); written as the HUBBARD card of
            pw.x 7.1 and later. None by default: the Materials Project's values belong to VASP's projectors.
    """

    functional: Literal["PBE", "PBEsol", "LDA"] = "PBE"
    wavefunction_cutoff_ry: float = Field(default=90.0, gt=0)
    density_cutoff_ry: float = Field(default=720.0, gt=0)
    pseudo_dir: str = "./pseudo"
    hubbard_u: dict[str, float] = {}

    @field_validator("pseudo_dir")
    @classmethod
    def _fits_a_namelist(cls, value: str) -> str:
        if not value or not value.isprintable() or "'" in value:
            raise ValueError(
                "is not a folder that a Fortran namelist can hold (printable, no quotation mark)"
            )
        return value

    @field_validator("hubbard_u")
    @classmethod
    def _of_elements(cls, value: dict[str, float]) -> dict[str, float]:
        from ase.data import atomic_numbers

        wrong = sorted(
            symbol for symbol, u in value.items() if not atomic_numbers.get(symbol) or not 0 < u <= 20
        )
        if wrong:
            raise ValueError(
                f"wants a U above 0 and up to 20 eV for chemical symbols; {', '.join(wrong)} has not"
            )
        return value


class EspressoWriter:
    """Writes one candidate's pw.x inputs."""

    settings_model = EspressoSettings
    libraries = ("ase",)
    about = (
        "relax/pw.in is a vc-relax, static/pw.in an scf run; put the relaxed cell and positions into the latter.",
        "Pseudopotential names are placeholders: El.UPF for each element El. No pseudopotential is shipped. Take one "
        "library of the functional that the calculations name (SSSP or PseudoDojo), link or rename its files, or edit "
        "ATOMIC_SPECIES, and set ecutwfc and ecutrho to what it recommends. The functional is that of the pseudopotentials: "
        "no input_dft is written.",
        "polarization/ (ferroelectric candidates) holds Berry-phase runs from the nonpolar reference, 00, to the polar "
        "crystal, all on one k-point mesh. In each image run scf.in, then berry1.in, berry2.in and berry3.in "
        "(pw.x -in berry1.in > berry1.out). Once they are done, 'hysteron ingest DIR' follows the polarization from image "
        "to image on one branch.",
        "vacancy/ (where the resistive-switching screen has named a site) holds supercells whose atoms are relaxed in a cell "
        "that is held, all on one k-point mesh. " + ABOUT_VACANCIES,
    )

    def __init__(self, settings: EspressoSettings | None = None) -> None:
        self.settings = settings or EspressoSettings()

    def write(self, candidate: Candidate, folder: Path) -> Written:
        """Write the inputs into an existing folder.

        Raises:
            StructureError: an element beyond the libraries, a disordered or empty structure.
        """
        magnetic = may_be_magnetic(candidate.structure.symbol_set)
        plan = plan_of(candidate, self.settings, fixed_occupations=magnetic)
        _require_pseudopotentials(plan.structure)
        calculations = [self._write_run(run, folder) for run in plan.runs]
        return Written((*self._notes(plan.structure, magnetic), *plan.notes), tuple(calculations))

    def _write_run(self, run: Run, folder: Path) -> Calculation:
        place = folder / run.folder
        place.mkdir(parents=True)
        mesh = mesh_of(run.mesh_of, self.settings.kpoint_spacing)
        atoms, magnetic = _atoms(run.structure, run.kind == VACANCY)
        if run.kind == BERRY_PHASE:
            self._write_image(atoms, mesh, place)
        else:
            namelists = self._namelists(len(atoms), CALCULATIONS.get(run.kind, "scf"), magnetic)
            if run.kind == STATIC:
                # Else pw.x does not print the energies of the bands, from 100 k-points on, and there is no gap to read.
                namelists["control"]["verbosity"] = "high"
            self._write_text(atoms, namelists, mesh, place / "pw.in")
        set_u = self._hubbard(run.structure)
        return Calculation.of(
            run.structure,
            run.kind,
            f"{folder.name}/{run.folder}",
            functional(self.settings.functional, set_u),
            hubbard=set_u,
            **run.more,
        )

    def _write_image(self, atoms: Atoms, mesh: tuple[int, int, int], folder: Path) -> None:
        """A self-consistent run, and one along each reciprocal vector that reads its density."""
        self._write_text(atoms, self._insulator(len(atoms), {"calculation": "scf"}), mesh, folder / "scf.in")
        for direction in (1, 2, 3):
            strings = list(mesh)
            # pw.x counts both ends of a string.
            strings[direction - 1] = max(mesh[direction - 1], self.settings.string_points) + 1
            control = {
                "calculation": "nscf",
                "lberry": True,
                "gdir": direction,
                "nppstr": strings[direction - 1],
            }
            namelists = self._insulator(len(atoms), control)
            # pw.x would thin out the strings by the rotations of the lattice, of which the crystal may lack some.
            namelists["system"]["nosym"] = True
            self._write_text(atoms, namelists, strings, folder / f"berry{direction}.in")

    def _insulator(self, nsites: int, control: dict[str, Any]) -> dict[str, Any]:
        """Namelists with fixed occupations, without which pw.x refuses to compute a Berry phase."""
        namelists = self._namelists(nsites, "scf", magnetic=False)
        for name in ("tprnfor", "tstress", "etot_conv_thr", "forc_conv_thr"):
            del namelists["control"][name]
        for name in ("smearing", "degauss"):
            del namelists["system"][name]
        namelists["control"] |= control
        namelists["system"]["occupations"] = "fixed"
        return namelists

    def _write_text(self, atoms: Atoms, namelists: dict[str, Any], mesh: Sequence[int], path: Path) -> None:
        from ase.io.espresso import write_espresso_in

        text = io.StringIO()
        write_espresso_in(
            text,
            atoms,
            input_data=namelists,
            pseudopotentials={symbol: f"{symbol}.UPF" for symbol in set(atoms.get_chemical_symbols())},
            kpts=tuple(mesh),
            crystal_coordinates=True,
        )
        # ASE also writes the empty namelists that this calculation does not read; pw.x would warn of each.
        moves = {"vc-relax": "IONS|CELL", "relax": "IONS"}.get(namelists["control"]["calculation"], "")
        unread = "|".join({"FCP", "RISM", "IONS", "CELL"} - set(moves.split("|")))
        shown = re.sub(rf"&({unread})\n/\n", "", text.getvalue())
        set_u = _hubbard_card(self._hubbard_of(atoms.get_chemical_symbols()))
        path.write_text(shown + set_u, encoding="utf-8", newline="\n")

    def _notes(self, structure: Structure, magnetic: list[str]) -> list[str]:
        notes = []
        if magnetic:
            notes.append(
                f"Spin-polarised, ferromagnetic start on {', '.join(magnetic)} (starting_magnetization "
                f"{STARTING_MAGNETIZATION}); another magnetic order has to be set by hand."
            )
        usual = hubbard(structure)
        if usual and not self._hubbard(structure):
            shown = ", ".join(f"{symbol} {value:g} eV" for symbol, value in usual.items())
            notes.append(
                f"No Hubbard U is set. The Materials Project uses {shown} here, fitted to VASP's projectors, which cannot "
                "be carried over to pw.x: determine U with hp.x and give it as hubbard_u."
            )
        return notes

    def _hubbard(self, structure: Structure) -> dict[str, float]:
        return self._hubbard_of(site.specie.symbol for site in structure)

    def _hubbard_of(self, symbols: Iterable[str]) -> dict[str, float]:
        """U by element, eV, of the elements that are there."""
        present = set(symbols)
        return {symbol: u for symbol, u in self.settings.hubbard_u.items() if symbol in present}

    def _namelists(self, nsites: int, calculation: str, magnetic: bool) -> dict[str, Any]:
        system: dict[str, Any] = {
            "ecutwfc": self.settings.wavefunction_cutoff_ry,
            "ecutrho": self.settings.density_cutoff_ry,
            "occupations": "smearing",
            "smearing": "gaussian",
            "degauss": SMEARING_RY,
        }
        return {
            "control": {
                "calculation": calculation,
                "prefix": "pwscf",
                "outdir": "./out",
                "pseudo_dir": self.settings.pseudo_dir,
                "tprnfor": True,
                "tstress": True,
                "etot_conv_thr": _short(ENERGY_PER_ATOM_RY * nsites),
                "forc_conv_thr": FORCE_RY_PER_BOHR,
            },
            "system": system | ({"nspin": 2} if magnetic else {}),
            "electrons": {
                "conv_thr": _short(SCF_PER_ATOM_RY * nsites),
                "mixing_beta": 0.4,
                "electron_maxstep": 200,
            },
        }


def _short(value: float) -> float:
    """Without the last binary digits: 6e-05, not 6.000000000000001e-05."""
    return float(f"{value:.6g}")


def _hubbard_card(set_u: Mapping[str, float]) -> str:
    lines = [f"U {symbol}-{shell(symbol)} {u:g}\n" for symbol, u in set_u.items()]
    return "".join(["HUBBARD (ortho-atomic)\n", *lines]) if lines else ""


def _atoms(structure: Structure, vacant: bool) -> tuple[Atoms, bool]:
    """ASE atoms with starting magnetizations, and whether there are any."""
    from ase import Atoms

    symbols = [site.specie.symbol for site in structure]
    starts = dict.fromkeys(may_be_magnetic(symbols), STARTING_MAGNETIZATION)
    if vacant:
        starts |= dict.fromkeys(takes_electrons(symbols), VACANCY_MAGNETIZATION)
    atoms = Atoms(symbols, scaled_positions=structure.frac_coords, cell=structure.lattice.matrix, pbc=True)
    atoms.set_initial_magnetic_moments([starts.get(symbol, 0.0) for symbol in symbols])
    return atoms, bool(starts)


def _require_pseudopotentials(structure: Structure) -> None:
    from ase.data import chemical_symbols

    usual = set(chemical_symbols[1 : HEAVIEST_ATOMIC_NUMBER + 1])
    missing = sorted({site.specie.symbol for site in structure} - usual)
    if missing:
        raise StructureError(
            f"No common pseudopotential library has {', '.join(missing)} "
            f"(in {structure.composition.reduced_formula})."
        )
