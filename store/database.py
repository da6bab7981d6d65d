"""How are transactions held? One short writing transaction at a time, on SQLite as on PostgreSQL.

A writer takes the lock at the beginning (`BEGIN IMMEDIATE`, or an advisory lock held to the end of the
transaction), so what it reads cannot change before it writes, and two writers never wait for one
another in a circle. A busy database is tried again; what the database says becomes a sentence.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from ..core.errors import StoreError
from .address import Address

BUSY_TIMEOUT_MS = 30_000
ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.1
CACHE_KIB = 65_536
CONNECT_TIMEOUT_SECONDS = 10
ADVISORY_LOCK = 0x68797374
"""`hyst`: the lock that writers of one PostgreSQL database share."""

_BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 5, 6, 8, 10, 11, 13, 14, 26
"""SQLite's primary result codes, sqlite.org/rescode.html."""
_TRY_AGAIN_STATES = ("40001", "40P01", "55P03")
"""PostgreSQL: serialization failure, deadlock, lock not available."""
_FULL_STATE = "53100"

Result = TypeVar("Result")


class Database:
    """One database and its transactions; safe in threads, and in a forked child.

    Args:
        address: Where it is.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._engine = _sqlite_engine(address) if address.path else _postgresql_engine(address)
        self._pid = os.getpid()
        self._file: tuple[int, int] | None = None
        """Device and number of the SQLite file that is being written."""

    @property
    def is_sqlite(self) -> bool:
        return self.address.path is not None

    def read(self, task: Callable[[Connection], Result]) -> Result:
        """Carry `task` out on one consistent state of the database."""
        return self._tried(lambda: self._transaction(task, writing=False))

    def write(self, task: Callable[[Connection], Result]) -> Result:
        """Carry `task` out as the only writer: all of it happens, or nothing.

        `task` may be called again if the database is busy, so it must not change anything else.

        Raises:
            StoreError: the disk is full, the database cannot be written, or stays busy.
        """
        return self._tried(lambda: self._transaction(task, writing=True))

    def alone(self, statement: str) -> None:
        """Carry out a statement that must not stand in a transaction, as some pragmas."""

        def attempt() -> None:
            with self._own_engine().connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(statement)

        self._tried(attempt)

    def close(self) -> None:
        """Give the connections back; the next use opens new ones."""
        self._own_engine().dispose()

    def _own_engine(self) -> Engine:
        if os.getpid() != self._pid:
            # SQLite connections must not cross a fork: leave the parent's open and start afresh.
            self._engine.dispose(close=False)
            self._pid = os.getpid()
        return self._engine

    def _transaction(self, task: Callable[[Connection], Result], writing: bool) -> Result:
        self._see_the_file()
        with self._own_engine().connect() as connection:
            connection = connection.execution_options(hysteron_writing=writing)
            with connection.begin():
                return task(connection)

    def _see_the_file(self) -> None:
        """See that the file at the address is still the one that is being written.

        SQLite would go on writing to a file that was deleted, or whose disk was taken away, and lose it all in the end; or make
        an empty one in its place.

        Raises:
            StoreError: it is not.
        """
        if self.address.path is None:
            return
        try:
            found = os.stat(self.address.path)
        except OSError as error:
            if self._file is None:
                return  # not made yet
            raise StoreError(
                f"The store {self.address.shown} has vanished ({error.strerror}): its file was deleted, or its disk taken away. "
                "Bring it back; what had been written is in it, and a run can be resumed."
            ) from None
        if self._file not in (None, (found.st_dev, found.st_ino)):
            self._file = None
            self._own_engine().dispose()
            raise StoreError(
                f"The file of the store {self.address.shown} was replaced by another one while it was in use. Once it is the "
                "right one, begin again; a run can be resumed."
            )
        self._file = (found.st_dev, found.st_ino)

    def _tried(self, attempt: Callable[[], Result]) -> Result:
        for i in range(ATTEMPTS):
            try:
                return attempt()
            except DBAPIError as error:
                if i + 1 == ATTEMPTS or not _is_busy(error):
                    raise StoreError(self._sentence(error)) from error
                time.sleep(FIRST_PAUSE_SECONDS * 2**i * random.uniform(0.5, 1.5))  # noqa: S311
        raise AssertionError("the last attempt returns or raises")

    def _sentence(self, error: DBAPIError) -> str:
        shown = self.address.shown
        if _is_busy(error):
            return (
                f"The store {shown} stayed busy: another program keeps it locked. Try again when it is done."
            )
        if _code(error) == _FULL or _state(error) == _FULL_STATE:
            return f"The disk that holds the store {shown} is full. What was being written was taken back."
        reasons = {
            _READONLY: "it is read-only",
            _CANTOPEN: "its file cannot be opened",
            _NOTADB: "it is not a SQLite database",
            _CORRUPT: "its file is damaged; restore a copy, or try 'sqlite3 FILE .recover'",
            _IOERR: "the disk gave an error",
        }
        reason = reasons.get(_code(error) or 0)
        if reason is None and isinstance(error, OperationalError | InterfaceError) and not self.is_sqlite:
            reason = f"the server said: {_without_password(error, self.address)}"
        return f"The store {shown} cannot be used: {reason or _without_password(error, self.address)}."


def _sqlite_engine(address: Address) -> Engine:
    engine = sqlalchemy.create_engine(address.url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions by itself: `_begin` does.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "foreign_keys=ON",
            "synchronous=NORMAL",
            f"cache_size=-{CACHE_KIB}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("hysteron_writing") else "BEGIN")

    return engine


def _postgresql_engine(address: Address) -> Engine:
    engine = sqlalchemy.create_engine(
        address.url, connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS}, pool_pre_ping=True
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("hysteron_writing"):
            connection.execute(text(f"SET LOCAL lock_timeout = {BUSY_TIMEOUT_MS}"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))

    return engine


def _code(error: DBAPIError) -> int | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _state(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def _is_busy(error: DBAPIError) -> bool:
    return _code(error) in (_BUSY, _LOCKED) or _state(error) in _TRY_AGAIN_STATES


def _without_password(error: DBAPIError, address: Address) -> str:
    words = " ".join(str(error.orig).split()).rstrip(".")
    password = address.url.password
    return words.replace(password, "***") if password else words
