"""What do the ABX3 tables say of formation energy, gap and crystal system, and which columns may a model see?

Three tables of Chenebuah, Nganbe and Tchagang. Two hold Materials Project values (`abx3_materials_project`,
`lcmgm`); the third, from OQMD (16,323 rows, `oqmd_data.csv`), is the one of the publication, arXiv:2312.11335:
0.013 eV/atom, 0.216 eV and 85% F1.

What its models were given, by the scripts published with it: for formation energy, all columns but name, entry_id, icsd_id,
sg, cs, cs1, Ef and Eg; for the gap these and Ef; for the crystal system (cubic, trigonal, orthorhombic, tetragonal, 2,089 rows
of each) as for formation energy. So every other result of the calculation is an input: cell, volume, hull distance, energy.
A figure with those columns says how well a finished calculation can be read, not predicted. `GEOMETRY` and `ENERGIES` keep
apart, for the Materials Project table, what the relaxed crystal alone gives from what needs its total energy.

Crystals of the Materials Project table are joined by id where the formula, the number of atoms and the volume (to 5%) agree.
Source: github.com/chenebuah/ML_abx3_dataset (no licence stated: values for internal use) and LCMGM (MIT).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...core.crystals import CrystalRecord
from ...core.errors import InputError
from ...core.settings import data_dir
from ..cell import Cell
from .materials_project import cell_of_record, crystals_by_id
from .perovskites import reduced_formula
from .records import Label, LabelledCrystal
from .splits import split_of
from .tables import columns_of, data_path, labels_of, number, read_rows, text

CRYSTAL_SYSTEMS = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic")
"""The label `crystal_system` is a place in this list."""
SHORT_NAMES = {
    "tri": "triclinic",
    "mono": "monoclinic",
    "ortho": "orthorhombic",
    "tet": "tetragonal",
    "trig": "trigonal",
    "hex_": "hexagonal",
}
GEOMETRY = {
    "sites": "nsites",
    "a_edge (angstrom)": "a_angstrom",
    "b_edge (angstrom)": "b_angstrom",
    "c_edge (angstrom)": "c_angstrom",
    "alpha_ang (deg)": "alpha_degree",
    "beta_ang (deg)": "beta_degree",
    "gamma_ang (deg)": "gamma_degree",
    "density (g/cc)": "density_g_per_cm3",
    "volume (cubic-angstrom)": "volume_angstrom3",
}
"""Columns of the relaxed crystal; a candidate has them too, once it is relaxed."""
ENERGIES = {
    "energy_per_atom (eV/atom)": "energy_per_atom_ev",
    "energy_above_hull (eV/atom)": "energy_above_hull_ev_per_atom",
    "total_magnetisation (bohr)": "total_magnetization_mu_b",
}
"""Columns that only a finished calculation gives; a candidate has none of them."""
MATERIALS_PROJECT = {
    "formation_energy (eV/atom)": ("formation_energy_per_atom", "eV/atom", "abx3-mp"),
    "band_gap (eV)": ("band_gap", "eV", "abx3-mp"),
    "energy_above_hull (eV/atom)": ("energy_above_hull", "eV/atom", "abx3-mp"),
}
LCMGM = {
    "formation_energy_per_atom": ("formation_energy_per_atom", "eV/atom", "lcmgm-mp"),
    "band_gap": ("band_gap", "eV", "lcmgm-mp"),
    "e_above_hull": ("energy_above_hull", "eV/atom", "lcmgm-mp"),
}
LCMGM_COLUMNS = {
    "n_atoms_full": "nsites",
    "volume": "volume_angstrom3",
    "density": "density_g_per_cm3",
    "energy_per_atom": "energy_per_atom_ev",
    "total_magnetization": "total_magnetization_mu_b",
    "icsd": "in_icsd",
}
OQMD = {
    "Ef": ("formation_energy_per_atom", "eV/atom", "oqmd"),
    "Eg": ("band_gap", "eV", "oqmd"),
}
OQMD_NAMES = ("name", "entry_id", "icsd_id", "sg", "cs", "cs1", "Ef", "Eg")
"""Columns that the publication gives to no model of formation energy; all others are its inputs."""
VOLUME_TOLERANCE = 0.05  # relaxations of two releases differ by some percent


def abx3_materials_project(data: Path | None = None, crystals: bool = True) -> Iterator[LabelledCrystal]:
    """The Materials Project's ABX3: 4,014 rows; key is the id, `cell` where the join is certain.

    Args:
        data: The data folder; `HYSTERON_DATA_DIR` if none is given.
        crystals: Join the crystals; without them no row has a `cell`.

    Raises:
        MissingDataError: the folder lacks the table or the crystals.
        InputError: a row that cannot be read.
    """
    needed = ("mp_id", "formula", "crystal_system", *GEOMETRY, *ENERGIES, *MATERIALS_PROJECT)
    rows = list(read_rows(_table(data), needed))
    known = crystals_by_id({str(row["mp_id"]) for _, row in rows}, data) if crystals else {}
    for where, row in rows:
        formula = row.get("reduced_formula") or _formula(text(row, "formula", where), where)
        system = _system(row, "crystal_system", "abx3-mp", where)
        yield LabelledCrystal(
            key=text(row, "mp_id", where),
            formula=formula,
            cell=_joined(row, formula, known.get(row["mp_id"]), where),
            labels=(*labels_of(row, MATERIALS_PROJECT, where), system),
            split=row.get("split") or split_of(formula),
            group=formula,
            columns=columns_of(row, GEOMETRY | ENERGIES, where),
        )


def lcmgm(data: Path | None = None) -> Iterator[LabelledCrystal]:
    """The Materials Project's ABX3 and A2BB'X6, 5,884 rows without ids or coordinates.

    Args:
        data: The data folder; `HYSTERON_DATA_DIR` if none is given.

    Raises:
        MissingDataError: the folder lacks the table.
        InputError: a row that cannot be read.
    """
    path = data_path("perovskites/lcmgm_abx3_a2bbx6.csv.gz", data)
    needed = ("reduced_formula", "split", "crystal_system", *LCMGM, *LCMGM_COLUMNS)
    for count, (where, row) in enumerate(read_rows(path, needed)):
        formula = text(row, "reduced_formula", where)
        yield LabelledCrystal(
            key=f"lcmgm:{count}",
            formula=formula,
            cell=None,
            labels=(*labels_of(row, LCMGM, where), _system(row, "crystal_system", "lcmgm-mp", where)),
            split=text(row, "split", where),
            group=formula,
            columns=columns_of(row, LCMGM_COLUMNS, where),
        )


def abx3_oqmd(path: Path, seed: int = 0) -> Iterator[LabelledCrystal]:
    """The table of the publication, as downloaded; `columns` are its inputs under their own names.

    The publication split rows, not formulas (70/30); `split` here is by formula.

    Args:
        path: `oqmd_data.csv`, gzipped or not.
        seed: Of the split.

    Raises:
        InputError: the file lacks a column, or a row cannot be read.
    """
    for where, row in read_rows(path, OQMD_NAMES):
        inputs = {name: name for name, value in row.items() if _is_number(value) and name not in OQMD_NAMES}
        formula = _formula(text(row, "name", where), where)
        yield LabelledCrystal(
            key=f"oqmd:{row['entry_id']}",
            formula=formula,
            cell=None,
            labels=(*labels_of(row, OQMD, where), _system(row, "cs", "oqmd", where)),
            split=split_of(formula, seed),
            group=formula,
            columns=columns_of(row, inputs, where),
        )


def _table(data: Path | None) -> Path:
    """The table with formulas and splits, or as `data fetch abx3-materials-project` gets it."""
    fetched = (data or data_dir()) / "abx3/abc3_data.csv"
    return fetched if fetched.is_file() else data_path("perovskites/abx3_materials_project.csv.gz", data)


def _joined(row: Mapping[str, Any], formula: str, record: CrystalRecord | None, where: str) -> Cell | None:
    """The crystal of that id, if it is the one the row describes."""
    if record is None or record.reduced_formula != formula:
        return None
    volume = number(row, "volume (cubic-angstrom)", where)
    cell = cell_of_record(record)
    same = volume is not None and abs(cell.volume - volume) <= VOLUME_TOLERANCE * volume
    return cell if same and len(cell.numbers) == number(row, "sites", where) else None


def _system(row: Mapping[str, Any], column: str, fidelity: str, where: str) -> Label:
    name = text(row, column, where).lower()
    name = SHORT_NAMES.get(name, name)
    if name not in CRYSTAL_SYSTEMS:
        raise InputError(f"{where}: {column} is {name!r}, expected one of {', '.join(CRYSTAL_SYSTEMS)}.")
    return Label("crystal_system", float(CRYSTAL_SYSTEMS.index(name)), "1", fidelity)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _formula(name: str, where: str) -> str:
    from pymatgen.core import Composition

    try:
        return reduced_formula(tuple(sorted(s for s, n in _counts(Composition(name)) for _ in range(n))))
    except (ValueError, KeyError) as error:
        raise InputError(f"{where}: {name!r} is no formula: {error}.") from None


def _counts(composition: Any) -> list[tuple[str, int]]:
    """Symbols and counts; refuses a composition too large to be a formula."""
    counts = [(element.symbol, round(amount)) for element, amount in composition.items()]
    if not counts or sum(n for _, n in counts) > 10_000:
        raise ValueError("expected some atoms, and at most 10000")
    return counts
