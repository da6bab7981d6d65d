"""A PostgreSQL server of one's own for a while: from Debian's package, in a temporary folder, on a socket there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..core.errors import StageError

DEBIAN = Path("/usr/lib/postgresql")
USER = "hysteron"
START_SECONDS = 60.0
SYSTEM_USER = "postgres"
"""Debian's, that PostgreSQL runs as where this process is root's: it refuses to run as root."""


class Postgres:
    """A PostgreSQL server in a folder.

    Args:
        folder: That nobody else uses; the server's own user can enter it.
        programs: Where `initdb` and `pg_ctl` are.
    """

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self._programs = folder, programs
        self._call("initdb", "-D", str(folder / "data"), "-U", USER, "-A", "trust")

    def start(self) -> None:
        """Start it and wait until it answers; after a kill it recovers first.

        As long as nobody has asked how a killed process ended, its number counts as taken, and PostgreSQL refuses to begin.
        """
        own = ["-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "log")]
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self._call("pg_ctl", *own, "-o", f"-c listen_addresses='' -k {self.folder}", "start")
                return
            except StageError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)

    def stop(self) -> None:
        """End it, if it lives."""
        with suppress(StageError):
            self._call("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    def kill(self) -> None:
        """Kill every process of it, without warning."""
        main = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        family = [main, *_children(main)]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while any(_lives(pid) for pid in family):
            time.sleep(0.02)

    def database(self, name: str) -> str:
        """The address of a new database."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.address(name)

    def address(self, database: str) -> str:
        """Of one of its databases."""
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def _call(self, program: str, *arguments: str) -> None:
        other = ["runuser", "-u", SYSTEM_USER, "--"] if os.geteuid() == 0 else []
        command = [*other, str(self._programs / program), *arguments]
        # What it starts keeps its output open, so that goes to a file.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(command, cwd="/", stdout=said, stderr=subprocess.STDOUT, check=False)  # noqa: S603
            said.seek(0)
            if done.returncode:
                raise StageError(f"{program} failed: {said.read().strip()[-300:]}")


@contextmanager
def local_postgres() -> Iterator[Postgres | None]:
    """A server that lives as long as the block; `None` where none is installed."""
    programs = installed()
    if programs is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="hysteron-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, SYSTEM_USER)
        server = Postgres(folder, programs)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def installed() -> Path | None:
    """Where the programs of the newest PostgreSQL server are: Debian's package, or on the path."""
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = str(versions[-1]) if versions else shutil.which("initdb")
    return Path(found).parent if found else None


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in found.read_text().split()] if found.exists() else []


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
