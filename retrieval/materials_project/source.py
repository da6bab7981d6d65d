"""Which materials of the Materials Project match a filter?

Source `materials-project`. The server answers what it can; every record is held against the whole filter here.
Pages go to disk first, then become candidates formula by formula, so that memory does not grow with the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...core.candidate import Candidate, Failure
from ...core.filters import Filter, matches, names_in
from ..files import FileEntry
from .access import NAME
from .cache import Query
from .client import AtServer, Client
from .criteria import Criteria, criteria_of
from .documents import Summary

if TYPE_CHECKING:
    from ..recipes import Recipe
    from .crystals import Record, Tally
    from .domains import Domains
    from .pages import Gathered

FIELDS = tuple(Summary.model_fields)
PAGE_SIZE = 500
"""A record of a summary with its structure takes some 4 kB as text, and ten times that once it is read."""
RECORDS_AT_ONCE = 200
"""Whose functionals are asked for together."""


class MaterialsProject(AtServer):
    """The Materials Project as a source. The key is read from `MP_API_KEY`.

    Args:
        client: The server; by default the one `MP_API_ENDPOINT` names, else the public one.
        page_size: Records asked for at once; the server gives at most 1000.

    Raises:
        SettingsError: the server's address cannot be used.
    """

    def __init__(self, client: Client | None = None, page_size: int = PAGE_SIZE) -> None:
        super().__init__(client)
        self._page_size = page_size
        self.failures: tuple[FileEntry, ...] = ()
        """Records of the latest search that became no candidate."""
        self.left_out: Counter[str] = Counter()
        """Fields of the latest search that were not what they should be, with the reason, and how often."""
        self.notes: tuple[str, ...] = ()
        """What else is to be told of the latest search, in sentences."""

    def search(self, query: Filter | None = None) -> Iterator[Candidate]:
        """Materials that match, one candidate for each crystal, in an order that does not change.

        Raises:
            FilterError: there is no filter, it names something the source cannot know, or nothing in it
                narrows down what the server must send.
            SettingsError: there is no key, or it was refused.
            StageError: the server gave no usable answer; pages that came in stay on disk.
        """
        questions = criteria_of(query)
        assert query is not None
        return self._search(query, questions)

    def recipes(self, formula: str) -> list[Recipe]:
        """Syntheses of a formula; see `synthesis.Recipes`."""
        from .synthesis import Recipes

        return Recipes(self._client).recipes(formula)

    @property
    def domains(self) -> Domains:
        """Records by kind, from the same server."""
        from .domains import Domains

        return Domains(self._client)

    def _search(self, query: Filter, questions: Sequence[Criteria]) -> Iterator[Candidate]:
        from .crystals import Tally, merged, records_of
        from .groups import Index, grouped
        from .pages import gather

        tally, index = Tally(), Index()
        queries = [self._query(criteria) for criteria in questions]
        gathered = gather(self._client, queries, look=index.look)
        self._begin(gathered)
        groups = grouped(gathered, index.sizes())
        for batch in _batches(records_of(*group, gathered.version, tally) for group in groups):
            for records in self._matching(query, batch, gathered.version):
                yield from merged(records)
            self._tell(tally)
        self._tell(tally)

    def _query(self, criteria: Criteria) -> Query:
        asked = criteria | {"deprecated": False, "_sort_fields": "material_id"}
        return Query("summary", asked, FIELDS, self._page_size)

    def _matching(self, query: Filter, batch: list[list[Record]], version: str) -> Iterator[list[Record]]:
        """Of each group, the records that match; the functional is asked for where it decides, or of these."""
        decides = any(name.method and name.name in ("band_gap", "gap_type") for name in names_in(query))
        if decides:
            batch = self._with_functionals(batch, version)
        kept = [[record for record in records if matches(query, record.candidate)] for records in batch]
        yield from kept if decides else self._with_functionals(kept, version)

    def _with_functionals(self, batch: list[list[Record]], version: str) -> list[list[Record]]:
        from .crystals import Record, with_gap_method
        from .functionals import gap_functionals

        summaries = [record.summary for records in batch for record in records]
        known = gap_functionals(self._client, summaries, version)

        def named(record: Record) -> Record:
            method = known.get(record.summary.material_id)
            return Record(record.summary, with_gap_method(record.candidate, method)) if method else record

        return [[named(record) for record in records] for records in batch]

    def _begin(self, gathered: Gathered) -> None:
        self.failures, self.left_out = (), Counter()
        notes = []
        if gathered.missing:
            notes.append(f"The server counted {gathered.missing} records more than it sent.")
        if gathered.pruned:
            notes.append(f"Pages of database version {', '.join(gathered.pruned)} were removed.")
        self.notes = tuple(notes)

    def _tell(self, tally: Tally) -> None:
        self.left_out = Counter(tally.left_out)
        self.failures = tuple(
            FileEntry(name, failure=Failure("retrieve", NAME, reason)) for name, reason in tally.failures
        )


def _batches(groups: Iterator[list[Record]]) -> Iterator[list[list[Record]]]:
    """Whole groups, some two hundred records at a time."""
    batch: list[list[Record]] = []
    for records in groups:
        batch.append(records)
        if sum(map(len, batch)) >= RECORDS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
