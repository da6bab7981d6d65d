"""What does the Materials Project say of its crystals, and which release said it?

Labels come from releases with different correction schemes; where two releases label one id, their formation
energies differ by 6 meV/atom in the median and 29 in the mean. So the fidelity of each label is the set it was
taken from (`mp20`, `mpts52`, `mp40`, `mp2018_crysxpp`, `mp_benchtable`).
Data: Materials Project, CC BY 4.0; Jain et al., APL Mater. 1, 011002 (2013), doi:10.1063/1.4812323.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...core.crystals import SPLITS, CrystalRecord, crystals_folder, read_crystals
from ..cell import Cell
from .records import Label, LabelledCrystal
from .tables import cell_of, data_path, number, read_rows

UNITS = {
    "formation_energy_per_atom": "eV/atom",
    "energy_above_hull": "eV/atom",
    "band_gap": "eV",
    "total_magnetization": "mu_B",
}
COLUMNS = {"energy_above_hull": "e_above_hull"}
UNSTATED = "mp"
"""Fidelity of a label whose release the table does not name: every `total_magnetization`."""
LABELS = "crystals/mp_labels.csv.gz"


def materials_project(
    data: Path | None = None, splits: tuple[str, ...] = SPLITS
) -> Iterator[LabelledCrystal]:
    """Crystals with their labels, in the order of files and lines.

    `total_magnetization` is per cell as tabulated, in mu_B.

    Args:
        data: The data folder; `HYSTERON_DATA_DIR` if none is given.
        splits: Which of `train`, `val`, `test`; the split is by reduced formula.

    Raises:
        MissingDataError: the folder lacks the crystals or their labels.
        InputError: a row that cannot be read.
    """
    releases = _releases(data)
    for record in read_crystals(crystals_folder(data), splits):
        yield _labelled(record, releases.get(record.material_id, {}))


def crystals_by_id(ids: set[str], data: Path | None = None) -> dict[str, CrystalRecord]:
    """Those of the named crystals that stand in the data folder."""
    found = (record for record in read_crystals(crystals_folder(data)) if record.material_id in ids)
    return {record.material_id: record for record in found}


def cell_of_record(record: CrystalRecord) -> Cell:
    """The arrays of a crystal of the data folder."""
    return cell_of(record.lattice, record.species, record.frac_coords, record.material_id)


def _labelled(record: CrystalRecord, releases: dict[str, str]) -> LabelledCrystal:
    where = record.material_id
    values = {name: number(record.labels, COLUMNS.get(name, name), where) for name in UNITS}
    return LabelledCrystal(
        key=where,
        formula=record.reduced_formula,
        cell=cell_of_record(record),
        labels=tuple(
            Label(name, value, UNITS[name], releases.get(name, UNSTATED))
            for name, value in values.items()
            if value is not None
        ),
        split=record.labels.get("split", ""),
        group=record.reduced_formula,
    )


def _releases(data: Path | None) -> dict[str, dict[str, str]]:
    """Which release gave each label, by id and property."""
    path = data_path(LABELS, data)
    sources = {name: f"src_{COLUMNS.get(name, name)}" for name in UNITS if name != "total_magnetization"}
    return {
        str(row["material_id"]): {
            name: row[column] for name, column in sources.items() if isinstance(row[column], str)
        }
        for _, row in read_rows(path, ("material_id", *sources.values()))
    }
