"""Which phases are relaxed next, and how much is left?

The queue files (`records.QUEUES`) list ids in order of importance. They may grow while this runs; each is
read again only when it has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ...core.crystals import CrystalRecord
from ...core.lines import read_lines
from .records import NEAR_HULL, QUEUES, RELAXED, read_ids

ATOMS_PER_TASK = 160

Stamp = tuple[int, int, int]


class RelaxationQueue:
    """Chunks of phases that are listed in the queue files and not relaxed yet, small cells first."""

    def __init__(self, phases: Sequence[CrystalRecord], work_dir: Path) -> None:
        self.phases = {phase.material_id: phase for phase in phases}
        self.work_dir = work_dir
        self.taken = {line["id"] for line in read_lines(work_dir / RELAXED)}
        self.finished = len(self.taken)
        self.atoms_finished = 0
        self._relaxed_before = frozenset(self.taken)
        self._waiting: dict[tuple[str, ...], tuple[list[Stamp], list[str]]] = {}
        self._sums: tuple[list[Stamp], int, int] = ([], 0, 0)

    @property
    def listed(self) -> int:
        """Number of phases relaxed or waiting."""
        return self._count()[1]

    @property
    def atoms_left(self) -> int:
        """Atoms of all phases that were listed and are not finished."""
        return self._count()[2] - self.atoms_finished

    def __iter__(self) -> Iterator[list[CrystalRecord]]:
        while chunk := self._next_chunk():
            yield chunk

    def finish(self, ids: Sequence[str]) -> None:
        """Count phases as relaxed."""
        self.finished += len(ids)
        self.atoms_finished += sum(self.phases[i].nsites for i in ids)

    def _next_chunk(self) -> list[CrystalRecord]:
        for names in QUEUES:
            chunk: list[CrystalRecord] = []
            waiting = self._in_order(names)
            while waiting and sum(p.nsites for p in chunk) < ATOMS_PER_TASK:
                i = waiting.pop()
                if i not in self.taken:
                    self.taken.add(i)
                    chunk.append(self.phases[i])
            if chunk:
                return chunk
        return []

    def _in_order(self, names: tuple[str, ...]) -> list[str]:
        """What the lists hold that is left, the next one last."""
        stamps = [self._stamp(name) for name in names]
        before, waiting = self._waiting.get(names, ([], []))
        if stamps != before:
            costs = {i: cost for name in names for i, cost in self._costs(name)}
            waiting = sorted(costs, key=lambda i: (costs[i], i), reverse=True)
            self._waiting[names] = stamps, waiting
        return waiting

    def _costs(self, name: str) -> Iterator[tuple[str, int]]:
        """Ids of a list that are left, with their number of atoms; twice that for what may not matter."""
        factor = 2 if name == NEAR_HULL else 1
        for i in read_ids(self.work_dir / name):
            if i in self.phases and i not in self.taken:
                yield i, factor * self.phases[i].nsites

    def _count(self) -> tuple[list[Stamp], int, int]:
        """(stamps of the files, phases listed, atoms that were waiting at the start)."""
        names = [name for group in QUEUES for name in group]
        stamps = [self._stamp(name) for name in names]
        if stamps != self._sums[0]:
            ids = {i for name in names for i in read_ids(self.work_dir / name) if i in self.phases}
            atoms = sum(self.phases[i].nsites for i in ids - self._relaxed_before)
            self._sums = stamps, len(ids | self.taken), atoms
        return self._sums

    def _stamp(self, name: str) -> Stamp:
        path = self.work_dir / name
        if not path.exists():
            return 0, 0, 0
        found = path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino
