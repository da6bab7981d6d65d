"""What does the result.json of an exported GPAW script say of its run?

The script writes it, because GPAW's own text holds neither a dipole nor all digits. It is read as JSON, each key with
its shape; a key that is missing is told by name. Functional, U and charge are those of the settings that GPAW was given,
so that a script that was edited tells what it really ran.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson

from ..core.errors import InputError
from .berry_phase_image import BerryPhaseImage
from .finished_run import CELL, NOTHING, POSITIONS, FinishedRun, Geometry, require_finite
from .gpaw_settings import GivenSettings, given_settings
from .outside_files import OutsideFile, read_output

NAME = "result.json"
LARGEST_RESULT_BYTES = 20_000_000
MOST_SITES = 10_000
MOVED = {
    "relaxation": CELL,
    "static": NOTHING,
    "berry_phase": NOTHING,
    "pristine": POSITIONS,
    "vacancy": POSITIONS,
}
"""What each kind of script moves."""
FORMAT, NEWEST_VERSION = "hysteron-gpaw", 1


def read_run(root: Path, folder: str) -> FinishedRun:
    """Read the result of one folder.

    Raises:
        NotFoundError: there is none.
        InputError: the run did not converge, or the file is damaged, too large or no such result.
    """
    return _run(_result(root, folder))


def read_image(root: Path, folder: str) -> BerryPhaseImage:
    """Read the result of one image of a polarization path.

    Raises:
        NotFoundError: there is none.
        InputError: as in `read_run`, or it gives no polarization.
    """
    result = _result(root, folder)
    run = _run(result)
    if result.kind() != "berry_phase":
        raise InputError(f"{run.files[0].name} is no Berry-phase run: its kind is {result.kind()!r}.")
    if run.band_gap == 0:
        raise InputError(
            f"{run.files[0].name} is of a metal, in which a Berry phase means nothing. Look for a functional that opens the gap."
        )
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


def _result(root: Path, folder: str) -> _Result:
    return _Result(read_output(root, f"{folder}/{NAME}", LARGEST_RESULT_BYTES))


def _run(result: _Result) -> FinishedRun:
    result.require_converged()
    species = result.species()
    given = result.settings()
    return require_finite(
        FinishedRun(
            code="GPAW",
            version=result.text("version"),
            functional=given.functional,
            moved=MOVED[result.kind()],
            species=species,
            first=result.geometry(len(species), "first_"),
            last=result.geometry(len(species)),
            energy=result.number("energy"),
            forces=result.array("forces", (len(species), 3)),
            stress=result.array("stress", (3, 3)),
            charge=given.charge,
            band_gap=result.number("band_gap"),
            hubbard=given.hubbard,
            settings=given.told(),
            when=result.text("when"),
            files=(result.file.record,),
        )
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
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise InputError(
                f"{file.name} is no result of an exported GPAW script: its format is not {FORMAT!r}."
            )
        if record.get("format_version") != NEWEST_VERSION:
            raise InputError(
                f"{file.name} is of a newer format than this program reads ({NEWEST_VERSION}). Update it."
            )
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

    def geometry(self, nsites: int, prefix: str = "") -> Geometry:
        """As the run ended; with the prefix `first_` as it began."""
        names = (f"{prefix}lattice", f"{prefix}positions")
        lattice, positions = self.array(names[0], (3, 3)), self.array(names[1], (nsites, 3))
        if lattice is None or positions is None:
            raise InputError(f"{self.file.name} lacks {' or '.join(names)}: it is damaged.")
        return Geometry(lattice, positions)

    def settings(self) -> GivenSettings:
        """What GPAW was given."""
        given = self._wanted("settings")
        if not isinstance(given, dict):
            raise InputError(f"settings of {self.file.name} is no table.")
        try:
            return given_settings(given)
        except (KeyError, TypeError, ValueError, IndexError):
            raise InputError(
                f"settings of {self.file.name} are not as the exported script gives them to GPAW (mode, xc, kpts, setups): "
                "it is damaged, or the script was rewritten."
            ) from None

    def dipole(self) -> np.ndarray:
        dipole = self.array("dipole", (3,))
        if dipole is None or not np.isfinite(dipole).all():
            raise InputError(
                f"{self.file.name} gives no dipole: it is no Berry-phase run, or did not finish."
            )
        return dipole

    def require_converged(self) -> None:
        """GPAW stops with an error where the density does not converge, so that what is told is the relaxation."""
        if self._wanted("converged") is not True:
            raise InputError(
                f"{self.file.name} did not converge ionically: the forces did not fall below the threshold. Allow it more "
                "steps and run it again."
            )

    def _wanted(self, name: str) -> Any:
        if not self.has(name):
            raise InputError(f"{self.file.name} lacks {name}: it is damaged, or another script wrote it.")
        return self.record[name]
