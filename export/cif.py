"""A candidate as CIF: with its symmetry where that can be written without changing the crystal.

The symmetrised file (conventional cell, symmetry operations) is read back; if it is not the same
crystal in the same space group, all atoms are written in P1 instead.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.candidate import Candidate
from ..core.identity import SYMPREC_ANGSTROM
from ..core.settings import Settings
from .crystal import detected_spacegroup, plain_structure
from .folders import safe_name
from .manifest import Written

if TYPE_CHECKING:
    from pymatgen.core import Structure

SAME_CRYSTAL_RMS = 0.005
"""Root mean square displacement over (V/N)^(1/3): the digits of a CIF and of spglib's idealisation."""


class CifSettings(Settings):
    """Nothing can be chosen of a CIF yet; an unknown setting is refused."""


class CifFileWriter:
    """Writes one candidate as a CIF."""

    settings_model = CifSettings
    libraries = ("pymatgen", "spglib")
    about = (f"Symmetry found at symprec {SYMPREC_ANGSTROM} A; files in P1 where it could not be kept.",)

    def __init__(self, settings: CifSettings | None = None) -> None:
        self.settings = settings or CifSettings()

    def write(self, candidate: Candidate, folder: Path) -> Written:
        """Write `<candidate id>.cif` into an existing folder; it asks for no calculation.

        Raises:
            StructureError: a disordered or empty structure.
        """
        name = safe_name(candidate.candidate_id)
        (folder / f"{name}.cif").write_text(cif_text(candidate), encoding="utf-8", newline="\n")
        return Written()


def cif_text(candidate: Candidate) -> str:
    """One data block, named after the candidate.

    Raises:
        StructureError: a disordered or empty structure.
    """
    structure = plain_structure(candidate)
    number = detected_spacegroup(structure)
    body = _block(structure, SYMPREC_ANGSTROM) if number and number > 1 else None
    if body is None or not _is_same(body, structure, number):
        body = _block(structure, None)
    return f"data_{safe_name(candidate.candidate_id)}\n{body}"


def _block(structure: Structure, symprec: float | None) -> str | None:
    """pymatgen's CIF without its first lines (comment and block name); `None` if it cannot be made."""
    from pymatgen.io.cif import CifWriter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            text = str(CifWriter(structure, symprec=symprec))
        except Exception:
            if symprec is None:
                raise
            return None
    return text.split("\n", text[: text.index("data_")].count("\n") + 1)[-1]


def _is_same(body: str, structure: Structure, number: int | None) -> bool:
    """Whether a CIF's body holds this crystal, in this space group."""
    from pymatgen.analysis.structure_matcher import StructureMatcher
    from pymatgen.io.cif import CifParser

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = CifParser.from_str(f"data_check\n{body}").parse_structures(primitive=False)[0]
        except Exception:
            return False
    if found.composition.fractional_composition != structure.composition.fractional_composition:
        return False
    rms = StructureMatcher(scale=False).get_rms_dist(structure, found)
    return rms is not None and rms[1] < SAME_CRYSTAL_RMS and detected_spacegroup(found) == number
