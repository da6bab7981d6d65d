"""What of a candidate's crystal goes into an input file: the plain geometry, and words about it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..core.identity import SYMPREC_ANGSTROM, require_ordered

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..core.candidate import Candidate

MONOCLINIC = range(3, 16)


def plain_structure(candidate: Candidate) -> Structure:
    """Lattice, elements and positions only: no oxidation states, site properties or charge.

    A potential's site properties would otherwise leak into an input (as `MAGMOM`, as a column of the
    POSCAR) and make it differ from the Materials Project's own settings.

    Raises:
        StructureError: the structure is empty or disordered.
    """
    return plain(candidate.structure)


def plain(structure: Structure) -> Structure:
    """`plain_structure` of a bare structure."""
    from pymatgen.core import Structure

    require_ordered(structure)
    symbols = [site.specie.symbol for site in structure]
    return Structure(structure.lattice, symbols, structure.frac_coords)


def spacegroup_number(candidate: Candidate) -> int | None:
    """The number the candidate carries; else found at symprec 0.01 A; else `None`."""
    if candidate.spacegroup_number is not None:
        return candidate.spacegroup_number
    return detected_spacegroup(candidate.structure)


def detected_spacegroup(structure: Structure, symprec: float = SYMPREC_ANGSTROM) -> int | None:
    """International number by spglib, or `None` if it finds none."""
    import spglib

    if not structure.is_ordered or not len(structure):
        return None
    numbers = [site.specie.Z for site in structure]
    cell: Any = (structure.lattice.matrix, structure.frac_coords, numbers)
    try:
        found = spglib.get_symmetry_dataset(cell, symprec=symprec)
    except Exception:
        return None
    return int(found.number) if found else None


@lru_cache(maxsize=230)
def spacegroup_symbol(number: int | None) -> str:
    """Short Hermann-Mauguin symbol, `Pca2_1`, `P2_1/c`; empty if there is none."""
    if number is None or not 1 <= number <= 230:
        return ""
    from pymatgen.symmetry.groups import sg_symbol_from_int_number

    # pymatgen writes monoclinic groups in full, P12_1/c1, with a place for each axis.
    symbol = sg_symbol_from_int_number(number)
    return re.sub(r"^([A-Z])1(.+)1$", r"\1\2", symbol) if number in MONOCLINIC else symbol


def origin(candidate: Candidate) -> str:
    """Who brought the candidate in: `catalog`, `substitution`; empty if it does not say."""
    return candidate.provenance[0].name if candidate.provenance else ""


def is_new(candidate: Candidate) -> bool:
    """Whether the candidate was proposed rather than retrieved, and did not turn out to be a known crystal."""
    novelty = candidate.verdict("novelty")
    proposed = bool(candidate.provenance) and candidate.provenance[0].stage == "generate"
    return proposed and (novelty is None or novelty.passed)


def parents(candidate: Candidate) -> tuple[str, ...]:
    """Ids of the crystals it was made from, each once, in order."""
    return tuple(dict.fromkeys(parent for step in candidate.provenance for parent in step.parents))
