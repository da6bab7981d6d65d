"""Into what does a polar crystal switch when nothing nonpolar need lie between?

Into itself, turned by an operation of its lattice that reverses its polar directions; inversion always does. What is
looked for is how that lies on the crystal: a framework stays nearly where it is, all other atoms go to images of their
kind (`reversal_moves`). No centric midpoint is asked for, and atoms may go far: N of AlN through the plane of Al, O of
HfO2 within its cage of Hf or out of it, Se of alpha-In2Se3 from one In to the other, a layer to the next hollow.

The two states have polarizations P and -P, but only a path says which multiple of the quantum lies between them, and
paths differ: in Pca2_1 HfO2 O goes down within its cage (54 uC/cm^2 by DFT) or up through the plane of Hf (-68), two
quanta apart. So a polarization here is that of a path, and each state has its own.

Sources: the branches of HfO2, Aramberri and Iniguez, Commun. Mater. 4, 95 (2023), doi:10.1038/s43246-023-00421-z, figure
1, and Wu et al., arXiv:2301.06248; polarization as a difference, King-Smith and Vanderbilt, Phys. Rev. B 47, 1651 (1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.errors import StructureError
from ...core.polar_path import displacements_between, images_at
from ...core.primitive import Primitive
from ...core.symmetry import dataset_at
from .overlap import overlap
from .polarization import polarization_from_charges
from .reversal_moves import SAME_DIRECTION, SAME_PATH_ANGSTROM, Move, PolarCrystal, distinct_moves
from .symmetry import POLAR_POINT_GROUPS

if TYPE_CHECKING:
    from pymatgen.core import Structure

LOOKED_AT = tuple(np.linspace(0, 1, 9)[1:-1].tolist())
"""Fractions of the path at which atoms must not overlap."""
MOST_LOOKED_AT = 12
"""Paths searched for overlaps, the shortest first."""
MIDPOINT_RATIO = 2.0
"""Tolerance for the midpoint's symmetry over that of the crystal: two crystals that are inexact by it are averaged."""
LARGEST_INDEX = 12
"""Of a direction that is named by integers."""


@dataclass(frozen=True)
class ReversedState:
    """The crystal with its polarization reversed, atom by atom matched with the crystal.

    Attributes:
        structure: Same order of atoms, cell and setting as the crystal, each atom at the image that it goes to.
        displacements: From the reversed state to the crystal (+P minus -P), Cartesian, A, shape `(nsites, 3)`. Their mean
            is zero, as on every path here: a common shift changes neither images, energies nor polarization, and a frame
            fixed to the framework would hang on what one calls so.
        framework: Elements none of whose atoms goes further than `STAYING_ANGSTROM` against the part that was laid upon
            its image; if there is none, that part (`layer ZrI2`).
        operation: What reverses the crystal, up to its own symmetry; directions in the setting of the crystal.
        directions: Those along which the point group allows a polarization, Cartesian, orthonormal, in rows.
        centric_midpoint: Space group of the crystal halfway, if that is nonpolar.
        overlap: The first two atoms that come too close on the straight path, as `Nb-O 0.93 A`.
    """

    structure: Structure
    displacements: np.ndarray
    framework: tuple[str, ...]
    operation: str
    directions: np.ndarray
    centric_midpoint: int | None
    overlap: str | None

    @property
    def distortion_max(self) -> float:
        """Farthest that an atom moves from -P to +P, A: the whole way, twice that from a parent halfway."""
        return float(np.linalg.norm(self.displacements, axis=1).max())

    def record(self) -> dict[str, Any]:
        """As JSON, without the structure."""
        return {
            "distortion_max": self.distortion_max,
            "framework": list(self.framework),
            "operation": self.operation,
            "centric_midpoint": self.centric_midpoint,
            "overlap": self.overlap,
        }


def find_reversed(structure: Structure, symprec: float, limit: int = 3) -> list[ReversedState]:
    """Reversed states of a polar crystal, by different paths; the shortest first, those with overlapping atoms last.

    Args:
        structure: Ordered.
        symprec: Tolerance at which it is polar, A.
        limit: At most so many.

    Returns:
        Empty if the crystal is not polar, or if no part of it can stay while the rest moves by at most 3 A. Equally long
        paths are ranked by how far bonded atoms go against each other; which costs least, a potential must say: the
        straight way through Pbcn HfO2 rises by 45 meV/atom, through Pbca by 121, through Pbcm by 86 (CHGNet).

    Notes:
        The cell stays as it is and all primitive cells switch alike. So layers of which a primitive cell holds only
        one (3R-MoS2) do not slide, and ferroelastic switching is not looked for.
    """
    whole = Primitive.of(structure, symprec)
    if whole is None:
        return []
    crystal = PolarCrystal.of(whole.small, symprec)
    if not len(crystal.directions):
        return []
    free: list[ReversedState] = []
    crossing: list[ReversedState] = []
    for move in distinct_moves(crystal)[:MOST_LOOKED_AT]:
        state = _state(whole, crystal, move, symprec)
        if state is not None:
            (crossing if state.overlap else free).append(state)
        if len(free) == limit:
            break
    return [*free, *crossing][:limit]


def polarization_change(state: ReversedState, charges: Sequence[float]) -> np.ndarray:
    """What rigid ions give for the whole way from -P to +P.

    Args:
        state: One reversed state.
        charges: One per site, e, neutral in sum.

    Returns:
        Cartesian, uC/cm^2, shape `(3,)`. Two paths of one crystal differ by whole quanta, if ions of an element are
        alike: by e/V times a lattice vector.

    Raises:
        InputError: as `polarization_from_charges`.
    """
    return polarization_from_charges(state.displacements, charges, state.structure.volume)


def spontaneous_polarization(state: ReversedState, charges: Sequence[float]) -> np.ndarray:
    """Half of the change, along the directions in which the point group allows a polarization; as the change.

    On the branch of this path: two paths differ by half quanta.

    Notes:
        What a change has across these directions is a fraction of a quantum that symmetry fixes: in alpha-In2Se3 two
        thirds of one, in the plane (fractional quantum ferroelectricity: Ji, Yu, Xu, Xiang, Nat. Commun. 15, 135
        (2024), doi:10.1038/s41467-023-44453-y). It switches only together with the path, and is not counted.
    """
    return polarization_change(state, charges) @ state.directions.T @ state.directions / 2


def _state(whole: Primitive, crystal: PolarCrystal, move: Move, symprec: float) -> ReversedState | None:
    """A move of the primitive cell as one of the whole crystal; `None` if a path would take other images than it."""
    small = _displaced(whole.small, -move.centred)
    if not _followed(small, whole.small, move.centred):
        return None
    displacements = move.centred[whole.site_of]
    basis = whole.small.lattice.matrix @ np.linalg.inv(whole.whole.lattice.matrix)
    return ReversedState(
        structure=_displaced(whole.whole, -displacements),
        displacements=displacements,
        framework=move.framework,
        operation=_in_words(move.rotation, basis),
        directions=crystal.directions,
        centric_midpoint=_centric_group(small, whole.small, symprec),
        overlap=_first_overlap(small, whole.small),
    )


def _displaced(structure: Structure, displacements: np.ndarray) -> Structure:
    from pymatgen.core import Structure

    positions = structure.cart_coords + displacements
    return Structure(structure.lattice, structure.species, positions, coords_are_cartesian=True)


def _followed(state: Structure, polar: Structure, displacements: np.ndarray) -> bool:
    """Whether a path between these ends moves the atoms by these displacements."""
    try:
        taken = displacements_between(state, polar)
    except StructureError:
        return False
    return bool(np.abs(taken - displacements).max() < SAME_PATH_ANGSTROM)


def _first_overlap(state: Structure, polar: Structure) -> str | None:
    return next((found for image in images_at(state, polar, LOOKED_AT) if (found := overlap(image))), None)


def _centric_group(state: Structure, polar: Structure, symprec: float) -> int | None:
    """Space group of the crystal halfway, if it is not polar."""
    dataset = dataset_at(images_at(state, polar, [0.5])[0], MIDPOINT_RATIO * symprec)
    if dataset is None or dataset.pointgroup in POLAR_POINT_GROUPS:
        return None
    return int(dataset.number)


def _in_words(rotation: np.ndarray, basis: np.ndarray) -> str:
    """Name of an operation, with its direction in the setting of the whole crystal.

    Args:
        rotation: Integers in the basis of the primitive cell, acting on columns.
        basis: The primitive lattice vectors, in rows, in units of those of the whole crystal.
    """
    sign = round(np.linalg.det(rotation))
    proper = sign * rotation
    order = {3: 1, -1: 2, 0: 3, 1: 4, 2: 6}[int(np.trace(proper))]
    if order == 1:
        return "inversion"
    axis = _axis(proper, basis)
    if order == 2:
        return f"mirror normal to {axis}" if sign < 0 else f"two-fold axis along {axis}"
    return f"{order}-fold {'rotoinversion' if sign < 0 else 'rotation'} about {axis}"


def _axis(proper: np.ndarray, basis: np.ndarray) -> str:
    """Direction that a rotation keeps, as `[0 0 1]`."""
    values, vectors = np.linalg.eig(proper.astype(float))
    vector = np.real(vectors[:, np.abs(values - 1).argmin()]) @ basis
    vector = vector / np.abs(vector).max()
    vector = vector * np.sign(vector[np.abs(vector) > SAME_DIRECTION][-1])
    for multiple in range(1, LARGEST_INDEX + 1):
        indices = np.round(multiple * vector)
        if np.abs(multiple * vector - indices).max() < SAME_DIRECTION:
            return f"[{' '.join(str(int(i)) for i in indices)}]"
    return f"[{' '.join(f'{x:.2f}' for x in vector)}]"
