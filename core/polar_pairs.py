"""What did DFT find for polar crystals and their nonpolar parents? What fits learn from, and benchmarks measure against.

Source: Smidt, Mack, Reyes-Lillo, Jain, Neaton, Sci. Data 7, 72 (2020), doi:10.1038/s41597-020-0407-9: relaxed polar
and nonpolar ends, polarization by Berry phase, energies. The `preferred` workflows are labels; of the other pairs it
is not known what a better calculation would say, so they are unlabelled, and never negatives.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import MissingDataError

if TYPE_CHECKING:
    from pymatgen.core import Structure

TABLE = "smidt2020_ferroelectric_candidates.csv.gz"
STRUCTURES = "smidt2020_structures.jsonl.gz"
SOURCE = "Smidt et al. 2020"
FERROELECTRIC_FROM = 5.0
"""uC/cm^2: the DFT rule is at least this polarization and a lower polar end."""


@dataclass(frozen=True)
class Pair:
    """One DFT workflow.

    Attributes:
        formula: Reduced.
        polar: The polar end, as DFT left it.
        nonpolar: The other end, atoms in the same order.
        nonpolar_spacegroup: Of the Materials Project's nonpolar crystal.
        spacegroup: Of the polar one.
        polarization: Norm of the change, uC/cm^2; `None` if the workflow did not end.
        polarization_vector: The same, Cartesian, uC/cm^2, shape `(3,)`.
        energy_difference: Polar minus nonpolar, meV/atom; `None` likewise.
        path_maximum: Highest image of the straight path above the polar end, meV/atom.
        band_gap: Of the polar crystal in the Materials Project, PBE, eV.
        polar_id: Its id there.
        nonpolar_id: The nonpolar one's.
        preferred: Whether it is a label.
    """

    formula: str
    polar: Structure
    nonpolar: Structure
    nonpolar_spacegroup: int
    spacegroup: int
    polarization: float | None
    polarization_vector: np.ndarray | None
    energy_difference: float | None
    path_maximum: float | None
    band_gap: float | None
    polar_id: str
    nonpolar_id: str
    preferred: bool

    @property
    def ferroelectric(self) -> bool:
        """By the DFT rule."""
        return (
            self.polarization is not None
            and self.energy_difference is not None
            and self.polarization >= FERROELECTRIC_FROM
            and self.energy_difference < 0
        )


def read_preferred(folder: Path) -> list[Pair]:
    """The preferred pairs under the data folder, in the order of the table.

    Raises:
        MissingDataError: the files are not there.
    """
    return [_pair(row, ends) for row, ends in _rows(folder) if row["preferred"] == "True"]


def read_unlabelled(folder: Path) -> list[Pair]:
    """One workflow, the last, of each pair of crystals that has no preferred one.

    Raises:
        MissingDataError: the files are not there.
    """
    rows = list(_rows(folder))
    labelled = {_ids(row) for row, _ in rows if row["preferred"] == "True"}
    rows.sort(key=lambda one: float(one[0]["wf_epoch_s"]))
    latest = {_ids(row): (row, ends) for row, ends in rows if _ids(row) not in labelled}
    return [_pair(*latest[ids]) for ids in sorted(latest)]


def _ids(row: dict[str, Any]) -> tuple[str, str]:
    return row["polar_id"], row["nonpolar_id"]


def _rows(folder: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Rows of the table with their structures."""
    table = folder / "ferroelectrics" / TABLE
    structures = folder / "ferroelectrics" / STRUCTURES
    if not (table.is_file() and structures.is_file()):
        raise MissingDataError(
            f"{table.parent} lacks {table.name} or {structures.name}. 'hysteron data fetch' gets them."
        )
    with gzip.open(structures, "rt", encoding="utf-8") as lines:
        ends = {record["wfid"]: record for record in map(json.loads, lines)}
    with gzip.open(table, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["wfid"] in ends:
                yield row, ends[row["wfid"]]


def _pair(row: dict[str, Any], ends: dict[str, Any]) -> Pair:
    polar = _structure(ends["polar"])
    along = [_number(row, f"polarization_change_{axis}_uC_cm2") for axis in "abc"]
    axes = polar.lattice.matrix / np.linalg.norm(polar.lattice.matrix, axis=1)[:, None]
    return Pair(
        formula=row["reduced_formula"],
        polar=polar,
        nonpolar=_structure(ends["nonpolar"]),
        nonpolar_spacegroup=int(row["nonpolar_spacegroup"]),
        spacegroup=int(row["polar_spacegroup"]),
        polarization=_number(row, "polarization_change_norm_uC_cm2"),
        polarization_vector=None if None in along else np.array(along, dtype=float) @ axes,
        energy_difference=_number(row, "energy_diff_polar_minus_nonpolar_meV_atom"),
        path_maximum=_number(row, "path_energy_max_above_polar_meV_atom"),
        band_gap=_number(row, "mp_polar_band_gap_eV"),
        polar_id=row["polar_id"],
        nonpolar_id=row["nonpolar_id"],
        preferred=row["preferred"] == "True",
    )


def _number(row: dict[str, Any], column: str) -> float | None:
    return float(row[column]) if row.get(column) else None


def _structure(record: dict[str, Any]) -> Structure:
    from pymatgen.core import Lattice, Structure

    return Structure(Lattice(record["lattice"]), record["species"], record["frac_coords"])
