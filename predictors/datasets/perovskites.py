"""What do Castelli's calculations say of 18,928 cubic perovskites of five atoms, and what may be learned from them?

Two forms of one data set: the structures of perov_5 with the labels of its val and test rows, and the CSV files
that the CDVAE repository publishes (`perov_5/{train,val,test}.csv`, a CIF in each row).

The heats are in **eV per atom**, although matbench documents its copy as eV per cell of five atoms. Shown by:

- 77 oxides that occur in both orders of A and B: the references cancel in the difference of the two heats. Against
  CHGNet's difference in eV/atom it has a slope of 0.97 (correlation 0.98); per cell the slope would be 4.8.
- every `heat_all` is a multiple of 0.02 eV: 0.1 eV per cell, over five atoms.
- 92% of the 7,572 `heat_all` agree with a row of matbench_perovskites of the same formula within 0.01.

`heat_all` and `heat_ref` count from two sets of reference phases, which the curated files do not name: their difference
depends on the composition alone (1,473 formulas occur in both orders; the two differences agree within 0.019, the rounding of
`heat_all`). It is 0.09 on average, and -0.65 (RbTaO3) to 1.41 eV/atom (nitrides of Sr) at the ends. Neither is a formation
energy from the elements: LaAlO3 has -0.10, and -3.72 eV/atom in the Materials Project (correlation over 156 compounds 0.40).
Gaps are GLLB-SC with the derivative discontinuity, a method of their own; 0 is a metal.

Data: Castelli et al., Energy Environ. Sci. 5, 5814 and 9034 (2012), doi:10.1039/c2ee22341d;
curated by Xie et al., arXiv:2110.06197 (CDVAE, MIT).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...core.errors import InputError, SettingsError, nearest
from ..cell import Cell
from .records import LabelledCrystal
from .splits import SHARES, share_of, split_of
from .tables import cell_of, data_path, labels_of, number, read_json_lines, read_rows, text

HEATS = "castelli-rpbe"
GAPS = "castelli-gllbsc"
LABELS = {
    "heat_all": ("heat_of_formation_castelli", "eV/atom", HEATS),
    "heat_ref": ("heat_of_formation_castelli_ref", "eV/atom", HEATS),
    "dir_gap": ("direct_gap", "eV", GAPS),
    "ind_gap": ("band_gap", "eV", GAPS),
}
"""Columns to name, units and fidelity."""
STRUCTURES = "perovskites/perov5_structures.jsonl.gz"
PROTOCOLS = ("val-by-formula", "val-random", "all-by-formula")
TEST_SHARE = 0.2
VALIDATION_SHARE = 0.1


def perov5(data: Path | None = None) -> Iterator[LabelledCrystal]:
    """All structures; labels where there are any, `split` that of CDVAE (in which formulas straddle).

    Args:
        data: The data folder; `HYSTERON_DATA_DIR` if none is given.

    Raises:
        MissingDataError: the folder lacks the file.
        InputError: a line that cannot be read.
    """
    for where, record in read_json_lines(data_path(STRUCTURES, data)):
        species = record.get("species")
        cell = cell_of(record.get("lattice"), species, record.get("frac_coords"), where)
        yield _labelled(record, text(record, "split", where), cell, list(map(str, species or ())), where)


def cdvae_table(path: Path, split: str = "") -> Iterator[LabelledCrystal]:
    """One of the CSV files of the CDVAE repository.

    Args:
        path: `train.csv`, `val.csv` or `test.csv`, gzipped or not.
        split: What to call the rows; the name of the file if none is given.

    Raises:
        InputError: the file lacks a column, or a row has no readable CIF.
    """
    for where, row in read_rows(path, ("material_id", "cif", *LABELS)):
        structure = _structure(text(row, "cif", where), where)
        species = [site.specie.symbol for site in structure]
        yield _labelled(row, split or path.name.split(".")[0], Cell.from_structure(structure), species, where)


def perov5_split(
    crystals: Iterable[LabelledCrystal], protocol: str, seed: int = 0
) -> dict[str, list[LabelledCrystal]]:
    """Labelled crystals under `train`, `val` and `test`; both orders of A and B are one formula.

    `val-by-formula`: the 3,787 rows of CDVAE's val.csv, 758 of them for test by formula. `val-random`: the same rows,
    758 for test by row, so that formulas straddle. `all-by-formula`: all 7,572, 80/10/10 by formula. In the first two a tenth of
    the 3,029 others, by formula, is `val`; train on both together to compare with figures for 3,029.

    Args:
        crystals: Of `perov5` or of `cdvae_table`.
        protocol: One of `PROTOCOLS`.
        seed: Another seed, another split.

    Raises:
        SettingsError: no such protocol.
    """
    if protocol not in PROTOCOLS:
        raise SettingsError(f"There is no protocol {protocol!r}. {nearest(protocol, PROTOCOLS)}")
    rows = [crystal for crystal in crystals if crystal.labels]
    if protocol == "all-by-formula":
        places = {row.key: split_of(row.group, seed, SHARES) for row in rows}
    else:
        rows = [row for row in rows if row.split == "val"]
        tested = _tested(rows, seed, "group" if protocol == "val-by-formula" else "key")
        places = {
            row.key: "test"
            if row.key in tested
            else split_of(row.group, seed + 1, (1 - VALIDATION_SHARE, VALIDATION_SHARE))
            for row in rows
        }
    found: dict[str, list[LabelledCrystal]] = {"train": [], "val": [], "test": []}
    for row in rows:
        found[places[row.key]].append(replace(row, split=places[row.key]))
    return found


def _tested(rows: list[LabelledCrystal], seed: int, by: str) -> set[str]:
    """Keys of a fifth of the rows: whole groups in the order of their hashes, as long as they fit."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(getattr(row, by), []).append(row.key)
    left = len(rows) - int(len(rows) * (1 - TEST_SHARE))
    tested: set[str] = set()
    for name in sorted(groups, key=lambda name: share_of(name, seed)):
        if len(tested) + len(groups[name]) <= left:
            tested.update(groups[name])
    return tested


def _labelled(row: Any, split: str, cell: Cell, species: list[str], where: str) -> LabelledCrystal:
    """One row; its group is the reduced formula, which both orders of A and B share."""
    formula = reduced_formula(tuple(sorted(species)))
    if number(row, "heat_all", where) is None:
        labels = ()
    else:
        labels = labels_of(row, LABELS, where)
    return LabelledCrystal(
        key=_key(row, where), formula=formula, cell=cell, labels=labels, split=split, group=formula
    )


def _key(row: Any, where: str) -> str:
    """`perov5-123`; in CDVAE's files the id is the bare number."""
    name = row.get("material_id")
    if isinstance(name, str | int | float) and str(name).strip():
        return str(name) if str(name).startswith("perov5-") else f"perov5-{str(name).removesuffix('.0')}"
    raise InputError(f"{where}: material_id is {name!r}, expected a name or a number.")


@lru_cache(maxsize=100_000)
def reduced_formula(species: tuple[str, ...]) -> str:
    """As pymatgen writes it, whatever the order of the symbols."""
    from pymatgen.core import Composition

    counts: dict[str, int] = {}
    for symbol in species:
        counts[symbol] = counts.get(symbol, 0) + 1
    return Composition(counts).reduced_formula


def _structure(cif: str, where: str) -> Any:
    import warnings

    from pymatgen.core import Structure

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            structure = Structure.from_str(cif, fmt="cif")
    except Exception as error:
        raise InputError(f"{where} has no readable CIF: {type(error).__name__}: {error}.") from None
    if not structure.is_ordered or not len(structure):
        raise InputError(f"{where} has a crystal without atoms or with partially occupied sites.")
    return structure
