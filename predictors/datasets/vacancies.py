"""What does it cost to take an oxygen, or another atom, out of a crystal?

Emery and Wolverton, ABO3 of the Open Quantum Materials Database: **eV per oxygen atom removed, of the lowest-energy site**,
one value a compound (SrTiO3 5.50, BaTiO3 5.36, LaMnO3 3.92). Two compounds with A and B swapped share a reduced formula and
differ by 2.5 eV on average, so the key names A and B in order; the group is the formula, so that both go the same way.
The table gives the cell, not the sites. A cubic row's sites follow from its symmetry; the other rows (A and B are displaced,
the octahedra tilted) have no certain crystal, only the undistorted one in their own cell: `aristotypes=True` gives it, and
`columns["sites_certain"]` tells which it is.

JARVIS: neutral vacancies by JVASP id and element, without structures or formulas.
Data: Emery and Wolverton, Sci. Data 4, 170153 (2017), doi:10.1038/sdata.2017.153 (CC BY 4.0), a subset of 1,927 of 5,329;
Choudhary and Sumpter, AIP Adv. 13, 095109 (2023), doi:10.1063/5.0135382.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ...core.errors import InputError
from ..cell import Cell
from .json_rows import json_rows
from .perovskites import reduced_formula
from .records import LabelledCrystal
from .splits import split_of
from .tables import cell_of, columns_of, data_path, labels_of, read_rows, text

NEAR_HULL_EV_PER_ATOM = 0.1
VOLUME_TOLERANCE = 0.02  # relative; lengths are given to 0.001 A, rhombohedral angles to 0.1 degree
LABELS = {
    "Vacancy energy [eV/O atom]": ("vacancy_formation_energy", "eV", "oqmd"),
    "Formation energy [eV/atom]": ("formation_energy_per_atom", "eV/atom", "oqmd"),
    "Stability [eV/atom]": ("energy_above_hull", "eV/atom", "oqmd"),
    "Band gap [eV]": ("band_gap", "eV", "oqmd"),
}
COLUMNS = {
    "Valence A": "valence_a",
    "Valence B": "valence_b",
    "Radius A [ang]": "radius_a_angstrom",
    "Radius B [ang]": "radius_b_angstrom",
    "a [ang]": "a_angstrom",
    "b [ang]": "b_angstrom",
    "c [ang]": "c_angstrom",
    "alpha [deg]": "alpha_degree",
    "beta [deg]": "beta_degree",
    "gamma [deg]": "gamma_degree",
    "Volume per atom [A^3/atom]": "volume_per_atom_angstrom3",
    "Magnetic moment [mu_B]": "magnetic_moment_mu_b",
}
OXIDES = {
    "e_form oxygen": ("vacancy_formation_energy", "eV", "oqmd"),
    "e_form": ("formation_energy_per_atom", "eV/atom", "oqmd"),
    "e_hull": ("energy_above_hull", "eV/atom", "oqmd"),
    "gap pbe": ("band_gap", "eV", "oqmd"),
}
OXIDE_COLUMNS = {
    "a": "a_angstrom",
    "b": "b_angstrom",
    "c": "c_angstrom",
    "alpha": "alpha_degree",
    "beta": "beta_degree",
    "gamma": "gamma_degree",
    "vpa": "volume_per_atom_angstrom3",
    "mu_b": "magnetic_moment_mu_b",
}
LATTICE = ("a_angstrom", "b_angstrom", "c_angstrom", "alpha_degree", "beta_degree", "gamma_degree")
HALF, QUARTER, THREE = 0.5, 0.25, 0.75
FIVE_ATOMS = (
    [[0, 0, 0]],
    [[HALF, HALF, HALF]],
    [[HALF, HALF, 0], [HALF, 0, HALF], [0, HALF, HALF]],
)
ARISTOTYPES = {
    "cubic": FIVE_ATOMS,
    "tetragonal": FIVE_ATOMS,
    "rhombohedral": (
        [[QUARTER] * 3, [THREE] * 3],
        [[0, 0, 0], [HALF] * 3],
        [
            [x if i == k else y for i in range(3)]
            for x, y in ((THREE, QUARTER), (QUARTER, THREE))
            for k in range(3)
        ],
    ),
    "orthorhombic": (
        [[x, x, z] for x in (0, HALF) for z in (QUARTER, THREE)],
        [[HALF - y, y, z] for y in (0, HALF) for z in (0, HALF)],
        [
            *([HALF - y, y, z] for y in (0, HALF) for z in (QUARTER, THREE)),
            *([x, y, z] for x in (QUARTER, THREE) for y in (QUARTER, THREE) for z in (0, HALF)),
        ],
    ),
}
"""Fractional sites of A, B and O without tilts: 5 atoms, 10 (doubled along [111]) and 20 (Pbnm, long axis c)."""


def emery_wolverton(data: Path | None = None, aristotypes: bool = False) -> Iterator[LabelledCrystal]:
    """ABO3 with vacancy energies; rows that lack one keep their other labels.

    Args:
        data: The data folder; `HYSTERON_DATA_DIR` if none is given.
        aristotypes: Give rows that are not cubic the undistorted crystal in their cell.

    Raises:
        MissingDataError: the folder lacks the table.
        InputError: a row that cannot be read.
    """
    path = data_path("oxygen_vacancy/emery_wolverton_abo3.csv.gz", data)
    needed = ("A", "B", "Crystal Type", "reduced_formula", "split", *LABELS, *COLUMNS)
    seen: dict[str, int] = {}
    for where, row in read_rows(path, needed):
        a, b = text(row, "A", where), text(row, "B", where)
        name = f"emery:{a}-{b}"
        seen[name] = seen.get(name, 0) + 1
        formula = text(row, "reduced_formula", where)
        columns = columns_of(row, COLUMNS, where)
        kind = text(row, "Crystal Type", where)
        certain = kind == "cubic"
        yield LabelledCrystal(
            key=name if seen[name] == 1 else f"{name}:{seen[name]}",
            formula=formula,
            cell=_cell(a, b, kind, columns, where) if certain or aristotypes else None,
            labels=labels_of(row, LABELS, where),
            split=text(row, "split", where),
            group=formula,
            columns=columns | {"sites_certain": float(certain)} | _roles(a, b, where),
        )


def wolverton_oxides(path: Path, seed: int = 0) -> Iterator[LabelledCrystal]:
    """The same calculations in matminer's form, 4,914 rows: `wolverton_oxides.json.gz`.

    Args:
        path: The file as downloaded.
        seed: Of the split, by formula.

    Raises:
        InputError: the file is not in pandas' split form, or a row cannot be read.
    """
    for where, row in json_rows(path, ("atom a", "atom b", "lowest distortion", *OXIDES, *OXIDE_COLUMNS)):
        a, b = text(row, "atom a", where), text(row, "atom b", where)
        roles = _roles(a, b, where)
        formula = reduced_formula(tuple(sorted((a, b, "O", "O", "O"))))
        columns = columns_of(row, OXIDE_COLUMNS, where)
        kind = str(row["lowest distortion"] or "")
        yield LabelledCrystal(
            key=f"emery:{a}-{b}",
            formula=formula,
            cell=_cell(a, b, kind, columns, where) if kind == "cubic" else None,
            labels=labels_of(row, OXIDES, where),
            split=split_of(formula, seed),
            group=formula,
            columns=columns | {"sites_certain": float(kind == "cubic")} | roles,
        )


def near_hull(
    crystals: Iterable[LabelledCrystal], within: float = NEAR_HULL_EV_PER_ATOM
) -> Iterator[LabelledCrystal]:
    """Those whose distance to the hull is known and at most `within` eV/atom.

    Farther out, taking oxygen away often frees a crystal that falls apart: energies down to -18.7 eV.
    """
    for crystal in crystals:
        distance = crystal.label("energy_above_hull")
        if distance is not None and distance <= within:
            yield crystal


def jarvis_vacancies(data: Path | None = None, seed: int = 0) -> Iterator[LabelledCrystal]:
    """Neutral vacancies of JARVIS: no crystal, no formula; group is the JVASP id of the host.

    Args:
        data: The data folder; `HYSTERON_DATA_DIR` if none is given.
        seed: Of the split, by host.

    Raises:
        MissingDataError: the folder lacks the table.
        InputError: a row that cannot be read.
    """
    path = data_path("oxygen_vacancy/jarvis_vacancy_formation.csv", data)
    wanted = {"vacancy_formation_energy_eV": ("vacancy_formation_energy", "eV", "jarvis-optb88vdw")}
    for where, row in read_rows(path, ("id", "jvasp_id", "vacancy_element", *wanted)):
        host = text(row, "jvasp_id", where)
        yield LabelledCrystal(
            key=f"jarvis:{text(row, 'id', where)}",
            formula="",
            cell=None,
            labels=labels_of(row, wanted, where),
            split=split_of(host, seed),
            group=host,
            columns={"atomic_number_vacancy": _atomic_number(text(row, "vacancy_element", where), where)},
        )


def _cell(a: str, b: str, kind: str, columns: dict[str, float], where: str) -> Cell | None:
    """The undistorted crystal in the row's cell; none if the cell is missing or contradicts the volume."""
    sites = ARISTOTYPES.get(kind)
    if sites is None or any(name not in columns for name in LATTICE):
        return None
    species = [symbol for symbol, group in zip((a, b, "O"), sites, strict=True) for _ in group]
    cell = cell_of([columns[name] for name in LATTICE], species, np.concatenate(sites), where)
    expected = columns.get("volume_per_atom_angstrom3", 0.0) * len(species)
    return cell if abs(cell.volume - expected) <= VOLUME_TOLERANCE * expected else None


def _roles(a: str, b: str, where: str) -> dict[str, float]:
    return {"atomic_number_a": _atomic_number(a, where), "atomic_number_b": _atomic_number(b, where)}


def _atomic_number(symbol: str, where: str) -> float:
    from ase.data import atomic_numbers

    if not atomic_numbers.get(symbol):
        raise InputError(f"{where}: {symbol!r} is no element.")
    return float(atomic_numbers[symbol])
