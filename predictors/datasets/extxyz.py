"""Which frames does an extended-XYZ file hold?

The file is cut into frames line by line, so that it may be compressed and of any length; each frame is then parsed by
ASE, with the format named. (ASE's own walk goes through the whole file first and seeks back for each frame, which a
compressed file would answer by starting over.)
"""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.errors import InputError, NotFoundError
from .checked import MAX_ATOMS, checked_frame, number
from .frames import StreamedFrames
from .records import Frame
from .text_lines import text_lines

if TYPE_CHECKING:
    from ase import Atoms


class ExtxyzFrames(StreamedFrames):
    """Extended-XYZ files, compressed (.xz) or not.

    Args:
        paths: Files, in the order they are read.
        fidelity: Of their energies.
    """

    def __init__(self, paths: list[Path], fidelity: str) -> None:
        self.paths, self.fidelity = paths, fidelity
        self._counts: dict[int, int] = {}

    @property
    def shards(self) -> int:
        """How many files there are."""
        return len(self.paths)

    def frames_in(self, shard: int) -> int:
        """How many frames a file holds, before damage if there is any."""
        if shard not in self._counts:
            self._counts[shard] = sum(not isinstance(text, InputError) for text in self._texts(shard))
        return self._counts[shard]

    def read_shard(self, shard: int, start: int = 0) -> Iterator[tuple[int, Frame | InputError]]:
        """See `StreamedFrames.read_shard`."""
        count = 0
        for entry, text in enumerate(self._texts(shard)):
            count += not isinstance(text, InputError)
            if entry >= start:
                yield entry, text if isinstance(text, InputError) else self._frame(shard, entry, text)
        self._counts[shard] = count

    def key(self, shard: int, entry: int) -> str:
        """What a frame is called."""
        return f"{self.paths[shard].name}#{entry}"

    def reference_energy(self, shard: int, entry: int) -> float | None:
        """What its energy is counted from, eV, where that is told beside the file."""
        return None

    def _texts(self, shard: int) -> Iterator[list[str] | InputError]:
        return frame_texts(self.paths[shard])

    def _frame(self, shard: int, entry: int, text: list[str]) -> Frame | InputError:
        try:
            reference = self.reference_energy(shard, entry)
            return frame_of(text, self.key(shard, entry), self.fidelity, reference)
        except InputError as error:
            return InputError(f"{self.paths[shard]}, frame {entry}: {error}")


class ExtxyzFile(ExtxyzFrames):
    """Frames of one file of extended XYZ.

    Raises:
        NotFoundError: there is no such file.
    """

    def __init__(self, path: Path, fidelity: str) -> None:
        if not path.is_file():
            raise NotFoundError(f"There is no file {path}.")
        super().__init__([path], fidelity)


def frame_texts(path: Path) -> Iterator[list[str] | InputError]:
    """The lines of each frame; in the place of the first that cannot be told apart, the reason, and no more."""
    lines = text_lines(path)
    try:
        for count, head in enumerate(lines):
            if not head.strip():
                if any(line.strip() for line in lines):
                    raise InputError(f"{path} goes on after an empty line; extended XYZ does not.")
                return
            yield _one_text(head, lines, count, path)
    except InputError as error:
        yield error


def frame_of(text: list[str], key: str, fidelity: str, reference_energy: float | None = None) -> Frame:
    """A frame of its lines.

    Raises:
        InputError: ASE cannot parse them, or the numbers do not fit together.
    """
    from ase.io.extxyz import read_xyz

    try:
        atoms = next(iter(read_xyz(StringIO("\n".join(text) + "\n"), index=0)))
    except Exception as error:
        raise InputError(f"It is no extended XYZ: {type(error).__name__}: {str(error)[:160]}.") from None
    return frame_of_atoms(atoms, key, fidelity, reference_energy)


def frame_of_atoms(atoms: Atoms, key: str, fidelity: str, reference_energy: float | None = None) -> Frame:
    """A frame of ASE's atoms, with the results that were stored with them.

    Raises:
        InputError: the numbers do not fit together.
    """
    results: dict[str, Any] = dict(atoms.calc.results) if atoms.calc is not None else {}
    free_energy = number(results.get("free_energy"), "free energy")
    return checked_frame(
        key,
        fidelity,
        atoms.numbers,
        atoms.positions,
        np.asarray(atoms.cell),
        periodic=atoms.pbc,
        energy=results.get("energy"),
        reference_energy=reference_energy,
        forces=results.get("forces"),
        stress=results.get("stress"),
        tags=atoms.get_tags() if atoms.has("tags") else None,
        fixed=_fixed(atoms),
        info={} if free_energy is None else {"free_energy": free_energy},
    )


def _one_text(head: str, lines: Iterator[str], entry: int, path: Path) -> list[str]:
    try:
        count = int(head)
    except ValueError:
        raise InputError(
            f"{path}, frame {entry}: it begins with {head[:40]!r}, not a number of atoms."
        ) from None
    if not 0 < count <= MAX_ATOMS:
        raise InputError(f"{path}, frame {entry}: it has {count} atoms; 1 to {MAX_ATOMS} are read.")
    text = [head, *islice(lines, count + 1)]
    if len(text) < count + 2:
        raise InputError(f"{path}, frame {entry}: the file ends after {len(text)} of its {count + 2} lines.")
    return text


def _fixed(atoms: Atoms) -> np.ndarray | None:
    """Atoms held in place altogether; `None` without any constraint."""
    from ase.constraints import FixAtoms

    if not atoms.constraints:
        return None
    fixed = np.zeros(len(atoms), dtype=bool)
    for constraint in atoms.constraints:
        if isinstance(constraint, FixAtoms):
            fixed[constraint.get_indices()] = True
    return fixed
