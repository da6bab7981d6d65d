"""What does a hop cost whose two ends an operation of the crystal exchanges?

Halfway, the ion and its surroundings keep the operations that map the pair of sites on itself. The one that exchanges the
ends reverses the way of the hop, so in the displacements that keep the group the saddle is a minimum, found at the price
of a relaxation instead of a band. Whether it is the saddle is then asked: the ion must be held across the hop, and moved
a little along it and let go it must come to rest at an end, with all atoms free to follow. If it is pushed away across,
the way bends: the atoms are moved that way and come to rest again under what is left of the group. If the crystal falls
below the vacancy as the ion is let go, it has a distortion that symmetry had held back, and the saddle is shaken loose too.

For any other hop the same relaxation, the ion held at half of the way, gives an energy that every way must pass: a lower
bound of the barrier, as good as the relaxation is complete.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...core.contracts import Calculation, Potential
from ...core.symmetry import dataset_at
from ..batch import calculate_each
from .hop_cells import HopCell
from .invariant import SYMPREC_ANGSTROM, Effort, Rest, Subspace, descend, kept_by, moved, subspace_of

if TYPE_CHECKING:
    from pymatgen.core import Structure

PROBE_ANGSTROM = 0.03
"""By which the ion is moved to see how the energy curves; the noise of single-precision forces is 1e-4 of what it feels."""
BEND_ANGSTROM = 0.3
"""By which the ion is moved across the hop where the way bends."""
BENDS = 2
"""How often it may."""
SHAKE_ANGSTROM = 0.06
"""By which atoms are moved, on each axis, where the crystal has a distortion that symmetry holds back."""
SHAKE_SEED = 0
LET_GO_ANGSTROM = 0.2
"""By which the ion is moved towards an end before it is let go."""
AT_THE_END = 0.6
"""Part of the way from the middle to an end after which an ion has arrived; atoms around a vacancy relax inwards."""
SAME_ENERGY_EV = 0.05
"""Within which of a vacancy's energy the ion has come to rest at an end."""
REVERSES = -0.99
"""Cosine of the direction of the hop with its image, below which an operation exchanges the ends."""


@dataclass(frozen=True)
class Middle:
    """A hop with its ion halfway.

    Attributes:
        structure: At rest, but for the way of the hop; the ion last.
        energy: eV, of the cell.
        converged: Whether the forces fell below what was asked for.
        steps: Evaluations of the potential in the last relaxation.
        order: Operations kept.
        symmetric: Whether one of them exchanges the ends.
        along: Curvature of the energy along the hop as the ion moves alone, eV/A^2; negative at a saddle. `None` if not asked.
        across: The second lowest curvature for moves of the ion alone, eV/A^2; positive at a saddle. `None` if not asked.
        bend: Where the ion is softest across the hop, shape `(3,)`.
        landing: Where the crystal comes to rest once the ion is let go, `None` if not asked.
        doubt: Why it is not the saddle, one sentence; empty if it is.
    """

    structure: Structure
    energy: float
    converged: bool
    steps: int
    order: int
    symmetric: bool
    along: float | None = None
    across: float | None = None
    bend: np.ndarray | None = field(default=None, repr=False, compare=False)
    landing: Rest | None = field(default=None, repr=False, compare=False)
    doubt: str = ""

    @property
    def is_saddle(self) -> bool:
        """Whether its energy is the top of the hop."""
        return self.symmetric and not self.doubt


def middles(
    cells: Sequence[HopCell], ends: Sequence[float], potential: Potential, effort: Effort
) -> list[Middle | str]:
    """Every hop with its ion halfway, all in one batch a step, and which of them are saddles.

    Args:
        cells: The hops.
        ends: Energy of each with its vacancy at rest, eV.
        potential: Of energies and forces.
        effort: How far relaxations go.

    Returns:
        One per hop, in order; a sentence where the potential refuses.
    """
    found = _relaxed(cells, [cell.at(0.5) for cell in cells], potential, effort)
    found = _with_curvatures(cells, found, potential)
    for _ in range(BENDS):
        bent = [i for i, middle in enumerate(found) if isinstance(middle, Middle) and _bends(middle)]
        some = [cells[i] for i in bent]
        starts = [_bent(found[i]) for i in bent]  # type: ignore[arg-type]
        again = _with_curvatures(some, _relaxed(some, starts, potential, effort), potential)
        for i, middle in zip(bent, again, strict=True):
            found[i] = middle
    found = _let_go(cells, ends, found, potential, effort)
    soft = [i for i, middle in enumerate(found) if isinstance(middle, Middle) and _soft(middle, ends[i])]
    some = [cells[i] for i in soft]
    starts = [_shaken(found[i].structure, cells[i].direction) for i in soft]  # type: ignore[union-attr]
    again = _with_curvatures(some, _relaxed(some, starts, potential, effort), potential)
    again = _let_go(some, [ends[i] for i in soft], again, potential, effort)
    for i, middle in zip(soft, again, strict=True):
        if isinstance(middle, Middle) and middle.energy < found[i].energy:  # type: ignore[union-attr]
            found[i] = middle
    return found


def _relaxed(
    cells: Sequence[HopCell], starts: Sequence[Structure], potential: Potential, effort: Effort
) -> list[Middle | str]:
    groups = [_group(cell, start) for cell, start in zip(cells, starts, strict=True)]
    rests = descend(starts, [subspace for subspace, _ in groups], potential, effort)
    return [
        rest
        if isinstance(rest, str)
        else Middle(rest.structure, rest.energy, rest.converged, rest.steps, subspace.order, symmetric)
        for rest, (subspace, symmetric) in zip(rests, groups, strict=True)
    ]


def _group(cell: HopCell, start: Structure) -> tuple[Subspace, bool]:
    """What the atoms may do, and whether an operation exchanges the ends; if none does the ion is held."""
    subspace = subspace_of(start)
    if len(_exchanging(start, cell.direction)[0]):
        return subspace, True
    return without_way(subspace, cell.direction), False


def _exchanging(structure: Structure, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The operations of a crystal with its ion halfway that reverse the way of the hop: rotations and translations."""
    dataset = dataset_at(structure, SYMPREC_ANGSTROM)
    if dataset is None:
        return np.zeros((0, 3, 3)), np.zeros((0, 3))
    columns = structure.lattice.matrix.T
    turned = columns @ dataset.rotations @ np.linalg.inv(columns) @ direction
    reverse = turned @ direction < REVERSES
    return dataset.rotations[reverse], dataset.translations[reverse]


def without_way(subspace: Subspace, direction: np.ndarray) -> Subspace:
    """The subspace less the way of the last atom against the mean of all others."""
    way = -np.ones((len(subspace.basis) // 3, 1)) * direction / (len(subspace.basis) // 3 - 1)
    way[-1] = direction
    inside = subspace.basis.T @ way.ravel()
    length = float(np.linalg.norm(inside))
    if length < 1e-6:
        return subspace
    kept = np.linalg.svd(inside[None, :] / length)[2][1:]
    return Subspace(subspace.basis @ kept.T, subspace.order)


def _with_curvatures(
    cells: Sequence[HopCell], found: Sequence[Middle | str], potential: Potential
) -> list[Middle | str]:
    """Those that an operation exchanges, with how the energy curves as the ion moves alone; one batch for all."""
    asked = [i for i, middle in enumerate(found) if isinstance(middle, Middle) and middle.symmetric]
    probes = [
        _ion_moved(found[i].structure, sign * PROBE_ANGSTROM * axis)  # type: ignore[union-attr]
        for i in asked
        for axis in np.eye(3)
        for sign in (1, -1)
    ]
    forces = [
        result.forces[-1] if isinstance(result, Calculation) else None
        for result in calculate_each(potential, probes)
    ]
    curved = list(found)
    for k, i in enumerate(asked):
        six = forces[6 * k : 6 * k + 6]
        if all(force is not None for force in six):
            curved[i] = _curved(found[i], np.array(six), cells[i].direction)  # type: ignore[arg-type]
    return curved


def _curved(middle: Middle, forces: np.ndarray, direction: np.ndarray) -> Middle:
    """From the forces on the ion moved forth and back along the three axes, shape `(6, 3)`."""
    curvature = (forces[1::2] - forces[::2]) / (2 * PROBE_ANGSTROM)
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    softest = vectors[:, :2]
    bend = softest[:, np.abs(direction @ softest).argmin()]
    along = float(direction @ curvature @ direction)
    across = bend - direction * (bend @ direction)
    return dataclasses.replace(middle, along=along, across=float(values[1]), bend=across)


def _bends(middle: Middle) -> bool:
    return middle.along is not None and middle.across is not None and middle.along < 0 and middle.across < 0


def _bent(middle: Middle) -> Structure:
    assert middle.bend is not None
    return _ion_moved(middle.structure, BEND_ANGSTROM * middle.bend / np.linalg.norm(middle.bend))


def _ion_moved(structure: Structure, move: np.ndarray) -> Structure:
    moves = np.zeros((len(structure), 3))
    moves[-1] = move
    return moved(structure, moves)


def _soft(middle: Middle, end: float) -> bool:
    """Whether the crystal, its ion let go, has found a distortion that its symmetry had held back."""
    return middle.is_saddle and middle.landing is not None and middle.landing.energy < end - SAME_ENERGY_EV


def _shaken(structure: Structure, direction: np.ndarray) -> Structure:
    """The middle with its atoms moved at random, so that of its group one operation that exchanges the ends is left."""
    rotations, translations = _exchanging(structure, direction)
    twice = rotations @ rotations
    own_inverse = np.flatnonzero((twice == np.eye(3, dtype=int)).all(axis=(1, 2)))
    k = int(own_inverse[0]) if len(own_inverse) else 0
    group = np.stack([np.eye(3), rotations[k]]), np.stack([np.zeros(3), translations[k]])
    rng = np.random.default_rng(np.random.SeedSequence([SHAKE_SEED, len(structure)]))
    moves = rng.normal(scale=SHAKE_ANGSTROM, size=(len(structure), 3))
    return moved(structure, kept_by(structure, *group).of(moves))


def _doubted(middle: Middle) -> Middle:
    """With what speaks against its being the saddle, as far as the curvatures tell."""
    if not middle.symmetric:
        return middle
    if middle.along is None or middle.across is None:
        doubt = "The potential refuses a move of the ion from the middle."
    elif not middle.converged:
        doubt = "The atoms around the ion in the middle have not come to rest."
    elif middle.across < 0:
        doubt = (
            f"The ion is pushed off the way in the middle of the hop (curvature {middle.across:+.2f} eV/A^2)."
        )
    else:
        return middle
    return dataclasses.replace(middle, doubt=doubt)


def _let_go(
    cells: Sequence[HopCell],
    ends: Sequence[float],
    found: Sequence[Middle | str],
    potential: Potential,
    effort: Effort,
) -> list[Middle | str]:
    """Every middle with what speaks against it; the saddles with where the crystal rests once the ion is let go."""
    found = [middle if isinstance(middle, str) else _doubted(middle) for middle in found]
    asked = [i for i, middle in enumerate(found) if isinstance(middle, Middle) and middle.is_saddle]
    starts = [
        _ion_moved(found[i].structure, LET_GO_ANGSTROM * cells[i].direction)  # type: ignore[union-attr]
        for i in asked
    ]
    rests = descend(starts, [subspace_of(start) for start in starts], potential, effort)
    landed = list(found)
    for i, rest in zip(asked, rests, strict=True):
        landed[i] = _landed(found[i], rest, cells[i], ends[i])  # type: ignore[arg-type]
    return landed


def _landed(middle: Middle, rest: Rest | str, cell: HopCell, end: float) -> Middle:
    if isinstance(rest, str):
        return dataclasses.replace(middle, doubt=rest)
    moves = rest.structure.cart_coords - middle.structure.cart_coords
    half = float(np.linalg.norm(cell.end - cell.start)) / 2
    part = float((moves[-1] - moves[:-1].mean(axis=0)) @ cell.direction) / half
    excess = rest.energy - end
    doubt = ""
    if part < AT_THE_END:
        doubt = f"The ion let go from the middle comes to rest after {part:.0%} of the way to an end."
    elif excess > SAME_ENERGY_EV:
        doubt = (
            f"The ion let go from the middle comes to rest {excess:.2f} eV above the vacancy: "
            "the way has a minimum of its own."
        )
    return dataclasses.replace(middle, landing=rest, doubt=doubt)
