"""What became of each provider when all were asked at once?

One thread per provider, each with its own time; the whole has a deadline. A provider that hangs beyond it is left
behind with the pages it has sent, and nothing it does later can change the result.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from ...core.errors import FilterError, HysteronError
from ...core.filters import Filter
from .client import Client, Page
from .mapping import Question, question_for, wanted_fields
from .providers import Provider
from .transport import Limits, ProviderError, Transport, Waiting


@dataclass
class Gathered:
    """What one provider gave.

    Attributes:
        provider: Who.
        question: What it was asked; `None` if it was not.
        version: Of its API and data.
        entries: As they came.
        repeated: Entries that came twice and are not in `entries`.
        pages: Complete pages.
        seconds: From the first request to the end.
        error: Why it gave nothing, or not all; nothing if it is done.
        refused: Whether the filter cannot be put to it, which is why it was not asked.
        notes: What else a user should know.
    """

    provider: Provider
    question: Question | None = None
    version: str = ""
    entries: list[Any] = field(default_factory=list)
    repeated: int = 0
    pages: int = 0
    seconds: float = 0.0
    error: str = ""
    refused: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _End:
    error: str
    refused: bool
    notes: tuple[str, ...]


_News = tuple[str, Question | _End | tuple[Page, str]]


def ask_all(
    providers: Sequence[Provider],
    query: Filter | None,
    limits: Limits | None = None,
    waiting: Waiting | None = None,
) -> list[Gathered]:
    """Ask every provider at the same time; one result each, in the order given, within the total time.

    Args:
        providers: Of different names.
        query: The filter, in our names; `None` asks for everything.
        limits: Of time and size.
        waiting: Clock and pauses.
    """
    limits, waiting = limits or Limits(), waiting or Waiting()
    news: SimpleQueue[_News] = SimpleQueue()
    stopped = threading.Event()
    started = waiting.clock()
    for provider in providers:
        arguments = (provider, query, limits, waiting, stopped, news)
        threading.Thread(target=_ask, args=arguments, name=f"optimade:{provider.name}", daemon=True).start()
    found = {provider.name: Gathered(provider) for provider in providers}
    working = set(found)
    try:
        while working and (left := started + limits.total_seconds - waiting.clock()) > 0:
            name, what = news.get(timeout=left)
            _take(found[name], what)
            found[name].seconds = waiting.clock() - started
            if isinstance(what, _End):
                working.discard(name)
    except Empty:
        pass
    finally:
        stopped.set()
    for name in working:
        found[name].seconds = waiting.clock() - started
        found[name].error = f"It was not done within {limits.total_seconds:g} s, the time for all providers."
    return list(found.values())


def _take(gathered: Gathered, what: Question | _End | tuple[Page, str]) -> None:
    if isinstance(what, Question):
        gathered.question = what
    elif isinstance(what, _End):
        gathered.error, gathered.refused, gathered.notes = what.error, what.refused, what.notes
    else:
        page, gathered.version = what
        gathered.entries.extend(page.entries)
        gathered.repeated += page.repeated
        gathered.pages += 1


def _ask(
    provider: Provider,
    query: Filter | None,
    limits: Limits,
    waiting: Waiting,
    stopped: threading.Event,
    news: SimpleQueue[_News],
) -> None:
    """One provider, in a thread of its own; whatever happens ends in news."""
    notes: list[str] = []
    error, refused = "", False
    try:
        question_for(query, provider)
        with Transport(provider.base_url, limits, waiting, stopped) as transport:
            client = Client(provider, transport)
            notes = client.notes
            fields = client.fields()
            question = question_for(query, provider, fields)
            most = _most(question, provider, limits)
            news.put((provider.name, question))
            for page in client.pages(question.text, wanted_fields(provider, fields), most):
                news.put((provider.name, (page, client.version)))
    except (FilterError, ProviderError) as trouble:
        error, refused = str(trouble), isinstance(trouble, FilterError)
    except HysteronError as trouble:
        error = str(trouble)
    except Exception as trouble:  # a provider must not end the search of the others, whatever it sends
        error = f"It could not be asked ({type(trouble).__name__})."
    news.put((provider.name, _End(error, refused, tuple(notes))))


def _most(question: Question, provider: Provider, limits: Limits) -> int:
    """How many records may be taken.

    Raises:
        FilterError: nothing of the filter narrows the search, and no limit for that is set.
    """
    if question.text is not None:
        return limits.records
    if limits.unfiltered_records is None:
        raise FilterError(
            f"{provider.name} cannot search for any part of this, so its whole database would have to be downloaded. "
            'Add a term that it knows, such as elements HAS "O".'
        )
    return min(limits.records, limits.unfiltered_records)
