"""Between which two crystals did DFT follow an ion, and how high was the barrier?

Literature DFT-NEB barriers of Li, Na, K, Mg, Ca, Zn, Al and Rb, functionals mixed. For the source's own test part both ends
are given. Of every path there is an overlay: the first end with the hopping ion once more at a quarter, half, three
quarters and all of its way, so that ends can be read from it whose host is that of the first; both are the host at rest
without the ion's response, and have to be relaxed.

Source: sai-mat-group/predicting-migration-barriers (MIT), see ../shared/data/README.md; MACE's barriers stand beside.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import MissingDataError, StructureError

if TYPE_CHECKING:
    from pymatgen.core import Structure

FOLDER = "ion_migration"
TABLE = "migration_barriers.csv.gz"
ENDS = "migration_endpoints_source_test.jsonl.gz"
OVERLAYS = "migration_path_overlays.jsonl.gz"
PLACES = 5
"""Of the hopping ion in an overlay; they come first among the atoms of their element."""
UNEVEN_ANGSTROM = 0.1
"""Steps between places of one ion that differ more are no straight way."""


@dataclass(frozen=True)
class HopPath:
    """One path of the table.

    Attributes:
        name: Of the path.
        group: Paths of one host.
        kind: Class of the host, as the source names it.
        functional: Of DFT.
        ion: Element that hops.
        initial: Before the hop, not relaxed by any potential.
        final: After it, same atoms in the same order, in the cell of `initial`.
        barrier: DFT, highest image minus `initial`, eV.
        mace_relaxed: The same by MACE with images relaxed, as tabulated, eV; `None` if it is not.
        mace_unrelaxed: By MACE on the straight path.
        strain: Largest difference between the cells of both ends as given, A.
    """

    name: str
    group: str
    kind: str
    functional: str
    ion: str
    initial: Structure
    final: Structure
    barrier: float
    mace_relaxed: float | None
    mace_unrelaxed: float | None
    strain: float = 0.0


def read_test_paths(folder: Path) -> list[HopPath]:
    """Paths of the source's test part under the data folder, in the order of the file.

    Raises:
        MissingDataError: the files are not there.
    """
    table = _table(folder)
    return [_from_ends(record, table[record["sys_name"]]) for record in _records(folder, ENDS)]


def read_other_paths(folder: Path) -> list[HopPath]:
    """Paths, from their overlays, of hosts that do not occur in the test part.

    Raises:
        MissingDataError: the files are not there.
    """
    table = _table(folder)
    held_out = {table[record["sys_name"]]["group"] for record in _records(folder, ENDS)}
    rows = ((record, table[record["sys_name"]]) for record in _records(folder, OVERLAYS))
    return [_from_overlay(record, row) for record, row in rows if row["group"] not in held_out]


def ends_of_overlay(overlay: Structure) -> tuple[Structure, Structure]:
    """First and last place of the ion that is there several times, in the host of the overlay.

    Raises:
        StructureError: the first atoms are not places of one ion on a straight way.
    """
    first = overlay[0].specie
    places = [i for i, site in enumerate(overlay) if site.specie == first][:PLACES]
    steps = [overlay[j].coords - overlay[i].coords for i, j in pairwise(places)]
    if len(places) < PLACES or np.ptp(np.array(steps), axis=0).max() > UNEVEN_ANGSTROM:
        raise StructureError(f"{overlay.formula} does not begin with {PLACES} places of one ion.")
    initial, final = overlay.copy(), overlay.copy()
    initial.remove_sites(places[1:])
    final.replace(places[0], overlay[places[-1]].specie, overlay[places[-1]].frac_coords)
    final.remove_sites(places[1:])
    return initial, final


def _from_ends(record: dict[str, Any], row: dict[str, str]) -> HopPath:
    initial, final = _structure(record["initial"]), _structure(record["final"])
    strain = float(np.abs(initial.lattice.matrix - final.lattice.matrix).max())
    final.lattice = initial.lattice
    return _path(initial, final, row, strain)


def _from_overlay(record: dict[str, Any], row: dict[str, str]) -> HopPath:
    return _path(*ends_of_overlay(_structure(record["overlay"])), row)


def _path(initial: Structure, final: Structure, row: dict[str, str], strain: float = 0.0) -> HopPath:
    moved = final.frac_coords - initial.frac_coords
    distances = np.linalg.norm((moved - np.round(moved)) @ initial.lattice.matrix, axis=1)
    return HopPath(
        name=row["sys_name"],
        group=row["group"],
        kind=row["class"],
        functional=row["xc_functional"],
        ion=initial[int(np.argmax(distances))].specie.symbol,
        initial=initial,
        final=final,
        barrier=float(row["migration_barrier_eV"]),
        mace_relaxed=_number(row["mace_relaxed_barrier_eV"]),
        mace_unrelaxed=_number(row["mace_unrelaxed_barrier_eV"]),
        strain=strain,
    )


def _number(text: str) -> float | None:
    return float(text) if text else None


def _table(folder: Path) -> dict[str, dict[str, str]]:
    with _open(folder, TABLE) as lines:
        return {row["sys_name"]: row for row in csv.DictReader(lines)}


def _records(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    with _open(folder, name) as lines:
        yield from map(json.loads, lines)


def _open(folder: Path, name: str):
    place = folder / FOLDER / name
    if not place.is_file():
        raise MissingDataError(f"{place.parent} lacks {name}. 'hysteron data fetch' gets it.")
    return gzip.open(place, "rt", encoding="utf-8", newline="")


def _structure(record: dict[str, Any]) -> Structure:
    from pymatgen.core import Lattice, Structure

    cartesian = record["coords_are_cartesian"]
    return Structure(
        Lattice(record["lattice"]), record["species"], record["coords"], coords_are_cartesian=cartesian
    )
