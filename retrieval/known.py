"""Is this crystal one of those we know already?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..core.candidate import Candidate
    from ..core.identity import IdentityIndex


class KnownCrystals:
    """The catalogue and the store as one answer; implements `core.contracts.Known`.

    Symmetry is computed only for formulas that are asked for, so that thousands of known crystals cost
    little until then.

    Args:
        crystals: (candidate_id, structure), ordered crystals.
        also: Gives further crystals of a reduced formula; asked once for each formula, when it first matters. So a store of
            any size costs no more than the formulas that are proposed.
    """

    def __init__(
        self,
        crystals: Iterable[tuple[str, Structure]] = (),
        also: Callable[[str], Iterable[tuple[str, Structure]]] | None = None,
    ) -> None:
        self._also = also
        self._asked: set[str] = set()
        self._waiting: dict[str, list[tuple[str, Structure]]] = defaultdict(list)
        self._indices: dict[str, IdentityIndex] = {}
        self._count = 0
        self.add_all(crystals)

    def __len__(self) -> int:
        return self._count

    def add_all(self, crystals: Iterable[tuple[str, Structure]]) -> None:
        """Take in more crystals."""
        for identifier, structure in crystals:
            self._waiting[structure.composition.reduced_formula].append((identifier, structure))
            self._count += 1

    def find(self, candidate: Candidate) -> str | None:
        """The id of the known crystal that `candidate` is, whatever its own id says; else `None`.

        Raises:
            StructureError: the candidate is disordered.
        """
        formula = candidate.formula
        if self._also and formula not in self._asked:
            self._asked.add(formula)
            self.add_all(self._also(formula))
        if formula not in self._waiting and formula not in self._indices:
            return None
        return self._index(formula).find(candidate.structure)

    def _index(self, formula: str) -> IdentityIndex:
        from ..core.identity import IdentityIndex

        index = self._indices.setdefault(formula, IdentityIndex())
        for identifier, structure in self._waiting.pop(formula, ()):
            index.add(identifier, structure)
        return index
