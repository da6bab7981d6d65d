"""Which pages of a query lie on disk?

One folder for each query of one database version, one gzipped JSON file for each page, written whole or not at
all. A file that is damaged or says something else than its name is as good as absent: the page is fetched again.
So a query that was interrupted goes on at the first missing page, in whatever process.

    HYSTERON_HOME/cache/materials_project/HOST/VERSION/QUERY/{query.json, page-00000000.json.gz, ...}
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from ...core.errors import OutputError
from ...core.settings import config_hash, home
from .json_text import parsed

LAYOUT = 1
COMPRESSION = 1
"""Of gzip; higher levels save a tenth of the space and take most of the time."""


@dataclass(frozen=True)
class Query:
    """What is asked of one route of the server.

    Attributes:
        route: Such as `summary`, without `materials/`.
        criteria: Parameters and their values, paging aside.
        fields: Wanted of each record; empty where the route gives all.
        page_size: Records on a page.
    """

    route: str
    criteria: Mapping[str, Any]
    fields: tuple[str, ...] = ()
    page_size: int = 1000

    def described(self) -> dict[str, Any]:
        """As JSON; equal queries have equal descriptions."""
        return {
            "route": self.route,
            "criteria": dict(sorted(self.criteria.items())),
            "fields": sorted(self.fields),
            "page_size": self.page_size,
        }


@dataclass(frozen=True)
class Page:
    """Records of one response.

    Attributes:
        skip: How many of the query's records come before.
        total: How many records the query has, as the server counts.
        fetched: When, ISO 8601, UTC.
        documents: As sent.
    """

    skip: int
    total: int
    fetched: str
    documents: list[Any] = field(default_factory=list)


class QueryCache:
    """The folder of one query of one database version.

    Args:
        endpoint: The server's address.
        version: Of the database.
        query: What is asked.
        root: Where all folders stand; by default in `HYSTERON_HOME`.
    """

    def __init__(self, endpoint: str, version: str, query: Query, root: Path | None = None) -> None:
        self._identity = {"endpoint": endpoint, "version": version, "layout": LAYOUT, **query.described()}
        self._digest = config_hash(self._identity)
        self._versions = server_folder(endpoint, root)
        self.folder = self._versions / _plain(version) / self._digest

    def read(self, skip: int) -> Page | None:
        """The page that begins after `skip` records, or `None` if it is absent or damaged."""
        try:
            content = parsed(gzip.decompress(self._path(skip).read_bytes()))
            if content["query"] != self._digest or content["skip"] != skip:
                return None
            page = Page(skip, content["total"], content["fetched"], content["documents"])
        except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError):
            return None
        sound = isinstance(page.total, int) and isinstance(page.documents, list)
        return page if sound and isinstance(page.fetched, str) else None

    def write(self, page: Page) -> None:
        """Keep a page.

        Raises:
            OutputError: the folder cannot be written.
        """
        content = {
            "query": self._digest,
            "skip": page.skip,
            "total": page.total,
            "fetched": page.fetched,
            "documents": page.documents,
        }
        self._write(self._path(page.skip), gzip.compress(orjson.dumps(content), COMPRESSION, mtime=0))

    def total(self) -> int | None:
        """How many records the query has, as written down by `begin`; `None` if that is not known."""
        try:
            content = orjson.loads((self.folder / "query.json").read_bytes())
            total = content.pop("total")
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return total if content == self._identity and isinstance(total, int) else None

    def begin(self, total: int) -> None:
        """Write down what is asked and how many records there are.

        Raises:
            OutputError: the folder cannot be written.
        """
        text = orjson.dumps(self._identity | {"total": total}, option=orjson.OPT_INDENT_2)
        self._write(self.folder / "query.json", text)

    def forget(self) -> None:
        """Remove all pages of the query."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def prune(self) -> list[str]:
        """Remove the pages of other database versions of the same server; returns those versions.

        The server no longer answers for them, so no such page can ever be completed.
        """
        kept = self.folder.parent.name
        try:
            others = [path for path in self._versions.iterdir() if path.is_dir() and path.name != kept]
        except OSError:
            return []
        for path in others:
            shutil.rmtree(path, ignore_errors=True)
        return sorted(path.name for path in others)

    def _path(self, skip: int) -> Path:
        return self.folder / f"page-{skip:08d}.json.gz"

    def _write(self, path: Path, content: bytes) -> None:
        beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(content)
            os.replace(beside, path)
        except OSError as error:
            raise OutputError(
                f"Answers of the Materials Project cannot be kept in {self.folder}: {error.strerror}. "
                "Set HYSTERON_HOME to a folder that can be written."
            ) from None


def server_folder(endpoint: str, root: Path | None = None) -> Path:
    """The folder of one server: its host, and a digest that tells two addresses of one host apart."""
    host = _plain(urlsplit(endpoint).hostname or "server")
    digest = hashlib.sha256(endpoint.encode()).hexdigest()[:8]
    return (root or home() / "cache" / "materials_project") / f"{host}-{digest}"


def _plain(text: str) -> str:
    """A text as the name of a folder."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip(".-") or "unknown"
