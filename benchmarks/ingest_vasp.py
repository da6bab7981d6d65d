"""A vasprun.xml as VASP 6.3 writes it, of a run whose numbers are known; parameters that decide nothing are left out."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Structure

from ..export.finished_vasp import KILOBAR_IN_EV_PER_A3, TERMS
from .ingest_berry_phase import VALENCE
from .ingest_outputs import HIGHEST_OCCUPIED_EV, Run

_GGA = {"PBE": "--", "PBEsol": "PS", "LDA": "CA"}
_KPOINTS = """ <kpoints>
  <generation param="Gamma">
   <v type="int" name="divisions">       4        4        4 </v>
   <v name="usershift">      0.00000000       0.00000000       0.00000000 </v>
  </generation>
  <varray name="kpointlist" >
   <v>       0.00000000       0.00000000       0.00000000 </v>
   <v>       0.25000000       0.00000000       0.00000000 </v>
  </varray>
  <varray name="weights" >
   <v>       0.50000000 </v>
   <v>       0.50000000 </v>
  </varray>
 </kpoints>
"""
_HEAD = """<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <generator>
  <i name="program" type="string">vasp </i>
  <i name="version" type="string">6.3.2  </i>
  <i name="subversion" type="string">27Jun22 (build Jan 03 2023 12:11:42) complex parallel </i>
  <i name="platform" type="string">LinuxIFC </i>
  <i name="date" type="string">2026 11 30 </i>
  <i name="time" type="string">12:43:55 </i>
 </generator>
 <incar>
  <i type="string" name="PREC">accurate</i>
 </incar>
"""
_PARAMETERS = """ <parameters>
  <separator name="general" >
   <i type="string" name="SYSTEM">unknown system</i>
  </separator>
  <separator name="electronic" >
   <i type="string" name="PREC">accurate</i>
   <i name="ENMAX">    520.00000000</i>
   <i name="EDIFF">      0.00025000</i>
   <i type="int" name="NBANDS">{bands:6d}</i>
   <i name="NELECT">{electrons:16.8f}</i>
   <separator name="electronic smearing" >
    <i type="int" name="ISMEAR">    -5</i>
    <i name="SIGMA">      0.05000000</i>
    <i name="KSPACING">      0.50000000</i>
    <i type="logical" name="KGAMMA"> T  </i>
   </separator>
   <separator name="electronic startup" >
    <i type="int" name="ISTART">     0</i>
    <i type="int" name="ICHARG">     2</i>
   </separator>
   <separator name="electronic spin" >
    <i type="int" name="ISPIN">     1</i>
    <i type="logical" name="LNONCOLLINEAR"> F  </i>
    <i type="logical" name="LSORBIT"> F  </i>
   </separator>
   <separator name="electronic convergence" >
    <i type="int" name="NELM">{nelm:6d}</i>
   </separator>
   <separator name="electronic dipolcorrection" >
    <i type="logical" name="LDIPOL"> F  </i>
    <i type="int" name="IDIPOL">     0</i>
   </separator>
  </separator>
  <separator name="ionic" >
   <i type="int" name="NSW">{nsw:6d}</i>
   <i type="int" name="IBRION">{ibrion:6d}</i>
   <i type="int" name="ISIF">{isif:6d}</i>
   <i name="PSTRESS">      0.00000000</i>
   <i name="EDIFFG">     -0.02000000</i>
   <i name="POTIM">      0.50000000</i>
  </separator>
{hubbard}  <separator name="electronic exchange-correlation" >
   <i type="string" name="GGA">{gga}</i>
   <i type="logical" name="LHFCALC"> F  </i>
   <i name="AEXX">      0.00000000</i>
   <i name="HFSCREEN">      0.00000000</i>
  </separator>
  <separator name="linear response parameters" >
   <i type="logical" name="LEPSILON"> F  </i>
  </separator>
  <separator name="response functions" >
   <i type="int" name="NELM">     1</i>
   <i type="int" name="NELMHF">     1</i>
  </separator>
 </parameters>
"""
_ATOMS = """ <atominfo>
  <atoms>{count:8d} </atoms>
  <types>{kinds:8d} </types>
  <array name="atoms" >
   <dimension dim="1">ion</dimension>
   <field type="string">element</field>
   <field type="int">atomtype</field>
   <set>
{atoms}   </set>
  </array>
  <array name="atomtypes" >
   <dimension dim="1">type</dimension>
   <field type="int">atomspertype</field>
   <field type="string">element</field>
   <field>mass</field>
   <field>valence</field>
   <field type="string">pseudopotential</field>
   <set>
{types}   </set>
  </array>
 </atominfo>
"""
_EIGENVALUES = """  <eigenvalues>
   <array>
    <dimension dim="1">band</dimension>
    <dimension dim="2">kpoint</dimension>
    <dimension dim="3">spin</dimension>
    <field>eigene</field>
    <field>occ</field>
    <set>
     <set comment="spin 1">
{kpoints}     </set>
    </set>
   </array>
  </eigenvalues>
  <dos>
   <i name="efermi">      4.00010000 </i>
  </dos>
"""


def vasprun(run: Run) -> str:
    """The file."""
    steps = [(run.last, run.energy)]
    if run.first is not None:
        steps.insert(0, (run.first, run.energy + 0.4))
    allowed = 0 if run.first is None else 99 if run.ionic else len(steps)
    body = "".join(
        _calculation(run, structure, energy, last=i == len(steps) - 1)
        for i, (structure, energy) in enumerate(steps)
    )
    ends = _structure(run.began, "initialpos"), _structure(run.last, "finalpos")
    return (
        f"{_HEAD}{_KPOINTS}{_parameters(run, allowed)}{_atominfo(run)}{ends[0]}{body}{ends[1]}</modeling>\n"
    )


def _parameters(run: Run, allowed: int) -> str:
    return _PARAMETERS.format(
        bands=run.bands().shape[1],
        electrons=run.electrons,
        nelm=60 if run.electronic else 3,
        nsw=allowed,
        ibrion=-1 if run.first is None else 2,
        isif=2 if run.held or run.first is None else 3,
        hubbard=_hubbard(run),
        gga=_GGA[run.functional],
    )


def _hubbard(run: Run) -> str:
    if not run.hubbard:
        return '  <i type="logical" name="LDAU"> F  </i>\n'
    u, j = ("".join(f"{values.get(s, 0.0):16.8f}" for s in run.symbols) for values in (run.hubbard, {}))
    return (
        '  <i type="logical" name="LDAU"> T  </i>\n  <i type="int" name="LDAUTYPE">     2</i>\n'
        f'  <v name="LDAUU">{u}</v>\n  <v name="LDAUJ">{j}</v>\n'
    )


def _atominfo(run: Run) -> str:
    atoms = "".join(
        f"    <rc><c>{site.specie.symbol:2s}</c><c>{run.symbols.index(site.specie.symbol) + 1:4d}</c></rc>\n"
        for site in run.last
    )
    types = "".join(
        f"    <rc><c>{run.count(s):4d}</c><c>{s:2s}</c><c>{100.0:16.8f}</c><c>{VALENCE[s]:16.8f}</c>"
        f"<c>  PAW_PBE {s + ' 06Sep2000':30s}</c></rc>\n"
        for s in run.symbols
    )
    return _ATOMS.format(count=len(run.last), kinds=len(run.symbols), atoms=atoms, types=types)


def _calculation(run: Run, structure: Structure, energy: float, last: bool) -> str:
    """An ionic step of three electronic ones; the first and the last of these print their terms."""
    free = energy - 0.0005
    terms: dict[str, float] = dict(
        zip(TERMS, (72.5, -665.25, -43.125, -38.75, 831.5, -792.25, -0.001, 0.0, 553.75), strict=True)
    )
    cycles = ((free + 10, True), (free + 1e-3, False), (free, True))
    electronic = "".join(
        f"  <scstep>\n   <energy>\n{_terms(terms, total) if told else ''}{_energies(total)}   </energy>\n  </scstep>\n"
        for total, told in cycles
    )
    forces = run.all_forces() + (0.0 if last else 0.3)
    return (
        f" <calculation>\n{electronic}{_structure(structure)}{_varray('forces', forces)}"
        f"{_varray('stress', -run.whole_stress() / KILOBAR_IN_EV_PER_A3)}"
        f"  <energy>\n{_energies(free)}  </energy>\n{_eigenvalues(run) if last else ''} </calculation>\n"
    )


def _terms(terms: dict[str, float], total: float) -> str:
    whole = terms | {"bandstr": total - sum(terms.values())}
    return "".join(f'    <i name="{name}">{value:16.8f} </i>\n' for name, value in whole.items())


def _energies(free: float) -> str:
    values = (("e_fr_energy", free), ("e_wo_entrp", free + 0.001), ("e_0_energy", free + 0.0005))
    return "".join(f'    <i name="{name}">{value:16.8f} </i>\n' for name, value in values)


def _eigenvalues(run: Run) -> str:
    kpoints = "".join(
        f'      <set comment="kpoint {k}">\n'
        + "".join(f"       <r>{e:10.4f}{float(e <= HIGHEST_OCCUPIED_EV):10.4f} </r>\n" for e in bands)
        + "      </set>\n"
        for k, bands in enumerate(run.bands(), 1)
    )
    return _EIGENVALUES.format(kpoints=kpoints)


def _structure(structure: Structure, name: str = "") -> str:
    named = f' name="{name}" ' if name else ""
    reciprocal = structure.lattice.reciprocal_lattice_crystallographic.matrix
    return (
        f"  <structure{named}>\n   <crystal>\n{_varray('basis', structure.lattice.matrix)}"
        f'    <i name="volume">{structure.volume:16.8f} </i>\n{_varray("rec_basis", reciprocal)}   </crystal>\n'
        f"{_varray('positions', structure.frac_coords)}  </structure>\n"
    )


def _varray(name: str, rows: np.ndarray) -> str:
    body = "".join(f"    <v>{''.join(f'{x:17.8f}' for x in row)} </v>\n" for row in rows)
    return f'   <varray name="{name}" >\n{body}   </varray>\n'
