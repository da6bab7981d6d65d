"""What must be known of a crystal before its ions can be exchanged?"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.errors import StructureError
from ..core.identity import bucket_of
from ..core.oxidation import assign_oxidation_states
from .ion_pairs import Ion
from .ion_sizes import Surroundings, surroundings

if TYPE_CHECKING:
    from ..core.candidate import Candidate

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parent:
    """A crystal whose ions are known.

    Attributes:
        seed: The candidate.
        around: Its ions, bonds and contacts.
        amounts: Number of each ion in the cell.
        oxidation_method: How its oxidation states were found.
    """

    seed: Candidate
    around: Surroundings
    amounts: dict[Ion, int]
    oxidation_method: str


def parent_of(seed: Candidate) -> Parent | None:
    """The ions of a seed; `None`, with a line in the log, if it is no crystal of whole-numbered ions."""
    try:
        assigned = assign_oxidation_states(seed.structure)
    except StructureError as error:
        log.warning("%s is left out: %s", seed.candidate_id, error)
        return None
    if assigned is None or not assigned.are_whole or not any(assigned.charges):
        log.debug("%s is left out: no whole oxidation states that add up to zero.", seed.candidate_id)
        return None
    symbols = [site.specie.symbol for site in seed.structure]
    ions = [Ion(symbol, round(charge)) for symbol, charge in zip(symbols, assigned.charges, strict=True)]
    around = surroundings(seed.structure, ions)
    if around is None:
        log.debug("%s is left out: a cation without an anion in reach.", seed.candidate_id)
        return None
    return Parent(seed, around, dict(sorted(Counter(ions).items())), assigned.method)


def spacegroup_of(seed: Candidate) -> int | None:
    """The space group a seed came with, else as found; `None` for a crystal that has none."""
    if seed.spacegroup_number is not None:
        return seed.spacegroup_number
    try:
        return bucket_of(seed.structure).spacegroup_number
    except StructureError as error:
        log.warning("%s is left out: %s", seed.candidate_id, error)
        return None


def in_order(seeds: Iterable[Candidate]) -> list[Candidate]:
    """Each seed once, in an order that does not depend on how they came."""
    return [seed for _, seed in sorted({s.candidate_id: s for s in seeds}.items())]
