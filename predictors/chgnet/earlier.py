"""What energy does the CHGNet of the first publication, 0.2.0, give?

It learnt from the same relaxations as 0.3.0 (MPtrj), apart from it, sees bonds up to 5 A instead of 6 and has
no layer norms. So it errs in part otherwise, and the two together say more than either (`polar_difference`).
Its weights come with the chgnet package, whose own evaluation is used: energies alone, of few crystals.

Source: Deng et al., Nat. Mach. Intell. 5, 1031 (2023), doi:10.1038/s42256-023-00716-3.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import lru_cache
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.errors import StructureError
from ...core.workers import single_threaded
from .potential import checked_cell

if TYPE_CHECKING:
    from pymatgen.core import Structure

VERSION = "0.2.0"
CRYSTALS_PER_BATCH = 8


class EarlierCHGNet:
    """Energies of CHGNet 0.2.0, on the processor."""

    name = f"CHGNet {VERSION}"

    def energies(self, structures: Sequence[Structure]) -> np.ndarray:
        """Total energies, eV, on the MP2020-corrected scale, shape `(nstructures,)`.

        Raises:
            InputError: an element beyond plutonium, partial occupancy or no atoms.
            StructureError: an atom without a neighbour within 5 A, or what else the package refuses.
        """
        for structure in structures:
            checked_cell(structure)
        found = [np.zeros(0)]
        for start in range(0, len(structures), CRYSTALS_PER_BATCH):
            found.append(self._batch(list(structures[start : start + CRYSTALS_PER_BATCH])))
        return np.concatenate(found)

    def _batch(self, structures: list[Structure]) -> np.ndarray:
        """Evaluated beside a crystal that has angles.

        In a batch without a single angle, so of crystals whose bonds are all longer than 3 A, this version leaves out
        biases it was trained with, and lands up to 0.1 eV/atom elsewhere (KBr).
        """
        together = [*structures, _silicon()]
        with single_threaded(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = _published().predict_structure(together, task="e", batch_size=len(together))
            except (ValueError, RuntimeError, IndexError) as error:
                formulas = ", ".join(s.composition.reduced_formula for s in structures)
                raise StructureError(f"{self.name} cannot treat {formulas}: {error}") from None
        return np.array([float(r["e"]) * len(s) for r, s in zip(found, structures, strict=False)])


def _silicon() -> Structure:
    """Diamond, a = 5.43 A."""
    from pymatgen.core import Lattice, Structure

    half = 5.43 / 2
    lattice = Lattice([[0, half, half], [half, 0, half], [half, half, 0]])
    return Structure(lattice, ["Si", "Si"], [[0, 0, 0], [0.25, 0.25, 0.25]])


@lru_cache(maxsize=1)
def _published() -> Any:
    """The package's model, read at first use; it announces itself on standard output, which is kept free."""
    with redirect_stdout(StringIO()):
        from chgnet.model.model import CHGNet

        return CHGNet.load(model_name=VERSION, use_device="cpu", verbose=False)
