"""Whose energies does a work folder hold, and what need not be computed again?

A folder belongs to one potential with one set of weights, which a note in it names. An empty one is begun
with the rows of the table there is, if the same weights made it: relaxed rows stand as they are, the
others keep the energy of their published geometry and wait for their relaxation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...core.contracts import Potential
from ...core.crystals import CrystalRecord
from ...core.errors import InputError
from ...core.lines import append_lines
from .phase import HullCard, Phase
from .records import ELEMENTS, NEAR_HULL, RELAXED, REST, SINGLE_POINTS, VERTICES
from .table import DEFAULT_POTENTIAL, card_file, read_card, read_phases

NOTE = "potential.json"
TAKEN_UP = "taken_up.json"
RESULTS = (SINGLE_POINTS, RELAXED)
ASIDE = ".before"


@dataclass(frozen=True)
class Maker:
    """The potential of a table.

    Attributes:
        registered: The name it is asked for by, such as `sevennet-0`; it names the table's file.
        name: As `Potential.name`.
        energy_scale: As `Potential.energy_scale`.
        model_hash: As `Potential.model_hash`.
    """

    registered: str
    name: str
    energy_scale: str
    model_hash: str

    @classmethod
    def of(cls, potential: Potential, registered: str = DEFAULT_POTENTIAL) -> Maker:
        """What a table says of a potential."""
        return cls(registered, potential.name, potential.energy_scale, potential.model_hash)

    def made(self, card: HullCard) -> bool:
        """Whether a table's energies are of these very weights."""
        return card.potential == self.name and card.rest.get("model_hash") == self.model_hash


def maker_of(work_dir: Path) -> Maker:
    """Whose energies a folder holds; one without a note is of the time when CHGNet was the only one."""
    if (work_dir / NOTE).exists():
        return Maker(**json.loads((work_dir / NOTE).read_text(encoding="utf-8")))
    from ..chgnet.potential import CHGNetPotential

    return Maker.of(CHGNetPotential())


def claim(work_dir: Path, maker: Maker) -> None:
    """Write the note of a new folder, or see that the folder is this potential's.

    Raises:
        InputError: it holds energies of another potential, or of other weights.
    """
    if _begun(work_dir) and (before := maker_of(work_dir)) != maker:
        raise InputError(
            f"{work_dir} holds energies of {before.name} (weights {before.model_hash}), not of {maker.name} "
            f"(weights {maker.model_hash}). Name another --work, or begin with --anew."
        )
    _write(work_dir / NOTE, asdict(maker))


def set_aside(work_dir: Path) -> None:
    """Rename what a folder holds, its list of priorities apart, so that all is computed again.

    What was set aside before is replaced.
    """
    for name in (*RESULTS, NOTE, TAKEN_UP, ELEMENTS, VERTICES, NEAR_HULL, REST):
        path = work_dir / name
        if path.exists():
            path.replace(path.with_name(name + ASIDE))


def take_up(table: Path, phases: Sequence[CrystalRecord], work_dir: Path, maker: Maker) -> int:
    """Begin an empty folder with the rows of a table; rows that are no phase any more are left.

    Returns:
        The number of relaxed rows taken; 0 if the folder has been begun, there is no such table, or
        other weights made it.
    """
    if _begun(work_dir) or not (table.is_file() and card_file(table).is_file()):
        return 0
    card = read_card(table)
    if not maker.made(card):
        return 0
    sizes = {(phase.material_id, phase.reduced_formula): phase.nsites for phase in phases}
    rows = [row for row in read_phases(table) if (row.material_id, row.formula) in sizes]
    lines = [(row, _line(row, sizes[row.material_id, row.formula])) for row in rows]
    relaxed = [line | _KEPT for row, line in lines if row.relaxed]
    _write(work_dir / TAKEN_UP, {"name": card.name, "single_point_excess": card.single_point_excess})
    _write_whole(work_dir / RELAXED, relaxed)
    _write_whole(work_dir / SINGLE_POINTS, [line for row, line in lines if not row.relaxed])
    return len(relaxed)


def taken_up(work_dir: Path) -> dict[str, Any] | None:
    """Name and spread of single points of the table that a folder was begun with, if it was."""
    path = work_dir / TAKEN_UP
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


_KEPT = {"max_force": None, "steps": None, "converged": True, "failure": None, "kept": True}
"""A relaxation of an earlier table: its energy is known, its geometry is not."""


def _line(row: Phase, nsites: int) -> dict[str, Any]:
    return {
        "id": row.material_id,
        "formula": row.formula,
        "nsites": nsites,
        "energy_per_atom": row.energy_per_atom,
    }


def _begun(work_dir: Path) -> bool:
    return any((work_dir / name).exists() for name in RESULTS)


def _write(path: Path, fields: dict[str, Any]) -> None:
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)


def _write_whole(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """All lines or, after a kill, no file."""
    draft = path.with_suffix(".part")
    draft.unlink(missing_ok=True)
    append_lines(draft, lines)
    draft.replace(path)
