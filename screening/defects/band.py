"""How high is the saddle that an ion passes on its way from one place to the next?

A climbing-image nudged elastic band of the atoms in a cell held fixed: in a dilute hop the cell is that of the host.
All images that move are asked of the potential at once, once per step. Few images are enough, for between them the
energy is followed by cubics through energies and forces.

Sources: Henkelman, Uberuaga, Jonsson, J. Chem. Phys. 113, 9901 (2000), doi:10.1063/1.1329672; Henkelman, Jonsson,
J. Chem. Phys. 113, 9978 (2000), doi:10.1063/1.1323224 (tangents; cubics between images: its appendix).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...core.contracts import Calculation, Potential, Relaxer
from ...core.errors import HysteronError, StructureError
from ..batch import calculate_each
from .band_path import even_path, shortest_moves, straight_path
from .band_steps import Steps, band_forces, largest

if TYPE_CHECKING:
    from pymatgen.core import Structure

IMAGES = 5
MAX_FORCE = 0.05
"""eV/A, on an atom of the top image, at which the band has converged."""
BESIDE_THE_TOP = 3.0
"""So many times `MAX_FORCE` is enough on the other images: they lead to the top, and do not move it."""
BEFORE_CLIMBING = 6.0
"""The highest image begins to climb once forces are below so many times `max_force`; sooner it may run away."""
SAME_CRYSTAL_ANGSTROM = 0.1
SAME_CELL_ANGSTROM = 1e-3
FELL_EV = 0.05
"""An image so far below both ends says that these may rest on a ridge, held there by their symmetry."""
FAR_FROM_REST = 2.0  # times `max_force` on an atom of an end
RETREAT = 20  # steps that bring no image closer to rest, after which the band goes back and on more carefully
PATIENCE = 60  # steps that bring no image closer to rest, after which no more are taken
RENEWALS = 2  # of ends that rest on a ridge
CUBIC_POINTS = 101  # between two images
GAINED_EV = 0.02  # by which an end must be lower to take the place of the old one


class _BandError(HysteronError):
    """The potential refuses an image, or the ends do not correspond."""


@dataclass(frozen=True)
class Band:
    """The way of an ion over a saddle.

    Attributes:
        energies: eV, each image minus the first.
        structures: The images, atoms not wrapped into the cell.
        along: Where they lie along the band, from 0 to 1.
        converged: Whether the top is at rest within what was asked for, and the other images roughly.
        max_force: eV/A, the most that is left on an atom, across the band.
        seconds: Wall time, the ends' relaxation included.
        method: `climbing-image NEB, 5 images, CHGNet 0.3.0, converged`.
        notes: Sentences on what to know of it.
        peak: Highest point of the cubics between the images, eV, minus the first image.
        evaluations: Crystals the potential was asked for, without the ends' relaxation.
    """

    energies: tuple[float, ...]
    structures: tuple[Structure, ...]
    along: tuple[float, ...]
    converged: bool
    max_force: float
    seconds: float
    method: str
    notes: tuple[str, ...]
    peak: float | None = None
    evaluations: int = 0

    @property
    def barrier(self) -> float:
        """Highest point minus the first image, eV; 0 where all lies downhill."""
        return max(*self.energies, self.peak or 0.0)

    @property
    def activation(self) -> float:
        """Highest minus lowest image, eV: what an ion has to find that rests where it is best off on its way.

        Literature tabulates this as the barrier of a path through an intermediate site that lies lower than its ends
        (octahedral sites of spinels).
        """
        return self.barrier - min(self.energies)

    @property
    def reverse_barrier(self) -> float:
        """Highest point minus the last image, eV."""
        return self.barrier - self.energies[-1]


def hop_band(
    initial: Structure,
    final: Structure,
    potential: Potential,
    *,
    images: int = IMAGES,
    seconds: float = 120.0,
    max_force: float = MAX_FORCE,
    steps: int = 300,
    relaxer: Relaxer | None = None,
) -> Band | str:
    """The band between two places of an ion, its highest image climbed to the saddle.

    Args:
        initial: Before the hop. Without `relaxer`, at rest.
        final: After it; same atoms in the same order and the same cell, each on its shortest way.
        potential: Asked for all moving images at once, once per step.
        images: Both ends counted.
        seconds: Wall time from the call on, after which the band is given back as it is. At least one step's energies
            are taken, and a relaxer has a limit of its own.
        max_force: eV/A, on an atom of the top image; the others may have `BESIDE_THE_TOP` times as much.
        steps: After so many the band is given back as it is, and sooner if `PATIENCE` of them gain nothing.
        relaxer: Moves atoms alone; both ends are relaxed with it first.

    Returns:
        The band; a sentence if the ends do not correspond, are one crystal (before or after they are relaxed), or are
        refused by the relaxer or potential.

    Notes:
        A path that keeps a symmetry of both ends keeps it in the band: a lower saddle of less symmetry is not found.
        Where images fall below both ends, these are relaxed again with the host as it is in their neighbours, and the
        band begins anew, at most `RENEWALS` times.
    """
    search = _Search(potential, relaxer, images, time.monotonic() + seconds, max_force, steps)
    begun = time.monotonic()
    try:
        ends = _at_rest([initial, final], relaxer, search.notes) if relaxer else [initial, final]
        found = search.run(ends)
    except (StructureError, _BandError) as error:
        return str(error)
    state = "converged"
    if not search.converged:
        state = f"stopped after {seconds:g} s" if search.late else f"stopped after {search.taken} steps"
        search.notes.append(
            f"The band was {state} with {found.left:.2f} eV/A left; its barrier is not yet that of the saddle."
        )
    return Band(
        energies=tuple((found.energies - found.energies[0]).tolist()),
        structures=tuple(found.crystals()),
        along=tuple(found.along.tolist()),
        converged=search.converged,
        max_force=found.left,
        seconds=time.monotonic() - begun,
        method=f"climbing-image NEB, {images} images, {potential.name}, {state}",
        notes=tuple(search.notes),
        peak=found.peak - float(found.energies[0]),
        evaluations=search.evaluations,
    )


@dataclass(frozen=True)
class _Points:
    """A band with its energies.

    Attributes:
        host: Cell and species.
        positions: A, shape `(images, nsites, 3)`.
        energies: eV, shape `(images,)`.
        forces: On the atoms, eV/A, shape of `positions`.
        climbs: Whether the highest image climbs.
    """

    host: Structure
    positions: np.ndarray
    energies: np.ndarray
    forces: np.ndarray
    climbs: bool = False

    @cached_property
    def pulls(self) -> np.ndarray:
        """What moves the band, eV/A, shape `(images - 2, nsites, 3)`."""
        return band_forces(self.positions, self.energies, self.forces, self.climbs)

    @cached_property
    def left(self) -> float:
        """Largest of the pulls on an atom, eV/A."""
        return largest(self.pulls)

    @cached_property
    def unrest(self) -> float:
        """As `left`, but what pulls at images beside the top counts less, eV/A."""
        top = int(np.argmax(self.energies)) - 1
        on_top = largest(self.pulls[top]) if self.climbs and 0 <= top < len(self.pulls) else 0.0
        return max(on_top, self.left / BESIDE_THE_TOP)

    @property
    def along(self) -> np.ndarray:
        """Where the images lie, from 0 to 1."""
        lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(self._chords, axis=1))])
        return lengths / lengths[-1]

    @property
    def peak(self) -> float:
        """Highest point of the cubics through energies and slopes of neighbouring images, eV."""
        chords = self._chords
        lengths = np.linalg.norm(chords, axis=1)
        units = chords / lengths[:, None]
        ways = np.vstack([units[:1], units[:-1] + units[1:], units[-1:]])
        ways /= np.linalg.norm(ways, axis=1)[:, None]
        slopes = -np.einsum("mk,mk->m", self.forces.reshape(len(ways), -1), ways)
        x = np.linspace(0, 1, CUBIC_POINTS)[:, None]
        rise, first, last = np.diff(self.energies), slopes[:-1] * lengths, slopes[1:] * lengths
        square, cubic = 3 * rise - 2 * first - last, first + last - 2 * rise
        return float((self.energies[:-1] + x * (first + x * (square + x * cubic))).max())

    @property
    def fallen(self) -> bool:
        """Whether an image lies well below both ends."""
        return min(self.energies[1:-1]) < min(self.energies[0], self.energies[-1]) - FELL_EV

    def crystals(self) -> list[Structure]:
        """The images."""
        return [_crystal(self.host, positions) for positions in self.positions]

    def ends_with_fallen_host(self) -> list[Structure]:
        """Both ends, with what does not hop as it is in the images beside them."""
        moved = np.linalg.norm(self.positions[-1] - self.positions[0], axis=1)
        hops = (moved > moved.max() / 2)[:, None]
        pairs = ((self.positions[0], self.positions[1]), (self.positions[-1], self.positions[-2]))
        return [_crystal(self.host, np.where(hops, end, beside)) for end, beside in pairs]

    @property
    def _chords(self) -> np.ndarray:
        """From image to image, A, shape `(images - 1, 3 * nsites)`."""
        return np.diff(self.positions, axis=0).reshape(len(self.positions) - 1, -1)


@dataclass
class _Search:
    """The search for a band that is at rest.

    Attributes:
        stop_at: As by `time.monotonic`.
        converged: Whether the last band has.
        late: Whether it was stopped by the clock.
        taken: Steps.
        evaluations: Crystals the potential was asked for.
    """

    potential: Potential
    relaxer: Relaxer | None
    images: int
    stop_at: float
    max_force: float
    steps: int
    converged: bool = False
    late: bool = False
    taken: int = 0
    evaluations: int = 0
    notes: list[str] = field(default_factory=list)

    def run(self, ends: Sequence[Structure], renewals: int = RENEWALS) -> _Points:
        """The band at rest, or the one that came closest to it."""
        now = best = self._first(*ends)
        stepper = Steps(now.crystals()[1:-1])
        idle = 0
        for _ in range(self.steps):
            if not now.climbs and now.left < BEFORE_CLIMBING * self.max_force:
                lower = self._lower_ends(now) if renewals and self.relaxer and now.fallen else None
                if lower:
                    return self.run(lower, renewals - 1)
                now = best = dataclasses.replace(now, climbs=True)
            self.converged = now.climbs and now.unrest < self.max_force
            self.late = time.monotonic() > self.stop_at
            if self.converged or self.late or idle > PATIENCE:
                break
            if idle and idle % RETREAT == 0:
                now = best
                stepper.retreat()
            move = stepper.propose(now.pulls)
            then = self._moved(now, move)
            stepper.learn(move, now.pulls, then.pulls)
            now = then
            idle = 0 if now.unrest < best.unrest else idle + 1
            best = best if idle else now
            self.taken += 1
        return now if self.converged else best

    def _first(self, initial: Structure, final: Structure) -> _Points:
        """The better of two ways, by their highest image."""
        moves = _moves(initial, final, self.images)
        ways = [way(initial, moves, self.images) for way in (straight_path, even_path)]
        energies, forces = self._ask(initial, np.concatenate([ways[0], ways[1][1:-1]]))
        both = [(ways[0], np.arange(self.images))]
        both.append((ways[1], np.r_[0, self.images : 2 * self.images - 2, self.images - 1]))
        way, which = min(both, key=lambda one: energies[one[1]].max())
        if largest(forces[[0, self.images - 1]]) > FAR_FROM_REST * self.max_force:
            self.notes.append(
                f"An end is not at rest: {largest(forces[[0, self.images - 1]]):.2f} eV/A act on an atom."
            )
        return _Points(initial, way, energies[which], forces[which])

    def _moved(self, now: _Points, move: np.ndarray) -> _Points:
        positions = now.positions.copy()
        positions[1:-1] += move
        energies, forces = now.energies.copy(), now.forces.copy()
        energies[1:-1], forces[1:-1] = self._ask(now.host, positions[1:-1])
        return dataclasses.replace(now, positions=positions, energies=energies, forces=forces)

    def _ask(self, host: Structure, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies, eV, and forces, eV/A, of all images in one batch."""
        results = calculate_each(self.potential, [_crystal(host, one) for one in positions])
        self.evaluations += len(results)
        for result in results:
            if not isinstance(result, Calculation):
                raise _BandError(result)
            if not np.isfinite(result.forces).all():
                raise _BandError(f"{self.potential.name} gives forces that are not finite on the band.")
        found = [result for result in results if isinstance(result, Calculation)]
        return np.array([one.energy for one in found]), np.array([one.forces for one in found])

    def _lower_ends(self, now: _Points) -> list[Structure] | None:
        """Both ends relaxed from the host of their neighbours, where one is lower than before."""
        assert self.relaxer is not None
        try:
            relaxed = _at_rest(now.ends_with_fallen_host(), self.relaxer, [])
            energies, _ = self._ask(now.host, np.array([end.cart_coords for end in relaxed]))
        except _BandError:
            return None
        lower = energies < now.energies[[0, -1]] - GAINED_EV
        if not lower.any():
            return None
        self.notes.append(
            "Images fell below both ends, held up by their symmetry; these were relaxed again beside the images."
        )
        old = now.crystals()
        return [new if is_lower else old[k] for new, is_lower, k in zip(relaxed, lower, (0, -1), strict=True)]


def _at_rest(ends: Sequence[Structure], relaxer: Relaxer, notes: list[str]) -> list[Structure]:
    """Both ends after one call of the relaxer."""
    relaxed = []
    for which, result in zip(("first", "last"), relaxer.relax(ends), strict=True):
        if result.structure is None or result.failure:
            raise _BandError(
                f"The {which} end could not be relaxed: {result.failure or 'no geometry came back.'}"
            )
        if not result.converged:
            notes.append(f"The {which} end is not at rest: {result.note}")
        relaxed.append(result.structure)
    return relaxed


def _moves(initial: Structure, final: Structure, images: int) -> np.ndarray:
    """Of every atom between the ends, A, shape `(nsites, 3)`."""
    if images < 3:
        raise StructureError(
            f"A band of {images} images was asked for; at least one lies between its 2 ends."
        )
    if [site.specie.symbol for site in initial] != [site.specie.symbol for site in final]:
        raise StructureError(
            f"The ends hold {initial.formula} and {final.formula}, or their atoms in another order; there is no "
            "band between them."
        )
    strain = float(np.abs(initial.lattice.matrix - final.lattice.matrix).max())
    if strain > SAME_CELL_ANGSTROM:
        raise StructureError(
            f"The cells of the ends differ by {strain:.3f} A; a hop's band has one cell. Give both ends the first one's."
        )
    moves = shortest_moves(initial, final)
    if np.linalg.norm(moves, axis=1).max() < SAME_CRYSTAL_ANGSTROM:
        raise StructureError("Both ends are the same crystal; there is no path between them.")
    return moves


def _crystal(host: Structure, positions: np.ndarray) -> Structure:
    from pymatgen.core import Structure

    species = [site.specie.symbol for site in host]
    return Structure(host.lattice, species, positions, coords_are_cartesian=True)
