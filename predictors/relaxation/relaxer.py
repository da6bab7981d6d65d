"""Where do many crystals come to rest, atoms and cell together?

Structures share batches of the potential and leave as they converge. What happens to one does not
depend on its neighbours in the batch, nor on the number of processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ...core.contracts import Calculation, Potential, Relaxation
from ...core.errors import InputError
from ..cell import Cell
from ..workers import map_unordered
from .bfgs import CellOptimizer

if TYPE_CHECKING:
    from pymatgen.core import Structure

OnDone = Callable[[int, Relaxation], None]

MIN_DISTANCE = 0.5  # A; the shortest bond there is, H2, has 0.74
MIN_HEIGHT = 0.5  # A between opposite faces of a cell
MAX_VOLUME_PER_ATOM = 1000.0  # A^3
ATOMS_IN_FLIGHT = 160  # structures enter the batch until it has this many
MAX_VOLUME_RATIO = 3.0  # final over initial, or the inverse
ATOMS_PER_SHARE = 120  # what one process takes at once; fewer in all are relaxed in this process


class RelaxerSettings(BaseModel):
    """When a relaxation ends, and how many processes share the work."""

    model_config = ConfigDict(extra="forbid")

    fmax: float = Field(default=0.05, gt=0)
    """eV/A, largest force on an atom; on the cell, eV/atom, largest row of -V * stress / nsites."""
    steps: int = Field(default=300, ge=0)
    workers: int | None = Field(default=None, ge=1)
    """Processes; one per core if not given. The result does not depend on it."""


class BatchedRelaxer:
    """Relaxes many structures at once; implements `Relaxer`."""

    def __init__(self, potential: Potential, settings: RelaxerSettings | None = None) -> None:
        self.potential = potential
        self.settings = settings or RelaxerSettings()
        self.version = f"bfgs-trust fmax={self.settings.fmax:g} steps={self.settings.steps}"

    def relax(self, structures: Sequence[Structure], on_done: OnDone | None = None) -> list[Relaxation]:
        """Relax each structure; see `core.contracts.Relaxer`. An interrupt ends the workers.

        Args:
            structures: What to relax; left untouched.
            on_done: Called in this process with (index, result) as structures leave.
        """
        results: dict[int, Relaxation] = {}
        for i, result in self._stream(structures):
            results[i] = result
            if on_done:
                on_done(i, result)
        return [results[i] for i in range(len(structures))]

    def _stream(self, structures: Sequence[Structure]) -> Iterator[tuple[int, Relaxation]]:
        """Shares of the structures, the same ones for any number of processes."""
        shares = _shares([len(s) for s in structures])
        tasks = [(self.potential, [structures[i] for i in share], self.settings) for share in shares]
        workers = min(self.settings.workers or os.cpu_count() or 1, len(shares))
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
    potential: Potential, structures: Sequence[Structure], settings: RelaxerSettings
) -> list[Relaxation]:
    """Relax some structures in this process, results in order."""
    results = dict(relax_stream(potential, structures, settings))
    return [results[i] for i in range(len(structures))]


def relax_stream(
    potential: Potential, structures: Sequence[Structure], settings: RelaxerSettings
) -> Iterator[tuple[int, Relaxation]]:
    """Relax in this process; yields (index, result) as structures leave."""
    waiting = list(reversed(range(len(structures))))
    active: dict[int, _Run] = {}
    while waiting or active:
        while waiting and sum(len(structures[i]) for i in active) < ATOMS_IN_FLIGHT:
            i = waiting.pop()
            try:
                active[i] = _Run(structures[i], potential)
            except InputError as error:
                yield i, Relaxation(None, None, None, 0, False, str(error))
        for i, run in _advance(potential, active, settings):
            del active[i]
            yield i, run.result(settings.fmax)


def _advance(
    potential: Potential, active: dict[int, _Run], settings: RelaxerSettings
) -> list[tuple[int, _Run]]:
    """One evaluation of every active structure; returns those that are done."""
    for run in active.values():
        run.inspect()
    healthy = [run for run in active.values() if not run.failure]
    calculations = _evaluate(potential, [run.optimizer.trial for run in healthy])
    for run, calculation in zip(healthy, calculations, strict=True):
        run.take(calculation, settings)
    return [(i, run) for i, run in active.items() if run.done]


def _evaluate(potential: Potential, cells: list[Cell]) -> list[Calculation]:
    """Energies and forces of bare cells, with the potential's own fast road if it has one."""
    if not cells:
        return []
    fast = getattr(potential, "calculate_cells", None)
    if fast is not None:
        return fast(cells)
    return potential.calculate([_plain_structure(cell) for cell in cells])


class _Run:
    """One structure on its way."""

    def __init__(self, structure: Structure, potential: Potential) -> None:
        check = getattr(potential, "check", None)
        if check is not None:
            check(structure)
        self.structure = structure
        self.optimizer = CellOptimizer(Cell.from_structure(structure))
        self.first_volume = self.optimizer.trial.volume
        self.failure: str | None = None
        self.done = False

    def inspect(self) -> None:
        """Give up if the geometry to be evaluated is absurd."""
        trouble = geometry_trouble(self.optimizer.trial, self.first_volume)
        if trouble:
            self._fail(trouble)

    def take(self, calculation: Calculation, settings: RelaxerSettings) -> None:
        """Take in a calculation and move on, unless this was the last step."""
        if not (np.isfinite(calculation.energy) and np.isfinite(calculation.forces).all()):
            self._fail("energy or forces are not finite")
            return
        optimizer = self.optimizer
        optimizer.feed(calculation)
        assert optimizer.best is not None
        converged = optimizer.best.max_force < settings.fmax
        self.done = converged or optimizer.steps >= settings.steps or optimizer.stuck
        if not self.done:
            optimizer.propose()

    def result(self, fmax: float) -> Relaxation:
        """The last good geometry, and why the run ended."""
        best, steps = self.optimizer.best, self.optimizer.steps
        if best is None:
            return Relaxation(None, None, None, steps, False, self.failure)
        converged = self.failure is None and best.max_force < fmax
        structure = with_geometry(self.structure, best.cell)
        energy = best.energy / len(best.cell.numbers)
        return Relaxation(structure, energy, best.max_force, steps, converged, self.failure)

    def _fail(self, trouble: str) -> None:
        self.failure = f"{self.structure.formula}: {trouble}; given up at step {self.optimizer.steps}."
        self.done = True


def geometry_trouble(cell: Cell, first_volume: float) -> str | None:
    """What is absurd about a geometry, as a phrase, or `None`."""
    if not (np.isfinite(cell.lattice).all() and np.isfinite(cell.positions).all()):
        return "the geometry is not finite"
    volume = cell.volume
    if volume < 1e-6 or cell.heights.min() < MIN_HEIGHT:
        return f"the cell is flat (less than {MIN_HEIGHT:g} A between opposite faces)"
    if volume > MAX_VOLUME_PER_ATOM * len(cell.numbers):
        return f"the cell is empty ({volume / len(cell.numbers):.0f} A^3 per atom)"
    if not 1 / MAX_VOLUME_RATIO < volume / first_volume < MAX_VOLUME_RATIO:
        return f"the volume changed by a factor {volume / first_volume:.2f}"
    shortest = shortest_distance(cell)
    if shortest < MIN_DISTANCE:
        return f"two atoms are {shortest:.2f} A apart"
    return None


def shortest_distance(cell: Cell) -> float:
    """Shortest distance between atoms, images included, if below 1 A; else infinity."""
    from ..chgnet.graph import find_bonds

    bonds = find_bonds(cell, cutoff=2 * MIN_DISTANCE)
    lengths = np.linalg.norm(bonds.vectors(cell), axis=1)
    return float(lengths.min()) if len(lengths) else float("inf")


def with_geometry(structure: Structure, cell: Cell) -> Structure:
    """The same sites, species and site properties at another geometry."""
    from pymatgen.core import Lattice, Structure

    return Structure(
        Lattice(cell.lattice),
        structure.species,
        cell.positions,
        coords_are_cartesian=True,
        to_unit_cell=True,
        site_properties={k: list(v) for k, v in structure.site_properties.items()},
    )


def _plain_structure(cell: Cell) -> Structure:
    from pymatgen.core import Element, Lattice, Structure

    species = [Element.from_Z(int(z)) for z in cell.numbers]
    return Structure(Lattice(cell.lattice), species, cell.positions, coords_are_cartesian=True)
