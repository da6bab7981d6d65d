"""Disks that fill up and places that vanish under a run, for `faults.py`.

A full disk is a real one: a file system in memory, small, that root mounts and this module fills to the last byte. A share that
vanishes is imitated: its folder is moved away and something that is no folder stands there, so that whoever has it open keeps it
and whoever looks for it gets an error. (A share whose server hangs makes its readers wait, and no error; that is not imitated.)
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from ..core.errors import StageError

SIZE = "16m"
BLOCK = 4096


class SmallDisk:
    """A file system in memory at a folder of its own.

    Args:
        place: That is not there yet.

    Raises:
        StageError: it cannot be mounted.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir(parents=True)
        _call("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place))
        self._filler = place / "filler"

    def fill(self) -> None:
        """Until not a byte is left."""
        with suppress(OSError), self._filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(BLOCK))

    def make_room(self) -> None:
        self._filler.unlink()

    def end(self) -> None:
        """Take it away, whoever still uses it."""
        _call("umount", "-l", str(self.place))


class Share:
    """A folder that can vanish and come back.

    Args:
        place: That is not there yet.
    """

    def __init__(self, place: Path) -> None:
        self.place, self._away = place, place.with_name(f"{place.name}-away")
        place.mkdir(parents=True)

    def vanish(self) -> None:
        self.place.rename(self._away)
        self.place.write_text("not mounted")

    def come_back(self) -> None:
        self.place.unlink()
        self._away.rename(self.place)


def can_mount() -> bool:
    """Whether this process may mount file systems."""
    return os.geteuid() == 0 and _capable()


def _capable() -> bool:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        try:
            SmallDisk(Path(name) / "disk").end()
        except (StageError, OSError):
            return False
    return True


def _call(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise StageError(f"{command[0]} failed: {done.stderr.strip()}")
