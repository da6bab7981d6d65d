"""What does the result.json of an exported GPAW script say of its run?

The script writes it because GPAW's own text prints energies with six decimals and a dipole not at all. It is read as
JSON, each key with its shape; a key that is missing is told by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson

from ..core.errors import InputError
from .berry_phase_image import BerryPhaseImage
from .finished_run import CELL, NOTHING, POSITIONS, FinishedRun, Geometry, require_finite
from .outside_files import OutsideFile, read_output

NAME = "result.json"
LARGEST_RESULT_BYTES = 20_000_000
MOST_SITES = 10_000
MOVED = {
    "relaxation": CELL,
    "static": NOTHING,
    "berry_phase": NOTHING,
    "pristine": NOTHING,
    "vacancy": POSITIONS,
}
"""What each kind of run moves."""


def read_run(root: Path, folder: str) -> FinishedRun:
    """Read the result of one folder.

    Raises:
        NotFoundError: there is none.
        InputError: the run did not converge, or the file is damaged, too large or no such result.
    """
    result = _Result(read_output(root, f"{folder}/{NAME}", LARGEST_RESULT_BYTES))
    result.require_converged()
    species = result.species()
    return require_finite(
        FinishedRun(
            code="GPAW",
            version=result.text("version"),
            functional=result.text("functional"),
            moved=MOVED[result.kind()],
            species=species,
            first=result.geometry(len(species), "initial_"),
            last=result.last_geometry(len(species)),
            energy=result.number("energy_eV"),
            charge=result.number("charge"),
            forces=result.array("forces_eV_per_A", (len(species), 3)),
            stress=result.array("stress_eV_per_A3", (3, 3)),
            band_gap=result.optional("band_gap_eV"),
            hubbard=None if "+U" in result.text("functional") else {},
            settings=result.settings(),
            when=result.text("when") if result.has("when") else "",
            files=(result.file,),
        )
    )


def read_image(root: Path, folder: str) -> BerryPhaseImage:
    """Read the result of one image of a polarization path.

    Raises:
        NotFoundError: there is none.
        InputError: as in `read_run`, or it gives no polarization.
    """
    run = read_run(root, folder)
    result = _Result(run.files[0])
    if result.kind() != "berry_phase":
        raise InputError(f"{run.files[0].name} is no Berry-phase run: its kind is {result.kind()!r}.")
    return BerryPhaseImage(
        lattice=run.last.lattice,
        positions=run.last.positions,
        species=run.species,
        dipole=result.dipole(),
        functional=run.functional,
        code=run.code,
        version=run.version,
        energy=run.energy,
        charge=run.charge,
        settings=run.settings,
        when=run.when,
        files=run.files,
    )


class _Result:
    """The keys of a result, each with its shape."""

    def __init__(self, file: OutsideFile) -> None:
        self.file = file
        try:
            record = orjson.loads(file.content)
        except ValueError as error:
            raise InputError(
                f"{file.name} is no JSON ({str(error)[:100]}): the run is unfinished, or the file is damaged."
            ) from None
        if not isinstance(record, dict) or record.get("code") != "GPAW":
            raise InputError(f"{file.name} is no result of an exported GPAW script: its code is not 'GPAW'.")
        self.record: dict[str, Any] = record

    def has(self, name: str) -> bool:
        return self.record.get(name) is not None

    def text(self, name: str) -> str:
        value = self._wanted(name)
        if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) < 200:
            raise InputError(f"{name} of {self.file.name} is no text.")
        return value

    def kind(self) -> str:
        kind = self.text("kind")
        if kind not in MOVED:
            raise InputError(
                f"{self.file.name} is a run of the unknown kind {kind!r}. Known: {', '.join(MOVED)}."
            )
        return kind

    def number(self, name: str) -> float:
        value = self._wanted(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{name} of {self.file.name} is {str(value)[:40]!r}, a number is wanted.")
        return float(value)

    def optional(self, name: str) -> float | None:
        return self.number(name) if self.has(name) else None

    def array(self, name: str, shape: tuple[int, ...]) -> np.ndarray | None:
        """`None` if it is null or not there."""
        if not self.has(name):
            return None
        try:
            values = np.array(self.record[name], dtype=float)
        except (TypeError, ValueError):
            raise InputError(f"{name} of {self.file.name} holds something that is no number.") from None
        if values.shape != shape:
            raise InputError(f"{name} of {self.file.name} has shape {values.shape}, wanted {shape}.")
        return values

    def species(self) -> tuple[str, ...]:
        symbols = self._wanted("species")
        if (
            not isinstance(symbols, list)
            or not 0 < len(symbols) <= MOST_SITES
            or not all(isinstance(s, str) for s in symbols)
        ):
            raise InputError(f"species of {self.file.name} is no list of symbols.")
        return tuple(symbols)

    def geometry(self, nsites: int, which: str = "") -> Geometry | None:
        lattice = self.array(f"{which}lattice", (3, 3))
        positions = self.array(f"{which}positions", (nsites, 3))
        return None if lattice is None or positions is None else Geometry(lattice, positions)

    def last_geometry(self, nsites: int) -> Geometry:
        found = self.geometry(nsites)
        if found is None:
            raise InputError(f"{self.file.name} lacks lattice or positions: it is damaged.")
        return found

    def dipole(self) -> np.ndarray:
        inner = self._wanted("polarization")
        try:
            dipole = np.array(inner["reduced_dipole"], dtype=float)
        except (KeyError, TypeError, ValueError):
            dipole = np.full(3, np.nan)
        if dipole.shape != (3,) or not np.isfinite(dipole).all():
            raise InputError(f"{self.file.name} gives no reduced_dipole of three numbers.")
        return dipole

    def settings(self) -> dict[str, Any]:
        """Cutoff and k-points, where the script wrote them."""
        found = self.record.get("settings")
        known = ("cutoff_ev", "kpoints", "pseudopotentials")
        return {name: found[name] for name in known if name in found} if isinstance(found, dict) else {}

    def require_converged(self) -> None:
        """`converged` is true, or true for both electrons and ions."""
        value = self._wanted("converged")
        said = value if isinstance(value, dict) else {"electronically": value}
        for what, reached in said.items():
            if reached is not True:
                raise InputError(
                    f"{self.file.name} did not converge ({what[:40]}). Allow it more steps and run it again."
                )

    def _wanted(self, name: str) -> Any:
        if not self.has(name):
            raise InputError(f"{self.file.name} lacks {name}: it is damaged, or another script wrote it.")
        return self.record[name]
