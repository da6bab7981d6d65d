"""How is the table of competing phases computed?

Stage 1 takes the CHGNet energy of every crystal at its published geometry. Stage 2 relaxes those that
matter most: elements, a list of the user's, the hull's vertices, phases close above it. Results are
appended to files in a work folder as they come, so that a run that was killed goes on where it stopped,
and `export` makes a table of whatever is finished.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ...core.contracts import Relaxation
from ...core.crystals import CrystalRecord, read_crystals
from ...core.errors import HullError, InputError
from ...core.lines import append_lines, read_lines
from ..workers import map_unordered
from .export import export_table, finished_phases
from .formula import formula_fractions
from .phase import HullCard
from .records import (
    ELEMENTS,
    NEAR_HULL,
    PRIORITY,
    QUEUES,
    RELAXED,
    SINGLE_POINTS,
    VERTICES,
    read_ids,
    write_ids,
)
from .table import PhaseTable
from .textbook_elements import textbook_elements

ATOMS_PER_TASK = 400  # single points: a few seconds of work, so that little is lost by a kill
RELAXED_ATOMS_PER_TASK = 160
NEAR = 0.030  # eV/atom above the hull: phases that may come to lie on it when relaxed

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total so far)."""


def build_hull(
    crystals_dir: Path,
    out_dir: Path,
    work_dir: Path,
    date: str,
    workers: int = 2,
    priority_ids: Iterable[str] = (),
    seconds: float | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compute and write the hull's table; goes on from what the work folder holds.

    Args:
        crystals_dir: Folder of Materials Project crystals; see `core.crystals.crystals_folder`.
        out_dir: Where `hull.csv.gz` and `hull.json` go.
        work_dir: Results as they come, and the relaxed structures (`relaxed.jsonl`).
        date: ISO date for the table's name and card.
        workers: Number of processes.
        priority_ids: Materials to be relaxed right after the elements.
        seconds: No new work is begun after this time; the table is written in any case.
        progress: Called with (stage, done, total so far).

    Returns:
        The card of the table.
    """
    stop_at = None if seconds is None else time.time() + seconds
    work_dir.mkdir(parents=True, exist_ok=True)
    phases = all_phases(crystals_dir)
    compute_single_points(phases, work_dir, workers, progress, stop_at)
    write_ids(work_dir / ELEMENTS, (p.material_id for p in phases if len(set(p.species)) == 1))
    listed = read_ids(work_dir / PRIORITY)
    write_ids(work_dir / PRIORITY, dict.fromkeys([*listed, *priority_ids]))
    if not (work_dir / VERTICES).exists():
        list_vertices(work_dir, progress)
    compute_relaxed(phases, work_dir, workers, progress, stop_at)
    return export_table(work_dir, out_dir, date, crystals_dir)


def all_phases(crystals_dir: Path) -> list[CrystalRecord]:
    """Every crystal of the data folder, all splits, and the textbook elements; small cells first."""
    phases = [*read_crystals(crystals_dir), *textbook_elements()]
    return sorted(phases, key=_small_first)


def compute_single_points(
    phases: Sequence[CrystalRecord],
    work_dir: Path,
    workers: int = 2,
    progress: Progress | None = None,
    stop_at: float | None = None,
) -> None:
    """Stage 1: append the energy of each phase that the work folder does not have yet."""
    path = work_dir / SINGLE_POINTS
    done = {line["id"] for line in read_lines(path)}
    todo = (phase for phase in phases if phase.material_id not in done)
    tasks = ((chunk,) for chunk in _until(stop_at, _chunks(todo, ATOMS_PER_TASK)))
    finished = len(done)
    for _, lines in map_unordered(_single_points, tasks, workers):
        append_lines(path, lines)
        finished += len(lines)
        if progress:
            progress("single points", finished, len(phases))


def compute_relaxed(
    phases: Sequence[CrystalRecord],
    work_dir: Path,
    workers: int = 2,
    progress: Progress | None = None,
    stop_at: float | None = None,
) -> None:
    """Stage 2: relax the ids of the queue files (`QUEUES`) in that order, small cells first.

    The files may grow or appear while this runs.
    """
    path = work_dir / RELAXED
    queue = RelaxationQueue(phases, work_dir)
    for _, lines in map_unordered(_relax, ((chunk,) for chunk in _until(stop_at, queue)), workers):
        append_lines(path, lines)
        queue.finished += len(lines)
        if progress:
            progress("relaxed", queue.finished, queue.listed)


def list_vertices(work_dir: Path, progress: Progress | None = None) -> None:
    """Write the ids on the hull of the energies so far, and of those close above it, to queue files.

    A formula of which an element has no phase has no vertices.
    """
    table = PhaseTable(finished_phases(work_dir), HullCard("unfinished", "", 0.0, None, {}))
    formulas = sorted({phase.formula for phase in table.phases})
    mixtures = table.lowest_mixtures([(dict(formula_fractions(f)), ()) for f in formulas])
    found = {f: m for f, m in zip(formulas, mixtures, strict=True) if not isinstance(m, HullError)}
    vertices = {phase.material_id for _, mixture in found.values() for phase, _ in mixture}
    near = {
        p.material_id
        for p in table.phases
        if p.formula in found and p.energy_per_atom - found[p.formula][0] < NEAR
    }
    write_ids(work_dir / VERTICES, sorted(vertices))
    write_ids(work_dir / NEAR_HULL, sorted(near - vertices))
    if progress:
        progress("vertices", len(vertices), len(vertices))


class RelaxationQueue:
    """Chunks of phases that are listed in the queue files and not relaxed yet."""

    def __init__(self, phases: Sequence[CrystalRecord], work_dir: Path) -> None:
        self.phases = {phase.material_id: phase for phase in phases}
        self.work_dir = work_dir
        self.taken = {line["id"] for line in read_lines(work_dir / RELAXED)}
        self.finished = len(self.taken)

    @property
    def listed(self) -> int:
        """Number of phases relaxed or waiting."""
        return len(self.taken.union(*(read_ids(self.work_dir / name) for names in QUEUES for name in names)))

    def __iter__(self) -> Iterator[list[CrystalRecord]]:
        while chunk := self._next_chunk():
            self.taken.update(phase.material_id for phase in chunk)
            yield chunk

    def _next_chunk(self) -> list[CrystalRecord]:
        for names in QUEUES:
            costs = {i: cost for name in names for i, cost in self._costs(name)}
            left = sorted(costs, key=lambda i: (costs[i], i))
            if left:
                return next(_chunks((self.phases[i] for i in left), RELAXED_ATOMS_PER_TASK))
        return []

    def _costs(self, name: str) -> Iterator[tuple[str, int]]:
        """Ids of a list that are left, with their number of atoms; twice that for what may not matter."""
        factor = 2 if name == NEAR_HULL else 1
        for i in read_ids(self.work_dir / name):
            if i in self.phases and i not in self.taken:
                yield i, factor * self.phases[i].nsites


def _single_points(phases: list[CrystalRecord]) -> list[dict[str, Any]]:
    """Energies of some phases, eV/atom, at their published geometries; runs in a worker."""
    from ..chgnet.potential import CHGNetPotential

    try:
        energies = CHGNetPotential().energies([phase.structure() for phase in phases])
    except InputError as error:
        if len(phases) == 1:
            return [_line(phases[0]) | {"failure": str(error)}]
        return [line for phase in phases for line in _single_points([phase])]
    return [
        _line(phase) | {"energy_per_atom": round(float(energy) / phase.nsites, 6)}
        for phase, energy in zip(phases, energies, strict=True)
    ]


def _line(phase: CrystalRecord) -> dict[str, Any]:
    return {"id": phase.material_id, "formula": phase.reduced_formula, "nsites": phase.nsites}


def _relax(phases: list[CrystalRecord]) -> list[dict[str, Any]]:
    """Relax some phases; runs in a worker."""
    from ..chgnet.potential import CHGNetPotential
    from ..relaxation.relaxer import RelaxerSettings, relax_share

    results = relax_share(CHGNetPotential(), [phase.structure() for phase in phases], RelaxerSettings())
    return [_relaxed_line(phase, result) for phase, result in zip(phases, results, strict=True)]


def _relaxed_line(phase: CrystalRecord, result: Relaxation) -> dict[str, Any]:
    """What is kept of a relaxation; lengths in A, energies in eV/atom, five decimals in coordinates."""
    line = _line(phase) | {
        "energy_per_atom": result.energy_per_atom,
        "max_force": result.max_force,
        "steps": result.steps,
        "converged": result.converged,
        "failure": result.failure,
    }
    if result.structure is not None:
        line["lattice"] = result.structure.lattice.matrix.round(5).tolist()
        line["species"] = [str(site.specie) for site in result.structure]
        line["frac_coords"] = result.structure.frac_coords.round(5).tolist()
    return line


def _chunks(phases: Iterable[CrystalRecord], atoms: int) -> Iterator[list[CrystalRecord]]:
    """Consecutive phases with about `atoms` atoms together."""
    chunk: list[CrystalRecord] = []
    for phase in phases:
        chunk.append(phase)
        if sum(p.nsites for p in chunk) >= atoms:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _until(stop_at: float | None, chunks: Iterable[Any]) -> Iterator[Any]:
    for chunk in chunks:
        if stop_at is not None and time.time() > stop_at:
            return
        yield chunk


def _small_first(phase: CrystalRecord) -> tuple[int, str]:
    return phase.nsites, phase.material_id
