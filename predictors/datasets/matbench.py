"""What do matbench's tables say, as published (`matbench_*.json.gz`) and as compositions alone?

The JSON is pandas' split form, `{"index": [...], "columns": ["structure", "e_form"], "data": [[{...}, 1.2], ...]}`, with
pymatgen's crystals inside. It is read row by row, so that 132,752 crystals need no gigabytes; a crystal whose properties
name a Python class is refused, and nothing is decoded by `MontyDecoder`.

The perovskite heats are in eV/atom though documented as eV per cell: see `perovskites`.
Data: Dunn et al., npj Comput. Mater. 6, 138 (2020), doi:10.1038/s41524-020-00406-3 (MIT).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import InputError, SettingsError, nearest
from ...core.foreign import structure_from_dict
from ..cell import Cell
from .json_rows import json_rows
from .perovskites import HEATS
from .perovskites import LABELS as CASTELLI
from .records import LabelledCrystal
from .splits import split_of
from .tables import columns_of, data_path, labels_of, read_rows, text


@dataclass(frozen=True)
class Task:
    """One table of matbench.

    Attributes:
        column: Its target.
        name, units, fidelity: What the label is called here.
    """

    column: str
    name: str
    units: str
    fidelity: str


TASKS = {
    "matbench_perovskites": Task("e_form", CASTELLI["heat_all"][0], "eV/atom", HEATS),
    "matbench_mp_e_form": Task("e_form", "formation_energy_per_atom", "eV/atom", "matbench-mp2019"),
    "matbench_mp_gap": Task("gap pbe", "band_gap", "eV", "matbench-mp2019"),
    "matbench_dielectric": Task("n", "refractive_index", "1", "matbench-mp2019"),
    "matbench_log_kvrh": Task("log10(K_VRH)", "log10_bulk_modulus_gpa", "1", "matbench-mp2019"),
    "matbench_expt_gap": Task("gap expt", "band_gap", "eV", "experiment"),
}
"""Tables by name. The index n is the root of the electronic permittivity, outliers up to 62 included."""


def matbench_compositions(task: str, data: Path | None = None, seed: int = 0) -> Iterator[LabelledCrystal]:
    """A table of compositions and targets, without crystals; `split` is by formula.

    Args:
        task: One of `TASKS`.
        data: The data folder; `HYSTERON_DATA_DIR` if none is given.
        seed: Of the split.

    Raises:
        SettingsError: no such table.
        MissingDataError: the folder lacks it.
        InputError: a row that cannot be read.
    """
    wanted = _task(task)
    path = data_path(f"composition_tables/{task}.csv.gz", data)
    labels = {wanted.column: (wanted.name, wanted.units, wanted.fidelity)}
    for where, row in read_rows(path, ("mbid", "composition", wanted.column)):
        formula = _reduced(text(row, "composition", where), where)
        yield LabelledCrystal(
            key=text(row, "mbid", where),
            formula=formula,
            cell=None,
            labels=labels_of(row, labels, where),
            split=split_of(formula, seed),
            group=formula,
            columns=columns_of(row, {"spg_num": "spacegroup_number"}, where),
        )


def matbench_json(path: Path, task: str = "", seed: int = 0) -> Iterator[LabelledCrystal]:
    """A table as published, with crystals; `split` is by formula, not matbench's folds.

    Args:
        path: `matbench_perovskites.json.gz`, gzipped or not.
        task: One of `TASKS`; the name of the file if none is given.
        seed: Of the split.

    Raises:
        SettingsError: no such table.
        InputError: the file is cut off, is not in the split form, or a row cannot be read.
    """
    task = task or path.name.split(".")[0]
    wanted = _task(task)
    for count, (where, row) in enumerate(json_rows(path, ("structure", wanted.column)), start=1):
        structure = structure_from_dict(row["structure"])
        if not structure.is_ordered or not len(structure):
            raise InputError(f"{where} has a crystal without atoms or with partially occupied sites.")
        formula = structure.composition.reduced_formula
        yield LabelledCrystal(
            key=f"{task}:{count}",
            formula=formula,
            cell=Cell.from_structure(structure),
            labels=labels_of(row, {wanted.column: (wanted.name, wanted.units, wanted.fidelity)}, where),
            split=split_of(formula, seed),
            group=formula,
        )


def _task(name: str) -> Task:
    if name not in TASKS:
        raise SettingsError(f"There is no matbench table {name!r}. {nearest(name, TASKS)}")
    return TASKS[name]


def _reduced(composition: str, where: str) -> str:
    from pymatgen.core import Composition

    try:
        return Composition(composition).reduced_formula
    except (ValueError, KeyError) as error:
        raise InputError(f"{where}: {composition!r} is no composition: {error}.") from None
