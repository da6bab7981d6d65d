"""Which crystals of the Materials Project stand in the data folder?

`HYSTERON_DATA_DIR/crystals` holds gzipped JSON lines, one material per line, and a table of labels.
Data: Materials Project, CC BY 4.0; Jain et al., APL Mater. 1, 011002 (2013), doi:10.1063/1.4812323.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import MissingDataError

if TYPE_CHECKING:
    from pymatgen.core import Structure

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class CrystalRecord:
    """One material as published.

    Attributes:
        material_id: Materials Project id.
        reduced_formula: pymatgen's; sodium nitride is the text `NaN`.
        lattice: `(a, b, c, alpha, beta, gamma)` in A and degrees, or a 3x3 matrix in A.
        species: Element symbols.
        frac_coords: One triple per site.
        labels: The other fields of the line: `e_above_hull`, `band_gap`, `split` ...
    """

    material_id: str
    reduced_formula: str
    lattice: list[Any]
    species: list[str]
    frac_coords: list[list[float]]
    labels: dict[str, Any]

    @property
    def nsites(self) -> int:
        """Number of atoms in the cell."""
        return len(self.species)

    def structure(self) -> Structure:
        """The crystal as a pymatgen `Structure`."""
        from pymatgen.core import Lattice, Structure

        matrix = isinstance(self.lattice[0], list)
        lattice = Lattice(self.lattice) if matrix else Lattice.from_parameters(*self.lattice)
        return Structure(lattice, self.species, self.frac_coords)


def crystals_folder(data_dir: Path | str | None = None) -> Path:
    """The folder of crystals under `data_dir`, or under `HYSTERON_DATA_DIR`.

    Raises:
        MissingDataError: no folder is named, or it holds no crystals.
    """
    named = data_dir or os.environ.get("HYSTERON_DATA_DIR")
    if not named:
        raise MissingDataError("Set HYSTERON_DATA_DIR to the data folder that holds 'crystals'.")
    folder = Path(named)
    folder = folder / "crystals" if (folder / "crystals").is_dir() else folder
    if not any(folder.glob("mp_structures_*.jsonl.gz")):
        raise MissingDataError(f"No crystals (mp_structures_*.jsonl.gz) in {folder}.")
    return folder


def read_crystals(folder: Path, splits: tuple[str, ...] = SPLITS) -> Iterator[CrystalRecord]:
    """All materials of the named splits, in the order of files and lines."""
    import orjson

    for split in splits:
        for path in sorted(folder.glob(f"mp_structures_{split}_*.jsonl.gz")):
            with gzip.open(path, "rb") as lines:
                for line in lines:
                    yield _record(orjson.loads(line))


def _record(fields: dict[str, Any]) -> CrystalRecord:
    return CrystalRecord(
        material_id=fields.pop("material_id"),
        reduced_formula=fields.pop("reduced_formula"),
        lattice=fields.pop("lattice"),
        species=fields.pop("species"),
        frac_coords=fields.pop("frac_coords"),
        labels=fields,
    )
