"""Where does the database of a private Prefect server come from?

Making Prefect's tables takes half of the server's start. So the first private server's database is kept as it was before the run
wrote to it, and each next one begins with a copy, which Prefect would bring up to date if it were older.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path

from ..core.settings import home

NAME = "prefect.db"


def kept() -> Path:
    """Where the empty database of this Prefect version stands, or would."""
    return home() / "prefect" / f"fresh-{version('prefect')}.db"


def lay_in(folder: Path) -> None:
    """Put a copy into a server's home, if there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        shutil.copyfile(kept(), folder / NAME)


def keep(folder: Path) -> None:
    """Keep the database of a server that has just started and that nobody has written to yet."""
    place = kept()
    if place.exists():
        return
    partial = place.with_suffix(f".{os.getpid()}.partial")
    with suppress(OSError, sqlite3.Error):
        place.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(folder / NAME)) as source, closing(sqlite3.connect(partial)) as target:
            source.backup(target)
        partial.replace(place)
    partial.unlink(missing_ok=True)


def drop() -> None:
    """Begin without one: a server did not start with it."""
    with suppress(OSError):
        kept().unlink(missing_ok=True)
