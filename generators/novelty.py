"""Is a proposed crystal new: not its parent, not proposed before, not known?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..core.candidate import Candidate
from ..core.errors import StructureError
from ..core.identity import Bucket, IdentityIndex, bucket_of

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
        # Naming a crystal takes milliseconds: a seed enters the index when a proposal could be it.
        self._waiting: dict[str, list[Candidate]] = defaultdict(list)
        for seed in seeds:
            self._waiting[seed.formula].append(seed)

    def admit(self, structure: Structure, parent: Candidate | None = None) -> Candidate | None:
        """The crystal as a candidate with id and space group, or `None` if it may not be proposed (again).

        Args:
            structure: What is proposed.
            parent: What it was made of, if of anything: it is no news.
        """
        bucket = bucket_of(structure)
        self._take_in_seeds(bucket)
        identifier, number, is_new = self._index.assign(structure, bucket)
        candidate = Candidate(identifier, structure, spacegroup_number=number)
        if not self._is_free(identifier, parent):
            return None
        elsewhere = self._known.find(candidate) if self._known else None
        if self._skip_known and (elsewhere or not is_new):
            return None
        if elsewhere and elsewhere != identifier:
            if not self._is_free(elsewhere, parent):
                return None
            candidate = Candidate(elsewhere, structure, spacegroup_number=number)
        self._given.update((identifier, candidate.candidate_id))
        return candidate

    def _is_free(self, identifier: str, parent: Candidate | None) -> bool:
        return identifier not in self._given and (parent is None or identifier != parent.candidate_id)

    def _take_in_seeds(self, bucket: Bucket) -> None:
        """Seeds that could share a bucket: like in formula, and in space group where that is known."""
        later = []
        for seed in self._waiting.get(bucket.formula, ()):
            if seed.spacegroup_number in (None, bucket.spacegroup_number):
                self._take_in(seed)
            else:
                later.append(seed)
        if bucket.formula in self._waiting:
            self._waiting[bucket.formula] = later

    def _take_in(self, seed: Candidate) -> None:
        try:
            self._index.add(seed.candidate_id, seed.structure)
        except StructureError:
            return
