"""How are the frames of a data set walked through, whichever format they came in?

Both kinds yield `(place, frame)` pairs and start again at any place, so that training resumes with `place + 1`.
`IndexedFrames` reach any frame at once (LMDB, SQLite); `StreamedFrames` are files of text, read in sequence. Nothing
is kept but the frame at hand, or a block of them where a stream is shuffled.
"""

from __future__ import annotations

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from ...core.errors import InputError
from .order import ShuffledOrder
from .records import Frame

OnError = Callable[[str], None]
"""Is told in a sentence of a frame that cannot be read, and the walk goes on; without it the walk ends there."""

BLOCK = 256
"""Frames of a stream that are read together and shuffled among themselves."""


class Frames(ABC):
    """The frames of one data set."""

    @abstractmethod
    def __len__(self) -> int:
        """How many frames there are."""

    @abstractmethod
    def read(self, start: int = 0, on_error: OnError | None = None) -> Iterator[tuple[int, Frame]]:
        """Frames in the order they are stored.

        Args:
            start: First place, counted from 0.
            on_error: See `OnError`.

        Yields:
            Place and frame; the place after the last one read resumes the walk.

        Raises:
            InputError: a frame cannot be read and `on_error` is not given.
        """

    @abstractmethod
    def shuffled(
        self, seed: int, epoch: int, start: int = 0, on_error: OnError | None = None
    ) -> Iterator[tuple[int, Frame]]:
        """Each frame once, in an order that belongs to this seed and epoch.

        Args:
            seed: Of the run.
            epoch: Counted from 0.
            start: First place in that order.
            on_error: See `OnError`.

        Yields:
            Place in the order, and frame.

        Raises:
            InputError: as `read`.
        """

    def __iter__(self) -> Iterator[Frame]:
        return (frame for _, frame in self.read())


class IndexedFrames(Frames):
    """Frames that are reached by their number."""

    @abstractmethod
    def __getitem__(self, index: int) -> Frame:
        """The frame of this number.

        Raises:
            InputError: it cannot be read.
            IndexError: there are fewer.
        """

    def read(self, start: int = 0, on_error: OnError | None = None) -> Iterator[tuple[int, Frame]]:
        """See `Frames.read`."""
        return self._walk(range(len(self)), start, on_error)

    def shuffled(
        self, seed: int, epoch: int, start: int = 0, on_error: OnError | None = None
    ) -> Iterator[tuple[int, Frame]]:
        """See `Frames.shuffled`."""
        return self._walk(ShuffledOrder(len(self), seed, epoch), start, on_error)

    def _walk(
        self, order: range | ShuffledOrder, start: int, on_error: OnError | None
    ) -> Iterator[tuple[int, Frame]]:
        for place in range(checked_start(start), len(order)):
            try:
                frame = self[order[place]]
            except InputError as error:
                _told_or_raised(error, on_error)
            else:
                yield place, frame


class StreamedFrames(Frames):
    """Frames in files that are read from their beginning."""

    @property
    @abstractmethod
    def shards(self) -> int:
        """How many files there are."""

    @abstractmethod
    def frames_in(self, shard: int) -> int:
        """How many frames a file holds.

        Raises:
            InputError: the file that tells it cannot be read.
        """

    @abstractmethod
    def read_shard(self, shard: int, start: int = 0) -> Iterator[tuple[int, Frame | InputError]]:
        """Frames of one file from number `start` on.

        Yields:
            Number within the file, and the frame, or the reason why it cannot be read. After damage that hides
            where the next frame begins, the file ends.
        """

    def __len__(self) -> int:
        """How many frames there are; the first call looks through all files."""
        return sum(map(self.frames_in, range(self.shards)))

    def read(self, start: int = 0, on_error: OnError | None = None) -> Iterator[tuple[int, Frame]]:
        """See `Frames.read`. Files before `start` are counted, not parsed."""
        for first, shard, skipped in self._files(range(self.shards), checked_start(start), on_error):
            for entry, found in self.read_shard(shard, skipped):
                if isinstance(found, InputError):
                    _told_or_raised(found, on_error)
                else:
                    yield first + entry, found

    def shuffled(
        self, seed: int, epoch: int, start: int = 0, on_error: OnError | None = None
    ) -> Iterator[tuple[int, Frame]]:
        """See `Frames.shuffled`. Files change their order, and so do frames within blocks of `BLOCK`."""
        order = ShuffledOrder(self.shards, seed, epoch)
        for first, shard, skipped in self._files(order, checked_start(start), on_error):
            whole_blocks = skipped // BLOCK
            items = self.read_shard(shard, whole_blocks * BLOCK)
            for block, together in groupby(items, key=lambda item: item[0] // BLOCK):
                mixed = _mixed([found for _, found in together], (seed, epoch, shard, block))
                for place, found in enumerate(mixed, first + block * BLOCK):
                    if isinstance(found, InputError):
                        _told_or_raised(found, on_error)
                    elif place >= first + skipped:
                        yield place, found

    def _files(
        self, order: Iterable[int], start: int, on_error: OnError | None
    ) -> Iterator[tuple[int, int, int]]:
        """(place of its first frame, file, frames to skip) of each file that reaches beyond `start`."""
        first = 0
        for shard in order:
            if start <= first:
                yield first, shard, 0
            elif start < first + self._count(shard, on_error):
                yield first, shard, start - first
            first += self._count(shard, on_error)

    def _count(self, shard: int, on_error: OnError | None) -> int:
        try:
            return self.frames_in(shard)
        except InputError as error:
            _told_or_raised(error, on_error)
            return 0


def checked_start(start: int) -> int:
    """A place to start from.

    Raises:
        InputError: it is negative.
    """
    if start < 0:
        raise InputError(f"Frames are counted from 0; {start} is no place to start from.")
    return start


def atom_counts(folder: Path, count: int) -> np.ndarray | None:
    """Atoms of each frame, from the `metadata.npz` that stands beside the data; `None` where there is none.

    Raises:
        InputError: it does not fit the data.
    """
    path = folder / "metadata.npz"
    if not path.is_file():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            size = archive.getinfo("natoms.npy").file_size
            if size > 8 * count + 4096:
                raise InputError(f"{path} tells of more atoms counts than the {count} frames beside it.")
        with np.load(path, allow_pickle=False) as tables:
            found = tables["natoms"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None
    if found.shape != (count,) or found.dtype.kind not in "iu":
        raise InputError(
            f"{path} has atom counts of shape {found.shape}, expected whole numbers, ({count},)."
        )
    return found


def _mixed(found: list[Frame | InputError], seeds: tuple[int, ...]) -> Iterator[Frame | InputError]:
    rng = np.random.default_rng(np.random.SeedSequence(seeds))
    return (found[i] for i in rng.permutation(len(found)))


def _told_or_raised(error: InputError, on_error: OnError | None) -> None:
    if on_error is None:
        raise error
    on_error(str(error))
