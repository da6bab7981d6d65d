"""How do all pages of some queries come in, each fetched once, and all of one database version?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import StageError
from .cache import Page, Query, QueryCache
from .client import Client

RESTARTS = 3
"""So often may the database change while it is read."""

Look = Callable[[Query, Page], None]


@dataclass(frozen=True)
class Gathered:
    """Queries of which every page lies on disk.

    Attributes:
        version: Of the database.
        totals: Records of each query, as the server counts.
        missing: Records that the server counted and did not send.
        pruned: Other database versions whose pages were removed.
    """

    client: Client
    queries: tuple[Query, ...]
    version: str
    totals: tuple[int, ...]
    missing: int
    pruned: tuple[str, ...] = ()

    def pages(self) -> Iterator[Page]:
        """All pages, query by query; one is held in memory at a time.

        Raises:
            StageError: a page has vanished from disk and cannot be fetched again as it was.
        """
        for query, total in zip(self.queries, self.totals, strict=True):
            cache = self.client.cache(self.version, query)
            for skip in range(0, total, query.page_size):
                yield cache.read(skip) or self._again(cache, query, skip, total)

    def _again(self, cache: QueryCache, query: Query, skip: int, total: int) -> Page:
        page = _fetch(self.client, cache, query, skip)
        if page.total != total or self.client.ask_version() != self.version:
            cache.forget()
            raise StageError("The Materials Project's data changed while it was read. Ask again.")
        return page

    def documents(self) -> Iterator[Any]:
        """The records of all pages."""
        for page in self.pages():
            yield from page.documents


def gather(
    client: Client,
    queries: Sequence[Query],
    version: str | None = None,
    look: Look | None = None,
) -> Gathered:
    """Fetch what is missing of some queries.

    Args:
        client: The server.
        queries: What is asked.
        version: Of the database, where it was asked for a moment ago; by default it is asked now, and again
            after pages were fetched.
        look: Is shown every page as it comes in; shown the same place again, the data had changed.

    Raises:
        SettingsError: there is no key, or it was refused.
        StageError: the server gave no usable answer; pages that came in stay.
        OutputError: pages cannot be kept on disk.
    """
    for _ in range(RESTARTS):
        current = version or client.ask_version()
        caches = [client.cache(current, query) for query in queries]
        fillings = _fill_all(client, caches, queries, look)
        fetched = any(filling.fetched for filling in fillings)
        if len(fillings) == len(queries) and (version or not fetched or client.ask_version() == current):
            pruned = tuple(caches[0].prune()) if caches else ()
            missing = sum(filling.total - filling.received for filling in fillings)
            totals = tuple(filling.total for filling in fillings)
            return Gathered(client, tuple(queries), current, totals, missing, pruned)
        for cache in caches:  # they may hold pages of two versions
            cache.forget()
    raise StageError(
        f"The Materials Project's data changed {RESTARTS} times while it was read. Ask again later."
    )


@dataclass(frozen=True)
class _Filling:
    """What one query came to: records announced, records received, pages fetched just now."""

    total: int
    received: int
    fetched: int


def _fill_all(
    client: Client, caches: Sequence[QueryCache], queries: Sequence[Query], look: Look | None
) -> list[_Filling]:
    """One filling per query; fewer if the server's count changed on the way."""
    fillings = []
    for cache, query in zip(caches, queries, strict=True):
        filling = _fill(client, cache, query, look)
        if filling is None:
            break
        fillings.append(filling)
    return fillings


def _fill(client: Client, cache: QueryCache, query: Query, look: Look | None) -> _Filling | None:
    """Every page of a query; `None` if the server's count changed on the way."""
    total, received, fetched, skip = cache.total(), 0, 0, 0
    while total is None or skip < total:
        page = cache.read(skip)
        if page is None or (total is not None and page.total != total):
            page = _fetch(client, cache, query, skip)
            fetched += 1
        if total is None:
            total = page.total
            cache.begin(total)
        if page.total != total:
            return None
        if look is not None:
            look(query, page)
        received += len(page.documents)
        skip += query.page_size
    return _Filling(total, received, fetched)


def _fetch(client: Client, cache: QueryCache, query: Query, skip: int) -> Page:
    page = client.fetch(query, skip)
    cache.write(page)
    return page
