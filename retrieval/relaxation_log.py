"""Which relaxations are finished already?

An append-only file of JSON lines: a line is written and handed to the system as soon as a relaxation is known,
so that a build that was killed goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.contracts import Relaxation
from ..core.lines import append_lines, read_lines

if TYPE_CHECKING:
    from pymatgen.core import Structure

DECIMALS = 5
"""Of lengths in A and of fractional coordinates; 1e-5 is a thousandth of the tolerance for symmetry."""


class RelaxationLog:
    """The relaxations of one potential and relaxer.

    Args:
        path: The file; made if there is none.
        method: Names potential, weights and relaxer; lines of another method are passed over.
    """

    def __init__(self, path: Path, method: str) -> None:
        self.path = path
        self.method = method
        self.finished = dict(read_relaxations(path, method))
        path.parent.mkdir(parents=True, exist_ok=True)

    def append(self, material_id: str, relaxation: Relaxation) -> Relaxation:
        """Write one relaxation down, failed ones too; returns it as it will be read again."""
        line = {"id": material_id, "method": self.method} | to_fields(relaxation)
        append_lines(self.path, [line])
        return self.finished.setdefault(material_id, from_fields(line))


def read_relaxations(path: Path, method: str | None = None) -> Iterator[tuple[str, Relaxation]]:
    """(material_id, relaxation) of every whole line; of one method if it is given.

    The hull's build writes such lines too, without a method; those it kept from an earlier table have no
    geometry and are passed over.
    """
    for fields in read_lines(path):
        if not fields.get("kept") and (method is None or fields.get("method") == method):
            yield fields["id"], from_fields(fields)


def to_fields(relaxation: Relaxation) -> dict[str, Any]:
    """A relaxation as JSON, rounded to `DECIMALS`."""
    fields: dict[str, Any] = {
        "energy_per_atom": relaxation.energy_per_atom,
        "max_force": relaxation.max_force,
        "steps": relaxation.steps,
        "converged": relaxation.converged,
        "failure": relaxation.failure,
    }
    if relaxation.structure is not None:
        fields |= geometry_fields(relaxation.structure)
    return fields


def geometry_fields(structure: Structure) -> dict[str, Any]:
    """Lattice, species and fractional coordinates as JSON, rounded to `DECIMALS`."""
    return {
        "lattice": structure.lattice.matrix.round(DECIMALS).tolist(),
        "species": [site.specie.symbol for site in structure],
        "frac_coords": structure.frac_coords.round(DECIMALS).tolist(),
    }


def from_fields(fields: dict[str, Any]) -> Relaxation:
    """The inverse of `to_fields`."""
    from pymatgen.core import Lattice, Structure

    structure = None
    if fields.get("lattice"):
        structure = Structure(Lattice(fields["lattice"]), fields["species"], fields["frac_coords"])
    return Relaxation(
        structure,
        fields["energy_per_atom"],
        fields["max_force"],
        fields["steps"],
        fields["converged"],
        fields["failure"],
    )
