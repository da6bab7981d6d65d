"""Which frames do OC20's relaxation trajectories hold?

A folder of `random1234.extxyz.xz`, one file a relaxation, and one `system.txt` with lines `random1234,-305.6`: what
the adsorption energies of that system are counted from, eV.
"""

from __future__ import annotations

from pathlib import Path

from ....core.errors import InputError
from ..extxyz import ExtxyzFrames
from ..text_lines import text_lines
from .s2ef import extxyz_files, reference_number, stem

REFERENCES = "system.txt"


class TrajectoryFrames(ExtxyzFrames):
    """Frames of relaxations, one file each, each from its first to its last.

    Args:
        folder: Of the files; `system.txt` lies in it or beside it.
        fidelity: Of the energies.

    Raises:
        NotFoundError: there is no such folder, or no file in it.
        InputError: `system.txt` is missing or cannot be read.
    """

    def __init__(self, folder: Path, fidelity: str) -> None:
        super().__init__(extxyz_files(folder), fidelity)
        self.references = read_references(_references_of(folder))

    def key(self, shard: int, entry: int) -> str:
        """System and number in the relaxation."""
        return f"{stem(self.paths[shard])},frame{entry}"

    def reference_energy(self, shard: int, entry: int) -> float | None:
        """Of the system, eV.

        Raises:
            InputError: `system.txt` does not name it.
        """
        system = stem(self.paths[shard])
        if system not in self.references:
            raise InputError(f"{REFERENCES} has no reference energy of {system}.")
        return self.references[system]


def read_references(path: Path) -> dict[str, float]:
    """Reference energy of each system, eV.

    Raises:
        InputError: a line cannot be read, or names a system for the second time with another energy.
    """
    found: dict[str, float] = {}
    for count, line in enumerate(text_lines(path), 1):
        if not line.strip():
            continue
        system, comma, text = (part.strip() for part in line.partition(","))
        where = f"{path}, line {count}"
        if not comma or not system:
            raise InputError(f"{where}: it says {line[:60]!r}, expected 'random1234,-305.6'.")
        energy = reference_number(text, where)
        if found.setdefault(system, energy) != energy:
            raise InputError(f"{where}: {system} has {energy} eV here and {found[system]} eV above.")
    return found


def _references_of(folder: Path) -> Path:
    for place in (folder, folder.parent):
        if (path := place / REFERENCES).is_file():
            return path
    raise InputError(f"{folder} lacks {REFERENCES}, which holds the reference energies of its systems.")
