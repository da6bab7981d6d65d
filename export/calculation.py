"""Which calculations does an exported folder ask for, and of which crystal is each?

The manifest lists them, so that whoever reads results back knows what was asked and can tell a run of another crystal. A list
that is read back comes from outside: what has not its shape is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import InputError

if TYPE_CHECKING:
    from pymatgen.core import Structure

RELAXATION = "relaxation"
"""Of cell and positions."""
STATIC = "static"
"""Energy, forces, stress and band gap of the geometry as it stands."""
BERRY_PHASE = "berry_phase"
"""Polarization of one image of a path; `image` counts from the nonpolar end."""
PRISTINE = "pristine"
"""Energy of the supercell that the vacancies are made in."""
VACANCY = "vacancy"
"""Positions relaxed around a missing atom, in a cell that is held."""
KINDS = (RELAXATION, STATIC, BERRY_PHASE, PRISTINE, VACANCY)
MOST_SITES = 10_000


@dataclass(frozen=True)
class Calculation:
    """One run that is asked for.

    Attributes:
        kind: One of `KINDS`.
        folder: From the manifest's folder, with slashes: `BaTiO3-1f/static`.
        functional: As it is asked for: `PBE`, `PBE+U`.
        lattice: Rows are lattice vectors, A, shape `(3, 3)`.
        species: Symbols in the order of the input, shape `(nsites,)`.
        positions: Fractional, shape `(nsites, 3)`.
        charge: Of the cell, e.
        image: Of a path, from 0; `None` elsewhere.
        missing: Of a vacancy: the element that was taken out, and where (fractional) in the supercell.
        hubbard: U by element, eV; empty where none is set.
    """

    kind: str
    folder: str
    functional: str
    lattice: tuple[tuple[float, ...], ...]
    species: tuple[str, ...]
    positions: tuple[tuple[float, ...], ...]
    charge: int = 0
    image: int | None = None
    missing: dict[str, Any] | None = None
    hubbard: dict[str, float] | None = None

    @classmethod
    def of(cls, structure: Structure, kind: str, folder: str, functional: str, **more: Any) -> Calculation:
        """For a crystal, its sites in the order in which the input lists them."""
        return cls(
            kind,
            folder,
            functional,
            tuple(tuple(float(x) for x in row) for row in structure.lattice.matrix),
            tuple(site.specie.symbol for site in structure),
            tuple(tuple(float(x) for x in row) for row in structure.frac_coords),
            **more,
        )

    @property
    def structure(self) -> Structure:
        """The crystal that it is asked of."""
        from pymatgen.core import Structure

        return Structure(np.array(self.lattice), list(self.species), np.array(self.positions))


def calculation_from(record: Any) -> Calculation:
    """A calculation as a manifest holds it.

    Raises:
        InputError: it has not the shape of one, or its folder leaves the manifest's.
    """
    try:
        found = Calculation(
            kind=_one_of(record["kind"], KINDS),
            folder=_inside(record["folder"]),
            functional=_text(record["functional"]),
            lattice=_rows(record["lattice"], 3),
            species=tuple(_text(symbol) for symbol in record["species"]),
            positions=_rows(record["positions"], len(record["species"])),
            charge=int(record.get("charge", 0)),
            image=None if record.get("image") is None else int(record["image"]),
            missing=_mapping(record.get("missing")),
            hubbard=_mapping(record.get("hubbard")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"A calculation of the manifest cannot be read: {error!r}.") from None
    if abs(np.linalg.det(found.lattice)) < 1e-3:
        raise InputError(f"The cell of {found.folder} in the manifest has no volume.")
    return found


def _rows(value: Any, count: int) -> tuple[tuple[float, ...], ...]:
    array = np.array(value, dtype=float)
    if array.shape != (count, 3) or not np.isfinite(array).all() or count > MOST_SITES:
        raise ValueError(f"rows of shape {array.shape}, wanted ({count}, 3)")
    return tuple(tuple(row) for row in array.tolist())


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) < 200:
        raise ValueError("no text")
    return value


def _one_of(value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"{str(value)[:40]!r} is none of {', '.join(known)}")
    return value


def _inside(value: Any) -> str:
    """A path that stays below where it starts."""
    path = PurePosixPath(_text(value))
    if path.is_absolute() or ".." in path.parts or "\\" in value:
        raise ValueError(f"the folder {value!r} leaves the export")
    return str(path)


def _mapping(value: Any) -> dict[str, Any] | None:
    if value is not None and not isinstance(value, dict):
        raise TypeError("no mapping")
    return value
