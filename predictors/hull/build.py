"""How is the table of competing phases computed?

Stage 1 takes the potential's energy of every crystal at its published geometry. Stage 2 relaxes them,
those first that matter most: elements, a list of the user's, the hull's vertices, phases close above it,
then all the rest. Results are appended to files in a work folder as they come, so that a run that was
killed goes on where it stopped, and `export` makes a table of whatever is finished. An empty folder is
begun with the table there is (see `work_folder`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.contracts import Potential, Relaxation
from ...core.crystals import CrystalRecord, read_crystals
from ...core.errors import HullError, InputError
from ...core.lines import append_lines, read_lines
from ...core.workers import map_unordered
from .export import export_table, finished_phases
from .formula import formula_fractions
from .phase import HullCard
from .queue import RelaxationQueue
from .records import (
    ELEMENTS,
    NEAR_HULL,
    PRIORITY,
    RELAXED,
    REST,
    SINGLE_POINTS,
    VERTICES,
    read_ids,
    write_ids,
)
from .table import DEFAULT_POTENTIAL, PhaseTable
from .textbook_elements import textbook_elements
from .work_folder import Maker, claim, set_aside, take_up

if TYPE_CHECKING:
    from pymatgen.core import Structure

ATOMS_PER_TASK = 400  # single points: a few seconds of work, so that little is lost by a kill
NEAR = 0.030  # eV/atom above the hull: phases that may come to lie on it when relaxed
SURE = 30.0  # seconds of relaxation before the time left is told

Progress = Callable[[str, int, int, float | None], None]
"""Called with (stage, done, total so far, seconds left if that can be told)."""


@dataclass(frozen=True)
class Places:
    """Where a build reads and writes.

    Attributes:
        crystals: Folder of Materials Project crystals; see `core.crystals.crystals_folder`.
        out: Where the table and its card go.
        work: Results as they come, and the relaxed structures (`relaxed.jsonl`).
        table: A table to begin an empty work folder with; see `work_folder.take_up`.
    """

    crystals: Path
    out: Path
    work: Path
    table: Path | None = None


def build_hull(
    places: Places,
    date: str,
    potential: Potential,
    registered: str = DEFAULT_POTENTIAL,
    workers: int = 2,
    priority_ids: Iterable[str] = (),
    seconds: float | None = None,
    anew: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compute and write the hull's table; goes on from what the work folder holds.

    Args:
        places: Folders and files.
        date: ISO date for the table's name and card.
        potential: Whose energies; it is pickled and sent to the workers.
        registered: The name it is registered under, which names the table's file.
        workers: Number of processes.
        priority_ids: Materials to be relaxed right after the elements.
        seconds: No new work is begun after this time; the table is written in any case.
        anew: Compute everything, whatever the work folder holds and whichever table there is.
        progress: See `Progress`.

    Returns:
        The card of the table.

    Raises:
        InputError: the work folder holds energies of another potential.
        MissingDataError: time was up before there was an energy.
    """
    stop_at = None if seconds is None else time.time() + seconds
    maker, work_dir = Maker.of(potential, registered), places.work
    work_dir.mkdir(parents=True, exist_ok=True)
    if anew:
        set_aside(work_dir)
    claim(work_dir, maker)
    phases = all_phases(places.crystals)
    if places.table is not None and not anew:
        take_up(places.table, phases, work_dir, maker)
    if compute_single_points(potential, phases, work_dir, workers, progress, stop_at):
        list_queues(phases, work_dir, priority_ids, progress)
        compute_relaxed(potential, phases, work_dir, workers, progress, stop_at)
    return export_table(work_dir, places.out, date, places.crystals)


def all_phases(crystals_dir: Path) -> list[CrystalRecord]:
    """Every crystal of the data folder, all splits, and the textbook elements; small cells first."""
    phases = [*read_crystals(crystals_dir), *textbook_elements()]
    return sorted(phases, key=_small_first)


def compute_single_points(
    potential: Potential,
    phases: Sequence[CrystalRecord],
    work_dir: Path,
    workers: int = 2,
    progress: Progress | None = None,
    stop_at: float | None = None,
) -> bool:
    """Stage 1: append the energy of each phase that the work folder does not have yet.

    Returns:
        Whether all are there, and time was not up before.
    """
    path = work_dir / SINGLE_POINTS
    done = {line["id"] for line in read_lines(path)}
    done |= {line["id"] for line in read_lines(work_dir / RELAXED) if line["converged"]}
    todo = [phase for phase in phases if phase.material_id not in done]
    tasks = ((potential, chunk) for chunk in _until(stop_at, _chunks(todo, ATOMS_PER_TASK)))
    finished = 0
    for _, lines in map_unordered(_single_points, tasks, workers):
        append_lines(path, lines)
        finished += len(lines)
        if progress:
            progress("single points", len(phases) - len(todo) + finished, len(phases), None)
    return finished == len(todo)


def list_queues(
    phases: Sequence[CrystalRecord],
    work_dir: Path,
    priority_ids: Iterable[str] = (),
    progress: Progress | None = None,
) -> None:
    """Write the lists of what is relaxed: all phases, and which of them go first."""
    write_ids(work_dir / ELEMENTS, (p.material_id for p in phases if len(set(p.species)) == 1))
    listed = read_ids(work_dir / PRIORITY)
    write_ids(work_dir / PRIORITY, dict.fromkeys([*listed, *priority_ids]))
    write_ids(work_dir / REST, (p.material_id for p in phases))
    if not (work_dir / VERTICES).exists():
        list_vertices(work_dir, progress)


def compute_relaxed(
    potential: Potential,
    phases: Sequence[CrystalRecord],
    work_dir: Path,
    workers: int = 2,
    progress: Progress | None = None,
    stop_at: float | None = None,
) -> None:
    """Stage 2: relax the ids of the queue files (`QUEUES`) in that order, small cells first.

    Phases that the potential gave no energy for are left out. The files may grow or appear while this
    runs. The time left is told from the atoms left and the pace so far; large cells take more steps, so
    it is longer in truth while small ones are at work.
    """
    path = work_dir / RELAXED
    refused = {line["id"] for line in read_lines(work_dir / SINGLE_POINTS) if line.get("failure")}
    queue = RelaxationQueue([p for p in phases if p.material_id not in refused], work_dir)
    start = time.time()
    tasks = ((potential, chunk) for chunk in _until(stop_at, queue))
    for _, lines in map_unordered(_relax, tasks, workers):
        append_lines(path, lines)
        queue.finish([line["id"] for line in lines])
        if progress:
            elapsed = time.time() - start
            pace = elapsed / queue.atoms_finished if elapsed > SURE else None
            left = None if pace is None else pace * queue.atoms_left
            progress("relaxed", queue.finished, queue.listed, left)


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
        progress("vertices", len(vertices), len(vertices), None)


def _single_points(potential: Potential, phases: list[CrystalRecord]) -> list[dict[str, Any]]:
    """Energies of some phases, eV/atom, at their published geometries; runs in a worker."""
    try:
        energies = _energies(potential, [phase.structure() for phase in phases])
    except InputError as error:
        if len(phases) == 1:
            return [_line(phases[0]) | {"failure": str(error)}]
        return [line for phase in phases for line in _single_points(potential, [phase])]
    return [_with_energy(phase, e) for phase, e in zip(phases, energies, strict=True)]


def _energies(potential: Potential, structures: list[Structure]) -> list[float]:
    """Energies of the cells, eV; without forces if the potential can do without."""
    alone = getattr(potential, "energies", None)
    if alone is not None:
        return [float(energy) for energy in alone(structures)]
    return [calculation.energy for calculation in potential.calculate(structures)]


def _with_energy(phase: CrystalRecord, energy: float) -> dict[str, Any]:
    if not math.isfinite(energy):
        return _line(phase) | {"failure": f"{phase.reduced_formula}: the energy is not finite."}
    return _line(phase) | {"energy_per_atom": round(energy / phase.nsites, 6)}


def _line(phase: CrystalRecord) -> dict[str, Any]:
    return {"id": phase.material_id, "formula": phase.reduced_formula, "nsites": phase.nsites}


def _relax(potential: Potential, phases: list[CrystalRecord]) -> list[dict[str, Any]]:
    """Relax some phases; runs in a worker."""
    from ..relaxation.relaxer import RelaxerSettings, relax_share

    results = relax_share(potential, [phase.structure() for phase in phases], RelaxerSettings())
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
