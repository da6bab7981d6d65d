"""Quantum ESPRESSO inputs (pw.x): a relaxation of cell and positions, a static run, and the polar path.

Written by ASE, which keeps its writer up to date with pw.x; pymatgen's is "very basic" by its own word.
No pseudopotentials are shipped: `Ti.UPF` stands for whichever file the user takes.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from ..core.candidate import Candidate
from ..core.errors import StructureError
from ..core.settings import Settings
from .crystal import plain_structure
from .path import IMAGES
from .polarization_path import LEAST_IMAGES, MOST_IMAGES, polarization_images

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core import Structure

HEAVIEST_ATOMIC_NUMBER = 103
"""Lr; the common pseudopotential libraries end here."""
OPEN_SHELL = frozenset(
    {"V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Mo", "Tc", "Ru", "Rh", "W", "Re", "Os", "Ir"}
)
"""d elements that may carry a moment in a compound; the f elements are added by their block."""
STARTING_MAGNETIZATION = 0.4
"""Fraction of the valence electrons. pw.x only needs the symmetry broken: the moment is found self-consistently."""
SMEARING_RY = 0.01
ENERGY_PER_ATOM_RY = 1e-5
FORCE_RY_PER_BOHR = 1e-4
SCF_PER_ATOM_RY = 2e-10
FEWEST_POINTS_ON_A_STRING = 9
"""Of a Berry phase, both ends counted; the mesh of a long cell vector alone would be too coarse for one."""


class EspressoSettings(Settings):
    """What can be chosen of the pw.x inputs.

    Attributes:
        wavefunction_cutoff_ry: Kinetic-energy cutoff, Ry; the default is high enough for the hardest
            elements of the usual libraries, so lower it to what yours recommends.
        density_cutoff_ry: Cutoff of the charge density, Ry; 4 times the other suffices for
            norm-conserving pseudopotentials, 8 to 12 times for ultrasoft and PAW.
        kpoint_spacing: Largest distance between k-points along each reciprocal vector, 1/A (2 pi counted).
        pseudo_dir: Where pw.x shall look for the pseudopotentials.
        path_images: Number of images from the nonpolar to the polar end, both counted; more are written where
            the estimated polarization asks for them.
    """

    wavefunction_cutoff_ry: float = Field(default=90.0, gt=0)
    density_cutoff_ry: float = Field(default=720.0, gt=0)
    kpoint_spacing: float = Field(default=0.2, gt=0.01, le=2)
    pseudo_dir: str = "./pseudo"
    path_images: int = Field(default=IMAGES, ge=LEAST_IMAGES, le=MOST_IMAGES)

    @field_validator("pseudo_dir")
    @classmethod
    def _fits_a_namelist(cls, value: str) -> str:
        if not value or not value.isprintable() or "'" in value:
            raise ValueError(
                "is not a folder that a Fortran namelist can hold (printable, no quotation mark)"
            )
        return value


class EspressoWriter:
    """Writes one candidate's pw.x inputs."""

    settings_model = EspressoSettings
    libraries = ("ase",)
    about = (
        "relax/pw.in is a vc-relax, static/pw.in an scf run; put the relaxed cell and positions into the latter.",
        "Pseudopotential names are placeholders: El.UPF for each element El. No pseudopotential is shipped. Take one "
        "PBE library (SSSP or PseudoDojo), link or rename its files, or edit ATOMIC_SPECIES, and set ecutwfc and "
        "ecutrho to what it recommends.",
        "polarization/ (ferroelectric candidates) holds Berry-phase runs from the nonpolar reference, 00, to the polar "
        "crystal, all on one k-point mesh. In each image run scf.in, then berry1.in, berry2.in and berry3.in "
        "(pw.x -in berry1.in > berry1.out). Once they are done, 'hysteron ingest DIR' follows the polarization from image "
        "to image on one branch.",
    )

    def __init__(self, settings: EspressoSettings | None = None) -> None:
        self.settings = settings or EspressoSettings()

    def write(self, candidate: Candidate, folder: Path) -> list[str]:
        """Write the inputs into an existing folder.

        Returns:
            Sentences on what is special about this candidate.

        Raises:
            StructureError: an element beyond the libraries, a disordered or empty structure.
        """
        structure = plain_structure(candidate)
        _require_pseudopotentials(structure)
        atoms, magnetic = _atoms(structure)
        for name, calculation in (("relax", "vc-relax"), ("static", "scf")):
            (folder / name).mkdir()
            self._write_input(atoms, calculation, bool(magnetic), folder / name / "pw.in")
        return _notes(structure, magnetic) + self._write_path(
            candidate, structure, magnetic, folder / "polarization"
        )

    def _write_path(
        self, candidate: Candidate, polar: Structure, magnetic: list[str], folder: Path
    ) -> list[str]:
        """The Berry-phase images; a sentence if a reference is there but no path can be drawn to it."""
        try:
            images, remarks = polarization_images(candidate, polar, self.settings.path_images)
        except StructureError as error:
            return [f"No polarization path was written. {error}"]
        if images and magnetic:
            return [
                "No polarization path was written. pw.x computes Berry phases with fixed occupations only, and with "
                f"{', '.join(magnetic)} the magnetic moment of the cell (tot_magnetization) has to be known for them."
            ]
        mesh = kpoint_mesh(_atoms(polar)[0].cell.reciprocal(), self.settings.kpoint_spacing)
        for i, image in enumerate(images):
            (folder / f"{i:02d}").mkdir(parents=True)
            self._write_image(_atoms(image)[0], mesh, folder / f"{i:02d}")
        return remarks

    def _write_image(self, atoms: Atoms, mesh: tuple[int, int, int], folder: Path) -> None:
        """A self-consistent run, and one along each reciprocal vector that reads its density."""
        self._write_text(atoms, self._insulator(len(atoms), {"calculation": "scf"}), mesh, folder / "scf.in")
        for direction in (1, 2, 3):
            strings = list(mesh)
            strings[direction - 1] = max(mesh[direction - 1] + 1, FEWEST_POINTS_ON_A_STRING)
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

    def _write_input(self, atoms: Atoms, calculation: str, magnetic: bool, path: Path) -> None:
        mesh = kpoint_mesh(atoms.cell.reciprocal(), self.settings.kpoint_spacing)
        self._write_text(atoms, self._namelists(len(atoms), calculation, magnetic), mesh, path)

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
        relaxes = namelists["control"]["calculation"] == "vc-relax"
        unread = "FCP|RISM" if relaxes else "FCP|RISM|IONS|CELL"
        path.write_text(re.sub(rf"&({unread})\n/\n", "", text.getvalue()), encoding="utf-8", newline="\n")

    def _namelists(self, nsites: int, calculation: str, magnetic: bool) -> dict[str, Any]:
        system: dict[str, Any] = {
            "ecutwfc": self.settings.wavefunction_cutoff_ry,
            "ecutrho": self.settings.density_cutoff_ry,
            "occupations": "smearing",
            "smearing": "cold",
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


def kpoint_mesh(reciprocal: Any, spacing: float) -> tuple[int, int, int]:
    """Divisions of a Gamma-centred mesh.

    Args:
        reciprocal: Rows are reciprocal vectors without 2 pi, 1/A, shape `(3, 3)`.
        spacing: Largest distance between neighbours, 1/A, with 2 pi.
    """
    lengths = [2 * math.pi * math.sqrt(sum(float(x) ** 2 for x in row)) for row in reciprocal]
    # The small number keeps a cubic cell's three equal lengths on one side of a whole number.
    a, b, c = (max(1, math.ceil(length / spacing - 1e-8)) for length in lengths)
    return a, b, c


def _short(value: float) -> float:
    """Without the last binary digits: 6e-05, not 6.000000000000001e-05."""
    return float(f"{value:.6g}")


def _atoms(structure: Structure) -> tuple[Atoms, list[str]]:
    """ASE atoms with starting magnetizations, and the elements that carry one."""
    from ase import Atoms

    symbols = [site.specie.symbol for site in structure]
    magnetic = sorted({site.specie.symbol for site in structure if _may_be_magnetic(site.specie)})
    atoms = Atoms(symbols, scaled_positions=structure.frac_coords, cell=structure.lattice.matrix, pbc=True)
    atoms.set_initial_magnetic_moments([STARTING_MAGNETIZATION if s in magnetic else 0.0 for s in symbols])
    return atoms, magnetic


def _may_be_magnetic(element: Any) -> bool:
    closed = ("La", "Lu", "Ac", "Th", "Lr")
    return element.symbol in OPEN_SHELL or (element.block == "f" and element.symbol not in closed)


def _require_pseudopotentials(structure: Structure) -> None:
    from ase.data import chemical_symbols

    usual = set(chemical_symbols[1 : HEAVIEST_ATOMIC_NUMBER + 1])
    missing = sorted({site.specie.symbol for site in structure} - usual)
    if missing:
        raise StructureError(
            f"No common pseudopotential library has {', '.join(missing)} "
            f"(in {structure.composition.reduced_formula})."
        )


def _notes(structure: Structure, magnetic: list[str]) -> list[str]:
    notes = []
    if magnetic:
        notes.append(
            f"Spin-polarised, ferromagnetic start on {', '.join(magnetic)} (starting_magnetization "
            f"{STARTING_MAGNETIZATION}); another magnetic order has to be set by hand."
        )
    hubbard = _materials_project_hubbard(structure)
    if hubbard:
        shown = ", ".join(f"{symbol} {value:g} eV" for symbol, value in hubbard.items())
        notes.append(
            f"No Hubbard U is set. The Materials Project uses {shown} here, fitted to VASP's projectors, which cannot "
            "be carried over to pw.x: determine U with hp.x and add a HUBBARD card."
        )
    return notes


def _materials_project_hubbard(structure: Structure) -> dict[str, float]:
    """U by element, eV, as the Materials Project sets it by the most electronegative element."""
    from pymatgen.io.vasp.sets import MPRelaxSet

    elements = sorted(structure.composition.elements)
    table = MPRelaxSet.CONFIG["INCAR"]["LDAUU"].get(elements[-1].symbol, {})
    return {e.symbol: table[e.symbol] for e in elements if isinstance(table, dict) and table.get(e.symbol)}
