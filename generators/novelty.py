"""Is a proposed crystal new: not its parent, not proposed before, not known?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..core.candidate import Candidate
from ..core.errors import StructureError
from ..core.identity import IdentityIndex

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..core.contracts import Known


class Novelty:
    """The crystals one call has seen; gives each new one its id.

    Args:
        seeds: Known crystals that the call was handed.
        known: Who else knows crystals, if anybody.
        skip_known: Whether a known crystal is left out. If not, it keeps the id it is known by.
    """

    def __init__(self, seeds: Iterable[Candidate], known: Known | None, skip_known: bool) -> None:
        self._known, self._skip_known = known, skip_known
        self._index = IdentityIndex()
        self._given: set[str] = set()
        # Seeds enter the index only when a proposal has their formula: naming a crystal takes milliseconds.
        self._waiting: dict[str, list[Candidate]] = defaultdict(list)
        for seed in seeds:
            self._waiting[seed.formula].append(seed)

    def admit(self, structure: Structure, parent: Candidate) -> Candidate | None:
        """The crystal as a candidate with id and space group, or `None` if it may not be proposed (again)."""
        for seed in self._waiting.pop(structure.composition.reduced_formula, ()):
            self._take_in(seed)
        identifier, spacegroup_number, is_new = self._index.assign(structure)
        candidate = Candidate(identifier, structure, spacegroup_number=spacegroup_number)
        if identifier in self._given or identifier == parent.candidate_id:
            return None
        elsewhere = self._known.find(candidate) if self._known else None
        if self._skip_known and (elsewhere or not is_new):
            return None
        if elsewhere:
            candidate = Candidate(elsewhere, structure, spacegroup_number=spacegroup_number)
            if elsewhere in self._given or elsewhere == parent.candidate_id:
                return None
        self._given.update((identifier, candidate.candidate_id))
        return candidate

    def _take_in(self, seed: Candidate) -> None:
        try:
            self._index.add(seed.candidate_id, seed.structure)
        except StructureError:
            return
