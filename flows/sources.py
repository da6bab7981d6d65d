"""Which public data sets are there to download, from where, how large, under which licence?

The list is `data/sources.toml`; a file of that name in `HYSTERON_HOME/data` wins over the shipped one.
"""

from __future__ import annotations

import ipaddress
import tomllib
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from ..core.errors import NotFoundError, SettingsError, nearest
from ..core.settings import Settings, data_file, validate

SOURCES = "sources.toml"
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
CHECKSUM_DIGITS = {"md5": 32, "sha256": 64}
DIGITS = set("0123456789abcdef")


class Source(Settings):
    """One download.

    Attributes:
        name: What `data fetch` is told.
        family, title, licence, citation, page: Of the data set it belongs to.
        folder: Where it lies under the data folder.
        format: Who reads it.
        group: A name that gets several.
        url: Its address; empty if `by_hand` says how else to get it.
        file: Its name on disk; by default the last part of the address.
        megabytes, unpacked_megabytes: As published, rounded; `None` where no page states it.
        md5, sha256: As published; empty where they are not.
        checksum_from: Where the checksum stands, if not on the page.
        by_hand: How to get what no program may fetch.
    """

    name: str
    family: str
    title: str
    licence: str
    citation: str
    page: str
    folder: str
    format: str
    group: str = ""
    url: str = ""
    file: str = ""
    megabytes: float | None = None
    unpacked_megabytes: float | None = None
    md5: str = ""
    sha256: str = ""
    checksum_from: str = ""
    by_hand: str = ""

    @field_validator("folder", "file")
    @classmethod
    def _inside(cls, value: str) -> str:
        parts = PurePosixPath(value).parts
        if value.startswith("/") or ".." in parts or "\\" in value:
            raise ValueError("expected a path inside the data folder")
        return value

    @field_validator("md5", "sha256")
    @classmethod
    def _hexadecimal(cls, value: str, info: Any) -> str:
        if value and (len(value) != CHECKSUM_DIGITS[info.field_name] or not set(value) <= DIGITS):
            raise ValueError(f"expected {CHECKSUM_DIGITS[info.field_name]} lowercase hexadecimal digits")
        return value

    @model_validator(mode="after")
    def _reachable(self) -> Source:
        if bool(self.url) == bool(self.by_hand):
            raise ValueError("expected either url or by_hand")
        if self.url:
            check_address(self.url)
        return self

    @property
    def file_name(self) -> str:
        """What the download is called on disk."""
        return self.file or PurePosixPath(urlsplit(self.url).path).name

    @property
    def is_archive(self) -> bool:
        """Whether it is unpacked into its folder."""
        return self.file_name.endswith(ARCHIVES)


def check_address(url: str) -> None:
    """Refuse an address that is neither https nor on this machine.

    Raises:
        ValueError: it is not.
    """
    parts = urlsplit(url)
    if not parts.hostname or not (
        parts.scheme == "https" or (parts.scheme == "http" and on_this_machine(url))
    ):
        raise ValueError(f"expected an https address, got {url!r}")


def on_this_machine(url: str) -> bool:
    """Whether an address leads to the loopback interface."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def sources() -> tuple[Source, ...]:
    """Every download, in the order of the list.

    Raises:
        SettingsError: the list cannot be read, or names something twice.
    """
    found = data_file(SOURCES)
    return _read(found.read_text(encoding="utf-8"), str(found))


def sources_named(names: list[str], families: bool = False) -> list[Source]:
    """The downloads of some names; the name of a group stands for all of its files.

    Args:
        names: Of data sets or groups.
        families: Take names of families as well; OC20's is a download of 600 GB.

    Raises:
        NotFoundError: no such name.
    """
    every = sources()
    known: dict[str, dict[str, Source]] = {}
    for source in every:
        for name in {source.name, source.group, source.family if families else ""} - {""}:
            known.setdefault(name, {})[source.name] = source
    chosen: dict[str, Source] = {}
    for name in names:
        if name not in known:
            raise NotFoundError(f"There is no data set or group {name!r}. {nearest(name, known)}")
        chosen.update(known[name])
    return list(chosen.values())


@lru_cache(maxsize=4)
def _read(text: str, where: str) -> tuple[Source, ...]:
    try:
        families = tomllib.loads(text).get("family", {})
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{where} cannot be read as TOML: {error}.") from None
    found: dict[str, Source] = {}
    for family, values in families.items():
        shared = {key: value for key, value in values.items() if key != "file"}
        for file in values.get("file", ()):
            source = validate(Source, {**shared, "family": family, **file}, f"{where} {file.get('name')}")
            if source.name in found:
                raise SettingsError(f"{where} has two data sets {source.name!r}.")
            found[source.name] = source
    return tuple(found.values())
