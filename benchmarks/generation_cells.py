"""What does chance find that knows the space group? The baselines of structure prediction.

The mean cell of a space group: the mean of the six numbers of the lattice (`generators/diffusion/lattices.py`), the logarithm of
the volume of an atom among them, over the training crystals of that group; of its crystal system where the group has no training
crystal, and of all crystals where the system has none. The numbers that a group allows are a linear subspace, so the mean, put
onto it, obeys the group as well. In that cell stand the atoms of the crystal that has to be found, either all of them anywhere,
or on their true Wyckoff positions with random free coordinates.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..generators.diffusion.crystals import structures_of
from ..generators.diffusion.entries import frame_of, symmetric_entry
from ..generators.diffusion.lattices import cells_of, coefficients_of
from ..generators.diffusion.process import by_orbit
from ..generators.diffusion.table import Batch, padded
from ..generators.wyckoff.crystal import WyckoffCrystal
from ..generators.wyckoff.lattice import crystal_system, lattice_matrix
from ..generators.wyckoff.positions import space_group

if TYPE_CHECKING:
    from pymatgen.core import Structure

EVERY = "every crystal"


class MeanCells:
    """The mean cell of each space group.

    Args:
        crystals: Training crystals.
    """

    def __init__(self, crystals: Iterable[WyckoffCrystal]) -> None:
        self._sums: dict[int | str, np.ndarray] = {}
        self._counts: dict[int | str, int] = {}
        for crystal in crystals:
            number = crystal.spacegroup_number
            told = coefficients(crystal)
            for kind in (number, crystal_system(number), EVERY):
                self._sums[kind] = self._sums.get(kind, 0.0) + told
                self._counts[kind] = self._counts.get(kind, 0) + 1

    def of(self, number: int) -> np.ndarray:
        """The mean of the six numbers, shape `(6,)`; of crystals of other groups they need not obey the group."""
        kind = self.whose(number)
        return self._sums[kind] / self._counts[kind]

    def whose(self, number: int) -> int | str:
        """Of which crystals it is the mean: those of the group, of the crystal system, or all.

        Raises:
            ValueError: there are no crystals at all.
        """
        for kind in (number, crystal_system(number), EVERY):
            if kind in self._counts:
                return kind
        raise ValueError("There is no mean cell of no crystals.")


def coefficients(crystal: WyckoffCrystal) -> np.ndarray:
    """The six numbers of a crystal's lattice, shape `(6,)`."""
    number = crystal.spacegroup_number
    vectors = space_group(number).primitive_vectors @ lattice_matrix(crystal.lattice, number)
    return coefficients_of(vectors, frame_of(number), crystal.natoms)


def in_mean_cell(crystal: WyckoffCrystal, cells: MeanCells) -> Batch:
    """A crystal's atoms where they are, in fractional coordinates, but in the mean cell of its group."""
    batch = padded([symmetric_entry(crystal)])
    mean = torch.tensor(cells.of(crystal.spacegroup_number), dtype=torch.float32)
    return batch.but(lattice=(batch.allowed @ mean[None, :, None])[..., 0])


def random_in_mean_cell(crystal: WyckoffCrystal, cells: MeanCells, rng: np.random.Generator) -> Structure:
    """All atoms anywhere in the mean cell of the group."""
    from pymatgen.core import Lattice, Structure

    batch = in_mean_cell(crystal, cells)
    cell = cells_of(batch.lattice, batch.frames, batch.natoms.to(batch.lattice))[0].double().numpy()
    return Structure(Lattice(cell), batch.types[0].tolist(), rng.random((crystal.natoms, 3)))


def random_in_skeleton(crystal: WyckoffCrystal, cells: MeanCells, rng: np.random.Generator) -> Structure:
    """Atoms on their true Wyckoff positions, free coordinates anywhere, in the mean cell of the group."""
    batch = in_mean_cell(crystal, cells)
    free = torch.tensor(rng.random(batch.free.shape), dtype=torch.float32)
    return structures_of(batch.but(free=by_orbit(batch, free) * batch.movable))[0]
