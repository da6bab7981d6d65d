"""The text that pw.x 6.7 prints of a self-consistent run or a relaxation whose numbers are known, shortened."""

from __future__ import annotations

import numpy as np
from pymatgen.core import PeriodicSite

from ..export.espresso_text import BOHR_ANGSTROM, RYDBERG_EV
from .ingest_berry_phase import VALENCE
from .ingest_outputs import HIGHEST_OCCUPIED_EV, Run

_XC = {
    "PBE": " SLA  PW   PBX  PBC",
    "PBEsol": " SLA  PW   PSX  PSC",
    "LDA": " SLA  PZ   NOGX NOGC",
}
_KILOBAR = 147105.08
"""In a Ry/bohr^3, for the columns beside."""
_HEAD = """
     Program PWSCF v.6.7MaX starts on 30Nov2026 at 23:38:36 

     bravais-lattice index     =            0
     lattice parameter (alat)  = {alat:12.4f}  a.u.
     number of atoms/cell      = {count:12d}
     number of electrons       = {electrons:12.2f}
     kinetic-energy cutoff     =      60.0000  Ry
     charge density cutoff     =     480.0000  Ry
     Exchange-correlation={functional}
                           (   1   4   3   4   0   0   0)

     celldm(1)={alat:11.6f}  celldm(2)=   0.000000  celldm(3)=   0.000000

     crystal axes: (cart. coord. in units of alat)
{axes}
{files}     atomic species   valence    mass     pseudopotential
{valences}
      8 Sym. Ops. (no inversion) found

   Cartesian axes

     site n.     atom                  positions (alat units)
{sites}
     number of k points=     2  Marzari-Vanderbilt smearing, width (Ry)=  0.0100
                       cart. coord. in units 2pi/alat
        k(    1) = (   0.0000000   0.0000000   0.0000000), wk =   1.0000000
        k(    2) = (   0.0000000   0.0000000   0.2500000), wk =   1.0000000

"""  # noqa: W291 - as pw.x prints it
_CYCLE = """     Self-consistent Calculation

     End of self-consistent calculation

{bands}     the Fermi energy is     {fermi:.4f} ev

!    total energy              = {total:16.8f} Ry
     estimated scf accuracy    <          8.2E-10 Ry
     smearing contrib. (-TS)   =       0.00000000 Ry
     internal energy E=F+TS    = {total:16.8f} Ry

     The total energy is F=E-TS. E is the sum of the following terms:
{terms}
     {ends}

     Forces acting on atoms (cartesian axes, Ry/au):

{forces}
     Total force =     0.010354     Total SCF correction =     0.000084

          total   stress  (Ry/bohr**3)                   (kbar)     P=      -72.70
{stress}

"""
_TAIL = """
     PWSCF        :     15.77s CPU   1m34.30s WALL

   This run was terminated on:  23:40:11  30Nov2026            

=------------------------------------------------------------------------------=
   JOB DONE.
=------------------------------------------------------------------------------=
"""  # noqa: W291 - as pw.x prints it


def pw_run(run: Run) -> str:
    """The text."""
    body = _cycle(run, run.energy) if run.first is None else _relaxation(run)
    return f"{_summary(run)}{body}{_TAIL}"


def _relaxation(run: Run) -> str:
    ends = (
        "bfgs converged in   4 scf cycles and   3 bfgs steps"
        if run.ionic
        else "The maximum number of steps has been reached."
    )
    kind = "energy" if run.held else "enthalpy"
    body = (
        f"{_cycle(run, run.energy + 0.4)}     BFGS Geometry "
        f"Optimization\n\n{_coordinates(run)}\n{_cycle(run, run.energy)}     {ends}\n\n"
        f"     End of BFGS Geometry Optimization\n\n     Final {kind} = {run.energy / RYDBERG_EV:18.10f} Ry\n"
        f"Begin final coordinates\n{_coordinates(run)}End final coordinates\n\n"
    )
    again = f"     A final scf calculation at the relaxed structure.\n{_cycle(run, run.energy)}"
    return body if run.held else body + again


def _summary(run: Run) -> str:
    crystal = run.began
    alat = float(np.linalg.norm(crystal.lattice.matrix[0])) / BOHR_ANGSTROM
    files = "".join(
        f"     PseudoPot. # {i} for {s:2s} read from file:\n     ./pseudo/{s}.UPF\n"
        f"     MD5 check sum: 95be7e42dee10b2875cfef113789b23b\n     Pseudo is Ultrasoft, Zval = {VALENCE[s]:4.1f}\n\n"
        for i, s in enumerate(run.symbols, 1)
    )
    return _HEAD.format(
        alat=alat,
        count=len(crystal),
        electrons=run.electrons,
        functional=_XC[run.functional],
        axes="".join(
            f"               a({i}) = ({_numbers(row, 11, 6)} )  \n"
            for i, row in enumerate(crystal.lattice.matrix / BOHR_ANGSTROM / alat, 1)
        ),
        files=files,
        valences="".join(
            f"        {s:2s}{VALENCE[s]:19.2f}{100.0:12.5f}     {s:2s}( 1.00)\n" for s in run.symbols
        ),
        sites="".join(_site(i, site, alat) for i, site in enumerate(crystal, 1)),
    )


def _site(number: int, site: PeriodicSite, alat: float) -> str:
    symbol, place = site.specie.symbol, site.coords / BOHR_ANGSTROM / alat
    return f"     {number:5d}           {symbol:2s}  tau({number:4d}) = ({_numbers(place, 12, 7)}  )\n"


def _cycle(run: Run, energy: float) -> str:
    """One self-consistent cycle with what pw.x prints behind it."""
    total = energy / RYDBERG_EV
    terms = {"one-electron": -9.5, "hartree": 7.25, "ewald": -26.5}
    terms["xc"] = total - sum(terms.values())
    stress = -run.whole_stress() * BOHR_ANGSTROM**3 / RYDBERG_EV
    forces = run.all_forces() * BOHR_ANGSTROM / RYDBERG_EV
    return _CYCLE.format(
        bands="".join(
            f"          k = 0.0000 0.0000 {0.25 * k:.4f} (  1197 PWs)   bands (ev):\n\n{_eight_a_line(values)}\n"
            for k, values in enumerate(run.bands())
        ),
        fermi=HIGHEST_OCCUPIED_EV + 1e-4,
        total=total,
        terms="".join(
            f"     {f'{name} contribution':25s} = {value:15.8f} Ry\n" for name, value in terms.items()
        ),
        ends=(
            "convergence has been achieved in  13 iterations"
            if run.electronic
            else "convergence NOT achieved after 200 iterations: stopping"
        ),
        forces="".join(
            f"     atom{i:5d} type  1   force = {_numbers(row, 14, 8)}\n" for i, row in enumerate(forces, 1)
        ),
        stress="".join(f"{_numbers(row, 14, 8)}{_numbers(row * _KILOBAR, 13, 2)}\n" for row in stress),
    )


def _coordinates(run: Run) -> str:
    """Where the run ended, as pw.x prints it at every step."""
    rows = "".join(f"  {_numbers(row, 14, 9)}\n" for row in run.last.lattice.matrix)
    cell = "" if run.held else f"CELL_PARAMETERS (angstrom)\n{rows}\n"
    sites = "".join(f"{site.specie.symbol:4s}{_numbers(site.frac_coords, 16, 10)}\n" for site in run.last)
    return f"{cell}ATOMIC_POSITIONS (crystal)\n{sites}"


def _eight_a_line(values: np.ndarray) -> str:
    return "".join(f"  {_numbers(values[i : i + 8], 9, 4)}\n" for i in range(0, len(values), 8))


def _numbers(row: np.ndarray, width: int, decimals: int) -> str:
    return "".join(f"{x:{width}.{decimals}f}" for x in row)
