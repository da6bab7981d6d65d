"""What stands in the bundled catalogue's file?

Gzipped JSON lines: first the header, then one row per crystal, sorted by id. Equal content gives equal bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.errors import MissingDataError

if TYPE_CHECKING:
    from pymatgen.core import Structure

FORMAT = 2
SOURCE = "Materials Project 2018-2022"


@dataclass(frozen=True)
class Header:
    """How all rows came about.

    Attributes:
        date: Of the build, ISO 8601.
        potential: Name with version: `CHGNet 0.3.0`.
        energy_scale: Which energies these are: `MP2020-corrected`.
        weights: Hash of the potential's weights.
        relaxer: The relaxer's `version`.
        source: Where the crystals were published.
        format: Version of this file's layout.
    """

    date: str
    potential: str
    energy_scale: str
    weights: str
    relaxer: str
    source: str = SOURCE
    format: int = FORMAT


@dataclass(frozen=True)
class Row:
    """One relaxed crystal.

    Attributes:
        candidate_id: Name of the crystal as published, before relaxation.
        material_id: Materials Project id it started from.
        spacegroup_number: Of the relaxed crystal, symprec 0.01 A.
        lattice: Rows are lattice vectors, A, shape `(3, 3)`.
        species: Element symbols.
        frac_coords: Shape `(nsites, 3)`.
        energy_per_atom: eV/atom.
        max_force: eV/A.
        steps: Optimiser steps taken.
        converged: Whether the largest force fell below the relaxer's threshold.
        band_gap: Of the crystal as published, eV; `None` if not known.
        gap_method: `PBE` or `PBE+U`.
        same_as: Other Materials Project ids of the same crystal.
        structure_type: Of the relaxed crystal, if it is a well-known one (`prototypes`).
    """

    candidate_id: str
    material_id: str
    spacegroup_number: int
    lattice: list[list[float]]
    species: list[str]
    frac_coords: list[list[float]]
    energy_per_atom: float
    max_force: float | None
    steps: int
    converged: bool
    band_gap: float | None
    gap_method: str
    same_as: tuple[str, ...] = ()
    structure_type: str | None = None

    def structure(self) -> Structure:
        """The relaxed crystal."""
        from pymatgen.core import Lattice, Structure

        return Structure(Lattice(self.lattice), self.species, self.frac_coords)


@dataclass(frozen=True)
class CatalogFile:
    """The file's content, and a digest that changes whenever the content does."""

    header: Header
    rows: tuple[Row, ...]
    digest: str


def write_catalog(path: Path, header: Header, rows: Sequence[Row]) -> None:
    """Write the file whole or not at all."""
    import orjson

    lines = [asdict(header), *(asdict(row) for row in sorted(rows, key=lambda row: row.candidate_id))]
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0, compresslevel=9) as out:
        out.write(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(packed.getvalue())
    os.replace(beside, path)


def read_catalog(path: Path | Traversable) -> CatalogFile:
    """Read the file.

    Raises:
        MissingDataError: it is damaged, or of another layout.
    """
    import orjson

    try:
        content = gzip.decompress(path.read_bytes())
        first, *lines = content.splitlines()
        fields = orjson.loads(first)
        if fields.get("format") != FORMAT:
            raise MissingDataError(
                f"The catalogue {path} has layout {fields.get('format')!r}; this program reads {FORMAT}. "
                "'hysteron data build catalog' makes a new one."
            )
        header = Header(**fields)
        rows = tuple(_row(orjson.loads(line)) for line in lines)
    except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, AttributeError) as error:
        raise MissingDataError(
            f"The catalogue {path} cannot be read ({error}). 'hysteron data build catalog' makes a new one."
        ) from None
    return CatalogFile(header, rows, hashlib.sha256(content).hexdigest()[:8])


def _row(fields: dict[str, Any]) -> Row:
    fields["same_as"] = tuple(fields["same_as"])
    return Row(**fields)
