"""Which crystal of the Materials Project is the host whose vacancy energy DFT has computed?

Emery and Wolverton's table gives a cell and which cation stands where, but no coordinates. A Materials Project crystal of
the formula is taken for it if its primitive cell

- has as many atoms, and after scaling to one volume the same reduced lengths and angles,
- is larger by about what two sets of settings differ in (`VOLUME_RATIO`: the table's cells are 2.5% smaller throughout, as
  is seen on cubic crystals, where nothing else could differ), and
- carries A, B and O near the places of the undistorted perovskite in the table's cell: this tells A from B.

Of several, the one lowest above the Materials Project's hull. A match by cell is no proof: it is the crystal that the
table's authors would have found there.

DFT energies are brought to the reference that this project's hulls have. A vacancy's energy counts from the oxygen that is left
over: OQMD counts it at its fitted reference, 0.321 eV above its own O2 (-4.523 against -4.844 eV/atom,
`chemical_potentials.yml` of qmpy, tables `standard` and `nothing`); the Materials Project corrects oxides by -0.687 eV per O
instead, Wang et al., Sci. Rep. 11, 15496 (2021), doi:10.1038/s41598-021-94550-5, which CHGNet has learnt. Both put the
overbinding of O2 right, by different amounts: 0.366 eV.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.crystals import CrystalRecord, crystals_folder, read_crystals
from ...core.settings import data_dir
from ..cell import Cell
from .records import LabelledCrystal
from .vacancies import emery_wolverton, near_hull

if TYPE_CHECKING:
    from pymatgen.core import Structure

OQMD_O_ABOVE_O2_EV = 0.321
MP_O_ABOVE_O2_EV = 0.687
REFERENCE_SHIFT_EV = MP_O_ABOVE_O2_EV - OQMD_O_ABOVE_O2_EV
"""Added to OQMD's energies, eV per O atom taken out."""
VOLUME_RATIO = 0.975
"""Volume per atom, the table's over the Materials Project's: median over cubic and orthorhombic matches."""
VOLUME_TOLERANCE = 0.06
LENGTH_TOLERANCE = 0.04
"""Relative, of the reduced cell's edges at one volume."""
ANGLE_TOLERANCE_DEGREE = 3.0
SITE_TOLERANCE = 0.35
"""Root mean square displacement from the undistorted perovskite, in units of the cube root of the volume per atom."""
SYMPREC_ANGSTROM = 0.01


@dataclass(frozen=True, eq=False)
class VacancyHost:
    """A crystal with DFT's energy of its cheapest oxygen vacancy.

    Attributes:
        key: The table's row: `emery:Sr-Ti`.
        formula: Reduced.
        a, b: Symbols of the cations.
        material_id: Of the Materials Project crystal that was taken for it.
        structure: That crystal.
        dft: Vacancy energy as the table has it, eV.
        stability: Its distance from OQMD's hull, eV/atom.
    """

    key: str
    formula: str
    a: str
    b: str
    material_id: str
    structure: Structure
    dft: float
    stability: float

    @property
    def dft_at_reference(self) -> float:
        """Vacancy energy, eV, at the oxygen reference of hulls on the MP2020-corrected scale."""
        return self.dft + REFERENCE_SHIFT_EV


def vacancy_hosts(data: Path | None = None) -> list[VacancyHost]:
    """Hosts near the hull whose crystal was found, by key.

    Args:
        data: The data folder; `HYSTERON_DATA_DIR` if none is given.

    Raises:
        MissingDataError: the folder lacks the table or the crystals.
    """
    folder = data or data_dir()
    rows = [
        row
        for row in near_hull(emery_wolverton(folder, aristotypes=True))
        if row.label("vacancy_formation_energy") is not None and row.cell is not None
    ]
    crystals = _crystals({row.formula for row in rows}, folder)
    found = (_host(row, crystals[row.formula]) for row in rows)
    return sorted((host for host in found if host is not None), key=lambda host: host.key)


def _crystals(formulas: set[str], folder: Path) -> dict[str, list[CrystalRecord]]:
    by_formula: dict[str, list[CrystalRecord]] = defaultdict(list)
    for record in read_crystals(crystals_folder(folder)):
        if record.reduced_formula in formulas:
            by_formula[record.reduced_formula].append(record)
    return by_formula


def _host(row: LabelledCrystal, records: Iterable[CrystalRecord]) -> VacancyHost | None:
    from ase.data import chemical_symbols

    assert row.cell is not None
    matches = list(_matches(row.cell, records))
    if not matches:
        return None
    record, structure = min(matches, key=lambda match: (_above_hull(match[0]), match[0].material_id))
    dft, stability = row.label("vacancy_formation_energy"), row.label("energy_above_hull")
    assert dft is not None
    assert stability is not None
    a, b = (chemical_symbols[int(row.columns[f"atomic_number_{role}"])] for role in "ab")
    return VacancyHost(row.key, row.formula, a, b, record.material_id, structure, dft, stability)


def _above_hull(record: CrystalRecord) -> float:
    value = record.labels.get("e_above_hull")
    return float("inf") if value is None else float(value)


def _matches(cell: Cell, records: Iterable[CrystalRecord]) -> Iterator[tuple[CrystalRecord, Structure]]:
    undistorted = _structure(cell)
    for record in records:
        structure = record.structure()
        primitive = _primitive(structure)
        if primitive is not None and same_cell(undistorted, primitive) and same_sites(undistorted, primitive):
            yield record, structure


def same_cell(undistorted: Structure, primitive: Structure) -> bool:
    """Whether a primitive cell may be that of a row: number of atoms, volume and shape."""
    if len(primitive) != len(undistorted):
        return False
    ratio = undistorted.volume / primitive.volume
    if abs(ratio / VOLUME_RATIO - 1) > VOLUME_TOLERANCE:
        return False
    ours, theirs = (
        np.array(one.lattice.get_niggli_reduced_lattice().parameters) for one in (undistorted, primitive)
    )
    lengths = ours[:3] / theirs[:3] / ratio ** (1 / 3)
    return (
        float(np.abs(lengths - 1).max()) < LENGTH_TOLERANCE
        and float(np.abs(ours[3:] - theirs[3:]).max()) < ANGLE_TOLERANCE_DEGREE
    )


def same_sites(undistorted: Structure, primitive: Structure) -> bool:
    """Whether A, B and O stand near where the undistorted perovskite has them."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    matcher = StructureMatcher(ltol=0.15, stol=SITE_TOLERANCE, angle_tol=8, primitive_cell=False, scale=True)
    return matcher.get_rms_dist(undistorted, primitive) is not None


def _structure(cell: Cell) -> Structure:
    from pymatgen.core import Element, Lattice, Structure

    species: Sequence[Element] = [Element.from_Z(int(z)) for z in cell.numbers]
    return Structure(Lattice(cell.lattice), species, cell.positions, coords_are_cartesian=True)


def _primitive(structure: Structure) -> Structure | None:
    """The primitive cell at `SYMPREC_ANGSTROM`, or `None` where spglib finds none."""
    import spglib
    from pymatgen.core import Element, Lattice, Structure

    cell: Any = (structure.lattice.matrix, structure.frac_coords, [site.specie.Z for site in structure])
    found = spglib.find_primitive(cell, symprec=SYMPREC_ANGSTROM)
    if found is None:
        return None
    matrix, positions, numbers = found
    return Structure(Lattice(matrix), [Element.from_Z(int(z)) for z in numbers], positions)
