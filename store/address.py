"""Where is the store? Reads its address, and says what stands against it before a database is touched.

An address is a path, `sqlite:///PATH` or `postgresql://user:password@host/database`; the password may stand in
`HYSTERON_STORE` alone.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ..core.errors import NoStoreError, StoreError
from ..core.settings import default_store_url

MOUNTS = Path("/proc/mounts")
NETWORK_TYPES = (
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "9p", "afs", "coda", "ceph", "lustre", "gpfs", "beegfs"}
    | {"glusterfs", "davfs", "davfs2", "ocfs2", "gfs2", "orangefs", "pvfs2", "panfs", "vboxsf"}
    | {
        f"fuse.{name}"
        for name in ("sshfs", "ceph", "glusterfs", "davfs2", "rclone", "s3fs", "smbnetfs", "mfs", "juicefs")
    }
)
"""File systems on which the shared memory of SQLite's write-ahead log does not work between machines."""
SQLITE_HEADER = b"SQLite format 3\x00"


@dataclass(frozen=True)
class Address:
    """A store's place.

    Attributes:
        url: For SQLAlchemy, with the driver.
        path: The file, if it is SQLite.
        shown: What may be printed: no password.
    """

    url: URL
    path: Path | None
    shown: str


def read_address(address: str | Path | None = None) -> Address:
    """Understand an address; `None` is `HYSTERON_STORE` or the file in `HYSTERON_HOME`.

    Raises:
        StoreError: neither a path nor an address this program knows. No password is repeated.
    """
    text = str(address or default_store_url())
    if "://" not in text:
        return _sqlite(text)
    scheme = text.partition("://")[0]
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StoreError(
            f"The store address that begins with {scheme}:// cannot be read. {_EXAMPLES}"
        ) from None
    if url.drivername == "sqlite":
        if url.host or url.query or not url.database or url.database == ":memory:":
            raise StoreError(f"A sqlite address holds a path and nothing else. {_EXAMPLES}")
        return _sqlite(url.database)
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return _postgresql(url)
    raise StoreError(f"The store cannot be of the kind {scheme!r}. {_EXAMPLES}")


_EXAMPLES = "Write a path, sqlite:///PATH or postgresql://USER@HOST/DATABASE."
_SECRETS = {"password", "sslpassword"}
"""Words of libpq that may stand in the query of an address."""


def _sqlite(path_text: str) -> Address:
    if "\0" in path_text or path_text == ":memory:":
        raise StoreError(f"{path_text!r} is no file for a store. {_EXAMPLES}")
    path = Path(path_text).expanduser().absolute()
    return Address(URL.create("sqlite", database=str(path)), path, f"sqlite:///{path}")


def _postgresql(url: URL) -> Address:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise StoreError(
            "A PostgreSQL store needs the package psycopg: pip install 'hysteron[postgres]'."
        ) from None
    if _SECRETS & url.query.keys():
        raise StoreError(
            "A store address has its password before the @, where it can be taken out before it is kept or shown; not after "
            f"the ?. {_EXAMPLES}"
        )
    url = _with_password(url.set(drivername="postgresql+psycopg"))
    shown = url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)
    return Address(url, None, shown)


def _with_password(url: URL) -> URL:
    """An address without a password takes it from `HYSTERON_STORE`, if that is the same address with one.

    So an address can be written down, with a run or in Prefect's database, without its password.
    """
    if url.password is not None:
        return url
    try:
        known = make_url(os.environ.get("HYSTERON_STORE", "")).set(drivername=url.drivername)
    except (ArgumentError, ValueError):
        return url
    return known if known._replace(password=None) == url else url


def names_password(address: str) -> bool:
    """Whether a password stands in an address itself."""
    try:
        url = make_url(address) if "://" in address else None
        return url is not None and (url.password is not None or bool(_SECRETS & url.query.keys()))
    except (ArgumentError, ValueError):
        return False


def prepare_file(path: Path, create: bool) -> None:
    """See that a SQLite file can be opened for writing, and make its folder.

    Raises:
        StoreError: it is absent and not to be created, no SQLite database, in a folder that cannot be
            written, or on a network share.
    """
    if not create and not path.exists():
        raise NoStoreError(
            f"There is no store at {path} yet. 'hysteron discover' makes one; --store names another."
        )
    share = network_filesystem(path)
    if share:
        raise StoreError(
            f"{path} lies on a network share ({share}), where SQLite loses data when two machines write. "
            "Put the store on a local disk, or use a PostgreSQL server: --store postgresql://USER@HOST/DATABASE."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _check_header(path)
    except OSError as error:
        raise StoreError(f"The store {path} cannot be opened: {error.strerror}.") from None
    for place in (path.parent, path):
        if place.exists() and not os.access(place, os.W_OK):
            raise StoreError(f"The store {path} cannot be opened: {place} cannot be written.")


def _check_header(path: Path) -> None:
    with path.open("rb") as file:
        beginning = file.read(len(SQLITE_HEADER))
    if beginning and beginning != SQLITE_HEADER:
        raise StoreError(
            f"{path} is not a SQLite database, so it is left alone. Name another file with --store."
        )


def network_filesystem(path: Path, mounts: Path | None = None) -> str | None:
    """The type of the network file system that holds `path`, or `None` for a local disk.

    Known on Linux only. A root folder on 9p is a container's own disk and counts as local.
    """
    try:
        lines = (mounts or MOUNTS).read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    place = path.resolve()
    best, kind = Path("/"), ""
    for line in lines:
        fields = line.split()
        if len(fields) < 3:
            continue
        mount = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[1]))
        if (mount == place or mount in place.parents) and len(mount.parts) >= len(best.parts):
            best, kind = mount, fields[2]
    if kind == "9p" and best == Path("/"):
        return None
    return kind if kind in NETWORK_TYPES else None
