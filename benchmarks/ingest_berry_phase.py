"""Outputs of Berry-phase runs, written in the formats of VASP and pw.x from a known polarization.

The lines that a reader looks for stand as those programs print them (VASP 5.3.5 and 6.3, pw.x 6.1 and 7.2); the numbers
are the caller's. The electronic dipole of each image is on a branch of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pymatgen.core import Structure

from ..export.branch import polarization
from ..export.espresso_text import BOHR_ANGSTROM

VALENCE = {"Ba": 10, "Sr": 10, "Ti": 10, "O": 6, "Pb": 14, "Li": 3}
"""Of the POTCARs that the Materials Project takes: Ba_sv, Sr_sv, Ti_pv, O, Pb_d, Li_sv."""


INSULATOR = ((2.0, 2.0, 0.0), (2.0, 2.0, 0.0))
"""Occupations of three bands at two k-points."""


def known_dipoles(images: list[Structure], effective: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Reduced dipoles of a path, e, shape `(images, 3)`: linear in the displacements.

    Args:
        images: Same atoms in the same order, positions continuous.
        effective: Charge of each site, e, summing up to 0, shape `(nsites,)`.
        start: Of the first image, shape `(3,)`.
    """
    first = images[0].frac_coords
    return np.array([start + effective @ (image.frac_coords - first) for image in images])


def known_polarization(images: list[Structure], effective: np.ndarray) -> np.ndarray:
    """What the reader must find: Cartesian, uC/cm^2, shape `(3,)`."""
    dipoles = known_dipoles(images, effective, np.zeros(3))
    return polarization(dipoles[-1], images[-1].lattice.matrix)


def grouped(structure: Structure) -> Structure:
    """Atoms of one element together, as POSCARs and OUTCARs want them."""
    symbols = list(dict.fromkeys(site.specie.symbol for site in structure))
    order = sorted(range(len(structure)), key=lambda i: symbols.index(structure[i].specie.symbol))
    return Structure.from_sites([structure[i] for i in order])


def outcar(
    structure: Structure,
    electronic: np.ndarray,
    unit: str = "|e| Angst",
    version: str = "6.3.2",
    energy: float | None = None,
    filling: Sequence[Sequence[float]] = (),
) -> str:
    """An OUTCAR of a static LCALCPOL run, shortened.

    Args:
        structure: Atoms of one element together.
        electronic: Reduced electronic dipole, e positive, shape `(3,)`.
        unit: `|e| Angst`, or `electrons Angst` as before VASP 6.3.
        version: Of VASP.
        energy: eV; not printed by default.
        filling: Occupation of each band at each k-point; not printed by default.
    """
    symbols = list(dict.fromkeys(site.specie.symbol for site in structure))
    counts = [sum(site.specie.symbol == s for site in structure) for s in symbols]
    sign = 1 if unit == "|e| Angst" else -1
    p_ion, p_elc = (
        sign * (dipole @ structure.lattice.matrix)
        for dipole in (_ionic_as_vasp_counts(structure), electronic)
    )
    lattice = "".join(
        f"   {''.join(f'{x:13.9f}' for x in row)}  {''.join(f'{x:13.9f}' for x in inverse)}\n"
        for row, inverse in zip(
            structure.lattice.matrix,
            structure.lattice.reciprocal_lattice_crystallographic.matrix,
            strict=True,
        )
    )
    basis = f"      direct lattice vectors                 reciprocal lattice vectors\n{lattice}\n  length of vectors\n\n"
    potcars = "".join(
        f" POTCAR:    PAW_PBE {s} 06Sep2000\n   VRHFIN ={s}: 5s5p6s\n   LEXCH  = PE\n"
        f"   POMASS =  137.327; ZVAL   = {VALENCE[s]:8.3f}    mass and valenz\n"
        for s in symbols
    )
    positions = "".join(f"  {x:11.8f} {y:11.8f} {z:11.8f}\n" for x, y, z in structure.frac_coords)
    electrons = sum(VALENCE[site.specie.symbol] for site in structure)
    return (
        f" vasp.{version} 27Jun22 (build Oct 24 2014 12:38:34) complex\n\n{potcars}\n"
        f"   number of dos      NEDOS =    301   number of ions     NIONS = {len(structure):6d}\n"
        f"   ions per type =            {''.join(f'{n:4d}' for n in counts)}\n"
        f"   NELECT = {electrons:12.4f}    total number of electrons\n"
        "   METAGGA=      F    non-selfconsistent MetaGGA calc.\n"
        "   NSW    =      0    number of steps for IOM\n"
        f"  Ionic Valenz\n   ZVAL   = {''.join(f'{VALENCE[s]:6.2f}' for s in symbols)}\n"
        "  Atomic Wigner-Seitz radii\n   RWIGS  =  -1.00 -1.00 -1.00\n"
        "   GGA     =    --    GGA type\n   LHFCALC =     F    Hartree Fock is set to\n"
        f"   LCALCPOL   =     T    calculate macroscopic polarization\n\n  volume of cell :       {structure.volume:.2f}\n{basis}"
        f" position of ions in fractional coordinates (direct lattice) \n{positions} \n"
        " position of ions in cartesian coordinates  (Angst):\n\n"
        "------------------------ aborting loop because EDIFF is reached ----------------------------------------\n\n"
        f"{_bands(filling)}{_energy(energy)}"
        f"            Ionic dipole moment: p[ion]=({''.join(f'{x:12.5f}' for x in p_ion)} ) {unit}\n \n"
        f" Total electronic dipole moment: p[elc]=({''.join(f'{x:12.5f}' for x in p_elc)} ) {unit}\n \n"
        f" VOLUME and BASIS-vectors are now :\n{basis}\n"
        " General timing and accounting informations for this job:\n"
        " ========================================================\n"
        "                 Voluntary context switches:          729\n"
    )


def _bands(filling: Sequence[Sequence[float]]) -> str:
    if not filling:
        return ""
    kpoints = "".join(
        f" k-point {k:5d} :       0.0000    0.0000    0.0000\n  band No.  band energies     occupation \n"
        + "".join(f"  {i:5d}  {float(i):10.4f}  {x:10.5f}\n" for i, x in enumerate(bands, 1))
        + "\n"
        for k, bands in enumerate(filling, 1)
    )
    return f" E-fermi :   5.2345     XC(G=0):  -9.1234     alpha+bet : -8.9123\n\n{kpoints}\n"


def _energy(energy: float | None) -> str:
    if energy is None:
        return ""
    return (
        "  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)\n  ---------------------------------------------------\n"
        f"  free  energy   TOTEN  = {energy - 0.0005:18.8f} eV\n\n"
        f"  energy  without entropy= {energy + 0.0005:16.8f}  energy(sigma->0) = {energy:16.8f}\n\n"
    )


def ionic(structure: Structure) -> np.ndarray:
    """Reduced dipole of the ions about the origin, e, shape `(3,)`."""
    return np.array([VALENCE[site.specie.symbol] for site in structure]) @ structure.frac_coords


def _ionic_as_vasp_counts(structure: Structure) -> np.ndarray:
    """By minimum image about the origin, and nothing for an ion on the boundary."""
    wrapped = structure.frac_coords - np.rint(structure.frac_coords)
    wrapped[np.abs(np.abs(wrapped) - 0.5) < 1e-3] = 0.0
    return np.array([VALENCE[site.specie.symbol] for site in structure]) @ wrapped


def write_vasp_path(
    folder: Path,
    images: list[Structure],
    dipoles: np.ndarray,
    rng: np.random.Generator,
    energies: Sequence[float] | None = None,
) -> None:
    """An OUTCAR for every image, the electrons of each on a random branch."""
    for i, (image, dipole) in enumerate(zip(images, dipoles, strict=True)):
        place = folder / f"{i:02d}"
        place.mkdir(parents=True, exist_ok=True)
        electronic = dipole - ionic(image) + rng.integers(-3, 4, 3)
        unit = rng.choice(["|e| Angst", "electrons Angst"])
        told = None if energies is None else energies[i]
        text = outcar(image, electronic, unit, energy=told, filling=INSULATOR if energies is not None else ())
        (place / "OUTCAR").write_text(text)


def pw_output(
    structure: Structure, dipole: np.ndarray, direction: int, vectors: int, new: bool = True
) -> str:
    """What pw.x prints of a Berry-phase run along one reciprocal vector, shortened.

    Args:
        structure: The image.
        dipole: Reduced, e, shape `(3,)`, on any branch.
        direction: 1, 2 or 3 (gdir).
        vectors: 1 or 2: after how many lattice vectors the value counts as the same.
        new: The words of 7.2, or of 6.1.
    """
    alat = float(np.linalg.norm(structure.lattice.matrix[0])) / BOHR_ANGSTROM
    axes = structure.lattice.matrix / BOHR_ANGSTROM / alat
    axis = structure.lattice.matrix[direction - 1] / BOHR_ANGSTROM
    length = float(np.linalg.norm(axis))
    volume = structure.volume / BOHR_ANGSTROM**3
    cell = "".join(
        f"               a({i + 1}) = ({row[0]:11.6f}{row[1]:11.6f}{row[2]:11.6f} )  \n"
        for i, row in enumerate(axes)
    )
    sites = "".join(
        f"     {i + 1:5d}           {site.specie.symbol:2s}  tau({i + 1:4d}) = ("
        + "".join(f"{x:12.7f}" for x in site.coords / BOHR_ANGSTROM / alat)
        + "  )\n"
        for i, site in enumerate(structure)
    )
    phase = dipole[direction - 1]
    summary = (
        f"                          TOTAL PHASE:{phase:9.5f} MOD_TOT:{vectors:2d}\n"
        if new
        else f"                          TOTAL PHASE:{phase:9.5f} (mod {vectors})\n"
    )
    units = (
        (length, "(e/Omega).bohr"),
        (length / volume, "e/bohr^2"),
        (length / volume * 1.60097e-19 / 5.29177e-11**2, "C/m^2"),  # pw.x's own constants
    )
    values = "\n".join(
        f"           P = {f * phase:11.7f}  (mod {f * vectors:11.7f})  {unit}\n" for f, unit in units
    )
    way = axis / length
    functional = (
        "PBE\n                           (   1   4   3   4   0   0   0)"
        if new
        else " SLA  PW   PBX  PBC ( 1  4  3  4 0 0)"
    )
    return (
        f"\n     Program PWSCF v.{'7.2' if new else '6.1'} starts on 12Jul2017 at 10: 3:32 \n\n"
        f"     bravais-lattice index     =            0\n     lattice parameter (alat)  = {alat:11.4f}  a.u.\n"
        f"     number of atoms/cell      = {len(structure):12d}\n     Exchange-correlation= {functional}\n\n"
        f"     celldm(1)={alat:11.6f}  celldm(2)=   0.000000  celldm(3)=   0.000000\n\n"
        f"     crystal axes: (cart. coord. in units of alat)\n{cell}\n   Cartesian axes\n\n"
        f"     site n.     atom                  positions (alat units)\n{sites}\n"
        "                            POLARIZATION CALCULATION\n                         !!! NOT THOROUGHLY TESTED !!!\n"
        f"                               SUMMARY OF PHASES\n{summary}\n"
        f"        The calculation of phases done along the direction of vector {direction}\n"
        "        of the reciprocal lattice gives the following contribution to\n"
        "        the polarization vector (in different units, and being Omega\n        the volume of the unit cell):\n\n"
        f"{values}\n        The polarization direction is:  ( {way[0]:8.5f} ,{way[1]:8.5f} ,{way[2]:8.5f} )\n\n"
        "=------------------------------------------------------------------------------=\n   JOB DONE.\n"
    )


def write_espresso_path(
    folder: Path, images: list[Structure], dipoles: np.ndarray, rng: np.random.Generator
) -> None:
    """Three outputs for every image, each phase on a branch near zero of its own."""
    for i, (image, dipole) in enumerate(zip(images, dipoles, strict=True)):
        place = folder / f"{i:02d}"
        place.mkdir(parents=True, exist_ok=True)
        for direction in (1, 2, 3):
            wrapped = dipole + rng.integers(-1, 2, 3)
            text = pw_output(image, wrapped, direction, int(rng.integers(1, 3)), bool(rng.integers(2)))
            (place / f"berry{direction}.out").write_text(text)
