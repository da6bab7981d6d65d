"""How are energies of OMat24's settings corrected?

By the rules of the Materials Project with constants fitted anew, since the pseudopotentials differ
(bromides by 0.22 eV per Br, iron oxides by 0.17 eV per Fe). The constants are read from the package
`fairchem-data-omat` (MIT), which is small and needs pymatgen alone.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import MissingDataError
from .corrections import Correction, fitted_correction

if TYPE_CHECKING:
    from pymatgen.core import Structure
    from pymatgen.entries.compatibility import MaterialsProject2020Compatibility

PACKAGE = "fairchem-data-omat"
CONSTANTS = "OMat24Compatibility.yaml"


def omat24_corrected(energy_per_atom: float, structure: Structure) -> float:
    """A raw energy of OMat24's settings brought to the scale `OMat24-corrected`, eV/atom.

    Raises:
        MissingDataError: the package with the constants is not installed.
        InputError: no atoms, partial occupancy, or an element without a pseudopotential.
    """
    return energy_per_atom + omat24_correction(structure).per_atom


def omat24_correction(structure: Structure) -> Correction:
    """What is added to an OMat24 energy of this crystal.

    Raises:
        MissingDataError, InputError: as `omat24_corrected`.
    """
    return fitted_correction(structure, _scheme())


@lru_cache(maxsize=1)
def _scheme() -> MaterialsProject2020Compatibility:
    from pymatgen.entries.compatibility import MaterialsProject2020Compatibility

    return MaterialsProject2020Compatibility(config_file=str(_constants()))


def _constants() -> Path:
    """The file of constants, found without importing fairchem."""
    try:
        found = [file for file in files(PACKAGE) or [] if file.name == CONSTANTS]
    except PackageNotFoundError:
        found = []
    if not found:
        raise MissingDataError(
            f"OMat24's energy corrections are in the package {PACKAGE}: pip install {PACKAGE}."
        )
    return Path(str(found[0].locate()))
