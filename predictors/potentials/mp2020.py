"""How does a raw PBE(+U) energy of the Materials Project's settings reach the scale of CHGNet, and back?"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from .corrections import Correction, fitted_correction

if TYPE_CHECKING:
    from pymatgen.core import Structure
    from pymatgen.entries.compatibility import MaterialsProject2020Compatibility


def mp2020_corrected(energy_per_atom: float, structure: Structure) -> float:
    """A raw energy brought to the scale `MP2020-corrected`, eV/atom.

    Args:
        energy_per_atom: Of `structure`, on the scale `raw PBE(+U), MP settings`, eV/atom.
        structure: Ordered; its bonds tell oxides from peroxides, superoxides and ozonides.

    Raises:
        InputError: no atoms, partial occupancy, or an element without a pseudopotential there.
    """
    return energy_per_atom + mp2020_correction(structure).per_atom


def mp2020_uncorrected(energy_per_atom: float, structure: Structure) -> float:
    """The way back: an energy of the scale `MP2020-corrected` without its corrections, eV/atom."""
    return energy_per_atom - mp2020_correction(structure).per_atom


def mp2020_correction(structure: Structure) -> Correction:
    """What the Materials Project would add to the energy of this crystal.

    Raises:
        InputError: as `mp2020_corrected`.
    """
    return fitted_correction(structure, _scheme())


@lru_cache(maxsize=1)
def _scheme() -> MaterialsProject2020Compatibility:
    from pymatgen.entries.compatibility import MaterialsProject2020Compatibility

    return MaterialsProject2020Compatibility()
