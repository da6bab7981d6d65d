"""Where do many crystals come to rest, atoms and cell together?

Structures share batches of the potential and leave as they converge. What happens to one does not
depend on its neighbours in the batch, nor on the number of processes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...core.contracts import Calculation, Potential, Relaxation
from ...core.errors import InputError, StructureError
from ...core.workers import map_unordered
from ..cell import Cell
from .checkpoint import Checkpoint
from .coordinates import Freedom
from .geometry import plain_structure, with_geometry
from .guards import Guard
from .method import method_class
from .settings import RelaxerSettings
from .symmetry import symmetry_of

if TYPE_CHECKING:
    from pymatgen.core import Structure

OnDone = Callable[[int, Relaxation], None]

ATOMS_IN_FLIGHT = 160  # structures enter the batch until it has this many
ATOMS_PER_SHARE = 120  # what one process takes at once; fewer in all are relaxed in this process
OUT_OF_TIME = "the time limit was reached"


class BatchedRelaxer:
    """Relaxes many structures at once; implements `Relaxer`."""

    def __init__(self, potential: Potential, settings: RelaxerSettings | None = None) -> None:
        self.potential = potential
        self.settings = settings or RelaxerSettings()
        self.version = f"{method_class(self.settings.method).version} {self.settings.words}"

    def relax(
        self,
        structures: Sequence[Structure],
        on_done: OnDone | None = None,
        checkpoint: Path | None = None,
    ) -> list[Relaxation]:
        """Relax each structure; see `core.contracts.Relaxer`. An interrupt ends the workers.

        Args:
            structures: What to relax; left untouched.
            on_done: Called in this process with (index, result) as structures leave.
            checkpoint: Finished results are kept in this file, and those it holds are not computed again.
                What a time limit cut short is not finished.

        Raises:
            OutputError: the checkpoint cannot be used.
        """
        results: dict[int, Relaxation] = {}
        for i, result in self._known_and_new(structures, checkpoint):
            results[i] = result
            if on_done:
                on_done(i, result)
        return [results[i] for i in range(len(structures))]

    def _known_and_new(
        self, structures: Sequence[Structure], checkpoint: Path | None
    ) -> Iterator[tuple[int, Relaxation]]:
        kept = Checkpoint(checkpoint, self.potential, self.version) if checkpoint else None
        left = []
        for i, structure in enumerate(structures):
            known = kept.find(structure) if kept else None
            if known is None:
                left.append(i)
            else:
                yield i, known
        for k, result in self._stream([structures[i] for i in left]):
            if kept and OUT_OF_TIME not in (result.note or result.failure or ""):
                kept.add(structures[left[k]], result)
            yield left[k], result

    def _stream(self, structures: Sequence[Structure]) -> Iterator[tuple[int, Relaxation]]:
        """Shares of the structures, the same ones for any number of processes."""
        settings = self.settings
        stop_at = None if settings.seconds is None else time.time() + settings.seconds
        shares = _shares([len(s) for s in structures])
        tasks = ((self.potential, [structures[i] for i in share], settings, stop_at) for share in shares)
        workers = min(settings.workers or os.cpu_count() or 1, len(shares))
        for k, results in map_unordered(relax_share, tasks, workers):
            yield from zip(shares[k], results, strict=True)


def _shares(sizes: Sequence[int]) -> list[list[int]]:
    """Indices of structures in shares of about `ATOMS_PER_SHARE` atoms, large structures first."""
    shares: list[list[int]] = []
    room = 0
    for i in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
        if room <= 0:
            shares.append([])
            room = ATOMS_PER_SHARE
        shares[-1].append(i)
        room -= max(sizes[i], 1)
    return shares


def relax_share(
    potential: Potential,
    structures: Sequence[Structure],
    settings: RelaxerSettings,
    stop_at: float | None = None,
) -> list[Relaxation]:
    """Relax some structures in this process, results in order; `stop_at` is as by `time.time`."""
    results = dict(relax_stream(potential, structures, settings, stop_at))
    return [results[i] for i in range(len(structures))]


def relax_stream(
    potential: Potential,
    structures: Sequence[Structure],
    settings: RelaxerSettings,
    stop_at: float | None = None,
) -> Iterator[tuple[int, Relaxation]]:
    """Relax in this process; yields (index, result) as structures leave."""
    waiting = list(reversed(range(len(structures))))
    active: dict[int, _Run] = {}
    while waiting or active:
        if stop_at is not None and time.time() > stop_at:
            yield from ((i, run.result(OUT_OF_TIME)) for i, run in active.items())
            yield from ((i, _not_begun(structures[i])) for i in waiting)
            return
        while waiting and sum(len(structures[i]) for i in active) < ATOMS_IN_FLIGHT:
            i = waiting.pop()
            try:
                active[i] = _Run(structures[i], potential, settings)
            except InputError as error:
                yield i, Relaxation(None, None, None, 0, False, str(error))
        for i, run in _advance(potential, active):
            del active[i]
            yield i, run.result()


def _not_begun(structure: Structure) -> Relaxation:
    sentence = f"{structure.formula} was not begun: {OUT_OF_TIME}."
    return Relaxation(None, None, None, 0, False, sentence)


def _advance(potential: Potential, active: dict[int, _Run]) -> list[tuple[int, _Run]]:
    """One evaluation of every active structure; returns those that are done."""
    for run in active.values():
        run.inspect()
    healthy = [run for run in active.values() if not run.failure]
    calculations = _evaluate(potential, [run.optimizer.trial for run in healthy])
    for run, calculation in zip(healthy, calculations, strict=True):
        run.take(calculation)
    return [(i, run) for i, run in active.items() if run.done]


def _evaluate(potential: Potential, cells: list[Cell]) -> list[Calculation | InputError]:
    """What the potential says of each cell; one by one if it refuses something among them."""
    try:
        return list(_evaluate_batch(potential, cells))
    except InputError as error:
        if len(cells) == 1:
            return [error]
        return [found for cell in cells for found in _evaluate(potential, [cell])]


def _evaluate_batch(potential: Potential, cells: list[Cell]) -> list[Calculation]:
    """Energies and forces of bare cells, with the potential's own fast road if it has one."""
    if not cells:
        return []
    fast = getattr(potential, "calculate_cells", None)
    if fast is not None:
        return fast(cells)
    return potential.calculate([plain_structure(cell) for cell in cells])


class _Run:
    """One structure on its way."""

    def __init__(self, structure: Structure, potential: Potential, settings: RelaxerSettings) -> None:
        check = getattr(potential, "check", _require_ordered)
        check(structure)
        self.structure = structure
        self.settings = settings
        self.failure: str | None = None
        self.done = False
        cell = Cell.from_structure(structure)
        self.guard = Guard(cell)
        trouble = self.guard.trouble(cell)
        if trouble:
            raise StructureError(f"{structure.formula}: {trouble}; not begun.")
        symmetry = symmetry_of(cell) if settings.symmetry else None
        freedom = Freedom(settings.cell, settings.pressure_gpa, symmetry)
        self.optimizer = method_class(settings.method)(symmetry.cell if symmetry else cell, freedom)

    def inspect(self) -> None:
        """Give up if the geometry to be evaluated is absurd."""
        trouble = self.guard.trouble(self.optimizer.trial)
        if trouble:
            self._fail(trouble)

    def take(self, calculation: Calculation | InputError) -> None:
        """Take in a calculation and move on, unless this was the last step."""
        if isinstance(calculation, InputError):
            self._fail(str(calculation).rstrip("."))
            return
        if not all(
            np.isfinite(x).all() for x in (calculation.energy, calculation.forces, calculation.stress)
        ):
            self._fail("energy, forces or stress are not finite")
            return
        optimizer = self.optimizer
        optimizer.feed(calculation)
        self.done = self.at_rest or optimizer.steps >= self.settings.steps or optimizer.stuck
        if not self.done:
            optimizer.propose()

    @property
    def at_rest(self) -> bool:
        """Whether the largest force lies below the threshold."""
        best = self.optimizer.best
        return self.failure is None and best is not None and best.max_force < self.settings.fmax

    def result(self, cut_short: str | None = None) -> Relaxation:
        """The last good geometry, and why the run ended.

        Args:
            cut_short: Why it ends although it is not done, as a clause.
        """
        best, steps = self.optimizer.best, self.optimizer.steps
        if best is None:
            failure = self.failure or f"{self.structure.formula} was not evaluated: {cut_short}."
            return Relaxation(None, None, None, steps, False, failure)
        structure = with_geometry(self.structure, best.cell)
        energy = best.energy / len(best.cell.numbers)
        note = None if self.failure or self.at_rest else self._why(cut_short)
        return Relaxation(structure, energy, best.max_force, steps, self.at_rest, self.failure, note)

    def _why(self, cut_short: str | None) -> str:
        best, optimizer = self.optimizer.best, self.optimizer
        assert best is not None
        reason = cut_short or (
            "no step lowers the energy" if optimizer.stuck else "the step limit was reached"
        )
        return (
            f"Not converged after {optimizer.steps} steps, {reason}: largest force {best.max_force:.3f} eV/A."
        )

    def _fail(self, trouble: str) -> None:
        self.failure = f"{self.structure.formula}: {trouble}; given up at step {self.optimizer.steps}."
        self.done = True


def _require_ordered(structure: Structure) -> None:
    """What any potential needs, for those that have no `check` of their own."""
    if not len(structure):
        raise StructureError("The structure has no atoms.")
    if not structure.is_ordered:
        raise StructureError(f"{structure.formula} has partially occupied sites; order it first.")
