"""How does one page of the Materials Project come in?

Through the real `MPRester`, with a session of ours and raw documents: its models break when the server's are
newer. What is asked always has a criterion: without one, mp-api leaves the server and reads object storage.
"""

from __future__ import annotations

import re
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from ...core.clock import utc_now
from ...core.errors import HysteronError, StageError
from .access import NAME, api_key, endpoint
from .cache import Page, Query, QueryCache
from .session import KEPT, Clock, Patience, PatientSession, within

if TYPE_CHECKING:
    from mp_api.client import MPRester

VERSION_PATTERN = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}")
MAX_MESSAGE = 300


class Client:
    """One server, one key, one session.

    Args:
        address: The server's; by default `MP_API_ENDPOINT`, else the public one.
        patience: When a request is given up.
        clock: How to wait between attempts.
        cache_root: Where pages are kept; by default in `HYSTERON_HOME`.

    Raises:
        SettingsError: the address cannot be used.
    """

    def __init__(
        self,
        address: str | None = None,
        patience: Patience | None = None,
        clock: Clock | None = None,
        cache_root: Path | None = None,
    ) -> None:
        self.endpoint = endpoint(address)
        self.patience = patience or Patience()
        self._clock, self._cache_root = clock or Clock(), cache_root
        self._lock = threading.RLock()
        self._session: PatientSession | None = None
        self._rester: MPRester | None = None
        self._version: str | None = None

    @property
    def retries(self) -> int:
        """Requests repeated so far."""
        return self._session.retries if self._session else 0

    @property
    def version(self) -> str:
        """The database version last heard; asks if none was."""
        return self._version or self.ask_version()

    def cache(self, version: str, query: Query) -> QueryCache:
        """Where the pages of a query of one database version are kept."""
        return QueryCache(self.endpoint, version, query, self._cache_root)

    def ask_version(self) -> str:
        """Ask the server for its database version. mp-api asks once in a process; databases change meanwhile.

        Raises:
            SettingsError: there is no key, or it was refused.
            StageError: no answer, or none that names a version.
        """
        with self._lock:
            response = self._get_session().get(f"{self.endpoint}heartbeat")
            heartbeat = orjson.loads(response.content) if response.status_code == 200 else None
            version = heartbeat.get("db_version") if isinstance(heartbeat, dict) else None
            if not isinstance(version, str) or not VERSION_PATTERN.fullmatch(version):
                raise StageError(
                    f"{self.endpoint}heartbeat names no database version (status {response.status_code}). "
                    "Is MP_API_ENDPOINT the Materials Project's?"
                )
            self._version = version
            return version

    def fetch(self, query: Query, skip: int) -> Page:
        """One page from the server.

        Raises:
            ValueError: the query has no criterion.
            SettingsError: there is no key, or it was refused.
            StageError: the server gave no usable answer.
        """
        if not query.criteria:
            raise ValueError("A query without a criterion would leave the server; give one.")
        asked = dict(query.criteria) | {"_limit": query.page_size, "_skip": skip}
        if query.fields:
            asked["_fields"] = ",".join(query.fields)
        with self._lock:
            answer = self._ask(query.route, asked, query.page_size)
        return self._page(query, skip, answer)

    def _page(self, query: Query, skip: int, answer: Any) -> Page:
        """An answer, once it is seen to be a page of records."""
        documents = answer.get("data") if isinstance(answer, dict) else None
        meta = answer.get("meta") if isinstance(answer, dict) else None
        total = meta.get("total_doc") if isinstance(meta, dict) else None
        if (
            isinstance(documents, list)
            and len(documents) <= query.page_size
            and type(total) is int
            and total >= 0
        ):
            return Page(skip, total, utc_now(), documents)
        raise StageError(f"The Materials Project's answer about {query.route} is no page of records. {KEPT}")

    def _ask(self, route: str, asked: dict[str, Any], page_size: int) -> dict[str, Any]:
        from mp_api.client.core.exceptions import MPRestError

        failure: HysteronError
        try:
            return self._route(route)._query_resource(
                criteria=asked, num_chunks=1, chunk_size=page_size, use_document_model=False
            )
        except MPRestError as error:
            failure = StageError(f"The Materials Project did not answer about {route}: {self._said(error)}")
        except (KeyError, TypeError, ValueError, AttributeError):
            failure = StageError(f"The Materials Project's answer about {route} cannot be read. {KEPT}")
        raise failure

    def _said(self, error: Exception) -> str:
        """What mp-api says, in one short line of plain letters, without the key."""
        text = self._get_session().blanked(str(error).encode("ascii", "replace")).decode()
        return "".join(c if c.isprintable() else " " for c in text)[:MAX_MESSAGE]

    def _route(self, route: str) -> Any:
        materials = self._get_rester().materials
        return materials if route == "core" else getattr(materials, route)

    def _get_rester(self) -> MPRester:
        """The real client, made when the first page is fetched: importing it takes seconds.

        It hears two heartbeats without timeout or retries when it is made; so it is made in a thread that can
        be left behind, after our own session has heard one.
        """
        if self._rester is None:
            from mp_api.client import MPRester

            session = self._get_session()
            if self._version is None:
                self.ask_version()

            def make() -> MPRester:
                return MPRester(
                    api_key=api_key(),
                    endpoint=self.endpoint,
                    session=session,
                    use_document_model=False,
                    mute_progress_bars=True,
                )

            self._rester = self._made(make)
        return self._rester

    def _made(self, make: Any) -> MPRester:
        patience, trouble = self.patience, ""
        for attempt in range(patience.attempts):
            if attempt:
                self._clock.sleep(
                    min(patience.longest_wait_seconds, patience.first_wait_seconds * 2**attempt)
                )
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    return within(patience.response_seconds, make)
            except Exception as error:  # its heartbeats fail in as many ways as a server can
                trouble = type(error).__name__
        raise StageError(f"The Materials Project's client could not be started ({trouble}). {KEPT}")

    def _get_session(self) -> PatientSession:
        if self._session is None:
            self._session = PatientSession(api_key(), self.patience, self._clock)
        return self._session


class AtServer:
    """What asks one server; it bears the source's name.

    Args:
        client: The server; by default the one `MP_API_ENDPOINT` names, else the public one.

    Raises:
        SettingsError: the server's address cannot be used.
    """

    name = NAME

    def __init__(self, client: Client | None = None) -> None:
        self._client = client or Client()

    @property
    def version(self) -> str:
        """The database version, as heard last; asks if none was.

        Raises:
            SettingsError: there is no key, or it was refused.
            StageError: the server gave no answer.
        """
        return self._client.version
