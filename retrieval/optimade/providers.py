"""Which OPTIMADE providers are known, and what do their own fields mean?

The table is `data/optimade_providers.toml`; a file of that name in `HYSTERON_HOME/data` is used instead. An
address that a user types and the table does not hold is a provider of which only the standard's fields are known.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from ...core.errors import NotFoundError, SettingsError, nearest
from ...core.properties import PROPERTIES, method_slug
from ...core.settings import Settings, data_file, validate
from .addresses import base_address, looks_like_address

FILE_NAME = "optimade_providers.toml"
STANDARD_SPACEGROUP_FIELD = "space_group_it_number"
_LONGEST_NAME = 100


class ProviderProperty(Settings):
    """One field of a provider that is a property of ours.

    Attributes:
        name: Our name; a number of the property table, in the same unit.
        field: The provider's name: `_oqmd_band_gap`.
        path: Keys that lead into a field that is an object.
        method: As `PropertyValue.method`; the database is part of it.
        filter: Whether the provider lets it be searched.
        unknown: Numbers that mean "not computed".
    """

    name: str
    field: str = Field(pattern=r"^_[a-z0-9_]+$")
    path: tuple[str, ...] = ()
    method: str = Field(min_length=1)
    filter: bool = True
    unknown: tuple[float, ...] = ()

    @field_validator("name")
    @classmethod
    def _is_a_number_of_ours(cls, name: str) -> str:
        row = PROPERTIES.get(name)
        if row is None or row.text or row.vector:
            raise ValueError(f"{name!r} is no number of the property table")
        return name

    @property
    def slug(self) -> str:
        """The method as it is written in a filter."""
        return method_slug(self.method)

    def value(self, attributes: dict[str, Any]) -> Any:
        """What an entry's attributes hold of it; `None` if nothing, or if it was not computed."""
        found: Any = attributes.get(self.field)
        for key in self.path:
            found = found.get(key) if isinstance(found, dict) else None
        return None if any(found == number for number in self.unknown) else found


class Provider(Settings):
    """One OPTIMADE database.

    Attributes:
        name: As a user types it, and as provenance names it: `optimade:oqmd`.
        title: What it calls itself.
        base_url: Without the version; https unless it is the own machine or a user typed it.
        licence: Of its data.
        page_limit: Records it is asked for at a time.
        asked_by_default: Part of a search that names no provider.
        spacegroup_field: Where it gives the International number of the space group, if it does.
        properties: Its own fields that are properties of ours.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9._:/-]+$", max_length=_LONGEST_NAME)
    title: str = ""
    base_url: str
    licence: str = "not known"
    page_limit: int = Field(default=50, ge=1, le=1000)
    asked_by_default: bool = True
    spacegroup_field: str = STANDARD_SPACEGROUP_FIELD
    properties: tuple[ProviderProperty, ...] = ()

    def rows(self, name: str) -> list[ProviderProperty]:
        """The fields that give one property."""
        return [row for row in self.properties if row.name == name]


def read_providers(path: str | Path | None = None) -> tuple[Provider, ...]:
    """The table, in its order, which is also the order of trust when two providers hold one crystal.

    Raises:
        SettingsError: the file cannot be read, or an entry does not fit.
    """
    try:
        text = data_file(FILE_NAME, path).read_text(encoding="utf-8")
        rows = tomllib.loads(text).get("provider", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The table of OPTIMADE providers cannot be read: {error}.") from None
    if not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
        raise SettingsError("The table of OPTIMADE providers needs [[provider]] tables.")
    return checked(validate(Provider, row, f"[[provider]] {row.get('name', '?')}") for row in rows)


def checked(providers: Iterable[Provider]) -> tuple[Provider, ...]:
    """Providers with sound addresses and names of their own.

    Raises:
        SettingsError: two of one name, an address that may not be asked, or a number that is not finite.
    """
    found: dict[str, Provider] = {}
    for provider in providers:
        if provider.name in found:
            raise SettingsError(f"Two OPTIMADE providers are called {provider.name!r}.")
        if not all(math.isfinite(n) for row in provider.properties for n in row.unknown):
            raise SettingsError(
                f"The OPTIMADE provider {provider.name!r} has an 'unknown' that is not finite."
            )
        address = base_address(provider.base_url, typed=False)
        found[provider.name] = provider.model_copy(update={"base_url": address})
    return tuple(found.values())


def provider_of(name_or_address: str, known: Iterable[Provider]) -> Provider:
    """The provider of that name or address; an address that is not known is one too.

    Raises:
        InputError: an address that may not be asked.
        NotFoundError: no provider of that name; the nearest are proposed.
    """
    known = tuple(known)
    text = name_or_address.strip()
    if looks_like_address(text):
        address = base_address(text)
        same = (provider for provider in known if provider.base_url == address)
        return next(same, None) or Provider(name=_name(address), base_url=address)
    for provider in known:
        if provider.name == text:
            return provider
    names = [provider.name for provider in known]
    raise NotFoundError(
        f"No OPTIMADE provider {text!r}. {nearest(text, names)} An address such as "
        "optimade:https://example.org/optimade works as well."
    )


def _name(address: str) -> str:
    """Host, port and path of an address: what a provider without a name is called."""
    text = address.split("://", 1)[1][:_LONGEST_NAME]
    return "".join(c if c.isascii() and (c.isalnum() or c in "._:/-") else "-" for c in text)
