"""Which crystals do the OPTIMADE providers hold that match a filter?

Source `optimade`: all providers of the table, or one named or addressed (`optimade:oqmd`, `optimade:https://...`).
Needs the network and no key. Every record is checked here against the whole filter; what became of each provider
and of each record stands in `reports`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ...core.candidate import Candidate
from ...core.clock import utc_now
from ...core.errors import FilterError, UnreachableError
from ...core.filters import Filter, matches, names_in
from ...core.identity import candidate_id
from .federation import Gathered, ask_all
from .merging import merged
from .providers import Provider, checked, provider_of, read_providers
from .records import Record, Rejected, read_entry
from .transport import Limits, Waiting

NAME = "optimade"


@dataclass(frozen=True)
class ProviderReport:
    """What became of one provider in the latest search.

    Attributes:
        name: Of the provider.
        base_url: Of the provider.
        licence: Of its data.
        version: Of its API and data; nothing if it did not answer.
        asked: The filter as it was put to it.
        complete: Whether that said all of the user's filter; the rest was checked here.
        pages: Complete pages that came.
        received: Entries that came.
        repeated: Of these, how many had come before.
        rejected: Of these, how many were no usable crystal, by kind.
        examples: For each kind, one entry and what is wrong with it.
        unmatched: Of these, how many do not match the filter.
        matched: Of these, how many match; several may be one crystal.
        seconds: Until it was done, or given up.
        error: One sentence if it gave nothing or not all.
        notes: What else a user should know, one sentence each.
    """

    name: str
    base_url: str
    licence: str
    version: str = ""
    asked: str = ""
    complete: bool = True
    pages: int = 0
    received: int = 0
    repeated: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    unmatched: int = 0
    matched: int = 0
    seconds: float = 0.0
    error: str = ""
    notes: tuple[str, ...] = ()

    def sentence(self) -> str:
        """The report in one line."""
        told = f"{self.name}: {self.matched} of {self.received} records match"
        for kind, count in sorted(self.rejected.items()):
            told += f", {count} {kind}"
        return " ".join((f"{told} ({self.seconds:.1f} s).", *filter(None, (self.error, *self.notes))))


class Optimade:
    """OPTIMADE providers as a source.

    Args:
        base_url_or_name: One provider, by name or address; without it, those of the table asked by default.
        providers: Instead of the shipped table.
        limits: Of time and size.
        waiting: Clock and pauses, for tests.

    Raises:
        InputError: an address that may not be asked.
        NotFoundError: no provider of that name.
        SettingsError: the table cannot be read.
    """

    def __init__(
        self,
        base_url_or_name: str | None = None,
        providers: Sequence[Provider] | None = None,
        limits: Limits | None = None,
        waiting: Waiting | None = None,
    ) -> None:
        known = read_providers() if providers is None else checked(providers)
        if base_url_or_name:
            self.providers = (provider_of(base_url_or_name, known),)
            self.name = f"{NAME}:{self.providers[0].name}"
        else:
            self.providers = tuple(provider for provider in known if provider.asked_by_default)
            self.name = NAME
        self.limits = limits or Limits()
        self.reports: tuple[ProviderReport, ...] = ()
        """Of the latest search, in the order of the table."""
        self._waiting = waiting or Waiting()

    @property
    def version(self) -> str:
        """What the providers said of themselves in the latest search."""
        said = [f"{report.name} {report.version}" for report in self.reports if report.version]
        return "; ".join(said) or "not asked yet"

    def search(self, query: Filter | None = None) -> Iterator[Candidate]:
        """Crystals that match, sorted by id, each once; the providers are asked before the first is given.

        A provider that fails takes nothing from the others; `reports` says what happened to it.

        Raises:
            FilterError: no provider can be asked this.
            StageError: no provider answered.
        """
        now = utc_now()
        gathered = ask_all(self.providers, query, self.limits, self._waiting)
        sorted_out = [_sort_out(each, query, now) for each in gathered]
        self.reports = tuple(report for report, _ in sorted_out)
        _require_an_answer(gathered)
        return iter(merged([record for _, records in sorted_out for record in records], query))


def _sort_out(gathered: Gathered, query: Filter | None, now: str) -> tuple[ProviderReport, list[Record]]:
    """A provider's entries: those that are crystals and match, and a report of all."""
    rejected: Counter[str] = Counter()
    examples: dict[str, str] = {}
    records: list[Record] = []
    for entry in gathered.entries:
        try:
            records.append(read_entry(entry, gathered.provider, gathered.version, now))
        except Rejected as reason:
            rejected[reason.kind] += 1
            examples.setdefault(reason.kind, f"{reason.identifier}: {reason}")
        except Exception as trouble:  # whatever an entry holds, the others are still read
            rejected["unreadable"] += 1
            examples.setdefault("unreadable", f"An entry cannot be read ({type(trouble).__name__}).")
    matching = [record for record in records if _matches(query, record)]
    question = gathered.question
    return (
        ProviderReport(
            name=gathered.provider.name,
            base_url=gathered.provider.base_url,
            licence=gathered.provider.licence,
            version=gathered.version,
            asked=(question.text or "") if question else "",
            complete=question.complete if question else True,
            pages=gathered.pages,
            received=len(gathered.entries) + gathered.repeated,
            repeated=gathered.repeated,
            rejected=dict(sorted(rejected.items())),
            examples=examples,
            unmatched=len(records) - len(matching),
            matched=len(matching),
            seconds=gathered.seconds,
            error=gathered.error,
            notes=(*(question.notes if question else ()), *gathered.notes, *_refused_values(records)),
        ),
        matching,
    )


def _matches(query: Filter | None, record: Record) -> bool:
    if query is None:
        return True
    by_name = any(name.name == "candidate_id" for name in names_in(query))
    identifier = candidate_id(record.structure, record.bucket) if by_name else ""
    return matches(query, record.candidate(identifier)) is True


def _refused_values(records: Sequence[Record]) -> Iterator[str]:
    """One sentence per field whose values were not taken."""
    fields = Counter(name for record in records for name in record.refused)
    for name, count in sorted(fields.items()):
        yield f"{count} values of {name} were no plausible numbers and were not taken."


def _require_an_answer(gathered: Sequence[Gathered]) -> None:
    if not gathered or any(each.entries or not each.error for each in gathered):
        return
    if all(each.refused for each in gathered):
        raise FilterError(" ".join(each.error for each in gathered))
    told = " ".join(
        each.error if each.refused else f"{each.provider.name}: {each.error}" for each in gathered
    )
    raise UnreachableError(f"No OPTIMADE provider answered. {told}")
