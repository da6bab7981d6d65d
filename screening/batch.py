"""How is a batch of structures calculated when one of them may be refused?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core.contracts import Calculation, Potential
from ..core.errors import HysteronError

if TYPE_CHECKING:
    from pymatgen.core import Structure


def calculate_each(potential: Potential, structures: Sequence[Structure]) -> list[Calculation | str]:
    """One result per structure, in order; a sentence in the place of one that the potential refuses.

    All in one batch; only if the potential refuses the batch are the structures tried one by one.
    """
    if not structures:
        return []
    try:
        return [_checked(result, potential) for result in potential.calculate(structures)]
    except (HysteronError, ValueError):
        return [_alone(potential, structure) for structure in structures]


def _alone(potential: Potential, structure: Structure) -> Calculation | str:
    try:
        return _checked(potential.calculate([structure])[0], potential)
    except (HysteronError, ValueError) as error:
        return f"{potential.name}: {error}"


def _checked(result: Calculation, potential: Potential) -> Calculation | str:
    if np.isfinite(result.energy):
        return result
    return (
        f"{potential.name} gives an energy of {result.energy} eV; the geometry may be far from any crystal."
    )
