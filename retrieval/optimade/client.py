"""What does one provider hold, page by page?

Follows `links.next`, as text or as an object, within the provider's own host; ends, and says so, at the limits, at
a page that was there before, and at one that brings nothing new. What came before stays usable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from .addresses import AddressRefused, next_address, shown
from .providers import Provider
from .transport import ProviderError, Transport

STRUCTURE_FIELDS = (
    "elements",
    "nelements",
    "chemical_formula_reduced",
    "nsites",
    "dimension_types",
    "nperiodic_dimensions",
    "lattice_vectors",
    "cartesian_site_positions",
    "species",
    "species_at_sites",
    "assemblies",
    "structure_features",
    "last_modified",
)
"""What is asked for of every structure; `id` and `type` always come."""
_VERSION = re.compile(r"v?([0-9]+)(\.[0-9]+){0,2}([~-][0-9A-Za-z.-]{1,20})?")


@dataclass(frozen=True)
class Page:
    """One page of entries.

    Attributes:
        entries: As they came, without those that had come before.
        repeated: How many had.
    """

    entries: tuple[Any, ...]
    repeated: int


class Client:
    """One provider.

    Args:
        provider: Whom to ask.
        transport: How; its limits hold for all requests together.
    """

    def __init__(self, provider: Provider, transport: Transport) -> None:
        self.provider = provider
        self.api_version = ""
        """As the latest answer says."""
        self.holds: int | None = None
        """How many structures the provider has in all, if it says."""
        self.matching: int | None = None
        """How many of them the filter matches, if it says."""
        self.notes: list[str] = []
        """What a user should know of the answers, such as why they end before the provider's own end."""
        self._transport = transport
        self._base = f"{provider.base_url}/v1"

    @property
    def version(self) -> str:
        """Of the API and, as far as the provider tells, of the data: their number."""
        held = f", {self.holds} structures" if self.holds else ""
        return f"OPTIMADE {self.api_version or '(version not said)'}{held}"

    def fields(self) -> frozenset[str] | None:
        """Names of all fields that its structures have; `None` if it does not say.

        Raises:
            ProviderError: it does not answer, or speaks another version.
        """
        try:
            data = self._document(f"{self._base}/info/structures").get("data")
        except ProviderError as error:
            if error.status is None or error.status >= 500:
                raise
            self.notes.append(f"It does not describe its fields (/info/structures: {error.status}).")
            return None
        properties = data.get("properties") if isinstance(data, dict) else None
        return frozenset(map(str, properties)) if isinstance(properties, dict) else None

    def pages(self, filter_text: str | None, fields: Iterable[str], most: int) -> Iterator[Page]:
        """Structures that match, at most `most`.

        Args:
            filter_text: In the provider's own names; `None` asks for everything.
            fields: The provider's own fields that are wanted beside `STRUCTURE_FIELDS`.
            most: Records taken at most.

        Raises:
            ProviderError: a page did not come, is none, or leads round; the earlier ones are good.
        """
        address = self._first_page(filter_text, fields, most)
        visited: set[str] = set()
        seen: set[str] = set()
        taken = 0
        for number in range(1, self._transport.limits.pages + 1):
            visited.add(address)
            document = self._document(address)
            self.holds = _count(document["meta"].get("data_available"), self.holds)
            self.matching = _count(document["meta"].get("data_returned"), self.matching)
            entries = _entries(document, number)
            fresh = _fresh(entries, seen)
            kept = fresh[: most - taken]
            taken += len(kept)
            yield Page(tuple(kept), len(entries) - len(fresh))
            following = self._next(document, address, number)
            if len(kept) < len(fresh) or (following and taken == most):
                self.notes.append(f"Only the first {taken} records were taken{self._of_all()}.")
                return
            if following is None:
                return
            if not entries:
                self.notes.append(
                    f"Its page {number} is empty but names a next one, which was not asked for."
                )
                return
            if following in visited or not fresh:
                raise ProviderError(f"Its pages go round: after page {number} the same records come again.")
            address = following
            self._transport.rest(_delay(document), "It asks for a pause between pages")
        self.notes.append(f"Only the first {self._transport.limits.pages} pages were taken{self._of_all()}.")

    def _first_page(self, filter_text: str | None, fields: Iterable[str], most: int) -> str:
        parameters = {"filter": filter_text} if filter_text else {}
        parameters["response_fields"] = ",".join(dict.fromkeys((*STRUCTURE_FIELDS, *fields)))
        parameters["page_limit"] = str(min(self.provider.page_limit, most))
        return f"{self._base}/structures?{urlencode(parameters, quote_via=quote)}"

    def _document(self, address: str) -> dict[str, Any]:
        document = self._transport.document(address)
        meta = document.get("meta")
        if not isinstance(meta, dict):
            raise ProviderError("Its answer has no 'meta': it does not speak OPTIMADE.")
        self.api_version = _version(meta.get("api_version"))
        return document

    def _next(self, document: dict[str, Any], address: str, number: int) -> str | None:
        """The address of the next page, if there is one."""
        links = document.get("links")
        link = links.get("next") if isinstance(links, dict) else None
        if isinstance(link, dict):
            link = link.get("href")
        if link is None or link == "":
            if document["meta"].get("more_data_available") is True:
                self.notes.append(
                    f"It has more than its page {number}, but names no next page{self._of_all()}."
                )
            return None
        if not isinstance(link, str):
            raise ProviderError(f"Its link to the page after {number} is no address.")
        try:
            return next_address(link, address)
        except AddressRefused as error:
            raise ProviderError(str(error)) from None

    def _of_all(self) -> str:
        return f" of {self.matching}" if self.matching else ""


def _entries(document: dict[str, Any], number: int) -> list[Any]:
    data = document.get("data")
    if not isinstance(data, list):
        raise ProviderError(f"Its page {number} has no list of structures.")
    return data


def _fresh(entries: list[Any], seen: set[str]) -> list[Any]:
    """Entries whose id has not come before; one without an id is always new."""
    fresh = []
    for entry in entries:
        identifier = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(identifier, str | int):
            if str(identifier) in seen:
                continue
            seen.add(str(identifier))
        fresh.append(entry)
    return fresh


def _version(said: Any) -> str:
    """The version of the API as text; nothing if the provider does not say one that can be read.

    Raises:
        ProviderError: another major version than 1.
    """
    found = _VERSION.fullmatch(said) if isinstance(said, str) else None
    if found and found[1] != "1":
        raise ProviderError(f"It speaks OPTIMADE {shown(found[0])}; version 1 is needed.")
    return found[0].removeprefix("v") if found else ""


def _count(said: Any, otherwise: int | None) -> int | None:
    return said if isinstance(said, int) and not isinstance(said, bool) and said >= 0 else otherwise


def _delay(document: dict[str, Any]) -> float:
    """Seconds that the provider suggests to wait before the next request."""
    said = document["meta"].get("request_delay")
    return float(said) if isinstance(said, int | float) and said > 0 else 0.0
