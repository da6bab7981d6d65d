"""Which frames does a download of OC20's S2EF task hold?

A folder of pairs `N.extxyz.xz` and `N.txt.xz` (or the same decompressed), up to 5,000 frames each. Line i of the text
belongs to frame i: `random1234,frame5,-305.6`, the last number the reference that an adsorption energy is counted
from, eV; the lines of test sets lack it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ....core.errors import InputError, NotFoundError
from ..checked import number
from ..extxyz import ExtxyzFrames
from ..records import Frame
from ..text_lines import text_lines

MAX_LINES = 10_000_000
"""Of one text file; published ones have 5,000."""

_ENDINGS = (".extxyz.xz", ".extxyz")


class FrameLine(NamedTuple):
    """What the text says of a frame: its system, its number in the relaxation, and the reference energy, eV."""

    system: str
    frame: str
    reference_energy: float | None


class S2efFrames(ExtxyzFrames):
    """The frames of a folder of pairs.

    Args:
        folder: Of the pairs.
        fidelity: Of the energies.

    Raises:
        NotFoundError: there is no such folder, or no pair in it.
        InputError: one of a pair is missing.
    """

    def __init__(self, folder: Path, fidelity: str) -> None:
        super().__init__(extxyz_files(folder), fidelity)
        self.texts = [_text_beside(path) for path in self.paths]
        self._lines: tuple[int, list[FrameLine]] = (-1, [])

    def frames_in(self, shard: int) -> int:
        """How many lines the text of a pair has."""
        if shard not in self._counts:
            self._counts[shard] = len(self.lines(shard))
        return self._counts[shard]

    def lines(self, shard: int) -> list[FrameLine]:
        """What the text of a pair says.

        Raises:
            InputError: a line cannot be read.
        """
        if self._lines[0] != shard:
            self._lines = (shard, frame_lines(self.texts[shard]))
        return self._lines[1]

    def read_shard(self, shard: int, start: int = 0) -> Iterator[tuple[int, Frame | InputError]]:
        """See `StreamedFrames.read_shard`; that both files of the pair are of one length is found at the end."""
        try:
            told = len(self.lines(shard))
        except InputError as error:
            yield start, error
            return
        found = 0
        for entry, text in enumerate(self._texts(shard)):
            if isinstance(text, InputError):
                yield entry, text
                return
            found += 1
            if found > told:
                break
            if entry >= start:
                yield entry, self._frame(shard, entry, text)
        if found != told:
            yield min(found, told), self._uneven(shard, told)

    def key(self, shard: int, entry: int) -> str:
        """System and frame, as the text writes them."""
        line = self.lines(shard)[entry]
        return f"{line.system},{line.frame}"

    def reference_energy(self, shard: int, entry: int) -> float | None:
        """Of the frame's line, eV."""
        return self.lines(shard)[entry].reference_energy

    def _uneven(self, shard: int, told: int) -> InputError:
        found = sum(not isinstance(text, InputError) for text in self._texts(shard))
        pair = f"{self.paths[shard]} has {found} frames and {self.texts[shard].name} {told} lines"
        return InputError(f"{pair}; each frame needs its line. Fetch both again.")


def extxyz_files(folder: Path) -> list[Path]:
    """Files of frames in a folder; `7.extxyz.xz` stands before `10.extxyz.xz`.

    Raises:
        NotFoundError: there is no such folder, or no such file in it.
    """
    if not folder.is_dir():
        raise NotFoundError(
            f"There is no folder {folder}; OC20's frames come as a folder of .extxyz.xz files."
        )
    found = [path for path in folder.iterdir() if path.name.endswith(_ENDINGS) and path.is_file()]
    if not found:
        raise NotFoundError(f"The folder {folder} holds no .extxyz.xz or .extxyz file.")
    return sorted(found, key=lambda path: (len(stem(path)), stem(path)))


def stem(path: Path) -> str:
    """The name of a file of frames without its ending."""
    return next(path.name.removesuffix(ending) for ending in _ENDINGS if path.name.endswith(ending))


def frame_lines(path: Path) -> list[FrameLine]:
    """What a text file says of its frames.

    Raises:
        InputError: a line cannot be read.
    """
    found: list[FrameLine] = []
    for line in text_lines(path):
        if not line.strip():
            continue
        if len(found) == MAX_LINES:
            raise InputError(f"{path} has more than {MAX_LINES} lines.")
        found.append(_frame_line(line, f"{path}, line {len(found) + 1}"))
    return found


def reference_number(text: str, where: str) -> float:
    """A reference energy, eV.

    Raises:
        InputError: it is no finite number.
    """
    try:
        found = number(float(text), "reference energy")
    except ValueError:
        raise InputError(f"{where}: the reference energy is {text[:40]!r}, not a number.") from None
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    assert found is not None
    return found


def _frame_line(line: str, where: str) -> FrameLine:
    parts = [part.strip() for part in line.split(",")]
    if len(parts) not in (2, 3) or not all(parts):
        raise InputError(f"{where}: it says {line[:60]!r}, expected 'random1234,frame5,-305.6'.")
    return FrameLine(parts[0], parts[1], reference_number(parts[2], where) if len(parts) == 3 else None)


def _text_beside(path: Path) -> Path:
    for ending in (".txt.xz", ".txt"):
        text = path.with_name(stem(path) + ending)
        if text.is_file():
            return text
    raise InputError(f"{path} lacks its text {stem(path)}.txt.xz, which holds the reference energies.")
