"""Which frames does an ASE trajectory (.traj) hold?"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from ...core.errors import InputError, NotFoundError
from .extxyz import frame_of_atoms
from .frames import IndexedFrames
from .records import Frame


class AseTrajFrames(IndexedFrames):
    """Frames of one ASE trajectory, by number.

    Args:
        path: Of the file.
        fidelity: Of the energies.

    Raises:
        NotFoundError: there is no such file.
    """

    def __init__(self, path: Path, fidelity: str) -> None:
        self.path, self.fidelity = path, fidelity
        if not path.is_file():
            raise NotFoundError(f"There is no file {path}.")

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "fidelity": self.fidelity}

    def __len__(self) -> int:
        return len(self._trajectory)

    def __getitem__(self, index: int) -> Frame:
        if not 0 <= index < len(self):
            raise IndexError(index)
        try:
            return frame_of_atoms(self._atoms(index), f"{self.path.name}#{index}", self.fidelity)
        except InputError as error:
            raise InputError(f"{self.path}, frame {index}: {error}") from None

    def _atoms(self, index: int) -> Any:
        try:
            return self._trajectory[index]
        except Exception as error:
            raise InputError(f"it cannot be read ({type(error).__name__}: {str(error)[:160]}).") from None

    @cached_property
    def _trajectory(self) -> Any:
        from ase.io.trajectory import TrajectoryReader

        try:
            return TrajectoryReader(str(self.path))
        except Exception as error:
            reason = f"{type(error).__name__}: {str(error)[:160]}"
            raise InputError(f"{self.path} is no ASE trajectory ({reason}).") from None
