"""The store as a source, beside the catalogue and the databases: what earlier runs found."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.candidate import Candidate
from ..core.filters import Filter
from .store import CandidateStore

NAME = "store"


class StoreSource:
    """Candidates of a store; implements `core.contracts.Source`.

    Args:
        store: Open; stays open.
    """

    name = NAME

    def __init__(self, store: CandidateStore) -> None:
        self._store = store

    @property
    def version(self) -> str:
        """How many candidates there are, and the last run."""
        runs = self._store.runs(limit=1)
        return f"{self._store.count()} candidates, last run {runs[0].run_id if runs else 'none'}"

    def search(self, query: Filter | None = None) -> Iterator[Candidate]:
        """Candidates that match, sorted by id.

        Raises:
            FilterError: the filter asks for something unknown.
        """
        return iter(self._store.query(query))
