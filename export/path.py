"""Which nonpolar crystal is the path of a candidate exported from?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.errors import StructureError
from ..core.foreign import structure_from_dict
from ..core.polar_path import IMAGES, polar_path
from .crystal import plain

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..core.candidate import Candidate

__all__ = ["IMAGES", "nonpolar_reference", "polar_path"]


def nonpolar_reference(candidate: Candidate) -> Structure | None:
    """The nonpolar parent that the ferroelectric screen matched to the candidate, if there is one.

    Raises:
        StructureError: the verdict holds something that is no crystal.
    """
    verdict = candidate.verdict("ferroelectric")
    reference = (verdict.details if verdict else {}).get("reference")
    record = reference.get("structure") if isinstance(reference, dict) else None
    if record is None:
        return None

    try:
        return plain(structure_from_dict(record))
    except StructureError:
        raise
    except Exception as error:
        raise StructureError(
            f"The nonpolar reference of {candidate.candidate_id} cannot be read as a structure: {error!r}."
        ) from None
