"""What is left of the barrier once atoms and cell on the way may step aside?

A climbing-image nudged elastic band (ASE's) from the straight path, for a crystal at no pressure: the cell moves
with the atoms, for in a cell held fixed the climbing image would climb to a saddle of that cell. A point of the
band is the atoms' fractional coordinates laid into the polar end's cell, and below them three more rows: the
deformation of that cell, scaled to a length so that springs and forces weigh strain and displacement alike.

Sources: Sheppard, Xiao, Chemelewski, Johnson, Henkelman, J. Chem. Phys. 136, 074103 (2012),
doi:10.1063/1.3684549 (cell and atoms in one band); Henkelman, Uberuaga, Jonsson, J. Chem. Phys. 113, 9901 (2000),
doi:10.1063/1.1329672 (climbing); Henkelman, Jonsson, J. Chem. Phys. 113, 9978 (2000), doi:10.1063/1.1323224
(tangents).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...core.contracts import Calculation, Potential
from ...core.errors import HysteronError, StructureError
from ...core.polar_path import IMAGES, displacements_between, polar_path
from ..batch import calculate_each
from .path import Profile, profile_of

if TYPE_CHECKING:
    from ase import Atoms
    from ase.mep import NEB
    from pymatgen.core import Structure

MAX_FORCE = 0.05
"""eV/A, on an atom (and on the scaled cell) of an image, across the band and at its top, at which it has converged."""
BEFORE_CLIMBING = 4.0
"""The highest image begins to climb once forces are below so many times `MAX_FORCE`; sooner it may run away."""
STEPS = 500
SAME_CRYSTAL_ANGSTROM = 1e-3
METHOD = "climbing-image NEB of atoms and cell"


class _BandError(HysteronError):
    """The potential refuses an image of the band."""


def climb(
    parent: Structure,
    polar: Structure,
    potential: Potential,
    seconds: float = 60.0,
    images: int = IMAGES,
    max_force: float = MAX_FORCE,
) -> Profile | str:
    """The profile along a nudged elastic band, its highest image climbed to the saddle.

    Args:
        parent: The nonpolar end, or the reversed polar state; atoms ordered as in `polar`. Both ends at rest.
        polar: The polar end.
        potential: Asked for all moving images at once, once per step.
        seconds: Wall time after which the band is given back as it is; at least one step's energies are taken.
        images: Both ends counted.
        max_force: eV/A.

    Returns:
        The profile, whose `method` says whether it converged or when it was stopped; a sentence if the ends do
        not correspond or the potential refuses an image.

    Notes:
        A straight path keeps the symmetry that both ends share, and so does a band that starts on it: a lower
        saddle of less symmetry is not found. Where no image lies above both ends, none climbs.
    """
    stop_at = time.monotonic() + seconds
    try:
        frame = _Frame(np.array(polar.lattice.matrix), [site.specie.symbol for site in polar])
        band = _band(_straight(parent, polar, images), frame, potential)
        converged = _run(band, max_force, stop_at)
    except (StructureError, _BandError) as error:
        return str(error)
    if converged:
        state, notes = "converged", []
    else:
        state = (
            f"stopped after {seconds:g} s" if time.monotonic() > stop_at else f"stopped after {STEPS} steps"
        )
        notes = [
            f"The band was {state}, not converged: its barrier is an upper bound, but for what lies between images."
        ]
    structures = [frame.crystal(image) for image in band.images]
    return profile_of("NEB", f"{METHOD}, {state}", _along(band), _energies(band), structures, notes)


def _straight(parent: Structure, polar: Structure, images: int) -> list[Structure]:
    if images < 3:
        raise StructureError(
            f"A band of {images} images was asked for; at least one lies between its 2 ends."
        )
    path = polar_path(parent, polar, images)
    strain = np.abs(path[0].lattice.matrix - polar.lattice.matrix).max()
    if max(strain, np.abs(displacements_between(parent, polar)).max()) < SAME_CRYSTAL_ANGSTROM:
        raise StructureError("Both ends are the same crystal; there is no path between them.")
    return path


@dataclass(frozen=True)
class _Frame:
    """How a crystal is written as a point of the band, and read back.

    Attributes:
        cell: Of reference, rows are lattice vectors, A, shape `(3, 3)`.
        symbols: Of the atoms.
    """

    cell: np.ndarray
    symbols: list[str]

    @property
    def length(self) -> float:
        """A by which a deformation is scaled: the distance of atoms times the root of their number."""
        volume, n = abs(np.linalg.det(self.cell)), len(self.symbols)
        return float((volume / n) ** (1 / 3) * n**0.5)

    def point(self, crystal: Structure) -> Atoms:
        """Atoms in the cell of reference, and the scaled deformation as three ghosts; not periodic for ASE."""
        from ase import Atoms

        deformation = np.linalg.solve(self.cell, crystal.lattice.matrix)
        rows = np.vstack([crystal.frac_coords @ self.cell, self.length * deformation])
        return Atoms([*self.symbols, "X", "X", "X"], rows)

    def crystal(self, point: Atoms) -> Structure:
        """The crystal at a point."""
        from pymatgen.core import Lattice, Structure

        cell = self.cell @ self._deformation(point)
        return Structure(Lattice(cell), self.symbols, point.positions[:-3] @ np.linalg.inv(self.cell))

    def forces(self, point: Atoms, found: Calculation) -> np.ndarray:
        """Minus the slope of the energy in the coordinates of a point, eV/A, shape `(nsites + 3, 3)`."""
        deformation = self._deformation(point)
        volume = abs(np.linalg.det(self.cell @ deformation))
        on_cell = -volume * np.linalg.solve(deformation.T, found.stress) / self.length
        return np.vstack([found.forces @ deformation.T, on_cell])

    def _deformation(self, point: Atoms) -> np.ndarray:
        """From the cell of reference to the crystal's: `cell @ deformation`, shape `(3, 3)`."""
        return point.positions[-3:] / self.length


def _band(path: Sequence[Structure], frame: _Frame, potential: Potential) -> NEB:
    """ASE's band over the images of a path, with one call of the potential for all that have moved."""
    from ase.mep import NEB

    class Band(NEB):
        def get_forces(self) -> np.ndarray:
            _refresh(self.images, frame, potential)
            return super().get_forces()

    return Band([frame.point(image) for image in path], method="improvedtangent")


def _refresh(points: Sequence[Atoms], frame: _Frame, potential: Potential) -> None:
    """Energies and forces of the images that have moved since they were last asked for."""
    from ase.calculators.singlepoint import SinglePointCalculator

    moved = [point for point in points if point.calc is None or point.calc.check_state(point)]
    results = calculate_each(potential, [frame.crystal(point) for point in moved])
    for point, result in zip(moved, results, strict=True):
        if not isinstance(result, Calculation):
            raise _BandError(result)
        forces = frame.forces(point, result)
        if not np.isfinite(forces).all():
            raise _BandError(f"{potential.name} gives forces that are not finite on the band.")
        point.calc = SinglePointCalculator(point, energy=result.energy, forces=forces)


def _run(band: NEB, max_force: float, stop_at: float) -> bool:
    """First the band alone, roughly, then with its highest image climbing. Whether it converged in time."""
    if not _descend(band, BEFORE_CLIMBING * max_force, stop_at):
        return False
    energies = _energies(band)
    band.climb = max(energies[1:-1]) > max(energies[0], energies[-1])
    return _descend(band, max_force, stop_at)


def _descend(band: NEB, max_force: float, stop_at: float) -> bool:
    from ase.optimize import FIRE

    for converged in FIRE(band, logfile=None).irun(fmax=max_force, steps=STEPS):  # type: ignore[arg-type]
        if converged:
            return True
        if time.monotonic() > stop_at:
            return False
    return False


def _energies(band: NEB) -> list[float]:
    """Of the images, eV."""
    return [float(image.get_potential_energy()) for image in band.images]


def _along(band: NEB) -> list[float]:
    """Where the images lie along the band, from 0 to 1, by the lengths of the steps between them."""
    steps = [
        np.linalg.norm(b.positions - a.positions) for a, b in zip(band.images, band.images[1:], strict=False)
    ]
    return [0.0, *(np.cumsum(steps) / np.sum(steps)).tolist()]
