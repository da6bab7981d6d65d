"""Which structures were relaxed before? Finished results in a file, found again by what decided them.

A line per result: the digest of (geometry, species, relaxer, potential, weights) and what came out. A run
that was killed goes on with the lines it left; half a line is passed over.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.contracts import Potential, Relaxation
from ...core.errors import InputError, OutputError
from ...core.foreign import structure_from_dict
from ...core.lines import append_lines, line_at, placed_lines
from ..cell import Cell
from .geometry import plain_structure, with_geometry

if TYPE_CHECKING:
    from pymatgen.core import Structure

DIGEST = "digest"
_FIELDS = ("energy_per_atom", "max_force", "steps", "converged", "failure", "note")


class Checkpoint:
    """The finished relaxations of one file.

    Args:
        path: The file; made at the first result.
        potential: Name and weights enter the digest.
        version: Of the relaxer: all that decides the result.

    Raises:
        OutputError: the file cannot be used, or holds something else.
    """

    def __init__(self, path: Path, potential: Potential, version: str) -> None:
        self.path = path
        self._method = f"{version}|{potential.name}|{potential.model_hash}"
        self._begins = self._read_index()

    def find(self, structure: Structure) -> Relaxation | None:
        """The result of an equal structure by the same method, with this one's site properties."""
        begin = self._begins.get(self.digest(structure))
        if begin is None:
            return None
        try:
            return _relaxation(line_at(self.path, begin), structure)
        except (InputError, LookupError, TypeError, ValueError):
            return None  # a line somebody has edited: the structure is relaxed anew

    def add(self, structure: Structure, result: Relaxation) -> None:
        """Append a finished result."""
        line: dict[str, Any] = {DIGEST: self.digest(structure), "formula": structure.formula}
        line |= {name: getattr(result, name) for name in _FIELDS}
        if result.structure is None:
            line["structure"] = None
        else:
            line["structure"] = plain_structure(Cell.from_structure(result.structure)).as_dict()
        append_lines(self.path, [line])

    def digest(self, structure: Structure) -> str:
        """Thirty-two hex digits of all that decides the result; site properties do not."""
        species = ",".join(site.species_string for site in structure)
        total = hashlib.sha256(f"{self._method}|{species}|".encode())
        total.update(np.ascontiguousarray(structure.lattice.matrix, dtype="<f8").tobytes())
        total.update(np.ascontiguousarray(structure.frac_coords, dtype="<f8").tobytes())
        return total.hexdigest()[:32]

    def _read_index(self) -> dict[str, int]:
        """Where the line of each digest begins; the results themselves stay in the file."""
        begins: dict[str, int] = {}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for begin, line in placed_lines(self.path):
                begins[line[DIGEST]] = begin
            foreign = not begins and self.path.exists() and b"\n" in self.path.read_bytes()
        except (KeyError, TypeError):
            foreign = True
        except OSError as error:
            raise OutputError(f"The checkpoint {self.path} cannot be used: {error.strerror}.") from None
        if foreign:
            raise OutputError(f"{self.path} exists and is no checkpoint of relaxations; name another file.")
        return begins


def _relaxation(line: dict[str, Any], structure: Structure) -> Relaxation:
    moved = None
    if line["structure"] is not None:
        moved = with_geometry(structure, Cell.from_structure(structure_from_dict(line["structure"])))
    return Relaxation(moved, **{name: line[name] for name in _FIELDS})
